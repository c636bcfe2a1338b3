"""The summary of a run: what was logged, what was set, nested values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tracking.live.summary import Summary


def summary_of(logged: dict[str, Any], restored: dict[str, Any] | None = None) -> tuple[Summary, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    summary = Summary(logged, restored)
    summary.connect(told.append)
    return summary, told


def test_the_last_logged_value_shows_and_a_set_one_wins() -> None:
    logged = {"loss": 0.5}
    summary, told = summary_of(logged)
    assert summary["loss"] == summary.loss == 0.5
    summary["loss"] = 0.1
    logged["loss"] = 0.7
    assert summary["loss"] == 0.1
    assert told == [{"loss": 0.1}]
    assert dict(summary) == {"loss": 0.1}


def test_nested_values_are_set_in_place() -> None:
    summary, told = summary_of({})
    summary["best"] = {"epoch": 1, "at": {"step": 5}}
    summary["best"]["epoch"] = 2
    summary.best.at.step = 6
    summary["best"].update(loss=0.5)
    assert told[-1] == {"best": {"epoch": 2, "at": {"step": 6}, "loss": 0.5}}
    assert summary.as_dict() == {"best": {"epoch": 2, "at": {"step": 6}, "loss": 0.5}}


def test_update_merges_mappings() -> None:
    summary, told = summary_of({"acc": {"max": 1.0}})
    summary.update({"acc": {"note": "x"}, "n": 1})
    assert told == [{"acc": {"max": 1.0, "note": "x"}, "n": 1}]


def test_a_flattened_name_is_read_nested_too() -> None:
    summary, _ = summary_of({"train.loss": 1.0, "train.acc.top1": 0.5})
    assert summary["train"]["loss"] == 1.0
    assert summary["train"]["acc.top1"] == 0.5
    assert "train.loss" in summary


def test_what_a_resumed_run_had_shows_below_what_is_new() -> None:
    summary, _ = summary_of({"loss": 1.0}, {"loss": 9.0, "old": 3})
    assert summary.as_dict() == {"loss": 1.0, "old": 3}
    assert len(summary) == 2


def test_a_missing_key_is_an_error() -> None:
    summary, _ = summary_of({})
    with pytest.raises(KeyError):
        _ = summary["x"]
    with pytest.raises(AttributeError, match="no key 'x'"):
        _ = summary.x


def test_odd_values_become_plain_or_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    numpy = pytest.importorskip("numpy")
    summary, told = summary_of({})
    summary["scalar"] = numpy.float64(0.5)
    summary["array"] = numpy.zeros(3)
    summary["huge"] = numpy.zeros(100_000)
    assert told == [{"scalar": 0.5}, {"array": [0.0, 0.0, 0.0]}]
    assert "summary huge is not recorded" in capsys.readouterr().err


def test_copies_are_plain_dicts() -> None:
    summary, _ = summary_of({"a": 1})
    assert type(copy.deepcopy(summary)) is dict
