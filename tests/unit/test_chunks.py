"""A chunk gives back what it was given, bit for bit, in few bytes."""

from __future__ import annotations

import math
import random
import struct
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.store.chunks import (
    BLOCK_POINTS,
    CHUNK_POINTS,
    DIGEST_POINTS,
    FLOAT,
    INT,
    JSON,
    decode,
    digest,
    encode,
    extremes,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


def bits(values: Any) -> bytes:
    return array("d", values).tobytes()


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=200), st.booleans())
def test_floats_come_back_bit_for_bit(values: list[float], deflate: bool) -> None:
    steps = array("q", range(len(values)))
    found_steps, found = decode(FLOAT, len(values), encode(FLOAT, steps, array("d", values), deflate=deflate))
    assert found_steps == steps
    assert bits(found) == bits(values)


@given(st.lists(st.floats(width=32), min_size=100, max_size=300))
def test_floats_of_32_bits_take_no_more_than_that(values: list[float]) -> None:
    steps = array("q", range(len(values)))
    data = encode(FLOAT, steps, array("d", values))
    assert len(data) <= 4 * len(values) + 40
    assert bits(decode(FLOAT, len(values), data)[1]) == bits(values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e300, 3.4e38, 1e-40])
def test_odd_floats_come_back(value: float) -> None:
    for values in ([value], [1.5, value], [value, 0.1]):
        data = encode(FLOAT, array("q", range(len(values))), array("d", values))
        assert bits(decode(FLOAT, len(values), data)[1]) == bits(values)


@given(st.lists(INT64, min_size=1, max_size=200))
def test_integers_come_back(values: list[int]) -> None:
    data = encode(INT, array("q", range(len(values))), array("q", values))
    assert list(decode(INT, len(values), data)[1]) == values


def test_small_integers_are_small() -> None:
    values = array("q", (n % 100 for n in range(CHUNK_POINTS)))
    assert len(encode(INT, array("q", range(CHUNK_POINTS)), values, deflate=False)) < CHUNK_POINTS + 64


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(JSON_VALUES, min_size=1, max_size=30), st.booleans())
def test_json_comes_back(values: list[Any], deflate: bool) -> None:
    data = encode(JSON, array("q", range(len(values))), values, deflate=deflate)
    assert decode(JSON, len(values), data)[1] == values


@given(st.sets(st.integers(-(2**61), 2**61), min_size=1, max_size=200), st.booleans())
def test_any_ascending_steps_come_back(steps: set[int], deflate: bool) -> None:
    ordered = array("q", sorted(steps))
    data = encode(INT, ordered, array("q", [0] * len(ordered)), deflate=deflate)
    assert decode(INT, len(ordered), data)[0] == ordered


@pytest.mark.parametrize("stride", [1, 10, 1000])
def test_regular_steps_cost_nothing(stride: int) -> None:
    steps = array("q", range(5, 5 + stride * CHUNK_POINTS, stride))
    data = encode(INT, steps, array("q", [7] * CHUNK_POINTS))
    assert len(data) < 100
    assert decode(INT, CHUNK_POINTS, data)[0] == steps


@pytest.mark.parametrize(("exact_in_32_bits", "limit"), [(True, 3.5), (False, 7.2)])
def test_noise_takes_about_its_entropy(exact_in_32_bits: bool, limit: float) -> None:
    rng = random.Random(1)
    values = array("d", (rng.gauss(0, 1) for _ in range(CHUNK_POINTS)))
    if exact_in_32_bits:
        values = array("d", struct.unpack(f"{CHUNK_POINTS}f", struct.pack(f"{CHUNK_POINTS}f", *values)))
    data = encode(FLOAT, array("q", range(CHUNK_POINTS)), values)
    assert len(data) / CHUNK_POINTS <= limit
    assert bits(decode(FLOAT, CHUNK_POINTS, data)[1]) == values.tobytes()


def test_extremes_are_those_of_the_finite_values() -> None:
    nan, inf = math.nan, math.inf
    assert extremes(array("d", [nan, 3, inf, -1, -inf, 9, nan]), 0, 7) == (3, 5)
    assert extremes(array("d", [nan, inf, nan]), 1, 3) == (1, 1)
    assert extremes(array("d", [1e308, 1e308, 0]), 0, 3) == (2, 0)  # the sum is infinite, the values are not
    assert extremes(array("q", [4, 4]), 0, 2) == (0, 0)


def test_a_digest_has_the_extremes_of_each_block_in_step_order() -> None:
    rng = random.Random(2)
    steps = array("q", range(0, 3 * CHUNK_POINTS, 3))
    values = array("d", (rng.random() for _ in range(CHUNK_POINTS)))
    some_steps, some_values = decode(FLOAT, DIGEST_POINTS, digest(steps, values))
    assert list(some_steps) == sorted(some_steps)
    for block in range(CHUNK_POINTS // BLOCK_POINTS):
        part = values[block * BLOCK_POINTS : (block + 1) * BLOCK_POINTS]
        assert sorted(some_values[2 * block : 2 * block + 2]) == [min(part), max(part)]
        assert all(values[step // 3] == value for step, value in zip(some_steps, some_values, strict=True))


def test_a_constant_chunk_has_a_digest() -> None:
    steps, values = array("q", range(CHUNK_POINTS)), array("d", [1.5] * CHUNK_POINTS)
    assert list(decode(FLOAT, DIGEST_POINTS, digest(steps, values))[1]) == [1.5] * DIGEST_POINTS
