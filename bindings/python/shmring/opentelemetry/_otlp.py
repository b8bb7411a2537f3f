# SPDX-License-Identifier: Apache-2.0
"""Protocol Buffers for metrics, as far as those need them. Logs and spans are encoded by the library."""

import math
import struct
from collections.abc import Mapping, Sequence

_FIXED64 = struct.Struct("<Q")
_DOUBLE = struct.Struct("<d")
_INT_RANGE = range(-(2**63), 2**63)
_MAX_NESTING = 31  # of values in an exemplar's attribute: with what is around them, 100 messages in each other, which every parser takes


def varint(number):
    out = bytearray()
    number &= 2**64 - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def signed(field, value):
    """sint32"""
    return number(field, value << 1 ^ value >> 31)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def text(field, value):
    return message(field, value.encode("utf-8", "backslashreplace")) if value else b""


def fixed64(field, value):
    return varint(field << 3 | 1) + _FIXED64.pack(value & 2**64 - 1) if value else b""


def present_double(field, value):
    """Zero is written, too: of an optional field, or one of a oneof."""
    return b"" if value is None else varint(field << 3 | 1) + _DOUBLE.pack(value)


def double_or_int(double_field, int_field, value):
    if isinstance(value, int) and value in _INT_RANGE:
        return varint(int_field << 3 | 1) + _FIXED64.pack(value & 2**64 - 1)
    try:
        return present_double(double_field, float(value))
    except OverflowError:  # an int larger than any double
        return present_double(double_field, math.inf if value > 0 else -math.inf)


def packed(field, encode, values):
    return message(field, b"".join(map(encode, values))) if values else b""


def packed_fixed64(field, values):
    return packed(field, _FIXED64.pack, values)


def packed_doubles(field, values):
    return packed(field, _DOUBLE.pack, values)


def packed_varints(field, values):
    return packed(field, varint, values)


def _text_of(value):
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__} object whose str() failed>"


def _any_value(value, nesting=1):
    if value is None:
        return b""
    if isinstance(value, bool):
        return varint(2 << 3) + varint(value)
    if isinstance(value, int) and value in _INT_RANGE:
        return varint(3 << 3) + varint(value)
    if isinstance(value, float):
        return present_double(4, value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return message(7, bytes(value))
    if isinstance(value, (Sequence, Mapping)) and not isinstance(value, str) and nesting >= _MAX_NESTING:
        return b""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return message(5, b"".join(message(1, _any_value(each, nesting + 1)) for each in value))
    if isinstance(value, Mapping):
        return message(6, attributes(1, value, nesting + 1))
    return message(1, _text_of(value).encode("utf-8", "backslashreplace"))


def attributes(field, mapping, nesting=1):
    """Without those that have no key."""
    named = ((_text_of(key), value) for key, value in (mapping or {}).items())
    return b"".join(message(field, text(1, key) + message(2, _any_value(value, nesting))) for key, value in named if key)
