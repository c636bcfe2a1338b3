"""The controller: suggestions, budgets, targets, retries, the worth of a trial."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sweeps.control.controller import LOST_LIMIT, Controller
from sweeps.control.judging import judge_values
from sweeps.spec.parts import Goal, MetricSpec
from sweeps.states import FailureClass, TrialState
from tests.simulation.simulated_sweep import make_spec, record

X = {"x": {"min": 0.0, "max": 1.0}}


def controller(**document: Any) -> Controller:
    return Controller(make_spec(**{"method": "random", "parameters": X, **document}))


def test_suggestions_are_numbered_from_where_the_trials_end() -> None:
    made = controller()
    assert made.suggest(2).first_number == 0
    batch = made.suggest(3)
    assert (batch.first_number, batch.seen, len(batch.suggestions)) == (2, 0, 3)


def test_seen_is_the_rank_of_the_last_end_that_was_told() -> None:
    made = controller()
    made.tell([record(0, {"x": 0.1}), record(1, {"x": 0.2}, state=TrialState.COMPLETE, value=1.0, finish_seq=1)])
    assert made.suggest(1).seen == 1
    made.tell([record(0, {"x": 0.1}, state=TrialState.FAILED, finish_seq=2)])
    assert (made.suggest(1).first_number, made.suggest(1).seen) == (3, 2)


def test_a_batch_made_at_once_equals_one_made_in_parts() -> None:
    together = controller().suggest(6).suggestions
    parts = controller()
    assert parts.suggest(2).suggestions + parts.suggest(4).suggestions == together


def test_the_run_cap_bounds_what_is_suggested() -> None:
    made = controller(run_cap=3)
    batch = made.suggest(64)
    assert (len(batch.suggestions), batch.exhausted) == (3, "run_cap of 3 trials reached")
    assert made.suggest(1).suggestions == ()


def test_the_end_of_a_space_comes_with_its_last_points() -> None:
    batch = controller(method="grid", parameters={"a": {"min": 1, "max": 3}}).suggest(64)
    assert (len(batch.suggestions), batch.exhausted) == (3, "all 3 points of the grid were tried")


@pytest.mark.parametrize(("goal", "values", "reached"), [("minimize", (0.3, 0.2), 0.2), ("maximize", (0.1, 0.2), 0.2)])
def test_a_trial_that_reaches_the_target_ends_the_suggestions(
    goal: str, values: tuple[float, ...], reached: float
) -> None:
    made = controller(metric={"name": "loss", "goal": goal, "target": 0.2})
    for number, value in enumerate(values):
        assert made.suggest(1).exhausted == ""
        made.tell([record(number, {"x": 0.1}, state=TrialState.COMPLETE, value=value, finish_seq=number + 1)])
    batch = made.suggest(1)
    assert batch.target_reached
    assert batch.exhausted == f"target 0.2 reached: loss is {reached} in trial 1"


def test_a_failed_trial_reaches_no_target() -> None:
    made = controller(metric={"name": "loss", "target": 0.2})
    made.tell([record(0, {"x": 0.1}, state=TrialState.FAILED, value=0.1, finish_seq=1)])
    assert made.suggest(1).exhausted == ""


def test_with_a_target_nothing_is_suggested_ahead_of_need() -> None:
    assert controller(metric={"name": "loss", "target": 0.2}).lookahead == 1
    assert controller().lookahead == 64
    assert controller(method="bayes").lookahead == 1


@pytest.mark.parametrize("failure", [FailureClass.LOST, FailureClass.KILLED])
def test_a_machines_failure_is_retried_until_the_limit(failure: FailureClass) -> None:
    decisions = [controller().after_attempt(record(0, {}, lost=lost), failure) for lost in range(LOST_LIMIT)]
    assert [decision.is_retry for decision in decisions] == [True, True, False]


def test_a_preempted_trial_always_runs_again() -> None:
    decision = controller().after_attempt(record(0, {}, lost=LOST_LIMIT), FailureClass.PREEMPTED)
    assert decision.is_retry


def test_a_failure_of_the_code_is_retried_as_often_as_the_user_allows() -> None:
    for allowed, expected in ((0, [False]), (2, [True, True, False])):
        made = controller(retry={"max": allowed})
        decisions = [made.after_attempt(record(0, {}, failures=n), FailureClass.CODE) for n in range(allowed + 1)]
        assert [decision.is_retry for decision in decisions] == expected


def test_without_early_termination_nothing_is_due() -> None:
    assert controller().due(0, 100) is None
    assert controller().judge(0, {0: [1.0]}) is None


# -- worth --------------------------------------------------------------------------------------

LOSS = MetricSpec("loss")
ACC = MetricSpec("acc", goal=Goal.MAXIMIZE)
LAST = MetricSpec("loss", aggregate="last")


@pytest.mark.parametrize(
    ("metric", "history", "summary", "value"),
    [
        (LOSS, [3.0, 1.0, 2.0], 2.0, 1.0),
        (ACC, [3.0, 1.0, 2.0], 2.0, 3.0),
        (LAST, [3.0, 1.0, 2.0], 2.0, 2.0),
        (LAST, [3.0, 1.0, math.nan], math.nan, 1.0),
        (LAST, [], 4.0, 4.0),
        (LOSS, [3.0, math.nan, -math.inf], None, 3.0),
        (LOSS, [3.0], 0.5, 0.5),
        (LOSS, [3.0, 2.0], {"min": 1.5, "mean": 0.1, "max": 9.0}, 1.5),
        (LOSS, ["low", True, None], False, None),
    ],
)
def test_the_value_of_a_trial(metric: MetricSpec, history: list[Any], summary: Any, value: float | None) -> None:
    assert judge_values(metric, history, summary).value == value


def test_the_length_counts_finite_values() -> None:
    assert judge_values(LOSS, [1.0, math.nan, 2, True, "x"]).length == 2


def test_without_a_value_the_reason_says_why() -> None:
    assert judge_values(LOSS, []).reason == "metric 'loss' was never logged"
    assert judge_values(LOSS, [math.nan]).reason == "metric 'loss' was never a finite number"
    assert judge_values(LOSS, [1.0]).reason == ""


def test_a_failed_trial_is_given_what_impute_says() -> None:
    latest, best = MetricSpec("loss", impute="latest"), MetricSpec("loss", impute="best", aggregate="last")
    assert judge_values(latest, [1.0, 3.0, 2.0], state=TrialState.FAILED).value == 2.0
    assert judge_values(best, [1.0, 3.0, 2.0], state=TrialState.FAILED).value == 1.0
    assert judge_values(best, [1.0, 3.0, 2.0]).value == 2.0
