"""The JSON Schema accepts what the parser accepts, and refuses the same mistakes of single values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from sweeps.errors import SpecInvalid
from sweeps.spec.families import FAMILIES, VALUE_KEYS
from sweeps.spec.loading import load
from sweeps.spec.macros import LISTS, WORDS
from sweeps.spec.schema import json_schema
from sweeps.spec.tables import EARLY_TERMINATE, METRIC, TOP
from tests.unit.test_spec import DOCUMENTS, GROUPS

SCHEMA = Draft202012Validator(json_schema())
A = {"a": {"values": [1, 2]}}

GOOD: list[dict[str, Any]] = [
    {},
    {"method": "grid", "parameters": {"a": {"value": 1}, "b": {"parameters": {"c": {"min": 1, "max": 4}}}}},
    {"method": "bayes", "metric": {"name": "x", "goal": "maximize", "impute_while_running": False}},
    {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2}},
    {"parameters": {"a": {"distribution": "log_uniform", "min": -3, "max": 1}}},
    {"parameters": {"a": {"distribution": "q_beta", "a": 2, "q": 0.1}}},
    {"parameters": {"a": {"values": [None, True, [1], {"x": 1}], "probabilities": [0.25, 0.25, 0.25, 0.25]}}},
    {"command": ["python", "x.py", 3, "${args}"], "run_cap": 3, "budget": {"trials": 2}, "retry": {"max": 1}},
    {"seed": 3, "initial": [{"a": 1}], "name": "", "controller": {"type": "cloud"}, "apiVersion": "v1"},
]
BAD: list[dict[str, Any]] = [
    {"method": "custom"},
    {"method": "tpe"},
    {"methode": "grid"},
    {"parameters": {}},
    {"parameters": {"1a": {"value": 1}}},
    {"parameters": {"a": 3}},
    {"parameters": {"a": {}}},
    {"parameters": {"a": {"min": 1}}},
    {"parameters": {"a": {"min": True, "max": 2}}},
    {"parameters": {"a": {"min": "1", "max": 2}}},
    {"parameters": {"a": {"values": []}}},
    {"parameters": {"a": {"value": 1, "values": [1]}}},
    {"parameters": {"a": {"min": 0, "max": 2, "q": 1}}},
    {"parameters": {"a": {"distribution": "unifrm", "min": 1, "max": 2}}},
    {"parameters": {"a": {"distribution": "uniform", "min": 1}}},
    {"parameters": {"a": {"distribution": "uniform", "min": 1, "max": 2, "mu": 1}}},
    {"parameters": {"a": {"distribution": "log_uniform_values", "min": 0, "max": 2}}},
    {"parameters": {"a": {"distribution": "int_uniform", "min": 0.5, "max": 2}}},
    {"parameters": {"a": {"distribution": "normal", "sigma": 0}}},
    {"parameters": {"a": {"value": 1, "when": {"b": 1}}}},
    {"parameters": {"a": {"parameters": {"b": {"values": []}}}}},
    {"method": "bayes"},
    {"early_terminate": {"type": "hyperband", "min_iter": 1}},
    {"metric": {"goal": "minimize"}},
    {"metric": {"name": "x", "goal": "min"}},
    {"metric": {"name": " "}},
    {"metrics": [{"name": "x"}, {"name": "y"}]},
    {"early_terminate": {"type": "asha", "min_iter": 1}, "metric": {"name": "x"}},
    {"early_terminate": {"min_iter": 1}, "metric": {"name": "x"}},
    {"run_cap": 0},
    {"run_cap": "3"},
    {"budget": {"hours": 3}},
    {"retry": {"max": -1}},
    {"seed": -1},
    {"command": "python x.py"},
    {"command": []},
    {"program": ""},
    {"initial": {"a": 1}},
    {"initial": [3]},
    {"timeout": "2h"},
]


def document(part: dict[str, Any]) -> dict[str, Any]:
    return {"method": "random", "parameters": A} | part


def test_the_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema(), allow_nan=False)


@pytest.mark.parametrize("part", GOOD, ids=str)
def test_schema_and_parser_accept(part: dict[str, Any]) -> None:
    load(document(part))
    SCHEMA.validate(document(part))


@pytest.mark.parametrize("part", BAD, ids=str)
def test_schema_and_parser_refuse(part: dict[str, Any]) -> None:
    with pytest.raises(SpecInvalid):
        load(document(part))
    assert not SCHEMA.is_valid(document(part))


@given(GROUPS)
@settings(max_examples=50)
def test_the_schema_accepts_every_space_that_the_parser_accepts(group: Any) -> None:
    assert SCHEMA.is_valid({"method": "random", "parameters": group})


@given(DOCUMENTS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_schema_refuses_the_parser_refuses(found: dict[str, Any]) -> None:
    try:
        json.dumps(found, allow_nan=False)
        load(found)
    except (SpecInvalid, TypeError, ValueError):
        return
    assert SCHEMA.is_valid(found)


def test_every_key_is_described() -> None:
    properties = json_schema()["properties"]
    assert set(properties) == set(TOP.keys) - {"metrics"}
    assert all(rule["description"] for rule in properties.values())


def test_the_reference_page_names_every_key_distribution_and_macro() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweep-yaml.md").read_text(encoding="utf-8")
    keys = {*TOP.keys, *TOP.refused, *METRIC.keys, *EARLY_TERMINATE.keys, *VALUE_KEYS, *FAMILIES} - {"on_nan"}
    macros = {f"${{{name}}}" for name in (*WORDS, *LISTS)}
    assert [name for name in sorted(keys | macros) if f"`{name}`" not in page] == []
