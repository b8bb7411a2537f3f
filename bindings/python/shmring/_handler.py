# SPDX-License-Identifier: Apache-2.0
"""A handler for `logging` whose emit is durable: when it has returned, the record is in the ring."""

import logging
import warnings

from . import _native

_INVALID_ARGUMENT = -1  # of shmring.h


def _nowhere(*record):
    return False


class Handler(logging.Handler):
    """Writes log records to a ring.

    `ring` is a Ring; without one, `shmring.open(**options)` makes it, and where that fails the handler warns and does nothing: `ring` is
    None. No thread, no queue, nothing to flush: a process may end in any way right after a log call. Forked children use the handler as
    it is.

    The message becomes the body, or what a formatter makes of the record where the handler has one. The logger's name is the scope, fields of
    `extra` are attributes, an exception is exception.type, exception.message and exception.stacktrace. A record belongs to OpenTelemetry's current
    span, where the program uses OpenTelemetry.
    """

    def __init__(self, ring=None, *, level=logging.NOTSET, **options):
        super().__init__(level)
        if ring is None:
            ring = self._open(options)
        elif options:
            raise TypeError("options are for a ring that the handler opens itself; this one was given a ring")
        self.ring = ring
        self._emit = self._emit_as = _nowhere
        if ring is not None:
            sink = _native.Sink(ring)
            self._emit, self._emit_as = sink.emit, sink.emit_as

    @staticmethod
    def _open(options):
        try:
            return _native.open(**options)
        except _native.Error as error:  # a full or foreign /dev/shm, not a mistake of the program's: telemetry does not stop it
            if error.code == _INVALID_ARGUMENT:
                raise
            warnings.warn(f"shmring: log records of this process are not recorded: {error}", RuntimeWarning, stacklevel=3)
            return None

    def setFormatter(self, fmt):
        # basicConfig() gives this one to every handler that has none. Nobody asked for it, and level and logger have fields of their own.
        if type(fmt) is logging.Formatter and fmt._fmt == logging.BASIC_FORMAT:
            fmt = None
        super().setFormatter(fmt)

    def handle(self, record):
        # Without the handler's lock: the ring needs none, and no child can inherit it held.
        if self.filters:
            kept = self.filter(record)
            if not kept:
                return kept
            if kept is not True and isinstance(kept, logging.LogRecord):
                record = kept
        self.emit(record)
        return record

    def emit(self, record):
        try:
            if self.formatter is None:
                self._emit(record)
            else:
                self._emit_as(record, self.format(record))
        except Exception:
            self._emit_anyhow(record)
            self.handleError(record)

    def _emit_anyhow(self, record):
        """A record whose message cannot be formatted: its parts, rather than nothing."""
        try:
            self._emit_as(record, f"{record.msg} {record.args!r}")
        except Exception:
            try:
                self._emit_as(record, f"<log record of {record.name} that cannot be formatted>")
            except Exception:
                pass  # handleError tells of the first failure
