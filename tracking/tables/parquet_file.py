"""A table as one Parquet file: written in row groups, with the types of its columns in the metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracking.errors import UsageError
from tracking.media.contract import Media
from tracking.tables import arrow, cells
from tracking.tables.column_types import ColumnType, Name
from tracking.tables.storages import NULL, storage_of, wider
from tracking.tables.tagged import Revive, ToRecord

GROUP_ROWS = 10_000
"""Rows of a row group: what is encoded, written and read at a time …"""
GROUP_BYTES = 64 << 20
"""… or fewer, so that the large cells (arrays, text) of a group take no more than this."""
FORMAT = 1
_METADATA = b"sweepwright"
_STORAGE = b"sweepwright.storage"

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows are stored: a storage for each column, and the rows of a group."""

    storages: list[str]
    group_rows: int = GROUP_ROWS


@dataclass(slots=True)
class Stored:
    """What a file holds."""

    names: list[Name]
    types: list[ColumnType]
    rows: list[list[Any]]
    notes: dict[str, Any] = field(default_factory=dict)
    """What the writer wanted to be remembered, such as the log mode."""


def planned(rows: Sequence[Row], width: int) -> Plan:
    """Look at all the cells once, and say how to store them."""
    storages = [NULL] * width
    weight = 0
    for columns in in_columns(rows, GROUP_ROWS):
        for place, column in enumerate(columns):
            storage = storage_of(column)
            storages[place] = wider(storages[place], storage)
            weight += _weight(column, storage)
    return Plan(storages, max(1, min(GROUP_ROWS, GROUP_BYTES * len(rows) // max(weight, 1))))


def in_columns(rows: Sequence[Row], size: int) -> Iterator[list[Sequence[Any]]]:
    """The rows `size` at a time, turned into columns of plain cells."""
    for begin in range(0, len(rows), size):
        yield [cells.plain_column(column) for column in zip(*rows[begin : begin + size], strict=True)]


def _weight(column: Sequence[Any], storage: str) -> int:
    """About how many bytes the cells take; 0 for small ones."""
    if storage.startswith(("array:", "ndarray")):
        return sum(value.nbytes for value in column if value is not None)
    if storage in ("text", "bytes"):
        return sum(len(value) for value in column if value is not None)
    if storage.startswith("list:") or storage == "json":
        return 16 * sum(len(value) if hasattr(value, "__len__") else 1 for value in column if value is not None)
    return 0


def write(
    target: Any,
    names: Sequence[Name],
    types: Sequence[ColumnType],
    rows: Sequence[Row],
    plan: Plan,
    notes: dict[str, Any],
    to_record: ToRecord,
) -> None:
    """Write a table to a path or a binary file. Raises ExtraMissing without pyarrow, OSError, TableError for a cell."""
    pa = arrow.pyarrow()
    from pyarrow.parquet import ParquetWriter

    schema = _schema(names, types, plan.storages, notes)
    with ParquetWriter(target, schema, compression="zstd") as writer:
        for columns in in_columns(rows, plan.group_rows):
            arrays = [arrow.encoded(*pair, to_record) for pair in zip(columns, plan.storages, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=plan.group_rows)


def _schema(names: Sequence[Name], types: Sequence[ColumnType], storages: Sequence[str], notes: dict[str, Any]) -> Any:
    pa = arrow.pyarrow()
    columns = [
        {"name": name, "kind": kind.kind, "optional": kind.optional} for name, kind in zip(names, types, strict=True)
    ]
    said = json.dumps({"format": FORMAT, "columns": columns, **notes})
    fields = [
        pa.field(label(name), arrow.arrow_type(storage), metadata={_STORAGE: storage.encode()})
        for name, storage in zip(names, storages, strict=True)
    ]
    return pa.schema(fields, {_METADATA: said.encode()})


def label(name: Name) -> str:
    """The name as Parquet can hold it: without halves of surrogate pairs."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def read(source: Any, revive: Revive) -> Stored:
    """Read a path or a binary file, ours or of anybody else. Raises OSError, UsageError when it is no such file."""
    file = opened(source)
    schema = file.schema_arrow
    stored = _described(schema)
    storages = [_storage(entry) for entry in schema]
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        columns = [_cells(column, storage, revive) for column, storage in zip(table.columns, storages, strict=True)]
        stored.rows += map(list, zip(*columns, strict=True))
    return stored


def _cells(column: Any, storage: str, revive: Revive) -> Sequence[Any]:
    cells_found = arrow.decoded(column, storage, revive)
    return cells_found if storage else cells.plain_column(cells_found)  # of others there may be types unknown to us


def read_notes(source: Any) -> dict[str, Any]:
    """What the writer of the file wanted to be remembered."""
    return _described(opened(source).schema_arrow).notes


def opened(source: Any) -> Any:
    """The file as pyarrow reads it. Raises UsageError when it is no Parquet file."""
    pa = arrow.pyarrow()
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(source)
    except pa.ArrowInvalid as error:
        raise UsageError(f"{source} is no table: it is not a Parquet file, or damaged ({error})") from None


def _storage(entry: Any) -> str:
    storage: bytes = (entry.metadata or {}).get(_STORAGE, b"")
    return storage.decode()


def _described(schema: Any) -> Stored:
    said = (schema.metadata or {}).get(_METADATA)
    if said is None:
        return Stored(list(schema.names), [ColumnType() for _ in schema.names], [])
    notes = json.loads(said)
    if notes.pop("format") > FORMAT:
        raise UsageError("the table was written by a newer version of sweepwright: update to read it")
    columns = notes.pop("columns")
    types = [ColumnType(column["kind"], column["optional"]) for column in columns]
    return Stored([column["name"] for column in columns], types, [], notes)


def recording(to_record: Callable[[Media], dict[str, Any]]) -> ToRecord:
    """`to_record` which asks once for an object that stands in several cells next to each other."""
    last: list[Any] = [None, {}]

    def record(value: Media) -> dict[str, Any]:
        if last[0] is not value:
            last[:] = value, to_record(value)
        found: dict[str, Any] = last[1]
        return found

    return record
