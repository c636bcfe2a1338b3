"""Random search: independent draws that do not repeat."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import pytest

from sweeps.errors import SpaceExhausted
from sweeps.searchers.contract import Observation
from sweeps.searchers.uniform import RandomSearcher
from sweeps.states import TrialState
from tests.simulation.simulated_sweep import make_spec


def draws(parameters: dict[str, Any], count: int, seed: int = 1) -> list[dict[str, Any]]:
    searcher = RandomSearcher(make_spec(method="random", parameters=parameters, seed=seed))
    found: list[dict[str, Any]] = []
    for number in range(count):
        found.append(dict(searcher.ask(number).params))
        searcher.tell([Observation(number, found[-1], TrialState.RUNNING)])
    return found


def test_draw_n_of_an_infinite_space_does_not_depend_on_the_others() -> None:
    spec = make_spec(method="random", parameters={"x": {"min": 0.0, "max": 1.0}})
    told = draws({"x": {"min": 0.0, "max": 1.0}}, 20)
    assert [dict(RandomSearcher(spec).ask(number).params) for number in range(20)] == told


def test_draws_spread_evenly() -> None:
    values = [p["x"] for p in draws({"x": {"min": 0.0, "max": 1.0}}, 2000)]
    assert abs(statistics.mean(values) - 0.5) < 0.03
    assert set(Counter(int(value * 10) for value in values)) == set(range(10))


def test_weights_are_kept_and_zero_weight_is_never_drawn() -> None:
    weighted = {"values": ["a", "b", "c"], "probabilities": [0.8, 0.2, 0.0]}
    found = Counter(p["w"] for p in draws({"w": weighted, "x": {"min": 0.0, "max": 1.0}}, 1000))
    assert 750 < found["a"] < 850
    assert found["c"] == 0


def test_the_last_point_of_a_large_finite_space_is_found_at_once() -> None:
    side = 400
    found = draws({"a": {"min": 1, "max": side}, "b": {"values": ["x", "y"]}}, 2 * side)
    assert len({(p["a"], p["b"]) for p in found}) == 2 * side


def test_an_improbable_point_is_reached_when_nothing_else_is_left() -> None:
    weighted = {"values": ["often", "hardly"], "probabilities": [1 - 1e-9, 1e-9]}
    assert [p["w"] for p in draws({"w": weighted}, 2)] == ["often", "hardly"]


def test_a_space_of_constants_has_one_point() -> None:
    assert draws({"a": {"value": 1}}, 1) == [{"a": 1}]


def test_the_point_of_a_canceled_trial_is_free_again_until_another_trial_has_it() -> None:
    searcher = RandomSearcher(make_spec(parameters={"a": {"values": [1, 2]}}, method="random"))
    first, second = {"a": 1}, {"a": 2}
    running = [Observation(0, first, TrialState.RUNNING), Observation(1, second, TrialState.RUNNING)]
    searcher.tell(running)
    canceled = Observation(0, first, TrialState.CANCELED, finish_seq=1)
    searcher.tell([canceled])
    assert searcher.ask(2).params == first
    searcher.tell([Observation(2, first, TrialState.RUNNING), canceled])
    with pytest.raises(SpaceExhausted):
        searcher.ask(3)
