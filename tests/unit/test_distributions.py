"""Every distribution: bounds, membership, quantiles and their inverse, grids."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Lattice,
    LogNormal,
    LogUniform,
    Normal,
    Ordered,
    Quantized,
    Uniform,
)

BOUNDS = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))
LOG_BOUNDS = st.tuples(st.floats(1e-12, 1e6), st.floats(1.01, 1e6)).map(lambda pair: (pair[0], pair[0] * pair[1]))
GAUSS = st.tuples(st.floats(-20, 20), st.floats(0.01, 10))
UNIFORMS = BOUNDS.map(lambda pair: Uniform(*pair))
LOG_UNIFORMS = LOG_BOUNDS.map(lambda pair: LogUniform(*pair))
NORMALS = GAUSS.map(lambda pair: Normal(*pair))
LOG_NORMALS = GAUSS.map(lambda pair: LogNormal(*pair))
BETAS = st.tuples(st.floats(0.5, 50), st.floats(0.5, 50)).map(lambda pair: Beta(*pair))
CONTINUOUS = st.one_of(UNIFORMS, LOG_UNIFORMS, NORMALS, LOG_NORMALS, BETAS)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)
INTS = st.tuples(st.integers(-(2**62), 2**62), st.integers(0, 2**40)).map(lambda pair: IntUniform(pair[0], sum(pair)))
QUANTIZED = st.builds(
    Quantized,
    st.one_of(NORMALS, BETAS, st.builds(Uniform, st.just(-7), st.integers(-6, 100)), st.just(LogUniform(1.0, 1e4))),
    st.sampled_from([1, 2, 0.1, 0.25, 0.003]),
).filter(lambda distribution: not distribution.is_empty)
CATEGORICALS = st.lists(JSON_VALUES, min_size=1, max_size=6).map(lambda values: Categorical(tuple(values)))
ANY = st.one_of(CONTINUOUS, INTS, QUANTIZED, CATEGORICALS, JSON_VALUES.map(Constant))


@given(CONTINUOUS, st.floats(0.001, 0.999))
def test_the_cdf_inverts_the_quantile(distribution: Ordered, u: float) -> None:
    assert distribution.cdf(distribution.quantile(u)) == pytest.approx(u, abs=1e-6)


@given(QUANTIZED, st.floats(0.01, 0.99))
def test_the_quantile_of_the_cdf_of_a_rounded_value_is_the_value(distribution: Quantized, u: float) -> None:
    value = distribution.quantile(u)
    if 0 < distribution.cdf(value) < 1:  # in the far tail of a normal many values share one float
        low, high = distribution.quantile(max(u - 0.01, 0)), distribution.quantile(min(u + 0.01, 1))
        assert low <= distribution.quantile(distribution.cdf(value)) <= high or distribution.quantile(
            distribution.cdf(value)
        ) == pytest.approx(value)


@given(ANY, st.integers())
def test_what_is_drawn_is_contained(distribution: Distribution, seed: int) -> None:
    rng = random.Random(seed)
    assert all(distribution.contains(distribution.sample(rng)) for _ in range(5))


@given(ANY, JSON_VALUES)
def test_membership_never_raises(distribution: Distribution, value: object) -> None:
    assert distribution.contains(value) in {True, False}
    assert distribution.on_grid(value) in {True, False}


@given(st.one_of(CONTINUOUS, QUANTIZED), st.sampled_from([0.0, 1.0, 5e-324, 1 - 2**-53]))
def test_the_ends_of_the_quantile_are_finite_and_inside(distribution: Ordered, u: float) -> None:
    value = distribution.quantile(u)
    assert math.isfinite(value)
    assert distribution.contains(value)


@given(CONTINUOUS, st.floats(0, 1), st.floats(0, 1))
def test_the_quantile_rises(distribution: Ordered, first: float, second: float) -> None:
    low, high = (distribution.quantile(u) for u in sorted((first, second)))
    assert low <= high + 1e-9 * max(1.0, abs(high))


@given(st.one_of(INTS.filter(lambda one: one.count < 1000), CATEGORICALS, QUANTIZED))
@settings(max_examples=60)
def test_the_support_is_what_can_be_drawn_each_once(distribution: Distribution) -> None:
    support = distribution.support()
    if support is None or len(support) > 1000:
        return
    assert distribution.count == len(support)
    drawn = [distribution.sample(random.Random(seed)) for seed in range(20)]
    assert all(
        any(value == pytest.approx(other) if _number(value, other) else value == other for other in support)
        for value in drawn
    )


def _number(*values: object) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def test_both_ends_of_an_int_uniform_are_drawn() -> None:
    distribution = IntUniform(1, 3)
    rng = random.Random(0)
    assert {distribution.sample(rng) for _ in range(100)} == {1, 2, 3}
    assert list(distribution.grid()) == [1, 2, 3]


@pytest.mark.parametrize("value", [True, "2", 2.5, 0, 4, math.nan, math.inf, None, [2]])
def test_an_int_uniform_refuses_what_is_no_whole_number_in_range(value: object) -> None:
    assert not IntUniform(1, 3).contains(value)


def test_an_int_uniform_contains_a_whole_float() -> None:
    assert IntUniform(1, 3).contains(2.0)


def test_q_uniform_stays_within_its_maximum() -> None:
    distribution = Quantized(Uniform(0, 11), 4)
    rng = random.Random(1)
    assert {distribution.sample(rng) for _ in range(300)} == {0, 4, 8}
    assert distribution.quantile(1.0) == 8


def test_the_grid_of_q_uniform_starts_at_min_and_has_max_when_it_is_a_step() -> None:
    assert list(Quantized(Uniform(0, 12), 4).grid() or ()) == [0, 4, 8, 12]
    assert list(Quantized(Uniform(1, 12), 4).grid() or ()) == [1, 5, 9]
    assert list(Quantized(Uniform(0.0, 0.3), 0.1).grid() or ()) == [0.0, 0.1, 0.2, 0.3]


def test_multiples_of_a_tenth_are_written_as_people_write_them() -> None:
    distribution = Quantized(Uniform(0.0, 1.0), 0.1)
    rng = random.Random(2)
    assert all(len(repr(distribution.sample(rng))) == 3 for _ in range(100))


def test_an_integer_step_gives_integers() -> None:
    assert isinstance(Quantized(Normal(100, 30), 10).quantile(0.3), int)


def test_rounded_log_uniform_values_stay_within_the_bounds() -> None:
    distribution = Quantized(LogUniform(3, 50), 8)
    rng = random.Random(3)
    assert {distribution.sample(rng) for _ in range(500)} == {8, 16, 24, 32, 40, 48}


def test_a_range_without_a_multiple_is_empty() -> None:
    assert Quantized(Uniform(1, 3), 5).is_empty
    assert not Quantized(Uniform(1, 5), 5).is_empty


def test_log_uniform_draws_half_below_the_geometric_mean() -> None:
    distribution = LogUniform(1e-4, 1.0)
    assert distribution.quantile(0.5) == pytest.approx(1e-2)
    assert distribution.quantile(0.0) == 1e-4
    assert distribution.quantile(1.0) == 1.0


def test_a_normal_has_its_mean_and_deviation() -> None:
    rng = random.Random(4)
    draws = [Normal(3, 2).sample(rng) for _ in range(4000)]
    assert statistics.mean(draws) == pytest.approx(3, abs=0.15)
    assert statistics.stdev(draws) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("a", "b", "x", "share"),
    [(1, 1, 0.3, 0.3), (2, 3, 0.5, 0.6875), (0.5, 0.5, 0.5, 0.5), (5, 1, 0.9, 0.59049), (200, 200, 0.5, 0.5)],
)
def test_the_beta_cdf_has_the_known_values(a: float, b: float, x: float, share: float) -> None:
    assert Beta(a, b).cdf(x) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("shape", [1e-3, 1e6])
def test_beta_with_extreme_shapes_stays_finite(shape: float) -> None:
    assert 0 <= Beta(shape, shape).quantile(0.3) <= 1


def test_huge_spreads_do_not_overflow() -> None:
    assert math.isfinite(LogNormal(1000, 50).quantile(0.9))
    assert math.isfinite(Normal(0, 1e308).quantile(0.9999999))
    assert math.isfinite(Uniform(-1.7e308, 1.7e308).quantile(0.5))


def test_equal_categories_are_one_but_true_is_not_one() -> None:
    assert Categorical((1, 1.0, True, "1", None, "", 1)).choices == (1, True, "1", None, "")


def test_a_weighted_category_of_weight_zero_is_never_drawn_and_has_no_grid() -> None:
    distribution = Categorical(("a", "b", "c"), (0.5, 0.0, 0.5))
    rng = random.Random(5)
    assert {distribution.sample(rng) for _ in range(200)} == {"a", "c"}
    assert distribution.count == 2
    assert distribution.grid() is None


def test_weights_are_kept() -> None:
    distribution = Categorical(("a", "b"), (0.9, 0.1))
    rng = random.Random(6)
    assert sum(distribution.sample(rng) == "a" for _ in range(1000)) == pytest.approx(900, abs=40)


def test_categories_may_be_lists_and_mappings() -> None:
    distribution = Categorical(([1, 2], {"a": [True]}, [1.0, 2.0]))
    assert distribution.count == 2
    assert distribution.contains({"a": [True]})
    assert not distribution.contains({"a": [1]})
    assert distribution.index([1, 2]) == 0


def test_a_lattice_is_lazy_and_indexes_like_a_list() -> None:
    lattice = Lattice(0, 0.001, 10**12)
    assert lattice[-1] == pytest.approx(1e9)
    assert lattice[1:3] == [0.001, 0.002]
    with pytest.raises(IndexError):
        lattice[10**12]


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (Uniform(0, 0.5), "uniform 0 … 0.5"),
        (Quantized(Uniform(0, 10), 2), "q_uniform 0 … 10 step 2"),
        (Categorical(tuple(range(20))), "categorical 0, 1, 2, 3, 4, 5, 6, 7, … 12 more"),
        (Constant(None), "constant null"),
        (Beta(2, 3), "beta a 2, b 3"),
    ],
)
def test_a_distribution_describes_itself(distribution: Distribution, text: str) -> None:
    assert distribution.describe() == text
