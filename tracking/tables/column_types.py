"""The type of a column: what it was declared or found to be, and whether cells may be empty."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracking.errors import TableError
from tracking.media.contract import Media
from tracking.tables import cells
from tracking.tables.cells import ANY, KINDS, NONE, UNKNOWN

Name = str | int
_NAMED = frozenset(KINDS.values()) | {cells.ARRAY, ANY, UNKNOWN}
_NUMPY_KINDS = {"b": cells.BOOLEAN, "U": cells.STRING, "S": cells.BYTES, "M": cells.MOMENT, "m": cells.DURATION}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`kind` is one of tracking.tables.cells, or the `type_name` of a Media."""

    kind: str = UNKNOWN
    optional: bool = True

    def after(self, value: Any, name: Name, row: int) -> tuple[Any, ColumnType]:
        """The plain value, and the type once the column holds it. Raises TableError, which names row and column."""
        try:
            value = cells.plain_cell(value)
        except TableError as error:
            raise TableError(f"row {row}, column {name!r}: {cells.shortly(value)} cannot be a cell: {error}") from None
        found = cells.kind_of(value)
        if self.kind == ANY:
            return value, self
        if found == NONE or (
            found != self.kind and self.kind not in (UNKNOWN, cells.NUMBER) and cells.is_missing(value)
        ):
            return None, self._with_none(name, row)
        if self.kind == UNKNOWN and found != NONE:
            return value, ColumnType(found, self.optional)
        if found != self.kind:
            raise TableError(
                f"row {row}, column {name!r}: found {cells.shortly(value)} ({found}), but the column holds "
                f"{self.kind}. Make its cells one type, or allow any with Table(…, allow_mixed_types=True)"
            )
        return value, self

    def _with_none(self, name: Name, row: int) -> ColumnType:
        if self.optional:
            return self
        raise TableError(
            f"row {row}, column {name!r}: found None, but the column is not optional: "
            "give every row a value, or make it with optional=True"
        )


def column_type(dtype: Any, optional: bool) -> ColumnType:
    """The type that a user declares by a Python type, a class or an instance of media, Any, or the name of a kind.

    Raises TableError.
    """
    return ColumnType(_declared(dtype), optional)


def _declared(dtype: Any) -> str:
    if dtype is None:
        return UNKNOWN
    if isinstance(dtype, ColumnType):
        return dtype.kind
    if dtype is typing.Any or dtype is object:
        return ANY
    if isinstance(dtype, str) and dtype in _NAMED:
        return dtype
    if isinstance(dtype, Media) or (isinstance(dtype, type) and issubclass(dtype, Media) and dtype is not Media):
        return dtype.type_name
    if isinstance(dtype, type):
        return _of_class(dtype)
    kind = getattr(dtype, "kind", None)  # a numpy.dtype
    if isinstance(kind, str) and kind in "biufUSMm":
        return _NUMPY_KINDS.get(kind, cells.NUMBER)
    raise _no_type(dtype)


def _of_class(dtype: type) -> str:
    if dtype.__module__.partition(".")[0] == "numpy":
        name = dtype.__name__
        if name == "ndarray":
            return cells.ARRAY
        return next((kind for start, kind in _NUMPY_NAMES if name.startswith(start)), cells.NUMBER)
    for known, kind in KINDS.items():
        if dtype is known:
            return UNKNOWN if kind == NONE else kind
    if issubclass(dtype, (tuple, set, frozenset)):
        return cells.LIST
    raise _no_type(dtype)


_NUMPY_NAMES = (
    ("bool", cells.BOOLEAN),
    ("str", cells.STRING),
    ("bytes", cells.BYTES),
    ("datetime", cells.MOMENT),
    ("timedelta", cells.DURATION),
)


def _no_type(dtype: Any) -> TableError:
    return TableError(
        f"dtype={cells.shortly(dtype)} is no type of a column: pass int, float, str, bool, list, dict, "
        "datetime.datetime, numpy.ndarray, a class of media such as Image, or typing.Any"
    )


def per_column(value: Any, columns: Sequence[Name], what: str) -> list[Any]:
    """One value for each column: `value` itself when it is a list, else the same for all. Raises TableError."""
    if not isinstance(value, (list, tuple)):
        return [value] * len(columns)
    if len(value) != len(columns):
        raise TableError(f"{what} has {len(value)} entries, but the table has {len(columns)} columns: {list(columns)}")
    return list(value)


def checked_column(
    values: Sequence[Any], kind: ColumnType, name: Name, first_row: int = 0
) -> tuple[Sequence[Any], ColumnType]:
    """The plain values of a column and its type once it holds them. Raises TableError, which names row and column."""
    types = set(map(type, values))
    if types <= cells.SCALARS.keys():
        kinds = {cells.SCALARS[one] for one in types}
        if _fits(kinds - {NONE}, kind) and (kind.optional or NONE not in kinds):
            found = next(iter(kinds - {NONE}), UNKNOWN)
            return values, ColumnType(found, kind.optional) if kind.kind == UNKNOWN else kind
    plain = []
    if kind.kind == UNKNOWN:  # a DataFrame writes NaN where a text is missing: that says nothing of the type
        telling = next(
            ((row, value) for row, value in enumerate(values, first_row) if not cells.is_missing(value)), None
        )
        kind = kind if telling is None else kind.after(telling[1], name, telling[0])[1]
    for row, value in enumerate(values, first_row):
        cell, kind = kind.after(value, name, row)
        plain.append(cell)
    return plain, kind


def _fits(kinds: set[str], kind: ColumnType) -> bool:
    return kind.kind == ANY or (len(kinds) <= 1 and (kind.kind == UNKNOWN or kinds <= {kind.kind}))


def checked_names(columns: Any) -> list[Name]:
    """The names of columns as a list. Raises TableError for what is no text or whole number, and for doubles."""
    if isinstance(columns, (str, bytes)) or not hasattr(columns, "__iter__"):
        raise TableError(f"columns={cells.shortly(columns)}: pass a list of names")
    names = [cells.plain_cell(name) for name in columns]
    seen: set[str] = set()
    for name in names:
        if type(name) not in (str, int):
            raise TableError(f"column name {cells.shortly(name)}: names are text or whole numbers")
        if str(name) in seen:
            raise TableError(f"two columns are named {str(name)!r}: every column needs a name of its own")
        seen.add(str(name))
    return names
