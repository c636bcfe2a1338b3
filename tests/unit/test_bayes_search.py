"""What bayes does inside: axes, the first spread, what its model is told and what it is spared."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import Any

import pytest

from sweeps.searchers import make_searcher
from sweeps.searchers.axes import Scale, locate, make_axes
from sweeps.searchers.bayes import BEST, HISTORY, STARTUP, BayesSearcher
from sweeps.searchers.contract import Observation
from sweeps.searchers.experience import RECENT, Memory
from sweeps.spec.parts import Goal, MetricSpec
from sweeps.states import TrialState
from tests.simulation.simulated_sweep import make_spec

X = {"x": {"min": 0.0, "max": 1.0}}
Told = tuple[int, TrialState, float | None]


def observe(number: int, x: float, state: TrialState, value: float | None = None, length: int = 1) -> Observation:
    return Observation(number, {"x": x}, state, value, length, number + 1)


def memory(**metric: Any) -> Memory:
    return Memory(make_axes(make_spec(parameters=X).space), MetricSpec("loss", **metric))


def losses(kept: Memory) -> dict[int, tuple[TrialState, float | None]]:
    return {one.number: (one.state, one.loss) for one in kept.selection(BEST, HISTORY)}


# -- axes ---------------------------------------------------------------------------------------


def axis(parameter: dict[str, Any]) -> Any:
    (found,) = make_axes(make_spec(parameters={"p": parameter}).space)
    return found


@pytest.mark.parametrize(
    ("parameter", "scale", "log"),
    [
        ({"min": 1, "max": 9}, Scale.INTEGER, False),
        ({"min": 1, "max": 10**12}, Scale.REAL, False),
        ({"min": 0.0, "max": 1.0}, Scale.REAL, False),
        ({"distribution": "log_uniform_values", "min": 1e-5, "max": 1.0}, Scale.REAL, True),
        ({"distribution": "log_uniform", "min": -9, "max": 0}, Scale.REAL, True),
        ({"distribution": "inv_log_uniform", "min": 0, "max": 9}, Scale.REAL, True),
        ({"distribution": "q_uniform", "min": 0, "max": 12, "q": 4}, Scale.INTEGER, False),
        ({"distribution": "q_log_uniform_values", "min": 1, "max": 64, "q": 2}, Scale.INTEGER, True),
        ({"distribution": "normal"}, Scale.REAL, False),
        ({"distribution": "beta", "a": 2, "b": 2}, Scale.REAL, False),
        ({"values": [1, 2, "x"]}, Scale.CATEGORY, False),
    ],
)
def test_each_family_has_the_axis_that_fits_it(parameter: dict[str, Any], scale: Scale, log: bool) -> None:
    found = axis(parameter)
    assert (found.scale, found.log) == (scale, log)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        value = found.at(share)
        assert found.distribution.contains(value)
        again = found.value(found.coordinate(value))
        assert again == value or again == pytest.approx(value, abs=1e-3 if share in (0.0, 1.0) else 1e-9, rel=0.5)


def test_1_true_none_and_lists_are_different_categories() -> None:
    values = [1, True, None, "1", [1], {"a": 1}, 0, False]
    found = axis({"values": values})
    assert [found.coordinate(value) for value in values] == list(range(8))
    assert found.coordinate("gone") is None


def test_a_category_of_weight_zero_is_never_proposed() -> None:
    found = axis({"values": ["a", "b", "c"], "probabilities": [0.5, 0.0, 0.5]})
    assert found.high == 1
    assert [found.value(position) for position in (0, 1)] == ["a", "c"]
    assert [found.at(share) for share in (0.0, 0.49, 0.51, 1.0)] == ["a", "a", "c", "c"]


def test_constants_have_no_axis_and_appear_in_every_point() -> None:
    spec = make_spec(parameters={**X, "c": {"value": [1, 2]}, "one": {"min": 3, "max": 4}, "single": {"values": ["s"]}})
    assert [one.name for one in make_axes(spec.space)] == ["one", "x"]
    point = make_searcher(spec).ask(0).params
    assert list(point) == ["x", "c", "one", "single"]
    assert (point["c"], point["single"]) == ([1, 2], "s")


def test_values_beyond_the_ends_are_moved_to_them() -> None:
    axes = make_axes(make_spec(parameters=X).space)
    assert locate(axes, {"x": 7.0}) == {"x": 1.0}
    assert locate(axes, {}) is None


# -- the first spread ---------------------------------------------------------------------------


def test_the_startup_points_have_one_in_each_tenth_of_every_parameter() -> None:
    searcher = make_searcher(make_spec(parameters={**X, "n": {"min": 1, "max": 1000}}))
    for block in range(3):
        points = [searcher.ask(number).params for number in range(block * STARTUP, (block + 1) * STARTUP)]
        assert sorted(int(point["x"] * 10) for point in points) == list(range(10))
        assert sorted((point["n"] - 1) // 100 for point in points) == list(range(10))


def test_the_model_is_asked_when_ten_trials_have_ended() -> None:
    searcher = make_searcher(make_spec(parameters=X))
    for number in range(STARTUP + 1):
        suggestion = searcher.ask(number)
        assert suggestion.origin["engine"] == ("startup" if number < STARTUP else "tpe")
        searcher.tell([Observation(number, suggestion.params, TrialState.COMPLETE, 0.5, 1, number + 1)])


def test_without_any_value_the_spread_goes_on() -> None:
    searcher = make_searcher(make_spec(parameters=X))
    searcher.tell([observe(number, 0.5, TrialState.FAILED) for number in range(30)])
    assert searcher.ask(30).origin["engine"] == "startup"


def test_the_first_suggestions_import_neither_optuna_nor_numpy() -> None:
    program = (
        "import sys; from sweeps.spec.model import SweepSpec; from sweeps.searchers import make_searcher\n"
        "spec = SweepSpec.from_document({'method': 'bayes', 'seed': 1, 'metric': {'name': 'loss'},"
        " 'parameters': {'x': {'min': 0.0, 'max': 1.0}}})\n"
        "make_searcher(spec).ask(0)\n"
        "sys.exit(sum(name in sys.modules for name in ('optuna', 'numpy', 'sqlalchemy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_loading_the_model_leaves_the_environment_of_the_trials_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    searcher = make_searcher(make_spec(parameters=X))
    searcher.tell([observe(number, 0.5, TrialState.COMPLETE, 1.0) for number in range(STARTUP)])
    assert searcher.ask(STARTUP).origin["engine"] == "tpe"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


# -- what the model is told ---------------------------------------------------------------------


def test_a_maximized_metric_is_told_with_the_sign_turned() -> None:
    kept = memory(goal=Goal.MAXIMIZE)
    kept.learn(observe(0, 0.5, TrialState.COMPLETE, 3.0))
    assert losses(kept) == {0: (TrialState.COMPLETE, -3.0)}


def test_failed_trials_and_those_without_a_value_are_the_worst_by_default() -> None:
    kept = memory()
    kept.learn(observe(0, 0.1, TrialState.FAILED, 0.01))
    kept.learn(observe(1, 0.2, TrialState.COMPLETE, None))
    kept.learn(observe(2, 0.3, TrialState.COMPLETE, 5.0))
    kept.learn(observe(3, 0.4, TrialState.PRUNED, 9.0, length=3))
    assert [number for *_, number in kept._merits] == [2, 3, 0, 1]


@pytest.mark.parametrize("impute", ["best", "latest"])
def test_a_failed_trial_counts_with_its_own_value_when_impute_says_so(impute: str) -> None:
    kept = memory(impute=impute)
    kept.learn(observe(0, 0.1, TrialState.FAILED, 0.25))
    kept.learn(observe(1, 0.1, TrialState.FAILED, None))
    assert losses(kept) == {0: (TrialState.COMPLETE, 0.25), 1: (TrialState.PRUNED, None)}


def test_pruned_trials_count_by_how_far_they_got_and_then_by_value() -> None:
    kept = memory()
    for number, (length, value) in enumerate([(3, 0.1), (9, 0.9), (9, 0.8)]):
        kept.learn(observe(number, 0.5, TrialState.PRUNED, value, length))
    assert [number for *_, number in kept._merits] == [2, 1, 0]


def test_canceled_trials_teach_nothing() -> None:
    kept = memory()
    kept.learn(observe(0, 0.5, TrialState.RUNNING))
    assert [one.number for one in kept.running(9)] == [0]
    kept.learn(observe(0, 0.5, TrialState.CANCELED))
    assert (kept.ended, kept.running(9)) == (0, [])


def test_running_trials_may_count_as_the_worst_ones() -> None:
    kept = memory(impute_while_running="worst")
    kept.learn(observe(0, 0.5, TrialState.RUNNING))
    assert (losses(kept), kept.running(9)) == ({0: (TrialState.PRUNED, None)}, [])
    kept.learn(observe(0, 0.5, TrialState.COMPLETE, 1.0))
    assert losses(kept) == {0: (TrialState.COMPLETE, 1.0)}


def test_of_a_long_history_the_best_the_newest_and_an_even_share_are_kept() -> None:
    kept = memory()
    for number in range(5000):
        kept.learn(observe(number, 0.5, TrialState.COMPLETE, float((number * 7919) % 5000)))
    chosen = kept.selection(BEST, HISTORY)
    numbers = [one.number for one in chosen]
    assert len(numbers) <= HISTORY
    assert numbers == sorted(set(numbers))
    assert set(range(5000 - RECENT, 5000)) <= set(numbers)
    assert {one.loss for one in chosen} >= {float(loss) for loss in range(BEST)}
    assert max(after - before for before, after in itertools.pairwise(numbers)) < 20


def test_the_model_keeps_away_from_running_trials() -> None:
    def suggested(running: int) -> float:
        searcher = BayesSearcher(make_spec(parameters=X))
        done = [observe(n, n / 40, TrialState.COMPLETE, abs(n / 40 - 0.5)) for n in range(40)]
        searcher.tell([*done, *(observe(40 + n, 0.5, TrialState.RUNNING) for n in range(running))])
        return float(searcher.ask(40 + running).params["x"])

    assert abs(suggested(0) - 0.5) < abs(suggested(20) - 0.5)
