"""The curve of an attempt: value, length and keys from the batches that pass by."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.attempts.curve import Curve
from sweeps.control.judging import judge_values
from sweeps.spec.parts import Goal, MetricSpec
from tracking.store.contract import Points, RunBatch, SeriesPart

NAN = math.nan


def batch(values: list[Any], first_step: int = 0, summary: dict[str, Any] | None = None, key: str = "loss") -> RunBatch:
    steps = list(range(first_step, first_step + len(values)))
    history = {key: SeriesPart("float", steps, values), "_timestamp": SeriesPart("float", steps, [0.0] * len(values))}
    return RunBatch("s-0", 1, 0, 1, history=history, summary=summary or {})


@pytest.mark.parametrize(
    ("maximize", "aggregate", "value"), [(False, "best", 1.0), (True, "best", 9.0), (False, "last", 4.0)]
)
def test_the_value_follows_goal_and_aggregate(maximize: bool, aggregate: str, value: float) -> None:
    curve = Curve("loss", maximize=maximize, aggregate=aggregate)
    curve.extend(batch([5.0, 1.0]))
    curve.extend(batch([9.0, 4.0], 2))
    assert (curve.value, curve.length) == (value, 4)


def test_only_finite_numbers_count() -> None:
    curve = Curve("loss")
    curve.extend(batch([NAN, math.inf, -math.inf, True, "low", None]))
    assert (curve.value, curve.length, curve.saw_bad_number, curve.was_logged) == (None, 0, True, True)
    curve.extend(batch([3, NAN], 6))
    assert (curve.value, curve.length, curve.last) == (3.0, 1, 3.0)


def test_a_point_at_the_same_step_replaces_the_last_one() -> None:
    curve = Curve("loss")
    curve.extend(batch([5.0, 1.0]))
    curve.extend(batch([7.0], 1))
    assert (curve.value, curve.length, curve.last) == (5.0, 2, 7.0)
    curve.extend(batch([NAN], 1))
    assert (curve.value, curve.length, curve.last) == (5.0, 1, 5.0)


def test_the_summary_counts_too() -> None:
    curve = Curve("loss")
    curve.extend(batch([5.0], summary={"loss": 2.0}))
    assert (curve.value, curve.length) == (2.0, 1)
    curve.extend(batch([], summary={"loss": {"min": 0.5, "mean": 0.1}}))
    assert curve.value == 0.5


def test_other_keys_are_remembered_and_ours_are_not() -> None:
    curve = Curve("val_loss")
    curve.extend(batch([1.0], key="val/loss", summary={"_runtime": 3, "note": "x"}))
    assert (curve.keys, curve.was_logged, curve.value) == ({"val/loss", "note"}, False, None)


def test_a_failed_trial_is_imputed_as_the_metric_says() -> None:
    curve = Curve("loss")
    curve.extend(batch([5.0, 1.0, 4.0]))
    assert [curve.imputed(how) for how in ("latest", "best", "worst")] == [4.0, 1.0, 1.0]


@given(
    st.lists(st.lists(st.floats(width=16), max_size=4), max_size=4),
    st.sampled_from(["best", "last"]),
    st.booleans(),
    st.none() | st.floats(allow_nan=False, width=16),
)
def test_it_agrees_with_the_judge_of_whole_histories(
    parts: list[list[float]], aggregate: str, maximize: bool, summary: float | None
) -> None:
    curve, step = Curve("loss", maximize=maximize, aggregate=aggregate), 0
    for values in parts:
        curve.extend(batch(list(values), step))
        step += len(values)
    if summary is not None:
        curve.extend(batch([], step, {"loss": summary}))
    metric = MetricSpec("loss", Goal.MAXIMIZE if maximize else Goal.MINIMIZE, aggregate=aggregate)
    judged = judge_values(metric, [value for values in parts for value in values], summary)
    assert (curve.value, curve.length) == (judged.value, judged.length if judged.value is not None else curve.length)


def test_an_attempt_that_goes_on_begins_with_the_curve_that_was_kept() -> None:
    curve = Curve("loss")
    curve.extend(batch([9.0]))
    curve.recall(Points([0, 1, 2], [3.0, math.nan, 1.0]))
    assert (curve.length, curve.best, curve.last, curve.saw_bad_number) == (2, 1.0, 1.0, False)
    curve.extend(batch([5.0], first_step=3))
    assert (curve.length, curve.best, curve.last) == (3, 1.0, 5.0)
