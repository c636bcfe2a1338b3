"""A sweep.yaml becomes a SweepSpec: every key that a valid file may have."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.errors import SpecInvalid
from sweeps.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    LogNormal,
    LogUniform,
    Normal,
    Quantized,
    Uniform,
)
from sweeps.spec import SweepSpec, load, load_text
from sweeps.spec.families import VALUE_KEYS
from sweeps.spec.model import Goal, HyperbandSpec, MetricSpec
from sweeps.spec.tables import EARLY_TERMINATE, METRIC, TOP
from sweeps.stoppers.factory import bands_of


def spec_of(parameters: Any = None, **keys: Any) -> SweepSpec:
    parameters = {"a": {"values": [1, 2]}} if parameters is None else parameters
    return load({"method": "random", **keys, "parameters": parameters}).spec


def one(**keys: Any) -> Distribution:
    return spec_of({"a": keys}).space["a"].distribution


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"value": None}, Constant(None)),
        ({"distribution": "constant", "value": [1]}, Constant([1])),
        ({"values": [1, None, [2], {"b": True}]}, Categorical((1, None, [2], {"b": True}))),
        ({"values": ["a", "b"], "probabilities": [0.25, 0.75]}, Categorical(("a", "b"), (0.25, 0.75))),
        ({"min": 1, "max": 3}, IntUniform(1, 3)),
        ({"min": 1, "max": 3.0}, Uniform(1.0, 3.0)),
        ({"min": 0.5, "max": 1}, Uniform(0.5, 1.0)),
        ({"distribution": "uniform", "min": 0, "max": 1}, Uniform(0.0, 1.0)),
        ({"distribution": "int_uniform", "min": 1.0, "max": 3}, IntUniform(1, 3)),
        ({"distribution": "q_uniform", "min": 0, "max": 11, "q": 4}, Quantized(Uniform(0, 11), 4)),
        ({"distribution": "q_uniform", "min": 0, "max": 11}, Quantized(Uniform(0, 11), 1)),
        ({"distribution": "log_uniform", "min": -2, "max": 0}, LogUniform(math.exp(-2), 1.0)),
        ({"distribution": "log_uniform_values", "min": 1e-4, "max": 1}, LogUniform(1e-4, 1.0)),
        ({"distribution": "q_log_uniform", "min": 0, "max": 2, "q": 2}, Quantized(LogUniform(1.0, math.exp(2)), 2)),
        ({"distribution": "q_log_uniform_values", "min": 1, "max": 9}, Quantized(LogUniform(1.0, 9.0), 1)),
        ({"distribution": "inv_log_uniform", "min": 0, "max": 2}, LogUniform(math.exp(-2), 1.0)),
        ({"distribution": "inv_log_uniform_values", "min": 0.1, "max": 2}, LogUniform(0.1, 2.0)),
        ({"distribution": "normal"}, Normal(0.0, 1.0)),
        ({"distribution": "normal", "mu": 2, "sigma": 0.5}, Normal(2.0, 0.5)),
        ({"distribution": "q_normal", "q": 0.5}, Quantized(Normal(0.0, 1.0), 0.5)),
        ({"distribution": "log_normal", "mu": 1}, LogNormal(1.0, 1.0)),
        ({"distribution": "q_log_normal"}, Quantized(LogNormal(0.0, 1.0), 1)),
        ({"distribution": "beta", "a": 2}, Beta(2.0, 1.0)),
        ({"distribution": "q_beta", "q": 0.1}, Quantized(Beta(1.0, 1.0), 0.1)),
    ],
)
def test_the_keys_of_a_parameter_give_its_distribution(keys: dict[str, Any], expected: Distribution) -> None:
    assert one(**keys) == expected


def test_nested_parameters_of_any_depth_have_dotted_names_and_paths() -> None:
    space = spec_of(
        {"a": {"parameters": {"b": {"parameters": {"c": {"value": 1}}}, "d": {"value": 2}}}, "e": {"value": 3}}
    ).space
    assert space.names == ("a.b.c", "a.d", "e")
    assert space["a.b.c"].path == ("a", "b", "c")


def test_a_parameter_may_be_called_parameters_or_value() -> None:
    space = spec_of(
        {"value": {"value": 1}, "parameters": {"value": 2}, "opt": {"parameters": {"parameters": {"value": 3}}}}
    )
    assert space.space.names == ("value", "parameters", "opt.parameters")


def test_the_whole_of_a_file_is_read() -> None:
    text = """
program: train.py
method: bayes
name: my sweep
description: for tests
project: p
entity: e
metric: {name: val/loss, goal: maximize, target: 1, impute: latest, impute_while_running: false, aggregate: last}
early_terminate: {type: hyperband, min_iter: 3, eta: 2, strict: false}
run_cap: 30
budget: {trials: 20}
seed: 7
retry: {max: 2}
command: [python, "${program}", --n, 3, --lr, 1e-5, "${args}"]
controller: {type: local}
job: j
image_uri: i
apiVersion: v1
kind: sweep
initial:
- {lr: 0.01, opt: {name: on}}
- {lr: 0.02, opt.name: adam}
- {lr: 1e-2, opt.name: on}
parameters:
  lr: {min: 1e-5, max: 1.0}
  opt: {parameters: {name: {values: [on, adam]}}}
"""
    loaded = load_text(text)
    spec = loaded.spec
    assert loaded.text == text
    assert loaded.warnings == ()
    assert spec.metric == MetricSpec("val/loss", Goal.MAXIMIZE, 1.0, "latest", "false", "last")
    assert spec.early_terminate == HyperbandSpec(min_iter=3, eta=2.0, strict=False)
    assert spec.command == ("python", "${program}", "--n", "3", "--lr", "1e-5", "${args}")
    assert (spec.program, spec.name, spec.project, spec.entity) == ("train.py", "my sweep", "p", "e")
    assert (spec.max_trials, spec.seed, spec.retry_max) == (20, 7, 2)
    assert spec.initial == ({"lr": 0.01, "opt.name": "on"}, {"lr": 0.02, "opt.name": "adam"})
    assert SweepSpec.from_document(json.loads(json.dumps(spec.document))) == spec


def test_a_minimal_file_has_the_defaults() -> None:
    spec = spec_of()
    assert (spec.metric, spec.early_terminate, spec.command, spec.program, spec.max_trials) == (None,) * 5
    assert (spec.initial, spec.retry_max) == ((), 0)


def test_a_seed_is_drawn_once_and_stays_in_the_document() -> None:
    spec = spec_of()
    assert spec.document["seed"] == spec.seed
    assert SweepSpec.from_document(spec.document).seed == spec.seed
    assert len({spec_of().seed for _ in range(4)}) > 1


def test_the_metric_defaults_are_those_of_the_reference() -> None:
    assert spec_of(metric={"name": "x"}).metric == MetricSpec("x", Goal.MINIMIZE, None, "worst", "false", "best")


def test_constants_need_not_be_repeated_in_initial_points() -> None:
    spec = spec_of({"a": {"value": 3}, "b": {"min": 1, "max": 5}}, initial=[{"b": 2.0}])
    assert spec.initial == ({"a": 3, "b": 2},)


def test_initial_points_may_hold_mappings_where_the_parameter_does() -> None:
    values = [{"x": 1}, {"x": 2}]
    assert spec_of({"a": {"values": values}}, initial=[{"a": {"x": 2.0}}]).initial == ({"a": {"x": 2.0}},)


def test_equal_initial_points_are_one_and_keep_their_order() -> None:
    found = spec_of({"a": {"values": [1, 2, 3]}}, initial=[{"a": 3}, {"a": 1}, {"a": 3.0}]).initial
    assert found == ({"a": 3}, {"a": 1})


@pytest.mark.parametrize(
    ("early", "bands"),
    [
        ({"max_iter": 27, "s": 2}, (3, 9)),
        ({"max_iter": 81, "s": 4}, (1, 3, 9, 27)),
        ({"max_iter": 81, "s": 40}, (1, 3, 9, 27)),
        ({"min_iter": 3}, (3, 9, 27, 81)),
        ({"min_iter": 2, "eta": 1.5}, (2, 3, 4, 6, 10, 15, 22, 34, 51, 76)),
        ({"min_iter": 5, "max_iter": 27, "s": 2}, (3, 9)),
    ],
)
def test_bands_of_hyperband(early: dict[str, Any], bands: tuple[int, ...]) -> None:
    spec = spec_of(metric={"name": "x"}, early_terminate={"type": "hyperband", **early})
    assert spec.early_terminate is not None
    found = bands_of(spec.early_terminate)
    assert tuple(band for band in found.first(len(bands) + 1) if band <= 100) == bands


def test_log_uniform_warns_and_names_log_uniform_values() -> None:
    text = "method: random\nparameters:\n  lr: {distribution: log_uniform, min: 0.0001, max: 0.1}\n"
    (warning,) = load_text(text, "s.yaml").warnings
    assert warning.startswith("s.yaml:3:22: parameters.lr: ")
    assert "log_uniform_values" in warning
    assert "1.10517" in warning


def test_a_macro_that_is_none_warns_and_names_the_nearest() -> None:
    loaded = load({"method": "random", "parameters": {"a": {"value": 1}}, "command": ["x", "${arg}", "${HOME}"]})
    assert "did you mean args?" in loaded.warnings[0]
    assert "${envvar:HOME}" in loaded.warnings[1]
    assert loaded.spec.command == ("x", "${arg}", "${HOME}")


def test_useless_keys_of_hyperband_warn() -> None:
    early = {"type": "hyperband", "min_iter": 3, "s": 2}
    loaded = load(
        {"method": "random", "metric": {"name": "x"}, "early_terminate": early, "parameters": {"a": {"value": 1}}}
    )
    assert "no effect" in loaded.warnings[0]


class _Scalar:
    """Stands for a numpy scalar or array: only the module name and `tolist` count."""

    __module__ = "numpy"

    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        return self.value


def test_numpy_values_tuples_and_ranges_are_taken_from_dicts() -> None:
    space = spec_of(
        {"a": {"values": _Scalar([1, 2])}, "b": {"values": range(3)}, "c": {"min": _Scalar(0), "max": 2}}
    ).space
    assert space["a"].distribution == Categorical((1, 2))
    assert space["b"].distribution == Categorical((0, 1, 2))
    assert space["c"].distribution == IntUniform(0, 2)


def test_a_dict_is_shown_as_yaml_with_its_seed() -> None:
    loaded = load({"method": "random", "parameters": {"a": {"value": 1}}, "seed": 5})
    assert loaded.text == "method: random\nparameters:\n  a:\n    value: 1\nseed: 5\n"


def test_anchors_and_merge_keys_serve_in_a_sweep() -> None:
    text = "method: random\nparameters:\n  a: &b {min: 1, max: 5}\n  c: {<<: *b, max: 9}\n  d: *b\n"
    space = load_text(text).spec.space
    assert [space[name].distribution for name in "acd"] == [IntUniform(1, 5), IntUniform(1, 9), IntUniform(1, 5)]


def test_a_hundred_thousand_values_are_read() -> None:
    text = f"method: grid\nparameters:\n  a: {{values: [{','.join(map(str, range(100_000)))}]}}\n"
    assert load_text(text).spec.space.grid_size == 100_000


NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_-]{0,6}\Z")
LEAVES = st.sampled_from(
    [
        {"value": "x"},
        {"values": [1, "on", None, 2.5, [1], {"k": 1}]},
        {"values": [1, 2], "probabilities": [0.5, 0.5]},
        {"min": 1, "max": 9},
        {"min": 1e-5, "max": 0.1, "distribution": "log_uniform_values"},
        {"distribution": "log_uniform", "min": -3, "max": 1},
        {"distribution": "q_normal", "q": 0.25},
        {"distribution": "beta", "a": 2, "b": 5},
        {"distribution": "q_uniform", "min": 0, "max": 10, "q": 2.5},
    ]
)
GROUPS = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=4),
    lambda inner: st.dictionaries(NAMES, inner.map(lambda group: {"parameters": group}), min_size=1, max_size=2),
    max_leaves=4,
)


@given(GROUPS, st.integers(0, 2**40), st.integers())
def test_a_document_gives_the_same_spec_and_its_draws_pass_as_initial(group: Any, seed: int, draw: int) -> None:
    spec = spec_of(group, seed=seed)
    again = SweepSpec.from_document(json.loads(json.dumps(spec.document)))
    assert again == spec
    point = spec.space.sample(random.Random(draw))
    assert spec_of(group, initial=[point]).initial == (point,)
    assert spec_of(group, initial=[spec.space.nest(point)]).initial == (point,)


KEYS = sorted({*TOP.keys, *METRIC.keys, *EARLY_TERMINATE.keys, *VALUE_KEYS, "distribution", "trials", "max", "when"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=3) | st.integers(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["grid", "random", "bayes", "custom"]) | JSON,
        "parameters": st.dictionaries(st.sampled_from("abc"), JSON, max_size=3) | JSON,
        "metric": JSON,
        "metrics": JSON,
        "early_terminate": st.fixed_dictionaries(
            {"type": st.just("hyperband")}, optional={"s": JSON, "max_iter": JSON}
        ),
        "command": JSON,
        "initial": JSON,
        "budget": JSON,
        "seed": JSON,
        "retry": JSON,
        "controller": JSON,
        "name": JSON,
    },
)


@given(DOCUMENTS | JSON)
def test_no_dict_crashes_the_parser(document: Any) -> None:
    try:
        load(document if isinstance(document, dict) else {"parameters": document})
    except SpecInvalid as error:
        faults = error.faults
    else:
        return
    assert faults
    assert all(fault.message for fault in faults)
