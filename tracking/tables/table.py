"""Tables: rows of cells with typed columns, made in the training script and logged as one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from tracking.errors import TableError
from tracking.media.contract import Media, Sink
from tracking.notices import warn, warn_once
from tracking.tables import cells, frames, keeping
from tracking.tables.column_types import ColumnType, Name, checked_column, checked_names, column_type, per_column
from tracking.tables.logged import Increments, Records, target_of

LogMode = Literal["IMMUTABLE", "MUTABLE", "INCREMENTAL"]
_MODES = ("IMMUTABLE", "MUTABLE", "INCREMENTAL")
_DEFAULT_ROWS = 200_000


class Table(Media):
    """Rows of cells: numbers, text, bools, None, bytes, lists, dicts, dates and times, numpy arrays and media.

    `columns` are names (text or whole numbers); `data` is a list of rows, a two-dimensional numpy array or a DataFrame
    of pandas or polars; `rows` is an older name of `data`; `dataframe` gives names and cells together. `dtype` (one for
    all, or a list with one for each column) says what a column holds; without it the first cell that is not None does.
    `optional` (one, or a list) says whether None is allowed. `allow_mixed_types=True` allows anything anywhere.

    `log_mode`: an IMMUTABLE table is logged once, and what is changed after that is not logged; a MUTABLE one is logged
    as it is each time; an INCREMENTAL one logs the rows that are new since the last time.

    Raises TableError (a TypeError and a ValueError) with the row and the column that do not fit.
    """

    type_name: ClassVar[str] = "table-file"
    MAX_ROWS: ClassVar[int] = _DEFAULT_ROWS
    """Rows that are stored of one table (of an INCREMENTAL one: each time). Set it to change it."""
    MAX_ARTIFACT_ROWS: ClassVar[int] = _DEFAULT_ROWS
    """W&B's second limit: it only counts when it is raised beyond MAX_ROWS."""

    def __init__(
        self,
        columns: Iterable[Name] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        dtype: Any = None,
        optional: bool | Sequence[bool] = True,
        allow_mixed_types: bool = False,
        log_mode: LogMode | None = "IMMUTABLE",
    ) -> None:
        if log_mode is not None and log_mode not in _MODES:
            raise TableError(f"log_mode={log_mode!r}: it can be {', '.join(_MODES)}")
        self.log_mode: LogMode = log_mode or "IMMUTABLE"
        self.data: list[list[Any]] = []
        """The rows. Change them through the methods, which check what they get."""
        self._records = Records()
        self._increments = Increments()
        self._accepted: set[tuple[type, ...]] = set()
        data = rows if data is None else data
        if dataframe is None and frames.is_frame(data):
            dataframe = data
        if dataframe is not None:
            found = frames.columns_of(dataframe)
            self._declare(list(found), dtype, optional, allow_mixed_types)
            self._fill(list(found.values()))
        else:
            named = ["Input", "Output", "Expected"] if columns is None else columns
            self._declare(named, dtype, optional, allow_mixed_types)
            for row in _rows_of(data):
                self._append(row)

    def _declare(self, columns: Any, dtype: Any, optional: Any, mixed: bool) -> None:
        self.columns: list[Name] = checked_names(columns)
        dtypes = per_column(Any if mixed else dtype, self.columns, "dtype")
        allowed = per_column(optional, self.columns, "optional")
        self._types = [column_type(*pair) for pair in zip(dtypes, allowed, strict=True)]

    def _fill(self, columns: list[list[Any]]) -> None:
        """Take whole columns: much quicker than row by row."""
        checked = [checked_column(*one) for one in zip(columns, self._types, self.columns, strict=True)]
        self._types = [kind for _, kind in checked]
        self.data = list(map(list, zip(*(column for column, _ in checked), strict=True)))

    # Rows

    def add_data(self, *data: Any) -> None:
        """Append a row, one argument for each column. Raises TableError and then leaves the table as it was."""
        self._touch(grows=True)
        self._append(data)

    def add_row(self, *row: Any) -> None:
        """The older name of `add_data`."""
        self.add_data(*row)

    def _append(self, row: Any) -> None:
        number = len(self.data)
        if type(row) is not list and type(row) is not tuple:
            if isinstance(row, (str, bytes, Mapping)) or not hasattr(row, "__iter__"):
                raise TableError(f"row {number} is {cells.shortly(row)}: a row is a list of cells")
            row = list(row)
        # Plain types that were in these columns before need no second look.
        self.data.append(list(row) if tuple(map(type, row)) in self._accepted else self._checked_row(row, number))

    def _checked_row(self, row: Sequence[Any], number: int) -> list[Any]:
        width = len(self.columns)
        if len(row) != width:
            raise TableError(f"row {number} has {len(row)} cells, but the table has {width} columns: {self.columns}")
        checked = [
            kind.after(cell, name, number) for cell, kind, name in zip(row, self._types, self.columns, strict=True)
        ]
        self._types = [kind for _, kind in checked]
        plain = [cell for cell, _ in checked]
        if all(type(cell) in cells.SCALARS for cell in plain):
            self._accepted.add(tuple(map(type, plain)))
        return plain

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """The rows with their numbers."""
        return enumerate(self.data)

    def get_index(self) -> list[int]:
        """The numbers of the rows."""
        return list(range(len(self.data)))

    # Columns

    def add_column(self, name: str, data: Sequence[Any], optional: bool = False) -> None:
        """Add a column with a cell for each row; the first column of an empty table makes the rows.

        Raises TableError for a name that is there, another number of cells, or an INCREMENTAL table.
        """
        self._touch(grows=False)
        self._add_columns({name: frames.cells_of(data)}, ColumnType(optional=optional))

    def _add_columns(self, new: Mapping[Name, Sequence[Any]], kind: ColumnType) -> None:
        """All of them, or on an error none."""
        names = checked_names([*self.columns, *new])
        rows = len(self.data) if self.columns else len(next(iter(new.values()), ()))
        for name, values in new.items():
            if len(values) != rows:
                raise TableError(f"column {name!r} has {len(values)} cells, but the table has {rows} rows")
        checked = [checked_column(values, kind, name) for name, values in new.items()]
        if not self.columns:
            self.data = [[] for _ in range(rows)]
        for values, found in checked:
            for row, cell in zip(self.data, values, strict=True):
                row.append(cell)
            self._types.append(found)
        self.columns = names
        self._accepted.clear()

    def add_computed_columns(self, fn: Callable[[int, dict[Name, Any]], Mapping[str, Any]]) -> None:
        """Add columns made from the others: `fn(row number, row as a dict)` returns the new cells by name.

        Raises TableError when `fn` does not return the same names for every row.
        """
        self._touch(grows=False)
        made: dict[Name, list[Any]] = {}
        for number, row in self.iterrows():
            cells_by_name = fn(number, dict(zip(self.columns, row, strict=True)))
            if not isinstance(cells_by_name, Mapping) or (number and cells_by_name.keys() != made.keys()):
                raise TableError(
                    f"row {number}: the function returned {cells.shortly(cells_by_name)}; it returns a dict with the "
                    f"same names for every row{f' ({list(made)})' if number else ''}"
                )
            for name, cell in cells_by_name.items():
                made.setdefault(name, []).append(cell)
        self._add_columns(made, ColumnType())

    def get_column(self, name: Name, convert_to: str | None = None) -> Any:
        """The cells of a column as a list, or with `convert_to="numpy"` as an array. Raises TableError."""
        place = self._place(name)
        if convert_to not in (None, "numpy"):
            raise TableError(f'convert_to={convert_to!r}: it can be None or "numpy"')
        column = [row[place] for row in self.data]
        return column if convert_to is None else frames.to_numpy(column, name)

    def cast(self, col_name: Name, dtype: Any, optional: bool = False) -> None:
        """Declare what a column holds; nothing is converted. Raises TableError for a cell that does not fit."""
        self._touch(grows=False)
        place = self._place(col_name)
        column = [row[place] for row in self.data]
        self._types[place] = checked_column(column, column_type(dtype, optional), col_name)[1]
        self._accepted.clear()

    def column_types(self) -> dict[Name, str]:
        """What each column holds: number, string, boolean, list, timestamp, array, image-file …, any, or unknown."""
        return {name: kind.kind for name, kind in zip(self.columns, self._types, strict=True)}

    def _place(self, name: Name) -> int:
        try:
            return self.columns.index(name)
        except ValueError:
            raise TableError(f"there is no column {name!r}; the columns are {self.columns}") from None

    # Out

    def get_dataframe(self, kind: Literal["pandas", "polars"] = "pandas") -> Any:
        """The table as a DataFrame; media cells are the objects themselves. Raises ExtraMissing."""
        columns = zip(*self.data, strict=True) if self.data else [()] * len(self.columns)
        return frames.to_frame(dict(zip(self.columns, map(list, columns), strict=True)), kind)

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        """Store the table, or what is new of it, as a Parquet file. Raises ExtraMissing without pyarrow, OSError."""
        target = target_of(sink)
        if self.log_mode == "INCREMENTAL" and target is not sink:
            return self._next_increment(sink, target, key, step)
        known = self._records.of(target)
        if known is None or self.log_mode == "MUTABLE":
            known = self._kept(sink, key, step, self.data[: self._limit(len(self.data))], {})
            if target is not sink:
                self._records.add(target, known)
        return dict(known)

    def _next_increment(self, sink: Sink, target: Any, key: str, step: int) -> dict[str, Any]:
        state = self._increments
        state.begin(target, key)
        new = len(self.data) - state.rows
        if not new and state.last is not None:
            return dict(state.last)
        rows = state.rows + self._limit(new)
        total = {"nrows": state.before + rows}
        record = self._kept(sink, key, step, self.data[state.rows : rows], state.said()) | total
        record["_type"] = "incremental-table-file"
        state.done(record, rows)
        return dict(record)

    def _kept(self, sink: Sink, key: str, step: int, rows: list[list[Any]], said: dict[str, Any]) -> dict[str, Any]:
        notes = {"log_mode": self.log_mode, **said}
        file = keeping.keep(sink, key, step, self.columns, self._types, rows, notes)
        left_out = {"rows_left_out": len(self.data) - len(rows)} if not said and len(self.data) > len(rows) else {}
        return {"_type": self.type_name, **file, "nrows": len(rows), "ncols": len(self.columns), **notes, **left_out}

    def _limit(self, rows: int) -> int:
        """How many of so many rows are stored; a table that is longer is told each time."""
        most = self.MAX_ROWS
        if self.MAX_ARTIFACT_ROWS > _DEFAULT_ROWS:
            most = max(most, self.MAX_ARTIFACT_ROWS)
        if rows > most:
            fate = "wait for the next log()" if self.log_mode == "INCREMENTAL" else "are left out"
            warn(
                f"a table of {rows} rows is logged, but at most {most} are stored: the last {rows - most} {fate}. "
                "Set tracking.Table.MAX_ROWS to store more."
            )
        return min(rows, most)

    def _touch(self, grows: bool) -> None:
        """The table is about to change."""
        if self.log_mode == "INCREMENTAL" and not grows:
            raise TableError("an INCREMENTAL table only grows by rows: its columns are made once, at its start")
        if self.log_mode == "IMMUTABLE" and self._records:
            warn_once(
                f"table:{id(self)}",
                "a table is changed after it was logged; it is IMMUTABLE, so logging it again has no effect. "
                'Make it with Table(…, log_mode="MUTABLE"), or "INCREMENTAL" to log only the rows that are new.',
            )

    # Back

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: Any) -> Table:
        """The table that a record speaks of; all increments of an incremental one, in their order.

        `opener` gets {"path", "sha256", …} and gives the open file, or its path. Raises OSError, UsageError.
        """
        from tracking.tables import reading  # it knows every class that a cell can be

        return reading.table_of_record(record, opener)

    @classmethod
    def read(cls, path: str | os.PathLike[str], opener: Any = None) -> Table:
        """The table in a Parquet file, ours or anybody's. Without an `opener`, media cells cannot be opened."""
        from tracking.tables import reading

        return reading.table_of_file(path, opener)

    @classmethod
    def of_parts(cls, columns: list[Name], types: list[ColumnType], rows: list[list[Any]], log_mode: LogMode) -> Table:
        """A table of rows that were checked when they were stored."""
        table = cls(columns=columns, log_mode=log_mode)
        table._types, table.data = list(types), rows
        return table

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        """The same columns and equal cells (NaN equals NaN)."""
        if not isinstance(other, Table) or self.columns != other.columns or len(self.data) != len(other.data):
            return False
        return all(
            len(one) == len(two) and all(map(cells.equal, one, two))
            for one, two in zip(self.data, other.data, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Table({len(self.data)} rows, columns={self.columns})"


def _rows_of(data: Any) -> Iterable[Any]:
    if data is None:
        return ()
    if cells.is_array(data):
        return _array_rows(data)
    if isinstance(data, (str, bytes, Mapping)) or not hasattr(data, "__iter__"):
        raise TableError(f"data={cells.shortly(data)}: pass a list of rows, a numpy array or a DataFrame")
    rows: Iterable[Any] = data
    return rows


def _array_rows(array: Any) -> Iterable[Any]:
    if array.ndim < 2:
        raise TableError(f"data is an array of shape {array.shape}: rows and columns need two dimensions")
    # Numbers become Python's at once; what lies below rows and columns stays an array.
    return array.tolist() if array.ndim == 2 and array.dtype.kind in "biufUO" else map(list, array)
