"""Whole sweeps by controller, toy objectives and a fake clock: everything seeded, nothing sleeps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sweeps.control.replaying import replay
from sweeps.states import TrialState
from tests.simulation.simulated_sweep import SimulatedSweep, make_spec

SMOOTH = {
    "x": {"min": -5.0, "max": 5.0},
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1.0},
    "width": {"min": 1, "max": 64},
    "act": {"values": ["relu", "tanh", None]},
}
MIXED = {
    **SMOOTH,
    "drop": {"distribution": "q_uniform", "min": 0.0, "max": 0.5, "q": 0.1},
    "noise": {"distribution": "normal", "mu": 0, "sigma": 2},
    "opt": {"parameters": {"beta": {"distribution": "beta", "a": 2, "b": 2}, "name": {"value": "adam"}}},
}


def smooth(params: Mapping[str, Any]) -> float:
    act = {"relu": 1.0, "tanh": 0.0, None: 0.5}[params["act"]]
    x, lr, width = float(params["x"]), float(params["lr"]), int(params["width"])
    return (x - 1.3) ** 2 + (math.log10(lr) + 2.5) ** 2 + ((width - 40) / 16) ** 2 + act


def once(params: Mapping[str, Any]) -> Sequence[float]:
    return [smooth(params)]


def learning_curve(params: Mapping[str, Any]) -> Sequence[float]:
    """27 epochs, which begin alike and go down to what the parameters are worth."""
    return [smooth(params) + 10 * 0.8**epoch for epoch in range(27)]


def best_of(method: str, seed: int) -> float:
    spec = make_spec(method=method, parameters=SMOOTH, run_cap=60, seed=seed)
    return SimulatedSweep(spec, once).run().best


def test_bayes_finds_better_points_than_random_on_a_smooth_objective() -> None:
    seeds = range(6)
    bayes = sorted(best_of("bayes", seed) for seed in seeds)
    chance = sorted(best_of("random", seed) for seed in seeds)
    assert sum(bayes) < 0.5 * sum(chance)
    assert bayes[len(bayes) // 2] < 0.4 * chance[len(chance) // 2]


def test_bayes_maximizes_when_told_to() -> None:
    spec = make_spec(parameters=SMOOTH, run_cap=50, metric={"name": "loss", "goal": "maximize"})
    sweep = SimulatedSweep(spec, lambda params: [-smooth(params)]).run()
    assert max(row.value for row in sweep.rows if row.value is not None) > -1.0


@pytest.mark.parametrize("agents", [1, 8])
def test_a_grid_runs_every_point_exactly_once_though_machines_are_lost(agents: int) -> None:
    grid = {"a": {"min": 1, "max": 10}, "b": {"values": list("abcdefghij")}, "c": {"values": [1, 1.0, True]}}
    spec = make_spec(method="grid", parameters=grid)
    sweep = SimulatedSweep(spec, lambda params: [1.0], agents=agents, loss_rate=0.02).run()
    assert len(sweep.attempts) > 200, "no trial was lost: the test shows nothing"
    assert {row.state for row in sweep.rows} == {TrialState.COMPLETE}
    points = Counter((row.params["a"], row.params["b"], repr(row.params["c"])) for row in sweep.rows)
    assert len(points) == 200
    assert set(points.values()) == {1}
    assert sweep.exhausted == "all 200 points of the grid were tried"


def test_a_trial_that_loses_its_machine_again_and_again_is_given_up() -> None:
    spec = make_spec(method="grid", parameters={"a": {"values": [1, 2]}})
    sweep = SimulatedSweep(spec, lambda params: [1.0], loss_rate=1.0).run()
    assert [row.state for row in sweep.rows] == [TrialState.FAILED] * 2
    assert sweep.attempts == [0, 0, 0, 1, 1, 1]


def test_a_failing_trial_is_retried_as_often_as_the_specification_says() -> None:
    spec = make_spec(method="grid", parameters={"a": {"values": [1]}}, retry={"max": 2})
    assert SimulatedSweep(spec, lambda params: [1.0], failure_rate=1.0).run().attempts == [0, 0, 0]


def test_hyperband_saves_most_of_the_work_and_keeps_the_best() -> None:
    plan = {"method": "random", "parameters": SMOOTH, "run_cap": 60}
    full = SimulatedSweep(make_spec(**plan), learning_curve, agents=4).run()
    stopper = {"type": "hyperband", "min_iter": 3, "eta": 3}
    stopped = SimulatedSweep(make_spec(**plan, early_terminate=stopper), learning_curve, agents=4).run()
    assert full.values_logged == 60 * 27
    assert stopped.values_logged < 0.5 * full.values_logged
    assert stopped.best == pytest.approx(full.best)
    reasons = [row.reason for row in stopped.in_state(TrialState.PRUNED)]
    assert all(reason.startswith("stopped at value ") and "the best third of" in reason for reason in reasons)


def test_the_run_cap_holds_with_many_agents() -> None:
    sweep = SimulatedSweep(make_spec(method="random", parameters=SMOOTH, run_cap=37), once, agents=8).run()
    assert len(sweep.rows) == 37
    assert sweep.exhausted == "run_cap of 37 trials reached"


def test_the_sweep_ends_when_a_trial_reaches_the_target() -> None:
    spec = make_spec(parameters=SMOOTH, metric={"name": "loss", "target": 2.0}, run_cap=500)
    sweep = SimulatedSweep(spec, once).run()
    assert sweep.best <= 2.0
    assert len(sweep.rows) < 100
    assert sweep.exhausted.startswith("target 2 reached: loss is ")


def test_random_search_of_a_finite_space_tries_every_point_once_and_ends() -> None:
    space = {"a": {"min": 1, "max": 6}, "b": {"values": ["x", "y"], "probabilities": [0.99, 0.01]}}
    sweep = SimulatedSweep(make_spec(method="random", parameters=space), lambda params: [1.0], agents=3).run()
    assert len({(row.params["a"], row.params["b"]) for row in sweep.rows}) == len(sweep.rows) == 12


def test_bayes_in_a_finite_space_tries_every_point_once_and_ends() -> None:
    space = {"a": {"min": 1, "max": 6}, "b": {"values": [1, True, None, [1, 2], {"k": 1}]}, "c": {"value": 3}}
    sweep = SimulatedSweep(make_spec(parameters=space), lambda params: [params["a"]], agents=3).run()
    assert len({repr(row.params) for row in sweep.rows}) == len(sweep.rows) == 30
    assert sweep.exhausted == "all 30 points of the space were tried"


@pytest.mark.parametrize("method", ["bayes", "random"])
def test_every_suggestion_of_four_interleaved_agents_can_be_replayed(method: str) -> None:
    spec = make_spec(method=method, parameters=MIXED, run_cap=60, early_terminate={"type": "hyperband", "min_iter": 3})
    sweep = SimulatedSweep(spec, learning_curve, agents=4, loss_rate=0.005, failure_rate=0.3, seed=3).run()
    assert len(sweep.rows) == 60
    assert {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED} <= {row.state for row in sweep.rows}
    replayed = list(replay(spec, sweep.rows))
    assert [one.number for one in replayed if not one.equal] == []
    if method == "bayes":
        engines = Counter(row.origin["engine"] for row in sweep.rows)
        assert engines["tpe"] > 30


def test_a_replay_notices_a_changed_parameter() -> None:
    spec = make_spec(method="random", parameters=SMOOTH, run_cap=5)
    rows = SimulatedSweep(spec, once).run().rows
    other = make_spec(method="random", parameters={**SMOOTH, "x": {"min": -5.0, "max": 6.0}}, run_cap=5)
    assert not any(one.equal for one in replay(other, rows))
