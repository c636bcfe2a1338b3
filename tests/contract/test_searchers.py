"""What every searcher keeps, whatever its method."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from sweeps.errors import SpaceExhausted
from sweeps.searchers import make_searcher
from sweeps.searchers.contract import Observation, Searcher
from sweeps.spec.model import SweepSpec
from sweeps.states import TrialState
from tests.simulation.simulated_sweep import make_spec

METHODS = ["grid", "random", "bayes"]
FINITE = {
    "zeta": {"values": ["a", "b", None, True, 1, 1.0, [1, 2], {"k": 1}]},
    "alpha": {"min": 1, "max": 4},
    "nested": {"parameters": {"q": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.25}, "c": {"value": 7}}},
}
POINTS = 7 * 4 * 5
INFINITE = {
    "u": {"min": -1.0, "max": 1.0},
    "lu": {"distribution": "log_uniform_values", "min": 1e-6, "max": 1.0},
    "old": {"distribution": "log_uniform", "min": -5, "max": 0},
    "inv": {"distribution": "inv_log_uniform_values", "min": 1e-3, "max": 1.0},
    "n": {"distribution": "normal", "mu": 3, "sigma": 2},
    "ln": {"distribution": "log_normal", "mu": 0, "sigma": 1},
    "b": {"distribution": "beta", "a": 2, "b": 5},
    "qu": {"distribution": "q_uniform", "min": 0.0, "max": 11.0, "q": 4},
    "qlu": {"distribution": "q_log_uniform_values", "min": 1, "max": 1000, "q": 2},
    "qn": {"distribution": "q_normal", "mu": 0, "sigma": 10, "q": 0.5},
    "qln": {"distribution": "q_log_normal", "mu": 1, "sigma": 1, "q": 0.1},
    "qb": {"distribution": "q_beta", "a": 1, "b": 1, "q": 0.1},
    "i": {"min": 1, "max": 500},
    "w": {"values": ["x", "y", "never"], "probabilities": [0.25, 0.75, 0.0]},
}
BOTH = [(method, "finite") for method in METHODS] + [("random", "infinite"), ("bayes", "infinite")]
each_method = pytest.mark.parametrize("method", METHODS)
each_space = pytest.mark.parametrize(("method", "space"), BOTH)


def spec_of(method: str, space: str = "finite", **more: Any) -> SweepSpec:
    parameters = FINITE if space == "finite" else INFINITE
    return make_spec(method=method, parameters=parameters, **more)


def ended(number: int, params: Mapping[str, Any], rank: int) -> Observation:
    """An end that depends on the number: mostly complete, some pruned, failed or without a value."""
    rng = random.Random(number)
    state = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED][number % 4]
    value = None if number % 11 == 10 or state is TrialState.FAILED else rng.uniform(-1, 1)
    return Observation(number, params, state, value, 1 + number % 9, rank)


def running(number: int, params: Mapping[str, Any]) -> Observation:
    return Observation(number, params, TrialState.RUNNING)


def history(spec: SweepSpec, count: int, open_trials: int = 3) -> list[Observation]:
    """`count` suggestions, each but the last `open_trials` told as ended before the next."""
    searcher = make_searcher(spec)
    told: list[Observation] = []
    for number in range(count):
        params = searcher.ask(number).params
        told.append(running(number, params) if number >= count - open_trials else ended(number, params, number + 1))
        searcher.tell([told[-1]])
    return told


def asked(searcher: Searcher, number: int) -> Any:
    return dict(searcher.ask(number).params)


@each_space
def test_every_suggestion_is_a_point_of_the_space_and_goes_through_json(method: str, space: str) -> None:
    spec = spec_of(method, space)
    for observation in history(spec, 40):
        assert spec.space.contains(observation.params)
        assert json.loads(json.dumps(observation.params)) == observation.params


@each_space
def test_asking_twice_gives_the_same_point(method: str, space: str) -> None:
    spec = spec_of(method, space)
    for count in (0, 5, 30):
        searcher = make_searcher(spec)
        searcher.tell(history(spec, count))
        assert asked(searcher, count) == asked(searcher, count)


@each_space
def test_a_rebuilt_searcher_suggests_what_one_that_stayed_suggests(method: str, space: str) -> None:
    spec = spec_of(method, space)
    stayed = make_searcher(spec)
    told: list[Observation] = []
    for number in range(45):
        rebuilt = make_searcher(spec)
        rebuilt.tell(told)
        params = asked(stayed, number)
        assert asked(rebuilt, number) == params
        told.append(running(number, params))
        stayed.tell([told[-1]])
        late = number - 4  # ends come late and out of order
        if late >= 0:
            number_ended = late ^ 1
            told[number_ended] = ended(number_ended, told[number_ended].params, number)
            stayed.tell([told[number_ended]])


@each_space
def test_ends_may_be_told_in_any_order_and_again(method: str, space: str) -> None:
    spec = spec_of(method, space)
    told = history(spec, 30)
    plain, shuffled = make_searcher(spec), make_searcher(spec)
    plain.tell(told)
    shuffled.tell([running(one.number, one.params) for one in told])
    again = random.Random(1).sample(told, len(told))
    shuffled.tell(again)
    shuffled.tell(again[:7])
    assert asked(plain, 30) == asked(shuffled, 30)


@each_space
def test_a_trip_through_the_database_changes_no_suggestion(method: str, space: str) -> None:
    spec = spec_of(method, space)
    again = SweepSpec.from_document(json.loads(json.dumps(spec.document)))
    told = history(spec, 30)
    plain, stored = make_searcher(spec), make_searcher(again)
    plain.tell(told)
    for one in told:
        params = json.loads(json.dumps(one.params, sort_keys=True))
        stored.tell([Observation(one.number, params, one.state, one.value, one.length, one.finish_seq)])
    assert asked(plain, 30) == asked(stored, 30)


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_another_seed_gives_other_points(method: str) -> None:
    one, other = (history(spec_of(method, "infinite", seed=seed), 20) for seed in (1, 2))
    assert not any(a.params == b.params for a, b in zip(one, other, strict=True))


@each_method
def test_a_finite_space_is_tried_whole_without_repetition_and_then_exhausted(method: str) -> None:
    spec = spec_of(method)
    told = history(spec, POINTS)
    assert len({spec.space.canonical(one.params) for one in told}) == POINTS
    searcher = make_searcher(spec)
    searcher.tell(told)
    with pytest.raises(SpaceExhausted, match=f"all {POINTS} points"):
        searcher.ask(POINTS)


@each_method
def test_initial_points_come_first_and_are_not_repeated(method: str) -> None:
    first = {"zeta": [1, 2], "alpha": 3, "nested.q": 0.5, "nested.c": 7}
    second = {**first, "zeta": 1, "alpha": 1}
    initial = [{"zeta": p["zeta"], "alpha": p["alpha"], "nested": {"q": 0.5, "c": 7}} for p in (first, second, first)]
    spec = spec_of(method, initial=initial)
    told = history(spec, POINTS)
    assert [dict(one.params) for one in told[:2]] == [first, second]
    assert len({spec.space.canonical(one.params) for one in told}) == POINTS


@each_method
def test_trials_from_outside_of_the_space_do_no_harm(method: str) -> None:
    searcher = make_searcher(spec_of(method))
    foreign: list[Mapping[str, Any]] = [{}, {"zeta": "gone", "alpha": 99, "nested.q": 5.5, "nested.c": 0}, {"other": 1}]
    searcher.tell([ended(number, foreign[number % 3], number + 1) for number in range(20)])
    searcher.ask(20)
