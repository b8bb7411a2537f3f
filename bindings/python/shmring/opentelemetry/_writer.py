# SPDX-License-Identifier: Apache-2.0
"""The ring that a processor or an exporter writes to, opened with the resource of the first record where nobody opened one before."""

import json
import logging

from .. import _native

_log = logging.getLogger(__name__)

# What the ring says itself, of each process: a forked child has its own.
_OF_THE_PROCESS = {"service.instance.id", "process.pid"}


def _text(value):
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return str(value)


class Writer:
    """Loggers, tracers and scopes by instrumentation scope."""

    def __init__(self, ring, options):
        if ring is not None and options:
            raise TypeError("options are for a ring that is opened here; this one was given a ring")
        self.ring = ring
        self._options = options
        self._failed = False
        self._loggers, self._tracers, self._scopes = {}, {}, {}

    def open(self, resource):
        """The ring; None, and an error logged once, where it cannot be opened: telemetry does not stop a program."""
        if self.ring is not None or self._failed:
            return self.ring
        options = dict(self._options)
        attributes = dict(resource.attributes) if resource is not None else {}
        if "service.name" in attributes:
            options.setdefault("service_name", _text(attributes.pop("service.name")))
        options.setdefault("resource", {key: _text(value) for key, value in attributes.items() if key not in _OF_THE_PROCESS})
        try:
            self.ring = _native.open(**options)
        except Exception as error:
            self._failed = True
            _log.error("shmring: telemetry of this process is not recorded: %s", error)
        return self.ring

    def _made(self, made, make, scope):
        key = (scope.name, scope.version) if scope is not None else ("", "")
        found = made.get(key)
        if found is None:
            found = made[key] = make(key[0] or "", key[1] or "")
        return found

    def logger(self, scope):
        return self._made(self._loggers, self.ring.logger, scope)

    def tracer(self, scope):
        return self._made(self._tracers, self.ring.tracer, scope)

    def scope(self, scope):
        return self._made(self._scopes, self.ring.scope, scope)
