"""Two tables that are looked at as one, joined where a column has the same value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tracking.errors import TableError, UsageError
from tracking.media.contract import Media, Sink
from tracking.tables import cells
from tracking.tables.table import Table


class JoinedTable(Media):
    """A join of two tables.

    Each is a Table, the path of a table in the artifact to which this is added, or an entry of another artifact.
    `join_key` is the name of a column of both, or a pair of names. Raises TableError.
    """

    type_name: ClassVar[str] = "joined-table"

    def __init__(self, table1: Any, table2: Any, join_key: str | Sequence[str]) -> None:
        pair = isinstance(join_key, (list, tuple)) and len(join_key) == 2 and all(isinstance(k, str) for k in join_key)
        if not isinstance(join_key, str) and not pair:
            raise TableError(f"join_key={join_key!r}: it is the name of a column, or a list of two names")
        self.join_key: str | list[str] = join_key if isinstance(join_key, str) else list(join_key)
        self.table1, self.table2 = table1, table2
        for table, key, which in zip(self._tables, self._keys, ("table1", "table2"), strict=True):
            _check(table, key, which)

    @property
    def _tables(self) -> tuple[Any, Any]:
        return self.table1, self.table2

    @property
    def _keys(self) -> tuple[str, str]:
        if isinstance(self.join_key, str):
            return self.join_key, self.join_key
        return self.join_key[0], self.join_key[1]

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        """Store both tables (what is a path already is only named). Raises ExtraMissing, OSError."""
        kept = [_kept(table, sink, f"{key}_{which}", step) for which, table in enumerate(self._tables, 1)]
        return {"_type": self.type_name, "table1": kept[0], "table2": kept[1], "join_key": self.join_key}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: Any) -> JoinedTable:
        """What a record speaks of, with both tables read."""
        one, two = (Table.from_record(record[name], opener) for name in ("table1", "table2"))
        return cls(one, two, record["join_key"])

    def to_table(self) -> Table:
        """The joined rows: each of the first table beside each of the second whose key is equal (an inner join).

        Columns of the second that are named as one of the first get "_2" behind their name. Raises UsageError when a
        table is not here, but in an artifact.
        """
        if not isinstance(self.table1, Table) or not isinstance(self.table2, Table):
            raise UsageError("to_table(): a table of this join is only named; read it first: Table.from_record(…)")
        place1, place2 = (table.columns.index(key) for table, key in zip(self._tables, self._keys, strict=True))
        partners: dict[Any, list[list[Any]]] = {}
        for row in self.table2.data:
            partners.setdefault(_hashable(row[place2]), []).append(row[:place2] + row[place2 + 1 :])
        names = self.table2.columns[:place2] + self.table2.columns[place2 + 1 :]
        taken = set(map(str, self.table1.columns))
        columns = [*self.table1.columns, *(f"{name}_2" if str(name) in taken else name for name in names)]
        rows = [[*row, *partner] for row in self.table1.data for partner in partners.get(_hashable(row[place1]), ())]
        return Table(columns, rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JoinedTable):
            return False
        return self.join_key == other.join_key and self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]


def _hashable(cell: Any) -> Any:
    return cell if isinstance(cell, (str, int, float, bytes)) else repr(cell)


def _is_entry(table: Any) -> bool:
    """Whether it is an entry of an artifact, which can bring its file."""
    return hasattr(table, "path") and hasattr(table, "download")


def _check(table: Any, key: str, which: str) -> None:
    if isinstance(table, Table):
        if key not in table.columns:
            raise TableError(f"join_key: {which} has no column {key!r}; its columns are {table.columns}")
    elif not isinstance(table, str) and not _is_entry(table):
        raise TableError(
            f"{which}={cells.shortly(table)}: pass a Table, or the path or the entry of one in an artifact"
        )


def _kept(table: Any, sink: Sink, name: str, step: int) -> dict[str, Any]:
    if isinstance(table, Table):
        return table.to_record(sink, name, step)
    if isinstance(table, str):
        return {"_type": Table.type_name, "path": table}
    if hasattr(table, "parent_artifact") and str(table.path).endswith(".json"):  # a record, with files beside it
        return _kept(table.parent_artifact().get(table.path), sink, name, step)
    file = os.fspath(table.download())  # an entry of another artifact: its content is kept once, wherever it is
    return {"_type": Table.type_name, **sink.add_file(f"media/table/{name}.table.parquet", file)}
