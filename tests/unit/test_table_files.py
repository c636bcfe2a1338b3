"""Tables as files: what is stored comes back, in every mode of logging."""

from __future__ import annotations

import datetime
import io
import json
import math
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.memory_sink import MemorySink, SomeRun
from tracking.errors import TableError, UsageError
from tracking.media.histogram import Histogram
from tracking.media.html import Html
from tracking.media.image import Image
from tracking.plot.simple import bar
from tracking.tables import logged, parquet_file
from tracking.tables.frames import write_parquet
from tracking.tables.joined import JoinedTable
from tracking.tables.reading import read_table
from tracking.tables.table import Table

UTC = datetime.UTC
PARIS = datetime.timezone(datetime.timedelta(hours=1))
NOW = datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999)

COLUMNS: dict[str, list[Any]] = {
    "whole": [1, None, -(2**53)],
    "large": [2**63 - 1, None, -(2**63) + 1],
    "huge": [2**80, None, 1],
    "real": [1.5, math.nan, math.inf],
    "either": [1, 2.5, None],
    "exact": [2**60 + 1, 2.5, None],
    "text": ["é", "", None],
    "odd text": ["half a pair \ud800", "\x00", None],
    "yes": [True, None, False],
    "bytes": [b"\x00\xff", None, b""],
    "nothing": [None, None, None],
    "moment": [NOW, None, datetime.datetime.min],
    "moment of": [NOW.replace(tzinfo=UTC), None, NOW.replace(tzinfo=PARIS)],
    "first of": [datetime.datetime.min.replace(tzinfo=PARIS), None, datetime.datetime.max.replace(tzinfo=UTC)],
    "day": [NOW.date(), None, datetime.date.max],
    "day or moment": [NOW.date(), None, NOW],
    "clock": [NOW.time(), None, datetime.time(0)],
    "took": [datetime.timedelta(microseconds=-1), None, datetime.timedelta(days=400_000)],
    "forever": [datetime.timedelta.max, None, datetime.timedelta.min],
    "numbers": [[1.5, 2.0], [], None],
    "counts": [[1, 2], [None], None],
    "words": [["a", "b"], [], None],
    "mixed list": [[1, "a", None, [2]], [], None],
    "times": [[NOW, NOW.date()], [datetime.timedelta(1)], [b"x"]],
    "dict": [{"a": 1, "b": [1, {"c": math.nan}]}, {}, None],
    "odd dict": [{"$media": 1}, {1: "a", None: 2, False: 3}, {"$": {"$dict": []}}],
    "vector": [numpy.arange(3.0), numpy.array([], "f8"), None],
    "bits": [numpy.array([True, False]), numpy.array([True]), None],
    "matrix": [numpy.eye(2, dtype=">f4"), numpy.zeros((0, 3), "f4"), None],
    "letters": [numpy.array(["ab", "c"]), numpy.array([1 + 2j]), None],
    "histogram": [Histogram([1, 2, 3]), None, Histogram([1])],
    "html": [Html("<b>é</b>", inject=False), None, Html("<p>")],
    "image": [Image(numpy.zeros((2, 3, 3), "uint8"), caption="c"), None, Image(numpy.ones((2, 2), "uint8"))],
    "chart": [bar(Table(["l", "v"], [["a", 1]]), "l", "v", title="t"), None, None],
    "media": [[Html("x"), {"also": Histogram([1])}], [], None],
}


def stored_and_read(table: Table) -> Table:
    sink = MemorySink()
    found = read_table(table.to_record(sink, "some/key", 3), sink.open)
    assert isinstance(found, Table)
    return found


@pytest.mark.parametrize("name", COLUMNS)
def test_every_kind_of_cell_comes_back_as_it_was(name: str) -> None:
    table = Table([name], [[cell] for cell in COLUMNS[name]])
    found = stored_and_read(table)
    assert found == table
    assert found.column_types() == table.column_types()


def test_all_of_them_in_one_table_of_mixed_types() -> None:
    cells = [cell for column in COLUMNS.values() for cell in column]
    table = Table(["all"], [[cell] for cell in cells], allow_mixed_types=True)
    assert stored_and_read(table) == table


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=9) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.tuples(plain, plain), max_size=8))
def test_any_cells_come_back_as_they_were(rows: list[tuple[Any, Any]]) -> None:
    table = Table(["a", 7], list(rows), allow_mixed_types=True)
    found = stored_and_read(table)
    assert found == table
    assert found.columns == ["a", 7]


def test_numpy_becomes_what_python_has_and_arrays_stay() -> None:
    table = Table(list("abcde"))
    table.add_data(numpy.float32(0.5), numpy.int64(3), numpy.bool_(True), numpy.datetime64("2024-01-01T00:00:01"), "x")
    table.add_data(numpy.float64(1), numpy.uint8(4), numpy.array(False), numpy.datetime64("NaT"), numpy.str_("y"))
    assert [list(map(type, row)) for row in table.data] == [
        [float, int, bool, datetime.datetime, str],
        [float, int, bool, type(None), str],
    ]
    assert stored_and_read(table) == table
    assert Table(["a", "b"], numpy.array([[1, 2], [3, 4]])).data == [[1, 2], [3, 4]]
    cube = Table(["a", "b"], numpy.zeros((2, 2, 3)))
    assert cube.data[0][0].shape == (3,)
    with pytest.raises(TableError, match="two dimensions"):
        Table(["a"], numpy.zeros(3))
    with pytest.raises(TableError, match="make each of its fields a column"):
        Table(["a"], [[numpy.zeros(2, "i4,f4")]])
    assert table.get_column("b", convert_to="numpy").tolist() == [3, 4]


def test_media_are_arrays_of_what_they_show() -> None:
    table = Table(["i", "h"])
    for number in range(2):
        table.add_data(Image(numpy.full((2, 3), number, "uint8")), Histogram([1, 2], num_bins=4))
    assert table.get_column("i", convert_to="numpy").tolist() == [[[0] * 3] * 2, [[1] * 3] * 2]
    assert table.get_column("h", convert_to="numpy").shape == (2, 4)
    table.add_data(Image(numpy.zeros((4, 4), "uint8")), None)
    with pytest.raises(TableError, match="differ in shape"):
        table.get_column("i", convert_to="numpy")


def test_a_table_without_rows_and_one_without_columns_are_stored() -> None:
    for table in (Table(["a", "b"]), Table([])):
        assert stored_and_read(table) == table


def test_the_record_says_what_is_in_the_file() -> None:
    sink = MemorySink()
    table = Table(["a", "picture"], [[1, Image(numpy.zeros((2, 2), "uint8"))]])
    record = table.to_record(sink, "preds", 5)
    assert record == {
        "_type": "table-file", "path": "media/table/preds_5.table.parquet", "sha256": record["sha256"],
        "size": len(sink.files[record["sha256"]]), "nrows": 1, "ncols": 2, "log_mode": "IMMUTABLE",
    }  # fmt: skip
    assert sink.names == ["media/images/preds_5.png", record["path"]]


def test_other_programs_read_the_file() -> None:
    sink = MemorySink()
    record = Table(["n", "s", "v"], [[1, "x", numpy.ones(2, "f4")]]).to_record(sink, "t", 0)
    table = pyarrow.parquet.read_table(sink.open(record))
    assert table.to_pylist() == [{"n": 1, "s": "x", "v": [1.0, 1.0]}]
    assert str(table.schema.field("v").type) == "list<element: float>"


def test_a_parquet_file_of_others_is_read(tmp_path: Any) -> None:
    path = tmp_path / "other.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, None], "b": [{"c": "d"}, None]}), path)
    table = Table.read(path)
    assert table.data == [[1, {"c": "d"}], [None, None]]
    path.write_bytes(b"no parquet")
    with pytest.raises(UsageError, match="not a Parquet file, or damaged"):
        Table.read(path)


def test_a_large_table_is_written_in_groups_and_not_through_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemorySink, "add_bytes", _of_media_only(MemorySink.add_bytes))
    table = Table(["n", "s"], [[number, f"row {number % 7}"] for number in range(25_000)])
    sink = MemorySink()
    record = table.to_record(sink, "t", 0)
    assert pyarrow.parquet.ParquetFile(sink.open(record)).num_row_groups == 3
    assert read_table(record, sink.open) == table


def test_groups_of_large_cells_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "GROUP_BYTES", 8_000)
    rows: list[list[Any]] = [[numpy.full(100, number, "f8")] for number in range(50)]
    plan = parquet_file.planned(rows, 1)
    assert plan.group_rows == 10
    table = Table(["v"], rows)
    assert stored_and_read(table) == table


def test_more_rows_than_allowed_are_never_left_out_silently(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Table, "MAX_ROWS", 3)
    sink = MemorySink()
    record = Table(["a"], [[number] for number in range(5)]).to_record(sink, "t", 0)
    assert (record["nrows"], record["rows_left_out"]) == (3, 2)
    assert "the last 2 are left out. Set tracking.Table.MAX_ROWS" in capsys.readouterr().err
    assert read_table(record, sink.open).data == [[0], [1], [2]]  # type: ignore[union-attr]
    monkeypatch.setattr(Table, "MAX_ARTIFACT_ROWS", 200_001)
    assert Table(["a"], [[number] for number in range(5)]).to_record(sink, "t", 0)["nrows"] == 5
    assert capsys.readouterr().err == ""


# Logged again


def test_an_immutable_table_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    sink = MemorySink(SomeRun())
    table = Table(["a"], [[1]])
    first = table.to_record(sink, "t", 0)
    table.add_data(2)
    assert "it is IMMUTABLE, so logging it again has no effect" in capsys.readouterr().err
    assert table.to_record(MemorySink(sink.run), "t", 1) == first
    assert table.to_record(MemorySink(SomeRun()), "t", 0)["nrows"] == 2  # another run has it for the first time
    assert table.to_record(MemorySink(), "t", 0)["nrows"] == 2  # and so has an artifact


def test_a_mutable_table_is_logged_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    sink = MemorySink(SomeRun())
    table = Table(["a"], [[1]], log_mode="MUTABLE")
    first = table.to_record(sink, "t", 0)
    table.add_data(2)
    table.add_column("b", [1, 2])
    second = table.to_record(sink, "t", 1)
    assert (second["nrows"], second["ncols"], second["log_mode"]) == (2, 2, "MUTABLE")
    assert read_table(first, sink.open) == Table(["a"], [[1]])
    assert read_table(second, sink.open) == table
    assert capsys.readouterr().err == ""


def test_an_incremental_table_logs_what_is_new() -> None:
    sink = MemorySink(SomeRun())
    table = Table(["a", "b"], log_mode="INCREMENTAL")
    records = []
    for number in range(5):
        table.add_data(number, None if number < 3 else "x")
        records.append(table.to_record(sink, "t", number))
    assert [record["increment_num"] for record in records] == [0, 1, 2, 3, 4]
    assert [record["nrows"] for record in records] == [1, 2, 3, 4, 5]
    assert records[2]["_type"] == "incremental-table-file"
    assert records[2]["previous_increments_paths"] == [record["path"] for record in records[:2]]
    assert parquet_file.read(sink.open(records[3]), dict).rows == [[3, "x"]]
    assert read_table(records[2], sink.open).data == table.data[:3]  # type: ignore[union-attr]
    whole = read_table(records[4], sink.open)
    assert whole == table
    assert isinstance(whole, Table)
    assert whole.column_types() == {"a": "number", "b": "string"}
    assert table.to_record(sink, "t", 9) == records[4]  # nothing is new


def test_records_of_many_increments_stay_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "LISTED", 3)
    sink = MemorySink(SomeRun())
    table = Table(["a"], log_mode="INCREMENTAL")
    for number in range(20):
        table.add_data(number)
        record = table.to_record(sink, "t", number)
        assert len(record["previous_increments_paths"]) <= 3
        assert read_table(record, sink.open) == table


def test_a_resumed_run_goes_on_with_the_increments_of_before() -> None:
    sink = MemorySink(SomeRun())
    table = Table(["a"], [[1], [2]], log_mode="INCREMENTAL")
    before = table.to_record(sink, "t", 0)
    sink.run = SomeRun(resumed=True, t=before)
    again = Table(["a"], [[3]], log_mode="INCREMENTAL")
    record = again.to_record(sink, "t", 1)
    assert (record["increment_num"], record["nrows"]) == (1, 3)
    assert read_table(record, sink.open) == Table(["a"], [[1], [2], [3]])


def test_an_incremental_table_belongs_to_one_run_and_goes_whole_into_an_artifact() -> None:
    table = Table(["a"], [[1]], log_mode="INCREMENTAL")
    table.to_record(MemorySink(SomeRun()), "t", 0)
    with pytest.raises(UsageError, match="belongs to the run that it was logged to first"):
        table.to_record(MemorySink(SomeRun()), "t", 0)
    table.add_data(2)
    sink = MemorySink()
    record = table.to_record(sink, "t", 0)
    assert (record["_type"], record["nrows"]) == ("table-file", 2)


def test_an_increment_that_could_not_be_stored_is_stored_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = MemorySink(SomeRun())
    table = Table(["a"], [[1]], log_mode="INCREMENTAL")
    with monkeypatch.context() as broken:
        broken.setattr(MemorySink, "add_bytes", _full)
        with pytest.raises(OSError, match="full"):
            table.to_record(sink, "t", 0)
    table.add_data(2)
    assert read_table(table.to_record(sink, "t", 1), sink.open) == table


def test_rows_beyond_the_limit_wait_for_the_next_increment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Table, "MAX_ROWS", 2)
    sink = MemorySink(SomeRun())
    table = Table(["a"], [[1], [2], [3]], log_mode="INCREMENTAL")
    assert table.to_record(sink, "t", 0)["nrows"] == 2
    assert "the last 1 wait for the next log()" in capsys.readouterr().err
    assert read_table(table.to_record(sink, "t", 1), sink.open) == table


# Joined, and rows of unknown types


def test_a_joined_table_is_read_with_both_tables() -> None:
    sink = MemorySink()
    joined = JoinedTable(Table(["id"], [[1]]), Table(["id", "x"], [[1, "a"]]), "id")
    found = read_table(joined.to_record(sink, "j", 0), sink.open)
    assert found == joined
    named = JoinedTable("left.table.parquet", Table(["id"]), "id").to_record(sink, "j", 0)
    assert named["table1"] == {"_type": "table-file", "path": "left.table.parquet"}


def test_a_record_may_be_a_file_of_its_own() -> None:
    sink = MemorySink()
    table = Table(["id"], [[1]])
    kept = table.to_record(sink, "t", 0)
    beside = sink.add_bytes("t.table.json", json.dumps(kept).encode())
    assert read_table({"_type": "table-file", **beside}, sink.open) == table
    named = {"_type": "table-file", "path": "t.table.json"}  # an opener that knows the name gives the table at once
    assert read_table(named, lambda record: sink.open(kept)) == table


def test_media_of_a_table_that_is_read_without_an_opener_have_no_files(tmp_path: Any) -> None:
    sink = MemorySink()
    record = Table(["h", "n"], [[Html("<b>"), 1]]).to_record(sink, "t", 0)
    path = tmp_path / "t.parquet"
    path.write_bytes(sink.files[record["sha256"]])
    table = Table.read(path)
    assert table.get_column("n") == [1]
    with pytest.raises(UsageError, match="read without an opener"):
        _ = table.data[0][0].html


def test_rows_are_written_while_they_come_and_types_widen(tmp_path: Any) -> None:
    path = tmp_path / "rows.parquet"
    rows: list[list[Any]] = [[None, 1, "a"], [1, 2, "b"], [2, 2.5, 3], [{"x": 1}, 2**70, object]]
    assert write_parquet(path, ["a", "b", "c"], iter(rows), group_rows=1) == 4
    table = pyarrow.parquet.read_table(path)
    assert table.column("a").to_pylist() == [None, "1", "2", '{"x":1}']
    assert table.column("b").to_pylist() == ["1.0", "2.0", "2.5", str(2**70)]
    assert table.column("c").to_pylist() == ['"a"', '"b"', "3", "\"<class 'object'>\""]
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.parquet"]


def test_rows_that_fit_are_written_once(tmp_path: Any) -> None:
    path = tmp_path / "rows.parquet"
    assert write_parquet(path, ["a", "b"], ([number, number / 2] for number in range(25)), group_rows=10) == 25
    file = pyarrow.parquet.ParquetFile(path)
    assert file.num_row_groups == 3
    assert file.read().column("b").to_pylist()[:3] == [0.0, 0.5, 1.0]
    assert write_parquet(path, ["a"], []) == 0
    assert pyarrow.parquet.read_table(path).num_rows == 0


def test_rows_that_fail_leave_no_file(tmp_path: Any) -> None:
    def rows() -> Any:
        yield [1]
        yield [1, 2]

    with pytest.raises(TableError, match="row 1 has 2 cells, but there are 1 columns"):
        write_parquet(tmp_path / "rows.parquet", ["a"], rows(), group_rows=1)
    assert list(tmp_path.iterdir()) == []


def _of_media_only(original: Any) -> Any:
    def add_bytes(self: MemorySink, name: str, data: Any, mime: str = "") -> Any:
        assert "parquet" not in name or not isinstance(data, (io.BytesIO, memoryview))
        return original(self, name, data, mime)

    return add_bytes


def _full(*args: Any) -> Any:
    raise OSError("the disk is full")
