"""What a cell may hold: its kind, and how values of other libraries become plain ones."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from typing import Any

from tracking.errors import TableError
from tracking.media.contract import Media
from tracking.media.conversion import as_medium

NONE, UNKNOWN, ANY = "none", "unknown", "any"
NUMBER, STRING, BOOLEAN, BYTES = "number", "string", "boolean", "bytes"
LIST, DICT, ARRAY = "list", "dict", "array"
MOMENT, CLOCK, DURATION = "timestamp", "time", "duration"

SCALARS: dict[type, str] = {
    float: NUMBER,
    int: NUMBER,
    str: STRING,
    bool: BOOLEAN,
    type(None): NONE,
    bytes: BYTES,
    datetime.datetime: MOMENT,
    datetime.date: MOMENT,
    datetime.time: CLOCK,
    datetime.timedelta: DURATION,
}
"""Types whose values are kept as they are, and their kind. The kind of media is their `type_name`."""
KINDS = SCALARS | {list: LIST, dict: DICT}
_TABLES = frozenset(("table-file", "incremental-table-file", "joined-table"))
_MAX_DEPTH = 32
_ALLOWED = "numbers, text, bools, None, bytes, lists, dicts, dates and times, numpy arrays and media"
_MISSING = frozenset(("NaTType", "NAType"))
"""What pandas writes for a cell without a value."""


def is_missing(value: Any) -> bool:
    """Whether it stands for no value: None, and what DataFrames write instead (NaN, NaT, NA)."""
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in _MISSING


def kind_of(value: Any) -> str:
    """The kind of a plain value (see `plain_cell`)."""
    kind = KINDS.get(type(value))
    if kind is not None:
        return kind
    return value.type_name if isinstance(value, Media) else ARRAY


def is_array(value: Any) -> bool:
    """Whether it is a numpy array, without importing numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def plain_cell(value: Any, depth: int = 0) -> Any:
    """The value as one of `SCALARS`, a list, a dict, a numpy array or a Media. Raises TableError, which says why not.

    Scalars of numpy, torch and jax become numbers, their arrays numpy arrays; tuples and sets become lists.
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    if depth > _MAX_DEPTH:
        raise TableError(f"it is nested more than {_MAX_DEPTH} deep (or contains itself)")
    if isinstance(value, Media):
        return _media(value)
    if isinstance(value, Mapping):
        return {_key(key): plain_cell(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, Set)):
        return _listed(value, depth)
    return _foreign(value, depth)


def _listed(value: Any, depth: int) -> list[Any]:
    if type(value) is list and SCALARS.keys() >= set(map(type, value)):
        return value
    return [plain_cell(item, depth + 1) for item in value]


def _key(key: Any) -> Any:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, (str, int, float, bool, type(None))):
        return key if type(key) in SCALARS else plain_cell(key)
    raise TableError(f"a dict has a key of type {type(key).__name__}; keys are text, numbers, bools or None")


def _media(value: Media) -> Media:
    if value.type_name in _TABLES:
        raise TableError(
            f"it is a {type(value).__name__}, and tables do not hold tables: log it under a key of its own "
            "(or join two tables with JoinedTable)"
        )
    return value


def _foreign(value: Any, depth: int) -> Any:
    """Classes of others, from the most to the least telling of what they offer."""
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, Enum):
        return plain_cell(value.value, depth + 1)
    if is_array(value):
        return _array(value, depth)
    if hasattr(value, "detach"):  # torch, on whatever device
        return plain_cell(_called(_called(_called(value, "detach"), "cpu"), "numpy"), depth + 1)
    if _is_frame(value):
        raise TableError(f"it is a {type(value).__name__}, and tables do not hold tables: pass Table(dataframe=…)")
    if hasattr(value, "dtype"):
        return _of_numpy(value, depth)
    return _derived(value)


def _derived(value: Any) -> Any:
    """Subclasses of plain types, and the few types of the standard library that have a plain twin."""
    bases: tuple[type, ...] = (bool, int, float, str, bytes)
    for base in bases:
        if isinstance(value, base):
            return base(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if hasattr(value, "to_pydatetime"):  # pandas.Timestamp, whose nanoseconds no datetime can hold
        return value.replace(nanosecond=0).to_pydatetime()
    if hasattr(value, "to_pytimedelta"):
        return datetime.timedelta(microseconds=value.value // 1000)
    medium = as_medium(value)  # figures and pictures of other libraries
    if medium is not None:
        return medium
    raise TableError(f"it is a {type(value).__module__}.{type(value).__name__}; cells hold {_ALLOWED}")


def _of_numpy(value: Any, depth: int) -> Any:
    """A scalar or an array of numpy, or of a library that speaks its language."""
    if getattr(value, "ndim", 0) == 0 and hasattr(value, "item"):
        kind = getattr(value.dtype, "kind", "")
        if kind in ("M", "m"):  # datetime64 and timedelta64 of nanoseconds would become whole numbers
            value = value.astype(f"{kind}8[us]")
        number = _called(value, "item")
        if type(number) in SCALARS:
            return number
        raise TableError(f"it is a {value.dtype} of numpy; cells hold {_ALLOWED}")
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(value, "__array__"):
        return _derived(value)
    return plain_cell(numpy.asarray(value), depth + 1)


def _array(value: Any, depth: int) -> Any:
    if value.ndim == 0:
        return plain_cell(value[()], depth + 1)
    if value.dtype.kind in "OT":  # objects, and texts of any length
        return plain_cell(value.tolist(), depth + 1)
    if value.dtype.kind == "V":
        raise TableError("it is a numpy array of records: make each of its fields a column")
    return value


def _is_frame(value: Any) -> bool:
    return type(value).__name__ in ("DataFrame", "LazyFrame") and hasattr(value, "columns")


def _called(value: Any, method: str) -> Any:
    """Call a method of somebody else's object: whatever it raises only makes the cell refused."""
    try:
        return getattr(value, method)()
    except Exception as error:  # noqa: BLE001  boundary: foreign code
        raise TableError(f"{type(value).__name__}.{method}() failed: {error}") from None


def shortly(value: Any) -> str:
    """The value for a message: at most 60 characters."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  boundary: foreign code
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else text[:59] + "…"


def plain_column(values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column as plain cells; the same sequence when they are already. Raises TableError."""
    types = set(map(type, values))
    if SCALARS.keys() >= types or all(issubclass(one, Media) or one in SCALARS for one in types):
        return values
    return [plain_cell(value) for value in values]


def equal(one: Any, other: Any) -> bool:
    """Whether two cells hold the same; NaN is NaN here, and media are what their files are."""
    if one is other:
        return True
    if is_array(one) or is_array(other):
        return is_array(one) and is_array(other) and one.shape == other.shape and all(map(equal, one.flat, other.flat))
    if isinstance(one, float) and isinstance(other, float) and one != one:
        return other != other
    if type(one) is type(other) and isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if type(one) is type(other) and isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(item, other[key]) for key, item in one.items())
    return bool(one == other) or (isinstance(one, Media) and type(one) is type(other) and _same_media(one, other))


def _same_media(one: Media, other: Media) -> bool:
    """Whether they say the same of themselves, with files of the same bytes."""
    said, also = vars(one), vars(other)
    if said.keys() != also.keys():
        return False
    return all(_same_part(value, also[name]) for name, value in said.items())


def _same_part(one: Any, other: Any) -> bool:
    if hasattr(one, "open") and hasattr(other, "open"):
        with one.open() as file, other.open() as another:
            return bool(file.read() == another.read())
    return equal(one, other)
