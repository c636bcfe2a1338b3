"""DataFrames of pandas and polars become tables, and tables DataFrames."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.unit.memory_sink import MemorySink
from tracking.errors import TableError, UsageError
from tracking.tables.frames import to_frame
from tracking.tables.reading import read_table
from tracking.tables.table import Table

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

DAY = datetime.datetime(2024, 1, 1, 12)


def test_a_pandas_frame_becomes_a_table() -> None:
    frame = pandas.DataFrame(
        {
            "n": [1, 2],
            "x": [0.5, float("nan")],
            "s": ["a", None],
            "t": [pandas.Timestamp(DAY), pandas.NaT],
            "c": pandas.Categorical(["u", "v"]),
            "i": pandas.array([1, None], dtype="Int64"),
            "d": pandas.to_timedelta([1, 2], unit="s"),
            "z": pandas.date_range(DAY, periods=2, freq="s", tz="Europe/Paris"),
            3: [[1], [2]],
        },
        index=[7, 8],
    )
    table = Table(dataframe=frame)
    assert table.columns == ["n", "x", "s", "t", "c", "i", "d", "z", 3]
    second = datetime.timedelta(seconds=1)
    noon = DAY.replace(hour=11, tzinfo=datetime.UTC)
    assert table.data[0] == [1, 0.5, "a", DAY, "u", 1, second, noon, [1]]
    assert table.data[1][2:] == [None, None, "v", None, 2 * second, noon + second, [2]]
    assert {type(cell) for cell in table.get_column("n")} == {int}
    assert type(table.data[0][3]) is datetime.datetime
    assert Table(data=frame) == table
    assert stored_and_read(table) == table


def test_a_missing_text_before_the_first_text_is_no_number() -> None:
    frame = pandas.DataFrame({"s": pandas.Series([float("nan"), "a"], dtype=object)})
    assert Table(dataframe=frame).data == [[None], ["a"]]


def test_a_polars_frame_becomes_a_table() -> None:
    frame = polars.DataFrame(
        {"n": [1, None], "s": ["a", "b"], "l": [[1, 2], []], "t": [DAY, None], "d": [{"k": 1}, None]}
    )
    table = Table(dataframe=frame)
    assert table.data == [[1, "a", [1, 2], DAY, {"k": 1}], [None, "b", [], None, None]]
    assert Table(data=frame) == table
    assert stored_and_read(table) == table


def test_types_are_checked_in_frames_too() -> None:
    frame = pandas.DataFrame({"a": [1, "x"]})
    with pytest.raises(TableError, match="row 1, column 'a': found 'x'"):
        Table(dataframe=frame)
    assert Table(dataframe=frame, allow_mixed_types=True).data == [[1], ["x"]]
    with pytest.raises(TableError, match="not optional"):
        Table(dataframe=pandas.DataFrame({"a": ["x", None]}), optional=False)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of one name"),
        (pandas.DataFrame([[1]], columns=pandas.MultiIndex.from_tuples([("a", "b")])), "several levels"),
        ({"a": [1]}, "pass a DataFrame of pandas or polars"),
    ],
)
def test_odd_frames_are_refused(frame: Any, says: str) -> None:
    with pytest.raises(TableError, match=says):
        Table(dataframe=frame)


def test_a_frame_in_a_cell_is_refused() -> None:
    with pytest.raises(TableError, match="tables do not hold tables"):
        Table(["a"], [[pandas.DataFrame()]])


def test_a_table_becomes_a_frame() -> None:
    table = Table(["a", "b"], [[1, "x"], [2, None]])
    frame = table.get_dataframe()
    assert frame.to_dict("list")["a"] == [1, 2]
    assert frame["b"].isna().tolist() == [False, True]
    assert table.get_dataframe("polars").rows() == [(1, "x"), (2, None)]
    assert Table(["a"]).get_dataframe().columns.tolist() == ["a"]


def test_series_and_columns_are_added() -> None:
    table = Table(["a"], [[1], [2]])
    table.add_column("b", pandas.Series([0.5, 1.5]))
    table.add_column("c", polars.Series(["x", "y"]))
    assert table.data == [[1, 0.5, "x"], [2, 1.5, "y"]]


def test_columns_of_several_types_become_objects_of_polars() -> None:
    frame = to_frame({"a": [1, "x"], "b": [1, 2.5], "c": [{"k": 1}, None], 5: [2**70, 1]}, "polars")
    assert frame.columns == ["a", "b", "c", "5"]
    assert frame.rows()[0] == (1, 1.0, {"k": 1}, 2**70)
    with pytest.raises(UsageError, match="it can be"):
        to_frame({}, "arrow")  # type: ignore[arg-type]


def stored_and_read(table: Table) -> Any:
    sink = MemorySink()
    return read_table(table.to_record(sink, "t", 0), sink.open)
