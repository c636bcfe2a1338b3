"""Every fault of a sweep.yaml: its place, what was found, what is allowed, and all of them at once."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.errors import Fault, SpecInvalid
from sweeps.spec.loading import load, load_text

A = {"a": {"values": [1, 2]}}


def faults(**document: Any) -> list[Fault]:
    with pytest.raises(SpecInvalid) as caught:
        load({"method": "random", "parameters": A} | document)
    return list(caught.value.faults)


def only(**document: Any) -> Fault:
    found = faults(**document)
    assert len(found) == 1, found
    return found[0]


def of_parameter(keys: Any, method: str = "random") -> Fault:
    return only(method=method, parameters={"a": keys})


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
method: bayse
program: 3
parameters:
  lr: {min: 1, max: 1}
  opt:
    parameters:
      wd: {distribution: unifrm, min: 0, max: 1}
  bs: {vals: [1, 2]}
run_cap: 0
run_cap: 5
metrik: {name: loss}
timeout: 2h
early_terminate: {type: hyperband}
"""
    with pytest.raises(SpecInvalid) as caught:
        load_text(text, "s.yaml")
    assert str(caught.value).splitlines() == [
        's.yaml:1:9: method: "bayse" is not allowed here (did you mean bayes?)',
        's.yaml:2:10: program: must be the path of the script, found 3 (an integer) (put it in quotes: "3")',
        "s.yaml:4:13: parameters.lr.min: min 1 must be less than max 1 (for a fixed value write `value: 1`)",
        's.yaml:7:26: parameters.opt.parameters.wd.distribution: "unifrm" is not allowed here (did you mean uniform?)',
        "s.yaml:8:8: parameters.bs.vals: unknown key (did you mean values?)",
        "s.yaml:9:10: run_cap: must be at least 1, found 0 (an integer)",
        's.yaml:10:1: the key "run_cap" stands here a second time; first in line 9 (keep one of them)',
        "s.yaml:11:1: metrik: unknown key (did you mean metric?)",
        "s.yaml:12:1: timeout: timeout is not yet supported",
        "s.yaml:13:1: early_terminate: early_terminate needs a metric "
        "(add `metric: {name: val_loss, goal: minimize}` with a value that the program logs)",
        "s.yaml:13:1: early_terminate: needs min_iter, or max_iter and s",
    ]


def test_faults_of_a_dict_have_dotted_paths_and_no_line() -> None:
    fault = only(parameters={"a": {"parameters": {"b": {"min": 3, "max": 1}}}})
    assert (fault.where, fault.line, fault.column) == ("parameters.a.parameters.b.min", 0, 0)
    assert fault.render("sweep").startswith("sweep: parameters.a.parameters.b.min: min 3 must be less")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"min": 1, "max": 1}, "must be less than"),
        ({"min": 2.5, "max": 1}, "must be less than"),
        ({"min": 1}, "the key max is missing"),
        ({"max": 1}, "the key min is missing"),
        ({"min": True, "max": 3}, "must be a number, found true (a boolean)"),
        ({"min": 0, "max": "3"}, 'must be a number, found "3" (a string)'),
        ({"min": 0, "max": float("inf")}, "must be a finite number"),
        ({"min": float("nan"), "max": 1}, "must be a finite number"),
        ({"min": 0, "max": 10**30}, "must be at most"),
        ({"min": 0.0, "max": 10**400}, "must be a finite number"),
        ({"min": None, "max": 1}, "must be a number, found null"),
        ({"min": 0, "max": 10, "q": 2}, "is no key of int_uniform"),
        ({"values": []}, "must not be empty"),
        ({"values": 3}, "must be a list, found 3"),
        ({"values": [1, float("inf")]}, "inf cannot be stored"),
        ({"value": float("nan")}, "nan cannot be stored"),
        ({"value": 1, "values": [1]}, "is no key of constant"),
        ({"values": ["a"], "probabilities": [0.5, 0.5]}, "2 probabilities for 1 values"),
        ({"values": ["a", "b"], "probabilities": [0.5, 0.6]}, "must sum to 1, but sum to 1.1"),
        ({"values": ["a", "b"], "probabilities": [1.5, -0.5]}, "must be at least 0"),
        ({"values": ["a", "b"], "probabilities": [True, 0.5]}, "must be a number"),
        ({"distribution": "nrmal"}, "is not allowed here"),
        ({"distribution": 3}, "is not allowed here"),
        ({"distribution": "uniform", "max": 1}, "the key min is missing: uniform needs it"),
        ({"distribution": "uniform", "min": 0, "max": 1, "mu": 2}, "is no key of uniform"),
        ({"distribution": "int_uniform", "min": 0.5, "max": 3}, "must be a whole number"),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, "must be greater than 0"),
        ({"distribution": "log_uniform", "min": 0, "max": 1000}, "must be at most 700"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, "must be greater than 0"),
        ({"distribution": "q_uniform", "min": 1, "max": 3, "q": 5}, "no multiple of q 5 lies between 1 and 3"),
        ({"distribution": "q_uniform", "min": 0, "max": 1e9, "q": 1e-9}, "is too small for this range"),
        ({"distribution": "q_log_uniform_values", "min": 0.01, "max": 0.1}, "no multiple of q 1 lies between"),
        ({"distribution": "normal", "sigma": 0}, "must be greater than 0"),
        ({"distribution": "normal", "sigma": -1}, "must be greater than 0"),
        ({"distribution": "beta", "a": 0}, "must be greater than 0"),
        ({"distribution": "beta", "a": 1e9}, "must be at most"),
        ({"mu": 0, "sigma": 1}, "the key distribution is missing"),
        ({}, "says nothing about its values"),
        ({"when": {"b": 1}, "value": 1}, "not yet supported"),
        ({"parameters": {"b": {"value": 1}}, "min": 0}, "has the key `parameters` and no other"),
        ({"parameters": {}}, "must have at least one parameter"),
        ({"parameters": [1]}, "must be a mapping of names"),
        ({"parameters": {"b": {"parameters": {"c": {"min": 2, "max": 1}}}}}, "must be less than"),
        (0.1, "must be a mapping, found 0.1 (a number)"),
        ([1, 2], "must be a mapping, found a list"),
        (None, "must be a mapping, found null"),
    ],
)
def test_a_faulty_parameter_is_told(keys: Any, message: str) -> None:
    assert message in of_parameter(keys).message


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        (0.1, "write {value: 0.1}"),
        ([1, 2], "write `values: […]`"),
        ({"min": 0, "max": 10, "q": 2}, "q_uniform"),
        ({"min": 0, "max": "3"}, "remove the quotes"),
        ({"mu": 0, "sigma": 1}, "normal"),
        ({"value": float("inf")}, '"inf"'),
        ({"distribution": "log_unifrom_values", "min": 1, "max": 2}, "did you mean log_uniform_values?"),
    ],
)
def test_a_fault_says_what_to_do(keys: Any, hint: str) -> None:
    assert hint in of_parameter(keys).hint


@pytest.mark.parametrize("name", ["1a", "a b", "", "-a", "a/b", "lr=", "ä", "a\n"])
def test_a_name_that_no_parameter_may_have(name: str) -> None:
    assert "is no name for a parameter" in only(parameters={name: {"value": 1}}).message


def test_a_dotted_name_clashes_with_a_nested_one() -> None:
    text = "method: random\nparameters:\n  opt: {parameters: {lr: {value: 1}}}\n  opt.lr: {value: 2}\n"
    with pytest.raises(SpecInvalid) as caught:
        load_text(text, "s.yaml")
    assert str(caught.value).startswith("s.yaml:4:3: parameters.opt.lr: the name opt.lr is taken")
    assert "line 3" in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"min": 0.0, "max": 1},
        {"distribution": "normal"},
        {"distribution": "q_normal"},
        {"distribution": "q_log_uniform_values", "min": 1, "max": 8},
        {"values": [1, 2], "probabilities": [0.5, 0.5]},
    ],
)
def test_a_grid_refuses_continuous_and_weighted_parameters(keys: Any) -> None:
    fault = of_parameter(keys, "grid")
    assert fault.where == "parameters.a"
    assert "a grid cannot have a" in fault.message


def test_a_grid_takes_a_q_uniform_that_starts_off_the_multiples() -> None:
    loaded = load({"method": "grid", "parameters": {"a": {"distribution": "q_uniform", "min": 1, "max": 3, "q": 5}}})
    assert loaded.spec.space.grid_size == 1


@pytest.mark.parametrize("method", ["tpe", "gp", "cmaes", "qmc", "nsga2", "pbt", "module:Class"])
def test_methods_of_later_are_refused_by_name(method: str) -> None:
    fault = only(method=method)
    assert fault.message == f"method {method} is not yet supported"
    assert fault.hint == "allowed: bayes, grid, random"


def test_custom_is_refused_with_advice() -> None:
    fault = only(method="custom")
    assert "controller of W&B's" in fault.message
    assert "bayes" in fault.hint


@pytest.mark.parametrize("key", ["constraints", "from", "repeat", "resources", "env", "timeout", "executor", "on_nan"])
def test_keys_of_later_are_refused_by_name(key: str) -> None:
    fault = only(**{key: {"x": 1}})
    assert (fault.where, fault.message) == (key, f"{key} is not yet supported")


@pytest.mark.parametrize("key", ["hours", "gpu_hours", "deadline"])
def test_budgets_of_later_are_refused_by_name(key: str) -> None:
    assert only(budget={key: 3}).message == f"budget.{key} is not yet supported"


@pytest.mark.parametrize("kind", ["asha", "median", "percentile", "patience", "threshold", "wilcoxon", "auto"])
def test_stoppers_of_later_are_refused_by_name(kind: str) -> None:
    fault = only(metric={"name": "x"}, early_terminate={"type": kind, "min_iter": 1})
    assert fault.message == f"early_terminate type {kind} is not yet supported"


def test_bayes_needs_a_metric() -> None:
    fault = only(method="bayes")
    assert (fault.where, fault.message) == ("method", "bayes needs a metric")


def test_several_metrics_are_checked_then_refused() -> None:
    found = faults(metrics=[{"name": "x"}, {"name": "y", "gaol": "minimize"}])
    assert [fault.where for fault in found] == ["metrics", "metrics[1].gaol"]
    assert "not yet supported" in found[0].message
    assert "at least 2" in faults(metrics=[{"name": "x"}])[1].message


@pytest.mark.parametrize(
    ("metric", "where"),
    [
        ("loss", "metric"),
        ({}, "metric"),
        ({"name": ""}, "metric.name"),
        ({"name": 3}, "metric.name"),
        ({"name": "x", "goal": "min"}, "metric.goal"),
        ({"name": "x", "target": "0.9"}, "metric.target"),
        ({"name": "x", "target": True}, "metric.target"),
        ({"name": "x", "target": float("nan")}, "metric.target"),
        ({"name": "x", "impute": "mean"}, "metric.impute"),
        ({"name": "x", "impute_while_running": True}, "metric.impute_while_running"),
        ({"name": "x", "aggregate": "mean"}, "metric.aggregate"),
        ({"name": "x", "on_nan": "stop"}, "metric.on_nan"),
    ],
)
def test_faults_of_the_metric(metric: Any, where: str) -> None:
    assert only(metric=metric).where == where


@pytest.mark.parametrize(
    ("early", "message"),
    [
        ({"min_iter": 3}, "the key type is missing"),
        ({"type": "hyperband"}, "needs min_iter, or max_iter and s"),
        ({"type": "hyperband", "max_iter": 27}, "max_iter needs s"),
        ({"type": "hyperband", "max_iter": 2, "s": 1}, "no band fits below max_iter 2"),
        ({"type": "hyperband", "min_iter": 0}, "must be at least 1"),
        ({"type": "hyperband", "min_iter": 1.5}, "must be a whole number"),
        ({"type": "hyperband", "min_iter": 1, "eta": 1}, "must be greater than 1"),
        ({"type": "hyperband", "min_iter": 1, "strict": "true"}, "must be true or false"),
        ({"type": "hyperbnd", "min_iter": 1}, "is not allowed here"),
        ("hyperband", "must be a mapping with a type"),
    ],
)
def test_faults_of_early_terminate(early: Any, message: str) -> None:
    assert message in only(metric={"name": "x"}, early_terminate=early).message


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"run_cap": 0}, "run_cap"),
        ({"run_cap": True}, "run_cap"),
        ({"run_cap": 1.5}, "run_cap"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"budget": 5}, "budget"),
        ({"retry": {"max": -1}}, "retry.max"),
        ({"seed": -1}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"command": "python train.py"}, "command"),
        ({"command": []}, "command"),
        ({"command": ["a", None]}, "command[1]"),
        ({"program": ""}, "program"),
        ({"name": 3}, "name"),
        ({"controller": {"type": "x"}}, "controller.type"),
        ({"parameters": {}}, "parameters"),
        ({"parameters": []}, "parameters"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": object()}, "name"),
        ({"initial": {"a": 1}}, "initial"),
        ({"initial": [1]}, "initial[0]"),
        ({"initial": [{}]}, "initial[0]"),
        ({"initial": [{"a": 1}, {"a": 3}]}, "initial[1].a"),
        ({"initial": [{"a": True}]}, "initial[0].a"),
        ({"initial": [{"a": 1, "b": 2}]}, "initial[0].b"),
        ({"initial": [{"a": {"b": 2}, "a.b": 1}], "parameters": {"a.b": {"min": 1, "max": 5}}}, "initial[0].a.b"),
    ],
)
def test_faults_of_other_keys(document: Any, where: str) -> None:
    assert only(**document).where == where


def test_a_foreign_initial_parameter_names_the_nearest() -> None:
    found = faults(parameters={"lr": {"min": 0.0, "max": 1}}, initial=[{"lrr": 0.5}])
    assert ("did you mean lr?", "initial[0].lrr") in [(fault.hint, fault.where) for fault in found]


def test_an_initial_point_of_a_grid_must_be_on_it() -> None:
    parameters = {"a": {"distribution": "q_uniform", "min": 1, "max": 10, "q": 4}}
    assert only(method="grid", parameters=parameters, initial=[{"a": 4}]).where == "initial[0].a"
    assert load({"method": "grid", "parameters": parameters, "initial": [{"a": 5}]}).spec.initial == ({"a": 5},)


def test_method_and_parameters_are_required() -> None:
    with pytest.raises(SpecInvalid) as caught:
        load({})
    assert [fault.message for fault in caught.value.faults] == [
        "the key method is missing",
        "the key parameters is missing",
    ]


@pytest.mark.parametrize("source", [3, None, ["x"], "method: grid\nparameters: {}"])
def test_what_is_no_path_and_no_dict_is_refused(source: Any) -> None:
    with pytest.raises(SpecInvalid):
        load(source)


@pytest.mark.parametrize("key", [1, None, ("a",), pytest.param(10**5000, id="huge")])
def test_keys_of_a_dict_must_be_strings(key: Any) -> None:
    with pytest.raises(SpecInvalid, match="keys must be strings"):
        load({"method": "random", "parameters": {key: {"value": 1}}})


def test_a_dict_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"method": "random"}
    endless["parameters"] = endless
    with pytest.raises(SpecInvalid, match="nested deeper than 64 levels"):
        load(endless)


def test_a_fault_in_an_anchor_is_told_once_for_each_use_at_the_anchor() -> None:
    text = "method: random\nparameters:\n  a: &x {min: 3, max: 1}\n  b: *x\n"
    with pytest.raises(SpecInvalid) as caught:
        load_text(text)
    assert [(fault.where, fault.line) for fault in caught.value.faults] == [
        ("parameters.a.min", 3),
        ("parameters.b.min", 3),
    ]


def test_a_thousand_faults_are_cut() -> None:
    parameters = {f"p{i}": {"min": 1, "max": 0} for i in range(1000)}
    found = faults(parameters=parameters)
    assert len(found) == 101
    assert found[-1].message == "… and 900 more faults"
