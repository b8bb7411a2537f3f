# SPDX-License-Identifier: Apache-2.0
"""Exceptions as texts, for the attributes exception.type, exception.message and exception.stacktrace."""

import sys
import traceback


def describe(exc_info):
    """(type, message, stacktrace) of what `logging` has as exc_info; None where there is no exception."""
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    kind, value, trace = exc_info
    if kind is None:
        return None
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(value)
    except Exception:
        message = f"<{name} object whose str() failed>"
    try:
        stacktrace = "".join(traceback.format_exception(kind, value, trace))
    except Exception:  # an exception whose own attributes raise
        stacktrace = "".join(traceback.format_tb(trace))
    return name, message, stacktrace
