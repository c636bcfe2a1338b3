"""From a record, or from a Parquet file, back to the table."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.media.keeping.payload import Opener
from tracking.media.reading import from_record
from tracking.tables import parquet_file
from tracking.tables.joined import JoinedTable
from tracking.tables.logged import listed
from tracking.tables.parquet_file import Stored
from tracking.tables.table import Table
from tracking.tables.tagged import Revive

Source = Mapping[str, Any] | str | os.PathLike[str]


def read_table(source: Source, opener: Opener | None = None) -> Table | JoinedTable:
    """The table of a record, or of the Parquet file at a path.

    `opener` gets the {"path", "sha256", …} of a file and gives it open for reading (a path will do): the table's own
    file when `source` is a record, files of media cells when they are looked at. Raises OSError, UsageError.
    """
    if not isinstance(source, Mapping):
        return table_of_file(source, opener)
    if opener is None:
        raise UsageError("read_table(record): give an opener too; the record only says which file it is")
    if source.get("_type") == JoinedTable.type_name:
        return JoinedTable.from_record(source, opener)
    return table_of_record(source, opener)


def table_of_record(record: Mapping[str, Any], opener: Opener) -> Table:
    """The table of a record; of an incremental one all rows up to it."""
    if str(record["path"]).endswith(".json"):
        record = _kept_beside(record, opener)
    parts = [*_earlier(record, opener), record]
    revive = _reviver(opener)
    whole = _read(parts[0], opener, revive)
    for part in parts[1:]:
        stored = _read(part, opener, revive)
        if stored.names != whole.names:
            raise UsageError(f"{part['path']}: an increment has the columns {stored.names}, not {whole.names}")
        whole.rows += stored.rows
        whole.types = stored.types  # the later know more
    return _table(whole)


def _kept_beside(record: Mapping[str, Any], opener: Opener) -> Mapping[str, Any]:
    """The record that an artifact keeps as a file of its own; the same one when the opener gives the table itself."""
    with _opened(record, opener) as file:
        data = file.read() if hasattr(file, "read") else Path(file).read_bytes()
    found: Mapping[str, Any] = record if data.startswith(b"PAR1") else json.loads(data)
    return found


def table_of_file(path: str | os.PathLike[str], opener: Opener | None = None) -> Table:
    """The table in one file; of an incremental one, the rows of this increment."""
    return _table(parquet_file.read(path, _reviver(opener)))


def _table(stored: Stored) -> Table:
    mode = stored.notes.get("log_mode", "IMMUTABLE")
    return Table.of_parts(stored.names, stored.types, stored.rows, mode)


def _earlier(record: Mapping[str, Any], opener: Opener) -> list[Mapping[str, Any]]:
    """The increments before the one of the record, the oldest first: the head of each list knows those before it."""
    found: list[Mapping[str, Any]] = []
    block = listed(record)
    while block:
        found[:0] = block
        with _opened(block[0], opener) as file:
            block = listed(parquet_file.read_notes(file))
    return found


def _read(record: Mapping[str, Any], opener: Opener, revive: Revive) -> Stored:
    with _opened(record, opener) as file:
        return parquet_file.read(file, revive)


def _opened(record: Mapping[str, Any], opener: Opener) -> Any:
    """A context that gives what pyarrow can read, and closes it."""
    file: Any = opener(record)
    return contextlib.nullcontext(file) if isinstance(file, (str, os.PathLike)) else contextlib.closing(file)


def _reviver(opener: Opener | None) -> Revive:
    """Makes media of records; they ask the opener for their files when somebody looks at them."""

    def missing(record: Mapping[str, Any]) -> Any:
        raise UsageError(f"{record.get('path')}: the table was read without an opener, so its media have no files")

    def open_file(record: Mapping[str, Any]) -> Any:
        file: Any = missing(record) if opener is None else opener(record)
        return open(file, "rb") if isinstance(file, (str, os.PathLike)) else file

    return lambda record: from_record(record, open_file)
