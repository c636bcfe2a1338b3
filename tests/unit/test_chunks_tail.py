"""How points are added to the open chunk of a series."""

from __future__ import annotations

import random
from typing import Any

from tracking.store.chunks import CHUNK_POINTS, FLOAT, INT, JSON
from tracking.store.contract import SeriesPart
from tracking.store.tails import History, Tail, TailCache


def points(tail: Tail, full: list[Tail]) -> list[tuple[int, Any]]:
    return [pair for one in [*full, tail] for pair in zip(one.steps, one.values, strict=True)]


def extended(*parts: SeriesPart) -> tuple[Tail, list[Tail]]:
    tail, full = Tail(), list[Tail]()
    for part in parts:
        tail.extend(part, full)
    return tail, full


def test_parts_of_any_size_fill_chunks_in_order() -> None:
    rng = random.Random(3)
    tail, full, step = Tail(), list[Tail](), 0
    while step < 3 * CHUNK_POINTS:
        count = rng.choice([1, 7, 1000, 5000])
        steps = list(range(step, step + count))
        tail.extend(SeriesPart(FLOAT, steps, [float(n) for n in steps]), full)
        step += count
    assert points(tail, full) == [(n, float(n)) for n in range(step)]
    assert {len(one.steps) for one in full} == {CHUNK_POINTS}
    assert [one.chunk_no for one in [*full, tail]] == list(range(len(full) + 1))
    assert (tail.before, tail.count) == (CHUNK_POINTS * len(full), step)


def test_the_last_step_said_again_replaces_its_value() -> None:
    tail, full = extended(SeriesPart(FLOAT, [0, 1], [0.0, 1.0]), SeriesPart(FLOAT, [1, 2], [9.0, 2.0]))
    assert points(tail, full) == [(0, 0.0), (1, 9.0), (2, 2.0)]


def test_the_last_point_of_a_full_chunk_can_still_be_replaced() -> None:
    steps = list(range(CHUNK_POINTS))
    tail, full = extended(SeriesPart(INT, steps, steps), SeriesPart(INT, [CHUNK_POINTS - 1], [-5]))
    assert full == []
    assert tail.values[-1] == -5
    tail.extend(SeriesPart(INT, [CHUNK_POINTS], [1]), full)
    assert [one.values[-1] for one in full] == [-5]
    assert (tail.chunk_no, list(tail.values)) == (1, [1])


def test_points_before_the_last_step_are_ignored() -> None:
    tail, full = extended(SeriesPart(FLOAT, [5], [5.0]), SeriesPart(FLOAT, [1, 3, 6], [1.0, 3.0, 6.0]))
    assert points(tail, full) == [(5, 5.0), (6, 6.0)]
    tail.extend(SeriesPart(FLOAT, [1, 2], [0.0, 0.0]), full)
    assert points(tail, full) == [(5, 5.0), (6, 6.0)]


def test_a_chunk_widens_to_hold_what_comes() -> None:
    tail, full = extended(SeriesPart(INT, [0], [1]), SeriesPart(FLOAT, [1], [0.5]), SeriesPart(INT, [2], [2]))
    assert (tail.kind, points(tail, full)) == (FLOAT, [(0, 1.0), (1, 0.5), (2, 2.0)])
    tail.extend(SeriesPart(JSON, [3], [{"a": 1}]), full)
    assert (tail.kind, tail.series_kind) == (JSON, JSON)
    assert tail.values == [1.0, 0.5, 2.0, {"a": 1}]


def test_kinds_that_alternate_do_not_make_tiny_chunks() -> None:
    parts = [SeriesPart(INT if n % 2 else FLOAT, [n], [n if n % 2 else n / 2]) for n in range(100)]
    assert extended(*parts)[1] == []


def test_an_empty_part_says_nothing() -> None:
    history = History()
    history.extend({"loss": SeriesPart(FLOAT, [], [])})
    assert not history.tails


def test_the_cache_gives_a_history_once_and_forgets_the_oldest() -> None:
    cache = TailCache(most_points=25)
    for name in "abc":
        history = History()
        history.extend({"loss": SeriesPart(INT, list(range(10)), [0] * 10)})
        cache.put(name, history)
    assert cache.take("a") is None
    assert cache.take("b") is not None
    assert cache.take("b") is None
    assert cache.take("c") is not None
