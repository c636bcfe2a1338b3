"""JSON text for cells that have no type of Arrow: what JSON does not know stands in a dict of one key, its tag."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from tracking.media.contract import Media
from tracking.tables import cells

ToRecord = Callable[[Media], dict[str, Any]]
Revive = Callable[[Mapping[str, Any]], Any]

_AS_IS = (str, int, bool, type(None))


def dumps(value: Any, to_record: ToRecord) -> str:
    """A plain cell as JSON text (ASCII, without NaN), from which `loads` makes an equal value."""
    return json.dumps(_packed(value, to_record), separators=(",", ":"), allow_nan=False)


def loads(text: str, revive: Revive) -> Any:
    """The cell; `revive` makes a Media of its record."""
    return _unpacked(json.loads(text), revive)


def _packed(value: Any, to_record: ToRecord) -> Any:
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind is list:
        return [_packed(item, to_record) for item in value]
    if kind is dict:
        return _packed_dict(value, to_record)
    if isinstance(value, Media):
        return {"$media": to_record(value)}
    return _packed_rest(value, to_record)


def _packed_dict(value: dict[Any, Any], to_record: ToRecord) -> dict[str, Any]:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: _packed(item, to_record) for key, item in value.items()}
    return {"$dict": [[_packed(key, to_record), _packed(item, to_record)] for key, item in value.items()]}


def _packed_rest(value: Any, to_record: ToRecord) -> Any:
    if isinstance(value, datetime.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"$time": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"$duration": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if cells.is_array(value):
        return {"$array": [value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]}
    return _packed(cells.plain_cell(value), to_record)


def _unpacked(value: Any, revive: Revive) -> Any:
    if type(value) is list:
        return [_unpacked(item, revive) for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        tag, inner = next(iter(value.items()))
        if tag in _TAGS:
            return _TAGS[tag](inner)
        if tag == "$media":
            return revive(inner)
        if tag == "$dict":
            return {_unpacked(key, revive): _unpacked(item, revive) for key, item in inner}
    return {key: _unpacked(item, revive) for key, item in value.items()}


def _array(parts: list[Any]) -> Any:
    import numpy  # only tables with arrays need it

    dtype, shape, data = parts
    return numpy.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()


_TAGS: dict[str, Callable[[Any], Any]] = {
    "$float": float,
    "$datetime": datetime.datetime.fromisoformat,
    "$date": datetime.date.fromisoformat,
    "$time": datetime.time.fromisoformat,
    "$duration": lambda parts: datetime.timedelta(*parts),
    "$bytes": base64.b64decode,
    "$array": _array,
}
