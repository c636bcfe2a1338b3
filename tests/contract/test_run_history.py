"""What a run store promises of points: whole, in a range, thinned for a chart, the first ones."""

from __future__ import annotations

import math
import random

import pytest

import tracking.store
from tests.contract.store_examples import finished, floats, further, started
from tracking.store.contract import RunStore, SeriesPart

RUN = "run00001"


def fill(store: RunStore, part: SeriesPart, batch: int = 5000, run_id: str = RUN) -> None:
    """Log a whole series in batches."""
    for number, begin in enumerate(range(0, len(part.steps), batch)):
        piece = SeriesPart(part.kind, part.steps[begin : begin + batch], part.values[begin : begin + batch])
        fields = {"since": number, "to": number + 1} if number else {"to": 1}
        make = further if number else started
        assert store.apply([make(run_id, **fields, history={"loss": piece})]) == [number + 1]


def noise(count: int, stride: int = 1) -> SeriesPart:
    rng = random.Random(5)
    return SeriesPart("float", list(range(0, count * stride, stride)), [rng.gauss(0, 1) for _ in range(count)])


@pytest.mark.parametrize("batch", [1, 100, 4096, 10_000])
def test_points_come_back_whatever_the_size_of_batches(run_store: RunStore, batch: int) -> None:
    part = noise(min(9000, 60 * batch))
    fill(run_store, part, batch)
    found = run_store.series(RUN, "loss")
    assert list(found.steps) == part.steps
    assert list(found.values) == part.values
    (info,) = run_store.keys(RUN)
    assert (info.key, info.kind, info.count) == ("loss", "float", len(part.steps))
    assert (info.last_step, info.last_value) == (part.steps[-1], part.values[-1])


def test_another_process_goes_on_where_one_ended(run_store: RunStore, url: str) -> None:
    part = noise(6000)
    fill(run_store, SeriesPart("float", part.steps[:5000], part.values[:5000]))
    other = tracking.store.open_store(url)
    assert other.apply([further(since=1, to=2, history={"loss": floats(part.steps[5000:], part.values[5000:])})]) == [2]
    other.close()
    # What the first instance remembers of the series is out of date now, and must not be used.
    assert run_store.apply([further(since=2, to=3, history={"loss": floats([6000], [1.0])})]) == [3]
    assert list(run_store.series(RUN, "loss").values) == [*part.values, 1.0]
    assert run_store.keys(RUN)[0].count == 6001


def test_points_come_back_after_the_end_of_the_run(run_store: RunStore) -> None:
    part = noise(5000)
    fill(run_store, part)
    run_store.apply([further(since=1, to=2, end=finished())])
    assert list(run_store.series(RUN, "loss").values) == part.values


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (100, 101), (4095, 4097), (12_000, None), (29_999, 90_000), (-5, 7)]
)
def test_a_range_has_the_steps_from_start_to_before_stop(run_store: RunStore, start: int, stop: int | None) -> None:
    part = noise(10_000, stride=3)
    fill(run_store, part)
    expected = [step for step in part.steps if start <= step and (stop is None or step < stop)]
    assert list(run_store.series(RUN, "loss", start, stop).steps) == expected
    assert run_store.series(RUN, "other", start, stop).steps == []


def test_the_last_step_said_again_replaces_its_value(run_store: RunStore) -> None:
    run_store.apply([started(history={"loss": floats([0, 1], [0.0, 1.0])})])
    run_store.apply([further(history={"loss": floats([1, 2], [5.0, 2.0])})])
    assert list(run_store.series(RUN, "loss").values) == [0.0, 5.0, 2.0]
    assert run_store.keys(RUN)[0].count == 3


def test_kinds_keep_their_type_and_widen_when_mixed(run_store: RunStore) -> None:
    history = {
        "int": SeriesPart("int", [0, 1], [2**53 + 1, -(2**63)]),
        "odd": SeriesPart("float", [0, 1, 2], [math.nan, math.inf, -0.0]),
        "json": SeriesPart("json", [0, 1], [{"a": [None]}, "text"]),
        "mixed": SeriesPart("int", [0], [1]),
        "any": SeriesPart("float", [0], [0.5]),
    }
    run_store.apply([started(history=history)])
    run_store.apply([further(history={"mixed": floats([1], [0.5]), "any": SeriesPart("json", [1], [[1]])})])
    values = {key: list(run_store.series(RUN, key).values) for key in history}
    assert values["int"] == [2**53 + 1, -(2**63)]
    assert [math.isnan(values["odd"][0]), values["odd"][1], math.copysign(1, values["odd"][2])] == [True, math.inf, -1]
    assert values["json"] == [{"a": [None]}, "text"]
    assert values["mixed"] == [1.0, 0.5]
    assert isinstance(values["mixed"][0], float)
    assert values["any"] == [0.5, [1]]
    kinds = {info.key: info.kind for info in run_store.keys(RUN)}
    assert kinds == {"any": "json", "int": "int", "json": "json", "mixed": "float", "odd": "float"}
    assert list(kinds) == sorted(kinds)


def test_full_chunks_of_integers_before_floats_are_read_as_floats(run_store: RunStore) -> None:
    steps = list(range(5000))
    run_store.apply([started(history={"x": SeriesPart("int", steps[:4096], steps[:4096])})])
    run_store.apply([further(history={"x": floats(steps[4096:])})])
    values = run_store.series(RUN, "x").values
    assert {type(value) for value in values} == {float}
    assert len(values) == 5000


# -- charts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 2000])
def test_a_short_series_is_sampled_exactly(run_store: RunStore, count: int) -> None:
    part = noise(count)
    fill(run_store, part)
    found = run_store.sample(RUN, "loss", 2000)
    assert (list(found.steps), list(found.values)) == (part.steps, part.values)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, None), (0, 60_000), (1, 59_999), (5000, 9000), (4096, 8192), (30_000, 30_100), (7, 45_678)]
)
@pytest.mark.parametrize("points", [20, 2000])
def test_a_sample_keeps_the_shape(run_store: RunStore, points: int, start: int, stop: int | None) -> None:
    part = noise(60_000)
    fill(run_store, part)
    found = run_store.sample(RUN, "loss", points, start, stop)
    inside = dict(zip(part.steps, part.values, strict=True))
    inside = {step: value for step, value in inside.items() if start <= step and (stop is None or step < stop)}
    assert list(found.steps) == sorted(set(found.steps))
    assert min(points, len(inside)) / 2 <= len(found.steps) <= points
    assert all(inside[step] == value for step, value in zip(found.steps, found.values, strict=True))
    assert max(found.values) == max(inside.values())
    assert min(found.values) == min(inside.values())


def test_a_spike_in_a_long_series_is_always_seen(run_store: RunStore) -> None:
    part = noise(50_000)
    for place, value in ((12_345, 1e6), (40_000, -1e6)):
        part.values[place] = value
    fill(run_store, part)
    found = run_store.sample(RUN, "loss", 50)
    assert dict(zip(found.steps, found.values, strict=True)).items() >= {12_345: 1e6, 40_000: -1e6}.items()


@pytest.mark.parametrize("length", [36_000, 37_000, 40_000])
@pytest.mark.parametrize("points", [20, 100, 1000])
def test_a_sample_gives_every_part_of_the_range_its_share(run_store: RunStore, points: int, length: int) -> None:
    fill(run_store, noise(length))
    found = run_store.sample(RUN, "loss", points)
    quarters = [sum(4 * step // length == quarter for step in found.steps) for quarter in range(4)]
    assert min(quarters) >= len(found.steps) / 4 * 0.5


def test_a_sample_of_integers_has_integers(run_store: RunStore) -> None:
    steps = list(range(40_000))
    fill(run_store, SeriesPart("int", steps, steps))
    found = run_store.sample(RUN, "loss", 10)
    assert {type(value) for value in found.values} == {int}
    assert (found.values[0], found.values[-1]) == (0, 39_999)


def test_values_that_are_not_finite_do_not_hide_the_others(run_store: RunStore) -> None:
    part = noise(40_000)
    part.values[10_000:30_000] = [math.nan] * 20_000
    fill(run_store, part)
    found = run_store.sample(RUN, "loss", 40)
    finite = [value for value in found.values if math.isfinite(value)]
    known = [value for value in part.values if math.isfinite(value)]
    assert (min(finite), max(finite)) == (min(known), max(known))
    assert any(math.isnan(value) for value in found.values)


def test_json_values_are_thinned_evenly(run_store: RunStore) -> None:
    steps = list(range(1000))
    fill(run_store, SeriesPart("json", steps, [{"n": n} for n in steps]))
    found = run_store.sample(RUN, "loss", 100)
    assert list(found.steps) == list(range(0, 1000, 10))
    assert found.values[1] == {"n": 10}


# -- heads --------------------------------------------------------------------------------------


def test_heads_are_the_first_finite_values_of_each_run(run_store: RunStore) -> None:
    fill(run_store, floats(list(range(10)), [math.nan, 1.0, math.inf, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), run_id="a")
    fill(run_store, SeriesPart("int", [0, 1], [5, 6]), run_id="b")
    fill(run_store, SeriesPart("json", [0], ["text"]), run_id="c")
    fill(run_store, floats([0], [math.nan]), run_id="d")
    assert run_store.heads(["a", "b", "c", "d", "e"], "loss", 3) == {"a": [1.0, 2.0, 3.0], "b": [5.0, 6.0]}
    assert run_store.heads(["a"], "loss", 0) == {}
    assert run_store.heads([], "loss", 3) == {}
    assert run_store.heads(["a"], "other", 3) == {}


def test_heads_reach_beyond_the_first_chunk(run_store: RunStore) -> None:
    part = noise(10_000)
    part.values[:5000] = [math.nan] * 5000
    fill(run_store, part)
    assert run_store.heads([RUN], "loss", 100) == {RUN: part.values[5000:5100]}
    assert len(run_store.heads([RUN], "loss", 10_000)[RUN]) == 5000
