"""What log() accepts: numbers of any library, and odd values that never end the training."""

from __future__ import annotations

import decimal
import enum
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tracking import notices
from tracking.context import TrialStopped
from tracking.home import journal_path
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalWriter
from tracking.live.recorder import Recorder
from tracking.shipping.projector import read_batch

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 1.0}}


class Hidden:
    """A device array like jax's: one element, nothing but item()."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


class Torchlike:
    """A tensor like torch's: size() is a method, numel() counts."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def size(self) -> tuple[int, ...]:
        return (len(self.values),)

    def numel(self) -> int:
        return len(self.values)

    def item(self) -> float:
        (value,) = self.values
        return value

    def tolist(self) -> list[float]:
        return list(self.values)


class Broken:
    def item(self) -> float:
        raise RuntimeError("CUDA error")

    def __str__(self) -> str:
        raise RuntimeError("no text either")


class Color(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    TWO = 2


def recorder_in(folder: Path) -> Recorder:
    notices.forget("")
    return Recorder(JournalWriter.create(journal_path(folder, 1), RUN))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Hidden(0.5), 0.5),
        (Torchlike(0.5), 0.5),
        (Torchlike(0.5, 1.5), [0.5, 1.5]),
        (decimal.Decimal("0.5"), 0.5),
        (Color.RED, "red"),
        (Number.TWO, 2),
        (Path("/x"), "/x"),
        ({"a": {}}, None),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (b"x", "b'x'"),
        (1 + 2j, "(1+2j)"),
        ("\ud800", "\ud800"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_any_kind_become_plain(tmp_path: Path, given: Any, kept: Any) -> None:
    recorder_in(tmp_path).log({"v": given, "other": 1.0})
    history = read_batch(tmp_path, "r", 1, 0).history
    assert history["other"].values == [1.0]
    if kept is not None:
        assert history["v"].values == [kept]


def test_numpy_scalars_and_arrays_are_numbers_and_lists(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    recorder = recorder_in(tmp_path)
    for _ in range(3):
        recorder.log({"f64": np.float64(0.5), "f32": np.float32(0.5), "i": np.int64(3), "b": np.bool_(True)})
    recorder.log({"zero_d": np.array(2.0), "one": np.array([2.0]), "many": np.arange(3)})
    history = read_batch(tmp_path, "r", 1, 0).history
    assert (history["f64"].kind, history["f64"].values) == ("float", [0.5] * 3)
    assert (history["f32"].kind, history["i"].kind) == ("float", "int")
    assert history["b"].values == [True] * 3
    assert [history[key].values for key in ("zero_d", "one", "many")] == [[2.0], [2.0], [[0, 1, 2]]]


@pytest.mark.parametrize("data", [None, 5, "loss", [("a", 1)], object()], ids=lambda value: type(value).__name__)
def test_data_that_is_no_mapping_is_ignored_with_a_warning(
    tmp_path: Path, data: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder_in(tmp_path).log(data)
    assert "log() takes a mapping" in capsys.readouterr().err


def test_what_cannot_be_recorded_is_left_out_and_the_rest_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop: list[Any] = []
    loop.append(loop)
    recorder = recorder_in(tmp_path)
    for _ in range(2):
        recorder.log({"ok": 1.0, "broken": Broken(), "loop": loop, "long": [0] * 20_000, "_step": 9, 7: 1.0})
    history = read_batch(tmp_path, "r", 1, 0).history
    assert set(history) == {"ok", "7", "_timestamp"}
    err = capsys.readouterr().err
    assert err.count("broken is not recorded: Broken.item() failed: CUDA error") == 1
    assert "loop is not recorded" in err
    assert "long is not recorded" in err
    assert "_step is kept by the run itself" in err


def test_an_odd_name_is_warned_about_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_in(tmp_path)
    for _ in range(3):
        recorder.log({"val-loss": 1.0, "train/loss_1.x": 1.0})
    assert capsys.readouterr().err.count("easier to query") == 1


def test_a_value_that_changes_its_type_is_kept_exactly(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    for value in (1.0, 1, "x", None, 1 << 80, 2.0):
        recorder.log({"v": value})
    assert read_batch(tmp_path, "r", 1, 0).history["v"].values == [1.0, 1, "x", None, 1 << 80, 2.0]


def test_threads_log_at_the_same_time_without_losing_a_row(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)

    def work(name: str) -> None:
        for i in range(500):
            recorder.log({name: i, "shared": float(i)})

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = read_batch(tmp_path, "r", 1, 0).history
    assert history["shared"].steps == list(range(4000))
    assert all(history[f"t{n}"].values == list(range(500)) for n in range(8))


def test_a_trial_that_is_asked_to_stop_leaves_at_its_next_log() -> None:
    reasons = iter(["", "pruned"])
    recorder = Recorder(SilentWriter(), stop_reason=lambda: next(reasons))
    recorder.log({"a": 1})
    with pytest.raises(TrialStopped, match="pruned"):
        recorder.log({"a": 1})
    assert not issubclass(TrialStopped, Exception)


def test_many_different_sets_of_keys_stay_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.journal.writer.MAX_LAYOUTS", 10)
    recorder = recorder_in(tmp_path)
    for i in range(50):
        recorder.log({f"k{i}": float(i)})
    history = read_batch(tmp_path, "r", 1, 0).history
    assert [history[f"k{i}"].values for i in range(50)] == [[float(i)] for i in range(50)]


def test_a_forked_child_never_writes_into_the_journal(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.log({"a": 1.0})
    size = journal_path(tmp_path, 1).stat().st_size
    recorder.fall_silent("forked")
    recorder.log({"a": 2.0})
    recorder.log({"text": "x"})
    assert journal_path(tmp_path, 1).stat().st_size == size
    assert os.path.exists(journal_path(tmp_path, 1))
