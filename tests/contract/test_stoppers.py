"""What every stopper keeps: pure, no decision without a reason, nobody stopped before there is something to compare."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.stoppers import make_stopper
from sweeps.stoppers.contract import Stopper
from tests.simulation.simulated_sweep import make_spec

STOPPERS: dict[str, dict[str, Any]] = {
    "hyperband from min_iter": {"type": "hyperband", "min_iter": 3},
    "hyperband from max_iter": {"type": "hyperband", "max_iter": 27, "s": 2},
    "hyperband not strict": {"type": "hyperband", "min_iter": 3, "strict": False},
}


@pytest.fixture(params=list(STOPPERS))
def stopper(request: pytest.FixtureRequest) -> Stopper:
    made = make_stopper(make_spec(parameters={"x": {"min": 0.0, "max": 1.0}}, early_terminate=STOPPERS[request.param]))
    assert made is not None
    return made


def test_no_stopper_without_early_terminate() -> None:
    assert make_stopper(make_spec(parameters={"x": {"min": 0.0, "max": 1.0}})) is None


def test_it_asks_for_at_least_one_value_and_never_for_more_than_there_are(stopper: Stopper) -> None:
    for length in range(1, 40):
        count = stopper.due(0, length)
        assert count is None or 1 <= count <= length


def test_a_curve_that_did_not_grow_is_not_due(stopper: Stopper) -> None:
    assert all(stopper.due(length, length) is None for length in range(40))


def test_a_trial_alone_is_never_stopped(stopper: Stopper) -> None:
    assert all(stopper.judge(0, {0: [9.0] * length}) is None for length in range(40))


def test_the_worst_of_many_is_stopped_with_a_reason_and_the_best_is_not(stopper: Stopper) -> None:
    curves = {number: [float(number)] * 9 for number in range(12)}
    assert stopper.judge(0, curves) is None
    stop = stopper.judge(11, curves)
    assert stop is not None
    assert "11" in stop.reason
    assert "loss" in stop.reason


def test_the_same_curves_give_the_same_decision_whatever_their_order(stopper: Stopper) -> None:
    curves = {number: [float(number % 5)] * (number + 1) for number in range(12)}
    turned = dict(reversed(curves.items()))
    assert [stopper.judge(n, curves) for n in curves] == [stopper.judge(n, turned) for n in curves]


def test_equal_trials_all_go_on(stopper: Stopper) -> None:
    curves = {number: [1.0] * 9 for number in range(9)}
    assert all(stopper.judge(number, curves) is None for number in curves)
