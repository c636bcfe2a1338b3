"""The grid as a sequence that nobody writes out."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.errors import SpaceExhausted
from sweeps.searchers.contract import Observation
from sweeps.searchers.grid import GridSearcher
from sweeps.searchers.points import FreeRanks, Points
from sweeps.states import TrialState
from tests.simulation.simulated_sweep import make_spec


def grid(parameters: dict[str, Any], **more: Any) -> GridSearcher:
    return GridSearcher(make_spec(method="grid", parameters=parameters, **more))


def everything(searcher: GridSearcher) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        while True:
            found.append(dict(searcher.ask(len(found)).params))
    except SpaceExhausted:
        return found


def test_names_are_in_alphabetical_order_and_the_last_is_fastest() -> None:
    points = everything(grid({"b": {"values": ["x", "y"]}, "a": {"min": 1, "max": 2}, "c": {"value": 0}}))
    assert [(p["a"], p["b"]) for p in points] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]
    assert list(points[0]) == ["b", "a", "c"], "parameters are shown as declared"


def test_equal_values_are_one_but_true_is_not_1() -> None:
    values = everything(grid({"a": {"values": [1, 1.0, True, "1", None, "", [1], [1.0], 1]}}))
    assert [p["a"] for p in values] == [1, True, "1", None, "", [1]]
    assert isinstance(values[0]["a"], int)
    assert values[1]["a"] is True


def test_q_uniform_includes_its_end_when_it_is_on_the_grid() -> None:
    q_uniform = {"distribution": "q_uniform", "min": 0, "max": 12, "q": 4}
    assert [p["a"] for p in everything(grid({"a": q_uniform}))] == [0, 4, 8, 12]
    assert [p["a"] for p in everything(grid({"a": {**q_uniform, "max": 11}}))] == [0, 4, 8]


def test_nested_parameters_are_flat_names() -> None:
    points = everything(grid({"opt": {"parameters": {"lr": {"values": [1, 2]}}}, "a": {"value": 0}}))
    assert [p["opt.lr"] for p in points] == [1, 2]


def test_initial_points_come_first_and_are_left_out_afterwards() -> None:
    points = everything(grid({"a": {"min": 0, "max": 4}}, initial=[{"a": 3}, {"a": 1}, {"a": 3}]))
    assert [p["a"] for p in points] == [3, 1, 0, 2, 4]


@pytest.mark.parametrize("size", [10**5, 10**12])
def test_a_large_grid_costs_no_more_than_a_small_one(size: int) -> None:
    side = round(size**0.5)
    started = time.perf_counter()
    searcher = grid({"a": {"min": 1, "max": side}, "b": {"min": 1, "max": size // side}})
    last = searcher.ask(side * (size // side) - 1)
    assert time.perf_counter() - started < 1.0, "something was written out"
    assert dict(last.params) == {"a": side, "b": size // side}


def test_every_point_of_a_grid_of_100_000_comes_once() -> None:
    searcher = grid({"a": {"min": 0, "max": 99}, "b": {"min": 0, "max": 999}}, initial=[{"a": 5, "b": 5}])
    points = {(p["a"], p["b"]) for p in (searcher.ask(number).params for number in range(100_000))}
    assert len(points) == 100_000
    with pytest.raises(SpaceExhausted, match="all 100 000 points"):
        searcher.ask(100_000)


def test_ranks_and_points_are_inverse() -> None:
    space = make_spec(
        method="grid",
        parameters={
            "i": {"min": -3, "max": 3},
            "q": {"distribution": "q_uniform", "min": 0.1, "max": 0.9, "q": 0.1},
            "c": {"values": [None, True, 1, [1, {"k": 2}]]},
        },
    ).space
    points = Points.of_grid(space)
    assert [points.rank(points.point(rank)) for rank in range(points.count)] == list(range(points.count))
    assert points.rank({**points.point(0), "i": 2.5}) is None
    assert points.rank({**points.point(0), "c": False}) is None
    assert points.rank({**points.point(0), "q": "x"}) is None


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 30)), st.integers(31, 40))
def test_free_ranks_are_what_is_not_taken(taken: set[int], count: int) -> None:
    free = FreeRanks(count)
    for rank in [*taken, *taken]:
        free.take(rank)
    assert [free[position] for position in range(free.left)] == [rank for rank in range(count) if rank not in taken]


def observed(number: int, params: Any, state: TrialState, rank: int | None = None) -> Observation:
    return Observation(number, params, state, finish_seq=rank)


def test_points_whose_trials_were_canceled_come_again_at_the_end_in_the_order_of_their_ends() -> None:
    searcher = GridSearcher(make_spec(parameters={"a": {"values": [1, 2, 3]}}, method="grid"))
    points = [searcher.ask(number).params for number in range(3)]
    ends = [observed(2, points[2], TrialState.CANCELED, 1), observed(0, points[0], TrialState.CANCELED, 2)]
    for _ in range(2):  # told twice
        searcher.tell([observed(1, points[1], TrialState.COMPLETE, 3), *ends])
    assert [searcher.ask(number).params for number in (3, 4)] == [points[2], points[0]]
    with pytest.raises(SpaceExhausted):
        searcher.ask(5)
    searcher.tell([observed(3, points[2], TrialState.CANCELED, 4)])
    assert searcher.ask(5).params == points[2]
