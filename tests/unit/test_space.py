"""The search space: membership, size, nesting and canonical points."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.space import Categorical, Constant, IntUniform, Parameter, Quantized, SearchSpace, Uniform
from tests.unit.test_distributions import ANY


def space(**distributions: Any) -> SearchSpace:
    return SearchSpace(
        tuple(Parameter(name.replace("__", "."), tuple(name.split("__")), one) for name, one in distributions.items())
    )


SPACES = st.lists(ANY, min_size=1, max_size=4).map(lambda found: space(**{f"p{i}": one for i, one in enumerate(found)}))


@given(SPACES, st.integers())
def test_a_draw_is_a_point_of_the_space_with_a_canonical_form(found: SearchSpace, seed: int) -> None:
    point = found.sample(random.Random(seed))
    assert found.contains(point)
    assert hash(found.canonical(point)) == hash(found.canonical(dict(reversed(point.items()))))


def test_a_point_must_have_every_parameter_and_no_other() -> None:
    found = space(a=IntUniform(1, 3), b=Constant("x"))
    assert found.contains({"b": "x", "a": 2})
    assert not found.contains({"a": 2})
    assert not found.contains({"a": 2, "b": "x", "c": 1})
    assert not found.contains({"a": 2, "c": "x"})


def test_equal_points_have_one_canonical_form() -> None:
    found = space(a=Categorical((1, True, "", None)))
    forms = [found.canonical({"a": value}) for value in (1, 1.0, True, "", None)]
    assert forms[0] == forms[1]
    assert len(set(forms)) == 4


def test_sizes_multiply_and_one_continuous_parameter_makes_it_infinite() -> None:
    finite = {"a": IntUniform(1, 3), "b": Categorical((1, 2, 2)), "c": Constant(0)}
    assert space(**finite).size == 6
    assert space(**finite, d=Uniform(0, 1)).size is None
    assert space(**finite, d=Uniform(0, 1)).grid_size is None


def test_size_and_grid_size_differ_where_the_grid_starts_off_the_multiples() -> None:
    found = space(a=Quantized(Uniform(1, 10), 4))
    assert found.size == 2  # 4, 8
    assert found.grid_size == 3  # 1, 5, 9


def test_nested_names_become_mappings() -> None:
    found = space(opt__lr=Uniform(0, 1), opt__name=Constant("sgd"), seed=Constant(1))
    nested = found.nest({"opt.lr": 0.5, "opt.name": "sgd", "seed": 1})
    assert nested == {"opt": {"lr": 0.5, "name": "sgd"}, "seed": 1}


def test_a_name_with_a_dot_that_is_not_nested_stays_flat() -> None:
    found = SearchSpace((Parameter("opt.lr", ("opt.lr",), Uniform(0, 1)),))
    assert found.nest({"opt.lr": 0.5}) == {"opt.lr": 0.5}


def test_draws_do_not_depend_on_the_order_of_the_parameters() -> None:
    forward = space(a=Uniform(0, 1), b=Uniform(0, 1), c=Uniform(0, 1))
    backward = space(c=Uniform(0, 1), b=Uniform(0, 1), a=Uniform(0, 1))
    assert forward.sample(random.Random(1)) == backward.sample(random.Random(1))


def test_parameters_are_found_by_name() -> None:
    found = space(a=Constant(1))
    assert "a" in found
    assert found["a"].distribution == Constant(1)
    with pytest.raises(KeyError):
        found["b"]


def test_a_hundred_thousand_categories_are_looked_up_without_a_search() -> None:
    values = tuple(f"value-{i}" for i in range(100_000))
    found = space(a=Categorical(values))
    assert found.size == len(values)
    assert all(found.contains({"a": value}) for value in values)  # by linear search this runs into the time limit
