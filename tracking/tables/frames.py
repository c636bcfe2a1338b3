"""Columns of cells and the DataFrames of pandas and polars, both ways; rows of any kind into a Parquet file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from tracking.errors import TableError, UsageError
from tracking.extras import require
from tracking.media.contract import Media
from tracking.tables import cells
from tracking.tables.column_types import Name

FrameKind = Literal["pandas", "polars"]


def is_frame(value: Any) -> bool:
    """Whether it is a DataFrame of pandas or polars, without importing either."""
    return _kind(value) != ""


def _kind(value: Any) -> str:
    for module, name in (("pandas", "pandas"), ("polars", "polars")):
        library = sys.modules.get(module)
        if library is not None and isinstance(value, library.DataFrame):
            return name
    return ""


def columns_of(frame: Any) -> dict[Name, list[Any]]:
    """The columns of a DataFrame as lists of Python values; the index of pandas is left out, as W&B does.

    Raises TableError for what is no DataFrame, or has columns without a name of their own.
    """
    kind = _kind(frame)
    if kind == "polars":
        return {name: frame.get_column(name).to_list() for name in frame.columns}
    if kind != "pandas":
        raise TableError(f"dataframe={cells.shortly(frame)}: pass a DataFrame of pandas or polars")
    if frame.columns.nlevels > 1:
        raise TableError("the DataFrame has columns of several levels: flatten them to one name each")
    names = [cells.plain_cell(name) for name in frame.columns]
    if len(set(map(str, names))) < len(names):
        raise TableError(f"the DataFrame has two columns of one name: {names}")
    return {name: cells_of(frame.iloc[:, place]) for place, name in enumerate(names)}


def cells_of(data: Any) -> list[Any]:
    """A list, array, Series or tensor as a list of cells. Raises TableError."""
    if isinstance(data, (list, tuple)):
        return list(data)
    if isinstance(data, (str, bytes, Mapping)) or not hasattr(data, "__iter__"):
        raise TableError(f"data={cells.shortly(data)}: a column is a list or an array")
    if hasattr(data, "detach"):
        data = cells.plain_cell(data)
    if getattr(data, "ndim", 1) != 1 or not hasattr(data, "tolist"):
        return list(data)
    kind = getattr(data.dtype, "kind", "O")
    if kind in "Mm" and getattr(data.dtype, "tz", None) is None:
        # Of nanoseconds tolist() makes whole numbers, or objects of pandas one by one.
        data = require("numpy", "media", "a column").asarray(data).astype(f"{kind}8[us]")
    return list(data.tolist())


def to_frame(columns: Mapping[Any, Sequence[Any]], kind: FrameKind = "pandas") -> Any:
    """A DataFrame of these columns, which are equally long.

    In polars, names are text and a column of several types holds objects. Raises ExtraMissing when the library is not
    installed, UsageError for another kind.
    """
    if kind == "pandas":
        return require("pandas", "pandas", "a DataFrame").DataFrame(dict(columns))
    if kind == "polars":
        polars = require("polars", "polars", "a DataFrame")
        return polars.DataFrame([_series(polars, str(name), values) for name, values in columns.items()])
    raise UsageError(f'a DataFrame of kind {kind!r}: it can be "pandas" or "polars"')


def _series(polars: Any, name: str, values: Sequence[Any]) -> Any:
    types = set(map(type, values)) - {type(None)}
    if types == {int, float}:
        return polars.Series(name, values, dtype=polars.Float64, strict=False)
    if len(types) <= 1 and types <= cells.KINDS.keys() - {dict}:
        try:
            return polars.Series(name, values, strict=True)
        except (TypeError, OverflowError, polars.exceptions.PolarsError):
            pass  # lists of several types, whole numbers beyond 64 bits
    return polars.Series(name, values, dtype=polars.Object)


def to_numpy(column: Sequence[Any], name: Name) -> Any:
    """The cells as an array; media as the arrays that they show. Raises TableError, ExtraMissing."""
    numpy = require("numpy", "media", "an array")
    values = [_shown(numpy, value) for value in column]
    try:
        return numpy.array(values)
    except ValueError:
        raise TableError(
            f"column {name!r}: its cells differ in shape, so they make no array: use get_column() without convert_to"
        ) from None


def _shown(numpy: Any, value: Any) -> Any:
    """The numbers of an image, a sound or a histogram; anything else as it is."""
    if not isinstance(value, Media):
        return value
    for name in ("to_pil", "samples"):
        if hasattr(value, name):
            found = getattr(value, name)()
            return numpy.asarray(found[0] if isinstance(found, tuple) else found)
    return numpy.asarray(getattr(value, "histogram", value))


def write_parquet(
    path: str | os.PathLike[str], columns: Sequence[Name], rows: Iterable[Sequence[Any]], group_rows: int = 10_000
) -> int:
    """Write rows as they come into a Parquet file, which is there when all are written; returns how many there were.

    The type of a column is found from its cells: when later ones need a wider type, what is written is written again
    in it. Memory: one group of rows. What no cell can be becomes its text. Raises ExtraMissing without pyarrow,
    TableError for a row of another length, OSError.
    """
    from tracking.tables.streaming import ParquetStream  # to_frame() needs none of it

    with ParquetStream(path, columns, group_rows) as stream:
        for row in rows:
            stream.add(row)
    return stream.rows
