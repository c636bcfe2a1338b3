"""How the cells of a column are stored: the narrowest form that holds all of them, found from the values alone.

A storage is a word: null, bool, int, bigint, float, text, bytes, timestamp, timestamp_utc, date, time, duration,
list:<one of the first seven>, array:<dtype> (one-dimensional numpy arrays of one dtype), ndarray (any numpy arrays),
media (the JSON record of a Media) and json (whatever the others cannot hold).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import chain
from typing import Any

from tracking.media.contract import Media
from tracking.tables import cells

NULL, JSON, MEDIA, NDARRAY = "null", "json", "media", "ndarray"
_EXACT = 1 << 53
"""Up to here a float holds every whole number."""
_LAST = (1 << 63) - 1
_MOST_DAYS = 100_000_000
"""Longer durations do not fit into 64 bits of microseconds."""
_SCALAR_LISTS = frozenset(("null", "bool", "int", "bigint", "float", "text"))


def storage_of(values: Sequence[Any]) -> str:
    """The narrowest storage of these plain cells."""
    types = set(map(type, values))
    if type(None) in types:
        types.remove(type(None))
        values = [value for value in values if value is not None]
    if not types:
        return NULL
    if len(types) == 1:
        return _of_one_type(next(iter(types)), values)
    if types == {int, float}:
        return wider(_of_ints([value for value in values if type(value) is int]), "float")
    return MEDIA if all(issubclass(one, Media) for one in types) else JSON


def _of_one_type(kind: type, found: Sequence[Any]) -> str:
    if kind in (float, bool, bytes):
        return {float: "float", bool: "bool", bytes: "bytes"}[kind]
    if kind is int:
        return _of_ints(found)
    if kind is str:
        return "text" if all(map(str.isascii, found)) or all(map(_is_unicode, found)) else JSON
    if kind is list:
        return _of_lists(found)
    if issubclass(kind, Media):
        return MEDIA
    return _of_times(kind, found) or _of_arrays(found) or JSON


def _of_ints(values: Sequence[int]) -> str:
    most = max(max(values), -min(values))
    return "int" if most <= _EXACT else "bigint" if most <= _LAST else JSON


def _is_unicode(text: str) -> bool:
    """False for halves of surrogate pairs, which file names may have and UTF-8 has not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_lists(values: Sequence[list[Any]]) -> str:
    element = storage_of(list(chain.from_iterable(values)))
    return f"list:{element}" if element in _SCALAR_LISTS else JSON


def _of_times(kind: type, values: Sequence[Any]) -> str:
    if kind is datetime.datetime:
        zones = {value.tzinfo is None for value in values}
        if len(zones) == 2:
            return JSON
        if zones.pop():
            return "timestamp"
        # At both ends of the calendar another time zone may be beyond it.
        return "timestamp_utc" if all(1 < value.year < datetime.MAXYEAR for value in values) else JSON
    if kind is datetime.date:
        return "date"
    if kind is datetime.time:
        return "time" if all(value.tzinfo is None for value in values) else JSON
    if kind is datetime.timedelta:
        return "duration" if all(abs(value.days) < _MOST_DAYS for value in values) else JSON
    return ""


def _of_arrays(values: Sequence[Any]) -> str:
    if not all(map(cells.is_array, values)):
        return ""
    dtypes = {value.dtype for value in values}
    dtype = dtypes.pop()
    flat = not dtypes and dtype.kind in "biuf" and dtype.isnative and all(value.ndim == 1 for value in values)
    return f"array:{dtype.name}" if flat else NDARRAY


def wider(one: str, other: str) -> str:
    """The narrowest storage that holds the values of both."""
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    both = {one, other}
    if both == {"int", "bigint"}:
        return "bigint"
    if both == {"int", "float"}:
        return "float"
    heads = {name.partition(":")[0] for name in both}
    if heads == {"list"}:
        element = wider(*(name.partition(":")[2] for name in both))
        return f"list:{element}" if element in _SCALAR_LISTS else JSON
    return NDARRAY if heads <= {"array", NDARRAY} else JSON


def widest(storages: Iterable[str]) -> str:
    """The narrowest storage that holds the values of all."""
    return reduce(wider, storages, NULL)
