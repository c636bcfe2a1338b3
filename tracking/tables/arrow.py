"""Columns of cells as Arrow arrays, and back."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from typing import Any

from tracking.extras import require
from tracking.tables import tagged
from tracking.tables.storages import JSON, MEDIA, NDARRAY
from tracking.tables.tagged import Revive, ToRecord


def pyarrow() -> Any:
    """The library. Raises ExtraMissing with the line that installs it."""
    return require("pyarrow", "media", "storing a table")


def arrow_type(storage: str) -> Any:
    """The Arrow type of a storage."""
    pa = pyarrow()
    head, _, rest = storage.partition(":")
    if head == "list":
        return pa.list_(arrow_type(rest))
    if head == "array":
        return pa.list_(pa.from_numpy_dtype(rest))
    if head == NDARRAY:
        return pa.struct({"dtype": pa.string(), "shape": pa.list_(pa.int64()), "data": pa.large_binary()})
    return {
        "null": pa.null,
        "bool": pa.bool_,
        "int": pa.int64,
        "bigint": pa.int64,
        "float": pa.float64,
        "bytes": pa.large_binary,
        "timestamp": lambda: pa.timestamp("us"),
        "timestamp_utc": lambda: pa.timestamp("us", "UTC"),
        "date": pa.date32,
        "time": lambda: pa.time64("us"),
        "duration": lambda: pa.duration("us"),
    }.get(head, pa.string)()


def encoded(values: Sequence[Any], storage: str, to_record: ToRecord) -> Any:
    """The plain cells of a column as an Arrow array of `arrow_type(storage)`."""
    pa = pyarrow()
    kind = arrow_type(storage)
    if storage == MEDIA:
        values = [None if value is None else tagged.dumps(to_record(value), to_record) for value in values]
    elif storage == JSON:
        values = [None if value is None else tagged.dumps(value, to_record) for value in values]
    elif storage == NDARRAY:
        values = [None if value is None else _parts(value) for value in values]
    elif storage.startswith("array:"):
        return _flat(values, storage)
    elif storage == "float" or storage == "list:float":
        return pa.array(values, kind, from_pandas=False, safe=False)  # whole numbers among them become floats
    return pa.array(values, kind, from_pandas=False)


def _parts(array: Any) -> dict[str, Any]:
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": array.tobytes()}


def _flat(values: Sequence[Any], storage: str) -> Any:
    """One-dimensional arrays of one dtype, without a Python object for each number."""
    import numpy  # there are arrays, so it is there

    pa = pyarrow()
    found = [value for value in values if value is not None]
    flat = numpy.concatenate(found) if found else numpy.empty(0, storage.partition(":")[2])
    ends = itertools.accumulate((0 if value is None else len(value) for value in values), initial=0)
    mask = numpy.fromiter((value is None for value in values), bool, len(values))
    offsets = numpy.fromiter(ends, "int32", len(values) + 1)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=pa.array(mask) if mask.any() else None)


def decoded(column: Any, storage: str, revive: Revive) -> list[Any]:
    """The cells of an Arrow column (an Array or a ChunkedArray) that was stored in this way."""
    if storage.startswith("array:"):
        return _arrays(column, storage.partition(":")[2])
    values: list[Any] = column.to_pylist()
    if storage == MEDIA:
        return [None if value is None else revive(tagged.loads(value, revive)) for value in values]
    if storage == JSON:
        return [None if value is None else tagged.loads(value, revive) for value in values]
    if storage == NDARRAY:
        return [None if value is None else _joined(value) for value in values]
    if storage == "timestamp_utc":
        return [None if value is None else value.astimezone(datetime.UTC) for value in values]
    return values


def _arrays(column: Any, dtype: str) -> list[Any]:
    import numpy  # only tables with arrays need it

    cells: list[Any] = []
    for chunk in column.chunks if hasattr(column, "chunks") else [column]:
        flat = numpy.asarray(chunk.values, dtype)
        ends = numpy.asarray(chunk.offsets).tolist()
        valid = chunk.is_valid().to_pylist()
        cells += [
            flat[begin:end].copy() if there else None
            for begin, end, there in zip(ends[:-1], ends[1:], valid, strict=True)
        ]
    return cells


def _joined(parts: dict[str, Any]) -> Any:
    import numpy  # only tables with arrays need it

    return numpy.frombuffer(parts["data"], parts["dtype"]).reshape(parts["shape"]).copy()
