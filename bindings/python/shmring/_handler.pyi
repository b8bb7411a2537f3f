# SPDX-License-Identifier: Apache-2.0
import logging
from typing import Any, Optional

from ._native import Ring

class Handler(logging.Handler):
    ring: Optional[Ring]
    def __init__(self, ring: Optional[Ring] = None, *, level: int = 0, **options: Any) -> None: ...
