"""What rows, summaries and declarations mean for the store."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking import notices
from tracking.home import journal_path
from tracking.journal.records import MAGIC, RecordType, json_record
from tracking.journal.writer import JournalWriter
from tracking.live.metrics import MetricDefinition
from tracking.live.recorder import Recorder
from tracking.shipping.projector import Projector, read_batch
from tracking.store.contract import RunBatch

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 1.0}}


class Recording:
    """A recorder on a real journal, and what the projector makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recorder = Recorder(JournalWriter.create(journal_path(folder, 1), RUN))

    def projected(self) -> RunBatch:
        return read_batch(self.folder, "r", 1, 0)

    def points(self, key: str) -> list[tuple[int, Any]]:
        part = self.projected().history[key]
        return list(zip(part.steps, part.values, strict=True))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    notices.forget("")
    return Recording(tmp_path)


def define(recording: Recording, name: str, overwrite: bool = False, **said: Any) -> None:
    recording.recorder.define(MetricDefinition.checked(name, **said), overwrite)


def test_rows_of_one_step_merge_and_the_last_value_wins(recording: Recording) -> None:
    log = recording.recorder.log
    log({"a": 1.0}, commit=False)
    log({"b": 2.0}, commit=False)
    log({"a": 3.0})
    log({"a": 4.0})
    assert recording.points("a") == [(0, 3.0), (1, 4.0)]
    assert recording.points("b") == [(0, 2.0)]
    assert len(recording.projected().history["_timestamp"].steps) == 2


def test_a_given_step_stays_until_a_commit(recording: Recording) -> None:
    log = recording.recorder.log
    log({"a": 1.0}, step=5)
    log({"b": 1.0}, step=5)
    log({"c": 1.0})
    log({"d": 1.0})
    log({"e": 1.0}, step=9, commit=True)
    assert [recording.points(key)[0][0] for key in "abcde"] == [5, 5, 5, 6, 9]
    assert recording.recorder.step == 10


def test_a_step_that_goes_back_is_dropped_with_one_warning(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.recorder.log({"a": 1.0}, step=5)
    recording.recorder.log({"a": 2.0}, step=4)
    recording.recorder.log({"a": 2.0}, step=3)
    assert recording.points("a") == [(5, 1.0)]
    assert capsys.readouterr().err.count("steps only grow") == 1


def test_a_step_too_far_ahead_is_dropped_with_a_warning_and_later_rows_are_kept(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    recording.recorder.log({"a": 1.0}, step=2**70)
    recording.recorder.log({"a": 2.0})
    assert recording.points("a") == [(0, 2.0)]
    assert "steps end at" in capsys.readouterr().err


def test_kinds_are_kept_and_mixed_kinds_widen(recording: Recording) -> None:
    log = recording.recorder.log
    for value in (1, 2.5, 3):
        log(
            {"mixed": value, "whole": 1, "flag": True, "text": "x", "none": None, "list": [1, {"a": 2}], "big": 1 << 70}
        )
    history = recording.projected().history
    assert {key: part.kind for key, part in history.items() if key != "_timestamp"} == {
        "mixed": "float",
        "whole": "int",
        "flag": "json",
        "text": "json",
        "none": "json",
        "list": "json",
        "big": "json",
    }
    assert history["mixed"].values == [1.0, 2.5, 3.0]
    assert history["flag"].values == [True, True, True]
    assert history["big"].values == [1 << 70] * 3


def test_integers_that_a_float_cannot_hold_are_not_widened(recording: Recording) -> None:
    recording.recorder.log({"a": 0.5})
    recording.recorder.log({"a": (1 << 53) + 1})
    assert recording.points("a") == [(0, 0.5), (1, (1 << 53) + 1)]


def test_nan_and_infinities_are_kept(recording: Recording) -> None:
    for value in (math.nan, math.inf, -math.inf):
        recording.recorder.log({"a": value})
    values = [value for _, value in recording.points("a")]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


def test_nested_mappings_are_flattened_with_dots(recording: Recording) -> None:
    recording.recorder.log({"train": {"loss": 1.0, "acc": {"top1": 0.5}}})
    assert set(recording.projected().history) == {"train.loss", "train.acc.top1", "_timestamp"}


def test_the_summary_is_the_last_value_unless_it_was_set(recording: Recording) -> None:
    recording.recorder.log({"a": 1.0, "b": 1.0})
    recording.recorder.record(RecordType.SUMMARY, {"b": 99})
    recording.recorder.log({"a": 2.0, "b": 2.0})
    summary = recording.projected().summary
    assert (summary["a"], summary["b"], summary["_step"]) == (2.0, 99, 1)


def test_declared_aggregates_become_the_summary(recording: Recording) -> None:
    define(recording, "loss", summary="min,max,mean,last,first")
    define(recording, "acc", summary="best", goal="maximize")
    define(recording, "noise/*", summary="none")
    for loss in (3.0, 1.0, math.nan, 2.0):
        recording.recorder.log({"loss": loss, "acc": loss, "noise/x": 1.0})
    summary = recording.projected().summary
    assert summary["loss"] == {"min": 1.0, "max": 3.0, "mean": 2.0, "last": 2.0, "first": 3.0}
    assert summary["acc"] == {"best": 3.0}
    assert "noise/x" not in summary
    assert recording.recorder.last["loss"] == summary["loss"]


def test_declarations_merge_unless_overwritten(recording: Recording) -> None:
    define(recording, "loss", summary="min")
    define(recording, "loss", hidden=True)
    assert recording.projected().metrics["loss"] == {"name": "loss", "hidden": True, "summary": ["min"]}
    define(recording, "loss", overwrite=True, goal="minimize")
    assert recording.projected().metrics["loss"] == {"name": "loss", "goal": "minimize"}


def test_the_step_metric_is_inserted_where_it_is_missing(recording: Recording) -> None:
    define(recording, "val/*", step_metric="epoch")
    recording.recorder.log({"epoch": 5})
    recording.recorder.log({"val/loss": 0.3})
    recording.recorder.log({"train/loss": 0.3})
    assert recording.points("epoch") == [(0, 5), (1, 5)]


def test_the_step_metric_is_not_inserted_without_step_sync(recording: Recording) -> None:
    define(recording, "val/*", step_metric="epoch", step_sync=False)
    recording.recorder.log({"epoch": 5})
    recording.recorder.log({"val/loss": 0.3})
    assert recording.points("epoch") == [(0, 5)]


def test_a_declaration_counts_for_rows_that_took_the_fast_way_before(recording: Recording) -> None:
    for value in (1.0, 2.0):
        recording.recorder.log({"loss": value})
    define(recording, "loss", summary="max")
    for value in (4.0, 3.0):
        recording.recorder.log({"loss": value})
    assert recording.recorder.last["loss"] == {"max": 4.0}


def test_records_of_types_unknown_are_skipped() -> None:
    data = MAGIC + json_record(RecordType.RUN, RUN)
    future = bytearray(json_record(RecordType.EVENT, {"kind": "dropped", "records": 1}))
    future[8] = 200
    future[4:8] = zlib.crc32(bytes(future[8:])).to_bytes(4, "little")
    row = json_record(RecordType.JSONROW, {"step": 0, "time": 2.0, "data": {"a": 1}})
    batch = Projector("r", 1).project(data + bytes(future) + row)
    assert batch.history["a"].values == [1]


VALUES = st.one_of(
    st.floats(allow_nan=False), st.integers(-(1 << 65), 1 << 65), st.booleans(), st.none(), st.text(max_size=5)
)
ROWS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4),
        st.sampled_from([None, False, True]),
        st.one_of(st.none(), st.integers(0, 3)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cut=st.integers(50, 600))
def test_any_rows_in_any_batches_give_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[dict[str, Any], bool | None, int | None]], cut: int
) -> None:
    recording = Recording(tmp_path_factory.mktemp("rows"))
    expected: dict[str, dict[int, Any]] = {}
    for data, commit, ahead in rows:
        at = recording.recorder.step + ahead if ahead is not None else None
        now = recording.recorder.step if at is None else at
        recording.recorder.log(data, step=at, commit=commit)
        for key, value in data.items():
            expected.setdefault(key, {})[now] = value
    found: dict[str, dict[int, Any]] = {}
    offset = 0
    while True:
        batch = read_batch(recording.folder, "r", 1, offset, max_bytes=cut)
        if batch.to_offset == offset:
            break
        offset = batch.to_offset
        for key, part in batch.history.items():
            assert part.steps == sorted(set(part.steps))
            found.setdefault(key, {}).update(zip(part.steps, part.values, strict=True))
    found.pop("_timestamp", None)
    assert found == expected
