"""The JSON Schema of a sweep.yaml for editors, made from the tables that the parser reads."""

from __future__ import annotations

from sweeps.spec.families import FAMILIES, VALUE_KEYS, Family
from sweeps.spec.kinds import Key, Schema
from sweeps.spec.parameters import NAME
from sweeps.spec.tables import TOP

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Schema:
    """The schema (draft 2020-12). It knows every rule about one value; rules between values are the parser's alone."""
    schema = TOP.schema()
    del schema["properties"]["metrics"]  # refused until it is supported
    return {
        "$schema": DRAFT,
        "title": "Sweepwright sweep.yaml",
        **schema,
        "allOf": [_metric_needed("method", {"const": "bayes"}), _metric_needed("early_terminate", {})],
        "$defs": {
            "parameters": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/parameter"},
            },
            "parameter": _parameter(),
        },
    }


def _metric_needed(key: str, rule: Schema) -> Schema:
    return {"if": {"properties": {key: rule}, "required": [key]}, "then": {"required": ["metric"]}}


def _parameter() -> Schema:
    """One branch for each `distribution`, and those that are told from the keys alone."""
    inferred = [_branch(FAMILIES[name], {}) for name in ("constant", "categorical", "uniform")]
    nested = {
        "properties": {"parameters": {"$ref": "#/$defs/parameters"}},
        "required": ["parameters"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "distribution": {"enum": list(FAMILIES), "description": "which distribution, where the keys do not tell"},
            **{name: {"description": key.about} for name, key in VALUE_KEYS.items()},
            "parameters": {"description": "a nested mapping of parameters"},
        },
        "if": {"required": ["distribution"]},
        "then": {"allOf": [_if_named(family) for family in FAMILIES.values()]},
        "else": {"anyOf": [*inferred, nested]},
    }


def _if_named(family: Family) -> Schema:
    name = {"distribution": {"const": family.name, "description": family.about}}
    return {"if": {"properties": name}, "then": _branch(family, name)}


def _branch(family: Family, extra: Schema) -> Schema:
    properties = extra | {name: _described(key) for name, key in family.keys.items()}
    required = [name for name, key in family.keys.items() if key.required]
    return {"properties": properties, "required": required, "additionalProperties": False}


def _described(key: Key) -> Schema:
    default = {} if key.default is None else {"default": key.default}
    return key.kind.schema() | {"description": key.about} | default
