"""Samples of many runs at once say what the samples of each run say."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.store_examples import further, started
from tracking.store import chunks, many
from tracking.store.contract import RunStore, SeriesPart

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
INTS = st.integers(-(2**63), 2**63 - 1)
NARROW = st.integers(-1000, 1000)


def same(one: list[Any], other: list[Any]) -> bool:
    return [repr(value) for value in one] == [repr(value) for value in other]


@given(st.data(), st.sampled_from(["float", "int", "narrow"]), st.booleans())
def test_numpy_reads_chunks_as_the_standard_library_does(data: st.DataObject, kind: str, deflate: bool) -> None:
    values = data.draw(st.lists({"float": FLOATS, "int": INTS, "narrow": NARROW}[kind], min_size=1, max_size=700))
    gaps = data.draw(st.lists(st.sampled_from([1, 1, 1, 3, 70_000]), min_size=len(values), max_size=len(values)))
    steps = np.cumsum(gaps).tolist() if data.draw(st.booleans()) else list(range(5, 5 + len(values)))
    stored = chunks.FLOAT if kind == "float" else chunks.INT
    packed = chunks.encode(
        stored, chunks.array("q", steps), chunks.array("d" if kind == "float" else "q", values), deflate=deflate
    )
    found_steps, found_values = many.decode(len(values), packed)
    assert found_steps.tolist() == steps
    assert same(found_values.astype(np.float64 if kind == "float" else np.int64).tolist(), values)


@given(st.lists(st.floats(width=16, allow_nan=True), min_size=1, max_size=60), st.integers(1, 20))
def test_extremes_of_buckets_are_those_of_a_plain_search(values: list[float], width: int) -> None:
    expected: set[int] = set()
    for begin in range(0, len(values), width):
        expected |= set(chunks.extremes(chunks.array("d", values), begin, min(begin + width, len(values))))
    assert many.extremes(np.array(values), width).tolist() == sorted(expected)


def fill(store: RunStore, run_id: str, length: int, kind: str = "float") -> None:
    rng = random.Random(length)
    values: list[Any] = [rng.gauss(0, 1) for _ in range(length)]
    if kind == "int":
        values = [int(1000 * value) for value in values]
    if kind == "json":
        values = [f"{value:.1f}" for value in values]
    steps = list(range(0, 2 * length, 2))
    store.apply([started(run_id, history={"loss": SeriesPart(kind, steps, values)})])


@pytest.mark.parametrize("points", [1, 2, 40, 500])
def test_many_runs_are_sampled_at_once(run_store: RunStore, points: int) -> None:
    lengths = {"a": 1, "b": 3, "c": 500, "d": 4096, "e": 5000, "f": 50_000}
    for name, length in lengths.items():
        fill(run_store, f"run{name}", length)
    fill(run_store, "ints", 6000, "int")
    fill(run_store, "words", 700, "json")
    run_store.apply([started("empty")])
    ids = [*(f"run{name}" for name in lengths), "ints", "words", "empty", "unknown", "runa"]
    found = run_store.samples(ids, "loss", points)
    assert list(found) == ids[:8]
    for run_id, sample in found.items():
        whole = run_store.series(run_id, "loss")
        exact = dict(zip(whole.steps, whole.values, strict=True))
        assert len(sample.steps) <= max(points, 2)
        assert list(sample.steps) == sorted(set(sample.steps))
        assert all(same([exact[step]], [value]) for step, value in zip(sample.steps, sample.values, strict=True))
        if len(exact) <= points:
            assert list(sample.steps) == list(whole.steps)
        elif points >= 40 and run_id != "words":
            assert (min(sample.values), max(sample.values)) == (min(whole.values), max(whole.values))
    assert run_store.samples([], "loss") == {}


def test_kinds_that_change_and_values_that_are_no_numbers_are_sampled(run_store: RunStore) -> None:
    steps = list(range(4096))
    run_store.apply(
        [started(history={"x": SeriesPart("int", steps, steps), "nan": SeriesPart("float", steps, [math.nan] * 4096)})]
    )
    run_store.apply([further(history={"x": SeriesPart("float", [4096, 4097], [0.5, math.inf])})])
    found = run_store.samples(["run00001"], "x", 5000)["run00001"]
    assert same(list(found.values), list(run_store.series("run00001", "x").values))
    found = run_store.samples(["run00001"], "nan", 100)["run00001"]
    assert 0 < len(found.steps) <= 100
    assert all(math.isnan(value) for value in found.values)
