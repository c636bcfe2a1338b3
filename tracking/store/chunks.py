"""The format of a chunk: up to 4096 consecutive points of a series in a few thousand bytes.

    data = steps_code u8, values_code u8, size of the steps u32, steps, values

Steps that rise by one stride are 16 bytes, others are deltas in the narrowest integer that holds them. Floats are kept
in 32 bits when that loses nothing, integers in the narrowest type. Arrays are split into byte planes (the exponents of
neighbours are alike, their last bits are noise), each of which is deflated when that makes it smaller. Everything is
little-endian. Standard library only, so that a process which ships journals stays small.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import isfinite
from typing import Any

CHUNK_POINTS = 4096
SHORT_CHUNK = 128
"""The fewest points of a chunk that has a successor."""
WORTH_DEFLATING = 256
"""Bytes; below it a deflate stream costs more time than the bytes are worth."""
BLOCK_POINTS = 256
"""The digest of a full chunk has the minimum and the maximum of each block of this many points."""

DIGEST_POINTS = 2 * CHUNK_POINTS // BLOCK_POINTS

FLOAT, INT, JSON = "float", "int", "json"

Values = Sequence[Any]
"""array("d") for FLOAT, array("q") for INT, a list for JSON."""

_HEADER = struct.Struct("<BBI")
_REGULAR = struct.Struct("<qq")
_FIRST = struct.Struct("<q")
_LEVEL = 6

_CODES = {"b": 1, "h": 2, "i": 3, "q": 4, "f": 5, "d": 6, "B": 7, "H": 8, "I": 9}
_TYPES = {code: typecode for typecode, code in _CODES.items()}
_JSON_CODE = 15
_REGULAR_CODE = 0
_DEFLATED = 0x80
_NARROW_INTS = (("b", 7), ("h", 15), ("i", 31))
_NARROW_DELTAS = (("B", 8), ("H", 16), ("I", 32))


def encode(kind: str, steps: array[int], values: Values, *, deflate: bool = True) -> bytes:
    """The bytes of a chunk. Without `deflate` it is several times faster: for a chunk that is soon written again."""
    steps_code, steps_data = _encode_steps(steps, deflate)
    if kind == JSON:
        text = json.dumps(values, separators=(",", ":")).encode()
        values_code, values_data = _deflated(_JSON_CODE, text, deflate)
    else:
        values_code, values_data = _encode_array(_narrow(kind, values), deflate)
    return b"".join((_HEADER.pack(steps_code, values_code, len(steps_data)), steps_data, values_data))


def decode(kind: str, count: int, data: bytes) -> tuple[array[int], Values]:
    """What `encode` was given."""
    steps_code, values_code, size = _HEADER.unpack_from(data)
    view = memoryview(data)[_HEADER.size :]
    steps = _decode_steps(steps_code, count, view[:size])
    if kind == JSON:
        text = zlib.decompress(view[size:]) if values_code & _DEFLATED else bytes(view[size:])
        return steps, json.loads(text)
    values = _decode_array(values_code, count, view[size:])
    wide = "d" if kind == FLOAT else "q"
    return steps, values if values.typecode == wide else array(wide, values)


Packed = tuple[str, list[bytes | memoryview]]
"""The type code of an array, and its bytes: whole, or each of its byte planes."""


def unpacked(count: int, data: bytes) -> tuple[int, int, Packed, Packed]:
    """The parts of a chunk of numbers for readers that decode in their own way: the first step; the stride, or 0 and
    the deltas of the steps; the values."""
    steps_code, values_code, size = _HEADER.unpack_from(data)
    view = memoryview(data)[_HEADER.size :]
    values = _planes(values_code, count, view[size:])
    if steps_code == _REGULAR_CODE:
        first, stride = _REGULAR.unpack(view[:size])
        return first, stride, ("q", []), values
    (first,) = _FIRST.unpack_from(view)
    return first, 0, _planes(steps_code, count - 1, view[_FIRST.size : size]), values


def _planes(code: int, count: int, data: memoryview) -> Packed:
    """The type code of a stored array, and its bytes: whole, or each of its byte planes."""
    typecode = _TYPES[code & ~_DEFLATED]
    if not code & _DEFLATED:
        return typecode, [data]
    width = array(typecode).itemsize
    start = 2 * width
    planes: list[bytes | memoryview] = []
    for size in _from_little("H", data[:start]):
        stored = data[start : start + size]
        planes.append(stored if size == count else zlib.decompress(stored, -15))
        start += size
    return typecode, planes


def digest(steps: array[int], values: Values) -> bytes:
    """The extremes of each block of a full chunk in step order, as a chunk of DIGEST_POINTS floats. Not for JSON."""
    places: list[int] = []
    for start in range(0, CHUNK_POINTS, BLOCK_POINTS):
        places += sorted(extremes(values, start, start + BLOCK_POINTS))
    some_values = array("d", [values[i] for i in places])
    return encode(FLOAT, array("q", [steps[i] for i in places]), some_values, deflate=False)


def extremes(values: Values, start: int, stop: int) -> tuple[int, int]:
    """Places of the least and the greatest finite value in [start, stop); the first place twice when none is finite."""
    part = values[start:stop]
    if isfinite(sum(part)):
        low, high = min(part), max(part)
    else:
        finite = [value for value in part if isfinite(value)]
        if not finite:
            return start, start
        low, high = min(finite), max(finite)
    return start + part.index(low), start + part.index(high)


def _encode_steps(steps: array[int], deflate: bool) -> tuple[int, bytes]:
    count = len(steps)
    stride = steps[1] - steps[0] if count > 1 else 1
    ends_fit = stride > 0 and steps[-1] - steps[0] == stride * (count - 1)
    if ends_fit and array("q", range(steps[0], steps[-1] + 1, stride)) == steps:
        return _REGULAR_CODE, _REGULAR.pack(steps[0], stride)
    deltas = [after - before for before, after in pairwise(steps)]
    widest = max(deltas).bit_length()
    typecode = next((code for code, bits in _NARROW_DELTAS if widest <= bits), "q")
    code, data = _encode_array(array(typecode, deltas), deflate)
    return code, _FIRST.pack(steps[0]) + data


def _decode_steps(code: int, count: int, data: memoryview) -> array[int]:
    if code == _REGULAR_CODE:
        first, stride = _REGULAR.unpack(data)
        return array("q", range(first, first + stride * count, stride))
    (first,) = _FIRST.unpack_from(data)
    deltas = _decode_array(code, count - 1, data[_FIRST.size :])
    return array("q", accumulate(deltas, initial=first))


def _narrow(kind: str, values: Values) -> array[Any]:
    """The values in the narrowest array that holds them exactly."""
    if kind == INT:
        widest = max(_bits(min(values)), _bits(max(values)))
        typecode = next((code for code, bits in _NARROW_INTS if widest <= bits), "q")
        return array(typecode, values)
    wide = values if isinstance(values, array) else array("d", values)
    # The first value usually tells that 32 bits will not do. Bytes are compared because NaN is not equal to itself.
    if array("d", array("f", wide[:1])).tobytes() != wide[:1].tobytes():
        return wide
    narrow = array("f", wide)
    return narrow if array("d", narrow).tobytes() == wide.tobytes() else wide


def _bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length()


def _encode_array(values: array[Any], deflate: bool) -> tuple[int, bytes]:
    code, raw = _CODES[values.typecode], _little(values)
    if not deflate or len(raw) < WORTH_DEFLATING:
        return code, raw
    planes = [_smaller(raw[plane :: values.itemsize]) for plane in range(values.itemsize)]
    sizes = array("H", map(len, planes))
    return code | _DEFLATED, _little(sizes) + b"".join(planes)


def _smaller(plane: bytes) -> bytes:
    """The plane deflated, or as it is where that is not smaller: its length tells which."""
    # "Filtered" is meant for bytes of few distinct values in random order, which an exponent plane is.
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED)
    small = stream.compress(plane) + stream.flush()
    return small if len(small) < len(plane) else plane


def _decode_array(code: int, count: int, data: memoryview) -> array[Any]:
    typecode, planes = _planes(code, count, data)
    if len(planes) == 1:
        return _from_little(typecode, planes[0])
    raw = bytearray(count * len(planes))
    for number, plane in enumerate(planes):
        raw[number :: len(planes)] = plane
    return _from_little(typecode, raw)


def _deflated(code: int, data: bytes, deflate: bool) -> tuple[int, bytes]:
    if deflate and len(data) >= WORTH_DEFLATING:
        small = zlib.compress(data, _LEVEL)
        if len(small) < len(data):
            return code | _DEFLATED, small
    return code, data


def _little(values: array[Any]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def _from_little(typecode: str, data: bytes | bytearray | memoryview) -> array[Any]:
    values: array[Any] = array(typecode)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
