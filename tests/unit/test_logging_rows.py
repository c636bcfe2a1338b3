"""Rows with media, steps, declared metrics: what the recorder does beside packing numbers."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tracking import notices
from tracking.errors import UsageError
from tracking.home import journal_path
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalWriter
from tracking.live.mediated import looks_like_media
from tracking.live.metrics import Aggregate, MetricDefinition
from tracking.live.recorder import Recorder
from tracking.live.summary import Summary
from tracking.live.values import Unloggable
from tracking.shipping.projector import read_batch

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 1.0}}


@pytest.fixture(autouse=True)
def _fresh_notices() -> None:
    notices.forget("")


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(JournalWriter.create(journal_path(tmp_path, 1), RUN))


class Picture:
    """As images, tables and plots of ours look to the recorder."""

    def to_record(self, sink: Any, key: str, step: int) -> dict[str, Any]:
        return {"_type": "image-file"}

    def __str__(self) -> str:
        raise AssertionError("nobody may print a picture")


class Figure:
    pass


Figure.__module__ = "matplotlib.figure"


class Axes(Figure):
    """A user's own class on top of a library's."""


def converting(value: Any, key: str, step: int) -> Any:
    return {"_type": "image-file", "path": f"{key}_{step}", "nested": {"a": 1}}


@pytest.mark.parametrize("value", [Picture(), [Picture(), Picture()], (Picture(),), Figure(), Axes()])
def test_media_are_known_by_their_types(value: Any) -> None:
    assert looks_like_media(value)


@pytest.mark.parametrize("value", [1, 2.0, "a", None, True, {}, {"a": 1}, [], [1, 2], ["a"], object(), Path("x"), sys])
def test_other_values_are_no_media(value: Any) -> None:
    assert not looks_like_media(value)


def test_the_module_pyplot_stands_for_its_current_figure() -> None:
    assert looks_like_media(types.ModuleType("matplotlib.pyplot"))


def test_long_arrays_are_histograms_and_short_ones_lists() -> None:
    numpy = pytest.importorskip("numpy")
    assert looks_like_media(numpy.zeros(33))
    assert not looks_like_media(numpy.zeros(32))
    assert not looks_like_media(numpy.float32(1))


def test_media_become_records_at_any_depth_of_a_row(recorder: Recorder, tmp_path: Path) -> None:
    recorder.convert = converting
    recorder.log({"loss": 1.0, "val": {"image": Picture(), "acc": 0.5}})
    recorder.log({"images": [Picture()]}, step=7)
    history = read_batch(tmp_path, "r", 1, 0).history
    assert history["val.image"].values == [{"_type": "image-file", "path": "val.image_0", "nested": {"a": 1}}]
    assert history["images"].values[0]["path"] == "images_7"
    assert (history["loss"].values, history["val.acc"].values) == ([1.0], [0.5])


@pytest.mark.parametrize(
    "error", [Unloggable("no Pillow"), UsageError("bad shape"), OSError("disk full"), ValueError()]
)
def test_media_that_cannot_be_kept_are_left_out_with_a_warning(
    recorder: Recorder, tmp_path: Path, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(value: Any, key: str, step: int) -> Any:
        raise error

    recorder.convert = failing
    for _ in range(2):
        recorder.log({"image": Picture(), "loss": 1.0})
    history = read_batch(tmp_path, "r", 1, 0).history
    assert "image" not in history
    assert history["loss"].values == [1.0, 1.0]
    assert capsys.readouterr().err.count("image is not recorded") == 1


def test_conversion_waits_for_no_lock(recorder: Recorder) -> None:
    def converting_beside(value: Any, key: str, step: int) -> Any:
        assert not recorder.lock._is_owned()  # type: ignore[attr-defined]
        return {"_type": "x"}

    recorder.convert = converting_beside
    recorder.log({"image": Picture()})
    assert recorder.last["image"] == {"_type": "x"}


def test_a_disabled_run_does_not_look_at_media() -> None:
    recorder = Recorder(SilentWriter())
    recorder.log({"image": Picture(), "images": [Picture()], "loss": 1.0})
    assert recorder.last == {"loss": 1.0}


def test_media_in_the_summary_become_records() -> None:
    told: list[dict[str, Any]] = []
    recorder = Recorder(SilentWriter())
    recorder.convert = converting
    summary = Summary({}, None, recorder.converted_value)
    summary.connect(told.append)
    summary["best"] = Picture()
    summary["n"] = 3
    assert told == [{"best": {"_type": "image-file", "path": "best_0", "nested": {"a": 1}}}, {"n": 3}]


def test_a_step_never_goes_back_and_commit_false_gathers(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log({"a": 1}, commit=False)
    recorder.log({"b": 2}, commit=False)
    recorder.log({"c": 3})
    recorder.log({"a": 4}, step=5)
    recorder.log({"b": 5})
    recorder.log({"a": 6}, step=2)
    recorder.log({"a": 7}, step=6, commit=True)
    for odd in (float("nan"), float("inf"), "x", None):
        recorder.log({"d": 1}, step=odd)  # type: ignore[arg-type]
    history = read_batch(tmp_path, "r", 1, 0).history
    assert list(zip(history["a"].steps, history["a"].values, strict=True)) == [(0, 1), (5, 4), (6, 7)]
    assert list(zip(history["b"].steps, history["b"].values, strict=True)) == [(0, 2), (5, 5)]
    assert history["c"].steps == [0]
    assert history["d"].steps == [7]
    assert recorder.last_step == 7


def declared(name: str, **more: Any) -> MetricDefinition:
    return MetricDefinition.checked(name, **more)


def test_aggregates_follow_what_was_declared(recorder: Recorder) -> None:
    recorder.define(declared("acc*", summary="min,max,mean,first,last"))
    recorder.define(declared("loss", summary=["best"], goal="min"))
    recorder.define(declared("quiet", summary="none"))
    recorder.define(declared("plain", summary="copy"))
    for value in (3.0, 1.0, float("nan"), 2.0):
        recorder.log({"accuracy": value, "loss": value, "quiet": value, "plain": value})
    assert recorder.last["accuracy"] == {"min": 1.0, "max": 3.0, "mean": 2.0, "first": 3.0, "last": 2.0}
    assert recorder.last["loss"] == {"best": 1.0}
    assert "quiet" not in recorder.last
    assert recorder.last["plain"] == 2.0


def test_repeated_declarations_merge_unless_they_overwrite(recorder: Recorder) -> None:
    recorder.define(declared("a", summary="min", hidden=True))
    recorder.define(declared("a", goal="maximize"))
    recorder.log({"a": 1.0})
    assert recorder.last["a"] == {"min": 1.0}
    recorder.define(declared("a", summary="max"), overwrite=True)
    recorder.log({"a": 0.5})
    assert recorder.last["a"] == {"max": 1.0}


def test_the_last_value_of_a_step_metric_is_inserted_unless_told_not_to(recorder: Recorder, tmp_path: Path) -> None:
    recorder.define(declared("val/*", step_metric="epoch"))
    recorder.define(declared("test/*", step_metric="epoch", step_sync=False))
    recorder.log({"epoch": 3})
    recorder.log({"val/loss": 1.0})
    recorder.log({"test/loss": 1.0})
    assert read_batch(tmp_path, "r", 1, 0).history["epoch"].steps == [0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a*b"},
        {"name": ""},
        {"name": "a", "summary": "median"},
        {"name": "a", "goal": "up"},
        {"name": "a", "step_metric": "e*"},
        {"name": "a", "step_metric": 3},
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="define_metric"):
        MetricDefinition.checked(**wrong)


def test_an_aggregate_goes_on_from_the_state_of_another() -> None:
    definition = declared("a", summary="min,max,mean,first,last")
    first, second = Aggregate(definition), Aggregate(definition)
    first.feed((3.0, 1.0))
    second.feed((5.0, 3.0))
    second.precede(first.state())
    assert second.summary() == {"min": 1.0, "max": 5.0, "mean": 3.0, "first": 3.0, "last": 3.0}
    second.precede({})
    assert second.summary()["mean"] == 3.0
