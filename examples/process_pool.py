# SPDX-License-Identifier: Apache-2.0
# A pool of processes whose workers log. Nothing in it is there for shmring but the handler.
import concurrent.futures
import logging

import shmring

logging.basicConfig(level=logging.INFO, handlers=[shmring.Handler()])
log = logging.getLogger("orders")


def place(number):
    log.info("order %d placed", number, extra={"order.id": number})  # in the ring when this returns


if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(8) as pool:
        list(pool.map(place, range(1000)))
