"""How a table goes into a sink: as one Parquet file, whose record says what it holds."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from tracking.media.contract import Media, Sink
from tracking.tables import arrow, parquet_file
from tracking.tables.column_types import ColumnType, Name
from tracking.tables.parquet_file import Row

SMALL = 20_000
"""Cells: a table with more is written through a temporary file, so that its file is never in memory."""
MIME = "application/vnd.apache.parquet"
EXTENSION = "table.parquet"


def keep(
    sink: Sink,
    key: str,
    step: int,
    names: Sequence[Name],
    types: Sequence[ColumnType],
    rows: Sequence[Row],
    notes: dict[str, Any],
) -> dict[str, Any]:
    """Put the table, and before it the files of its media cells, into the sink.

    Returns {"path", "sha256", "size"} of the table's file. Raises ExtraMissing without pyarrow, OSError.
    """
    arrow.pyarrow()  # without it no media file is kept in vain
    plan = parquet_file.planned(rows, len(names))
    to_record = parquet_file.recording(lambda value: _kept_cell(value, sink, key, step))
    name = f"media/table/{key}_{step}.{EXTENSION}"
    if len(rows) * len(names) <= SMALL:
        buffer = io.BytesIO()
        parquet_file.write(buffer, names, types, rows, plan, notes, to_record)
        return sink.add_bytes(name, buffer.getbuffer(), MIME)
    with temporary_path() as path:
        parquet_file.write(path, names, types, rows, plan, notes, to_record)
        return sink.add_file(name, path, MIME)


def _kept_cell(value: Media, sink: Sink, key: str, step: int) -> dict[str, Any]:
    return value.to_record(sink, key, step)


@contextlib.contextmanager
def temporary_path() -> Iterator[str]:
    """A file that is gone when the block ends."""
    handle, path = tempfile.mkstemp(prefix="sweepwright-", suffix=f".{EXTENSION}")
    os.close(handle)
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
