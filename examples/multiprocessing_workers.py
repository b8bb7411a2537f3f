# SPDX-License-Identifier: Apache-2.0
# A process for each task, and one of them is killed: python multiprocessing_workers.py [fork|spawn|forkserver]
import logging
import multiprocessing
import os
import signal
import sys

import shmring

logging.basicConfig(level=logging.INFO, handlers=[shmring.Handler()])
log = logging.getLogger("orders")


def place(number):
    log.info("order %d placed", number)  # in the ring when this returns
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)  # as when memory is short


if __name__ == "__main__":
    context = multiprocessing.get_context(*sys.argv[1:])
    workers = [context.Process(target=place, args=(number,)) for number in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
