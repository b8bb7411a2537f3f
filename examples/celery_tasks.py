# SPDX-License-Identifier: Apache-2.0
# Tasks of Celery, each in a process of its own: python celery_tasks.py sends some, celery -A celery_tasks worker does them.
import logging
import os

import celery
import shmring
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from shmring.opentelemetry import add_processors

os.makedirs("queue", exist_ok=True)
app = celery.Celery("celery_tasks", broker="filesystem://localhost")  # a folder, so that this runs by itself; any broker will do
app.conf.broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue"}
app.conf.worker_max_tasks_per_child = 1  # the child ends after its task, without a word to anybody
app.conf.worker_hijack_root_logger = False  # Celery would take our handler away

logging.basicConfig(level=logging.INFO, handlers=[logging.StreamHandler(), shmring.Handler()])
trace.set_tracer_provider(TracerProvider())
add_processors()
log, tracer = logging.getLogger("orders"), trace.get_tracer("orders")


@app.task
def place(number):
    with tracer.start_as_current_span("place order", attributes={"order.id": number}):
        log.info("order %d placed", number)  # in the ring when this returns; the span is, when it ends


if __name__ == "__main__":
    for number in range(40):
        place.delay(number)
