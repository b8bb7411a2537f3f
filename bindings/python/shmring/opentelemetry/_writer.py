# SPDX-License-Identifier: Apache-2.0
"""The ring that a processor or an exporter writes to, opened with the resource of the first record where nobody opened one before."""

import logging

from .. import _native

_log = logging.getLogger(__name__)

# What the ring says itself, of each process: a forked child has its own.
_OF_THE_PROCESS = {"service.instance.id", "process.pid"}


def _described(scope):
    """All that a scope says. Its attributes as text too: in a key 1, 1.0 and True would be the same."""
    if scope is None:
        return "", "", "", None, ""
    attributes = getattr(scope, "attributes", None)  # which older SDKs do not know
    if not attributes:
        return scope.name, scope.version, scope.schema_url, None, ""
    attributes = dict(attributes)
    return scope.name, scope.version, scope.schema_url, attributes, repr(attributes)


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
        if resource is not None and "resource" not in options:
            options["resource"] = {key: value for key, value in resource.attributes.items() if key not in _OF_THE_PROCESS}
            options.setdefault("resource_schema_url", resource.schema_url)
        elif resource is not None and "service.name" in resource.attributes:
            options.setdefault("service_name", str(resource.attributes["service.name"]))
        try:
            self.ring = _native.open(**options)
        except Exception as error:
            self._failed = True
            _log.error("shmring: telemetry of this process is not recorded: %s", error)
        return self.ring

    def _made(self, made, make, scope):
        name, version, schema_url, attributes, written = _described(scope)
        key = name, version, schema_url, written
        found = made.get(key)
        if found is None:
            found = made[key] = make(name or "", version or "", attributes=attributes, schema_url=schema_url)
        return found

    def logger(self, scope):
        return self._made(self._loggers, self.ring.logger, scope)

    def tracer(self, scope):
        return self._made(self._tracers, self.ring.tracer, scope)

    def scope(self, scope):
        return self._made(self._scopes, self.ring.scope, scope)
