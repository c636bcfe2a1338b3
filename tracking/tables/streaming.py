"""Rows of unknown types written into a Parquet file while they come."""

from __future__ import annotations

import contextlib
import os
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracking.errors import TableError
from tracking.tables import arrow, cells
from tracking.tables.column_types import Name, checked_names
from tracking.tables.parquet_file import label
from tracking.tables.storages import NULL, storage_of, wider


class ParquetStream:
    """Use it in a `with` block; the file appears, whole, at its end, and not at all after an error."""

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[Name], group_rows: int = 10_000) -> None:
        arrow.pyarrow()
        self.rows = 0
        self._names = checked_names(columns)
        self._target = Path(path)
        self._part = self._target.with_name(f".{self._target.name}.{os.getpid()}.part")
        self._group_rows = group_rows
        self._waiting: list[Sequence[Any]] = []
        self._storages = [NULL] * len(self._names)
        self._writer: Any = None

    def __enter__(self) -> ParquetStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_group()
                self._close()
                os.replace(self._part, self._target)
        finally:
            self._close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._part)

    def add(self, row: Sequence[Any]) -> None:
        """A row. Raises TableError when it is not as long as the columns are many."""
        if len(row) != len(self._names):
            raise TableError(f"row {self.rows} has {len(row)} cells, but there are {len(self._names)} columns")
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) >= self._group_rows:
            self._write_group()

    def _write_group(self) -> None:
        columns = [list(map(_lenient, column)) for column in zip(*self._waiting, strict=True)]
        self._waiting = []
        needed = list(self._storages)
        for place, column in enumerate(columns):
            needed[place] = wider(needed[place], storage_of(column))
        if self._writer is None or needed != self._storages:
            self._widen(needed)
        if columns:
            self._put(columns)

    def _put(self, columns: Sequence[Sequence[Any]]) -> None:
        pa = arrow.pyarrow()
        arrays = [arrow.encoded(*pair, _no_media) for pair in zip(columns, self._storages, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._writer.schema))

    def _widen(self, needed: list[str]) -> None:
        """Begin the file, or begin it again with wider types and the rows that it has."""
        before, had = self._storages, self._writer is not None
        self._close()
        older = self._part.with_name(f"{self._part.name}.old")
        if had:
            os.replace(self._part, older)
        self._storages = needed
        try:
            self._open()
            if had:
                self._copy(older, before)
        finally:
            older.unlink(missing_ok=True)

    def _open(self) -> None:
        pa = arrow.pyarrow()
        from pyarrow.parquet import ParquetWriter

        fields = [
            pa.field(label(name), arrow.arrow_type(one)) for name, one in zip(self._names, self._storages, strict=True)
        ]
        self._writer = ParquetWriter(self._part, pa.schema(fields), compression="zstd")

    def _copy(self, older: Path, before: list[str]) -> None:
        from pyarrow.parquet import ParquetFile

        with ParquetFile(older) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                self._put([arrow.decoded(*pair, _as_it_is) for pair in zip(table.columns, before, strict=True)])

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _lenient(value: Any) -> Any:
    """The value as a cell; what cannot be one as its text."""
    if type(value) in cells.SCALARS:
        return value
    try:
        return cells.plain_cell(value)
    except TableError:
        return cells.shortly(value)


def _no_media(value: Any) -> dict[str, Any]:
    return {"text": cells.shortly(value)}


def _as_it_is(record: Any) -> Any:
    return record
