"""What may be told about a trial, and what becomes of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sweeps.api.told import understand
from sweeps.spec import MetricSpec, SweepSpec
from sweeps.states import TrialState
from tracking.errors import UsageError


def metric(**options: Any) -> MetricSpec:
    document = {
        "method": "random",
        "metric": {"name": "loss", **options},
        "parameters": {"x": {"min": 0.0, "max": 1.0}},
    }
    found = SweepSpec.from_document(document).metric
    assert found is not None
    return found


class Scalar:
    """Like a zero-dimensional array."""

    def item(self) -> float:
        return 0.5


def test_a_number_is_the_metric() -> None:
    telling = understand(3, None, metric())
    assert (telling.state, telling.value, telling.length) == (TrialState.COMPLETE, 3.0, 1)
    assert telling.summary == {"loss": 3.0}


def test_a_list_is_its_curve() -> None:
    telling = understand([3.0, math.nan, 1.0, 2.0], None, metric())
    assert (telling.value, telling.length) == (1.0, 3)
    assert telling.history["loss"].steps == [0, 1, 2, 3]
    assert telling.last_step == 3


def test_a_mapping_has_several_metrics() -> None:
    telling = understand({"loss": [2.0, 1.5], "acc": Scalar()}, None, metric())
    assert telling.value == 1.5
    assert telling.summary == {"loss": 1.5, "acc": 0.5}


def test_the_goal_says_which_value_counts() -> None:
    assert understand([3.0, 5.0, 4.0], None, metric(goal="maximize")).value == 5.0


def test_a_metric_that_is_never_finite_gives_no_value_but_a_reason() -> None:
    telling = understand(math.nan, None, metric())
    assert telling.value is None
    assert "'loss'" in telling.reason


@pytest.mark.parametrize("state", ["failed", "pruned", "canceled", TrialState.FAILED])
def test_a_trial_that_broke_needs_no_value(state: str) -> None:
    assert understand(None, state, metric()).state == str(state)


def test_a_sweep_without_metric_takes_any_metrics() -> None:
    assert understand({"acc": 1}, None, None).value is None
    assert understand(None, None, None).state is TrialState.COMPLETE


@pytest.mark.parametrize(
    ("told", "state", "said"),
    [
        (None, None, "needs the metric 'loss' and was given nothing"),
        ({"acc": 1.0}, None, "was given 'acc'"),
        ("0.5", None, "needs numbers"),
        (True, None, "needs numbers"),
        ({"loss": object()}, None, "needs numbers"),
        (1.0, "great", "knows no state 'great'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(told: Any, state: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        understand(told, state, metric())


def test_a_bare_number_means_nothing_without_metric() -> None:
    with pytest.raises(UsageError, match="has no metric"):
        understand(1.0, None, None)
