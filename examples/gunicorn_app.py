# SPDX-License-Identifier: Apache-2.0
# A WSGI application whose workers come and go: gunicorn --workers 4 --max-requests 1 --preload gunicorn_app:app
import logging

import shmring
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from shmring.opentelemetry import add_processors

logging.basicConfig(level=logging.INFO, handlers=[shmring.Handler()])
trace.set_tracer_provider(TracerProvider())
add_processors()
log, tracer = logging.getLogger("orders"), trace.get_tracer("orders")


def app(environ, start_response):
    with tracer.start_as_current_span("show order", kind=trace.SpanKind.SERVER, attributes={"url.path": environ["PATH_INFO"]}):
        log.info("shown: %s", environ["PATH_INFO"])  # in the ring when this returns; the span is, when it ends
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"an order\n"]
