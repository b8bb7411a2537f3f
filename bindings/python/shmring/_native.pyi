# SPDX-License-Identifier: Apache-2.0
import logging
import os
from typing import Any, Dict, Literal, Mapping, Optional, Protocol, Sequence, Tuple, Union, final

LOG: int
SPAN: int
METRIC: int
version: str

class _SpanContext(Protocol):
    @property
    def trace_id(self) -> int: ...
    @property
    def span_id(self) -> int: ...
    @property
    def trace_flags(self) -> int: ...

# A traceparent header, (trace_id, span_id[, flags]), or OpenTelemetry's SpanContext.
TraceContext = Union[str, Tuple[Union[int, bytes], Union[int, bytes]], Tuple[Union[int, bytes], Union[int, bytes], int], _SpanContext]
Attributes = Mapping[str, Any]

class Error(Exception):
    code: int

@final
class Ring:
    @property
    def path(self) -> str: ...
    @property
    def max_payload(self) -> int: ...
    def logger(
        self, name: str = "", version: str = "", *, attributes: Optional[Attributes] = None, schema_url: Optional[str] = None
    ) -> Logger: ...
    def tracer(
        self, name: str = "", version: str = "", *, attributes: Optional[Attributes] = None, schema_url: Optional[str] = None
    ) -> Tracer: ...
    def scope(
        self, name: str, version: str = "", *, attributes: Optional[Attributes] = None, schema_url: Optional[str] = None
    ) -> int: ...
    def write(self, kind: int, scope: int, data: bytes, /) -> bool: ...
    def set_min_severity(self, number: int, /) -> None: ...
    def drops(self) -> Dict[str, int]: ...
    def status(self) -> Dict[str, Any]: ...

@final
class Logger:
    def enabled(self, severity: int, /) -> bool: ...
    def log(
        self,
        severity: int,
        body: Any,
        attributes: Optional[Attributes] = None,
        *,
        trace: Optional[TraceContext] = None,
        severity_text: Optional[str] = None,
        event_name: Optional[str] = None,
        timestamp: Optional[int] = None,
        observed_timestamp: Optional[int] = None,
        dropped_attributes_count: int = 0,
    ) -> bool: ...

@final
class Tracer:
    def emit(
        self,
        name: str,
        context: TraceContext,
        start_time: int,
        end_time: int,
        attributes: Optional[Attributes] = None,
        *,
        kind: int = 0,
        trace_state: Optional[str] = None,
        parent_span_id: Union[int, bytes, None] = None,
        parent_is_remote: Optional[bool] = None,
        # (name, timestamp, attributes, dropped_attributes_count)
        events: Optional[Sequence[Tuple[Any, ...]]] = None,
        # (context, attributes, trace_state, is_remote, dropped_attributes_count)
        links: Optional[Sequence[Tuple[Any, ...]]] = None,
        status: int = 0,
        status_message: Optional[str] = None,
        dropped_attributes_count: int = 0,
        dropped_events_count: int = 0,
        dropped_links_count: int = 0,
    ) -> bool: ...

@final
class SinkType:
    def emit(self, record: logging.LogRecord, /) -> bool: ...
    def emit_as(self, record: logging.LogRecord, body: str, /) -> bool: ...

def Sink(ring: Ring, /) -> SinkType: ...
def open(
    path: Union[str, "os.PathLike[str]", None] = None,
    *,
    attach_only: bool = False,
    capacity_bytes: int = 0,
    block_bytes: int = 0,
    writers: int = 0,
    on_full: Literal["drop-newest", "block", "drop-oldest"] = "drop-newest",
    block_timeout_us: int = 0,
    max_record_bytes: int = 0,
    service_name: Optional[str] = None,
    resource: Optional[Attributes] = None,
    resource_schema_url: Optional[str] = None,
) -> Ring: ...
