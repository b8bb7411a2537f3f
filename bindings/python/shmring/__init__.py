# SPDX-License-Identifier: Apache-2.0
"""shmring: telemetry that outlives the process that wrote it.

    import logging, shmring
    logging.getLogger().addHandler(shmring.Handler())
"""

from ._handler import Handler
from ._native import LOG, METRIC, SPAN, Error, Logger, Ring, Tracer, open
from ._native import version as __version__

__all__ = ["Error", "Handler", "LOG", "Logger", "METRIC", "Ring", "SPAN", "Tracer", "__version__", "open"]
