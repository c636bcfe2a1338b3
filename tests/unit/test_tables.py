"""Tables as they are made: rows, columns, types and what is refused."""

from __future__ import annotations

import datetime
import math
import sys
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tests.unit.memory_sink import MemorySink
from tracking.errors import ExtraMissing, TableError, UsageError
from tracking.media.histogram import Histogram
from tracking.tables.joined import JoinedTable
from tracking.tables.table import Table


def test_rows_are_kept_in_their_order() -> None:
    table = Table(columns=["a", "b"], data=[[1, "x"], (2, None)])
    table.add_data(3, "y")
    table.add_row(4, "z")
    assert table.data == [[1, "x"], [2, None], [3, "y"], [4, "z"]]
    assert list(table.iterrows())[1] == (1, [2, None])
    assert table.get_index() == [0, 1, 2, 3]
    assert table.column_types() == {"a": "number", "b": "string"}
    assert len(table) == 4


def test_without_columns_they_are_named_as_in_wandb() -> None:
    assert Table().columns == ["Input", "Output", "Expected"]
    assert Table(rows=[[1, 2, 3]]).data == [[1, 2, 3]]


def test_a_table_does_not_share_its_rows_with_the_caller() -> None:
    rows = [[1, 2]]
    table = Table(["a", "b"], rows)
    rows[0][0] = 9
    assert table.data == [[1, 2]]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([1], "row 1 has 1 cells, but the table has 2 columns: ['a', 'b']"),
        ("ab", "row 1 is 'ab': a row is a list of cells"),
        (7, "row 1 is 7: a row is a list of cells"),
        (["x", 2], "row 1, column 'a': found 'x' (string), but the column holds number"),
        ([True, 2], "row 1, column 'a': found True (boolean)"),
        ([1, Table()], "row 1, column 'b': Table(0 rows, columns=['Input', 'Output', 'Expected']) cannot be a cell: "
         "it is a Table, and tables do not hold tables"),
        ([1, object], "cells hold numbers, text"),
        ([1, 1j], "it is a builtins.complex"),
        ([1, {(1, 2): 3}], "a dict has a key of type tuple"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place_and_changes_nothing(row: Any, says: str) -> None:
    with pytest.raises(TableError, match=_literally(says)) as caught:
        Table(["a", "b"], [[1, None], row])
    assert isinstance(caught.value, (TypeError, ValueError))
    table = Table(["a", "b"], [[1, None]])
    if isinstance(row, list):
        with pytest.raises(TableError):
            table.add_data(*row)
        assert table == Table(["a", "b"], [[1, None]])
        assert table.column_types() == {"a": "number", "b": "unknown"}


def test_a_cell_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TableError, match="nested more than"):
        Table(["a"], [[endless]])


def test_mixed_types_are_allowed_when_asked_for() -> None:
    mixed = Table(["a"], [[1], ["x"], [None], [[1]]], allow_mixed_types=True)
    assert mixed.column_types() == {"a": "any"}
    one = Table(["a", "b"], dtype=[Any, int])
    one.add_data("x", 1)
    one.add_data(1, 2)
    with pytest.raises(TableError, match="column 'b'"):
        one.add_data(1, "x")


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(int, "number"), (float, "number"), (str, "string"), (bool, "boolean"), (list, "list"), (dict, "dict"),
     (tuple, "list"), (datetime.datetime, "timestamp"), (datetime.date, "timestamp"), (Histogram, "histogram"),
     ("number", "number"), (None, "unknown"), (Any, "any")],
)  # fmt: skip
def test_types_are_declared_in_many_ways(dtype: Any, kind: str) -> None:
    assert Table(["a"], dtype=dtype).column_types() == {"a": kind}


def test_a_declared_type_holds() -> None:
    with pytest.raises(TableError, match="holds string"):
        Table(["a"], [[1]], dtype=str)
    with pytest.raises(TableError, match="is no type of a column"):
        Table(["a"], dtype=type("Odd", (), {}))
    with pytest.raises(TableError, match="dtype has 1 entries, but the table has 2 columns"):
        Table(["a", "b"], dtype=[int])


def test_none_needs_an_optional_column() -> None:
    Table(["a", "b"], [[1, None]], optional=[False, True])
    with pytest.raises(TableError, match="row 0, column 'a': found None, but the column is not optional"):
        Table(["a", "b"], [[None, 1]], optional=[False, True])
    with pytest.raises(TableError, match="row 2"):
        Table(["a"], [[1], [2], [None]], optional=False)


def test_nan_is_a_number_and_in_other_columns_no_value() -> None:
    table = Table(["a", "b"], [[1, "x"], [math.nan, math.nan]])
    assert math.isnan(table.data[1][0])
    assert table.data[1][1] is None


class Colour(Enum):
    RED = "red"


def test_values_of_other_types_become_plain() -> None:
    table = Table(list("abcdef"), [[Colour.RED, Path("x/y"), Decimal("1.5"), (1, 2), {3}, bytearray(b"z")]])
    assert table.data == [["red", "x/y", 1.5, [1, 2], [3], b"z"]]


def test_odd_names_of_columns_are_refused() -> None:
    assert Table([0, "x"]).columns == [0, "x"]
    for columns in ("ab", 5, [1.5], [None], ["a", "a"], [1, "1"]):
        with pytest.raises(TableError):
            Table(columns)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["ab", 5, {"a": [1]}])
def test_data_that_is_no_rows_is_refused(data: Any) -> None:
    with pytest.raises(TableError, match="pass a list of rows"):
        Table(["a"], data)


def test_columns_are_added_and_read() -> None:
    table = Table(["a"], [[1], [2]])
    table.add_column("b", ["x", "y"])
    table.add_computed_columns(lambda number, row: {"c": row["a"] * 10 + number, "d": None})
    assert table.columns == ["a", "b", "c", "d"]
    assert table.data == [[1, "x", 10, None], [2, "y", 21, None]]
    assert table.get_column("c") == [10, 21]
    table.add_data(3, "z", 30, "now text")
    first = Table([])
    first.add_column("only", [1, 2])
    assert first.data == [[1], [2]]


def test_a_column_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    table = Table(["a"], [[1], [2]])
    for name, data in (("a", [1, 2]), ("b", [1]), ("b", [1, "x"]), ("b", [1, None]), ("b", "xy")):
        with pytest.raises(TableError):
            table.add_column(name, data)
    with pytest.raises(TableError, match="same names for every row"):
        table.add_computed_columns(lambda number, row: {f"c{number}": 1})
    with pytest.raises(TableError, match="row 1, column 'c'"):
        table.add_computed_columns(lambda number, row: {"b": 1, "c": "x" if number else 1})
    assert table == Table(["a"], [[1], [2]])
    with pytest.raises(TableError, match="there is no column 'z'; the columns are"):
        table.get_column("z")
    with pytest.raises(TableError, match="convert_to"):
        table.get_column("a", convert_to="pandas")


def test_a_cast_checks_what_is_there() -> None:
    table = Table(["a"], [[1], ["x"]], allow_mixed_types=True)
    with pytest.raises(TableError, match="row 1, column 'a'"):
        table.cast("a", int)
    table = Table(["a"], [[1]])
    table.cast("a", Any, optional=True)
    table.add_data("x")
    assert table.column_types() == {"a": "any"}


def test_tables_are_equal_when_their_cells_are() -> None:
    assert Table(["a"], [[math.nan]]) == Table(["a"], [[math.nan]])
    assert Table(["a"], [[1]]) != Table(["a"], [[2]])
    assert Table(["a"], [[1]]) != Table(["b"], [[1]])


def test_an_unknown_log_mode_is_refused() -> None:
    with pytest.raises(TableError, match="it can be IMMUTABLE, MUTABLE, INCREMENTAL"):
        Table(log_mode="SOMETIMES")  # type: ignore[arg-type]


def test_an_incremental_table_keeps_its_columns() -> None:
    table = Table(["a"], [[1]], log_mode="INCREMENTAL")
    with pytest.raises(TableError, match="only grows by rows"):
        table.add_column("b", [1])
    with pytest.raises(TableError, match="only grows by rows"):
        table.add_computed_columns(lambda number, row: {"b": 1})


def test_without_pyarrow_logging_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = Table(["a"], [[Histogram([1, 2])]])
    with pytest.raises(ExtraMissing, match=r"pyarrow: pip install 'sweepwright\[media\]'"):
        table.to_record(MemorySink(), "t", 0)


def test_two_tables_are_joined() -> None:
    left = Table(["id", "x"], [[1, "a"], [2, "b"], [2, "c"]])
    right = Table(["key", "x"], [[2, "d"], [3, "e"], [2, "f"]])
    joined = JoinedTable(left, right, ["id", "key"]).to_table()
    assert joined.columns == ["id", "x", "x_2"]
    assert joined.data == [[2, "b", "d"], [2, "b", "f"], [2, "c", "d"], [2, "c", "f"]]


@pytest.mark.parametrize(
    ("tables", "key", "says"),
    [
        ((Table(["a"]), Table(["b"])), "a", "table2 has no column 'a'"),
        ((Table(["a"]), Table(["a"])), 5, "join_key=5"),
        ((Table(["a"]), Table(["a"])), ["a"], "a list of two names"),
        ((Table(["a"]), 7), "a", "table2=7"),
    ],
)
def test_a_join_of_what_is_no_table_is_refused(tables: Any, key: Any, says: str) -> None:
    with pytest.raises(TableError, match=_literally(says)):
        JoinedTable(tables[0], tables[1], key)


def test_a_join_with_a_named_table_cannot_be_computed_here() -> None:
    with pytest.raises(UsageError, match="only named"):
        JoinedTable(Table(["a"]), "predictions.table.parquet", "a").to_table()


def _literally(text: str) -> str:
    import re

    return re.escape(text)
