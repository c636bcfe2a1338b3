"""Reads the `parameters` of a sweep.yaml, nested ones too, into named distributions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.space import Distribution, LogUniform, Parameter, Quantized, Uniform
from sweeps.space.values import show
from sweeps.spec.families import FAMILIES, VALUE_KEYS, Family
from sweeps.spec.kinds import INVALID, Choice, Kind, Schema
from sweeps.spec.report import Report, found, join, nearest
from sweeps.spec.source.node import Entry, Node, Place

NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
LATER = "is not yet supported"
_NAME = re.compile(NAME.replace("$", r"\Z"))
_STEP_LIMIT = 2**53
_STRUCTURE = ("distribution", "parameters")
_REFUSED = {"when": f"conditions: `when` {LATER}"}
_KEYS = (*VALUE_KEYS, *_STRUCTURE)
FAMILY_NAMES = Choice(tuple(FAMILIES))


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter of the file; `distribution` is None when it has faults."""

    parameter: Parameter | None
    name: str
    place: Place


class Parameters(Kind):
    """The mapping of names to distributions or nested mappings."""

    def check(self, node: Node, where: str, report: Report) -> list[Declared] | Any:
        """Every parameter, in the order of the file."""
        return _read_group(node, where, (), {}, report)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/parameters"}


def _read_group(
    node: Node, where: str, path: tuple[str, ...], taken: dict[str, Place], report: Report
) -> list[Declared] | Any:
    if not isinstance(node.value, dict):
        report.fault(node.place, where, f"must be a mapping of names to distributions, {found(node)}")
        return INVALID
    if not node.value:
        report.fault(node.place, where, "must have at least one parameter", "such as `lr: {min: 0.001, max: 0.1}`")
    declared: list[Declared] = []
    for name, entry in node.entries().items():
        declared += _read(name, entry, join(where, name), (*path, name), taken, report)
    return declared


def _read(
    name: str, entry: Entry, where: str, path: tuple[str, ...], taken: dict[str, Place], report: Report
) -> list[Declared]:
    if not _NAME.match(name):
        hint = "a letter or _ first, then letters, digits, _ . -"
        report.fault(entry.place, where, f"{show(name)} is no name for a parameter", hint)
    node = entry.node
    if not isinstance(node.value, dict):
        report.fault(node.place, where, f"must be a mapping, {found(node)}", _as_mapping(node))
        return [Declared(None, ".".join(path), entry.place)]
    if "parameters" in node.value and "distribution" not in node.value:
        return _read_nested(node, where, path, taken, report)
    flat = ".".join(path)
    if flat in taken:
        line = f" in line {taken[flat].line}" if taken[flat].line else ""
        message = f"the name {flat} is taken: a nested and a dotted name meet here; the other one stands{line}"
        report.fault(entry.place, where, message, "rename one of them")
    taken.setdefault(flat, entry.place)
    distribution = read_distribution(node, where, report)
    return [Declared(Parameter(flat, path, distribution) if distribution else None, flat, entry.place)]


def _read_nested(
    node: Node, where: str, path: tuple[str, ...], taken: dict[str, Place], report: Report
) -> list[Declared]:
    for key, entry in node.entries().items():
        if key != "parameters":
            message = _REFUSED.get(key, "a nested mapping has the key `parameters` and no other")
            report.fault(entry.place, join(where, key), message)
    group = _read_group(node.value["parameters"].node, join(where, "parameters"), path, taken, report)
    return [] if group is INVALID else group


def read_distribution(node: Node, where: str, report: Report) -> Distribution | None:
    """The distribution of one parameter; None when it has faults, which are reported."""
    _refuse_unknown(node, where, report)
    family = _family(node, where, report)
    if family is None:
        return None
    values = _values(family, node, where, report)
    if values is None or not _related(family, values, node, where, report):
        return None
    distribution = family.build(values)
    _warn_of_exponents(family, distribution, node, where, report)
    return distribution if _fits(distribution, node, where, report) else None


def _refuse_unknown(node: Node, where: str, report: Report) -> None:
    for key, entry in node.entries().items():
        if key in _REFUSED:
            report.fault(entry.place, join(where, key), _REFUSED[key])
        elif key not in _KEYS:
            report.fault(entry.place, join(where, key), "unknown key", nearest(key, _KEYS))


def _family(node: Node, where: str, report: Report) -> Family | None:
    keys = node.entries()
    if "distribution" in keys:
        name = FAMILY_NAMES.check(keys["distribution"].node, join(where, "distribution"), report)
        return None if name is INVALID else FAMILIES[name]
    if "value" in keys:
        return FAMILIES["constant"]
    if "values" in keys:
        return FAMILIES["categorical"]
    if "min" in keys and "max" in keys:
        return _family_of_bounds(keys)
    _explain_nothing(node, where, report)
    return None


def _family_of_bounds(keys: Mapping[str, Entry]) -> Family:
    bounds = [keys[key].node.value for key in ("min", "max")]
    whole = all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds)
    return FAMILIES["int_uniform" if whole else "uniform"]


def _explain_nothing(node: Node, where: str, report: Report) -> None:
    keys = [key for key in node.entries() if key in _KEYS]
    if "min" in keys or "max" in keys:
        report.fault(node.place, where, f"the key {'max' if 'min' in keys else 'min'} is missing")
    elif keys:
        names = [name for name, family in FAMILIES.items() if set(keys) <= set(family.keys)]
        hint = f"name one: {', '.join(names)}" if names else ""
        report.fault(node.place, where, "the key distribution is missing", hint)
    elif not node.entries():
        report.fault(
            node.place, where, "says nothing about its values", "give value, values, min and max, or parameters"
        )


def _values(family: Family, node: Node, where: str, report: Report) -> dict[str, Any] | None:
    """The checked values of the family's keys; None after a fault."""
    values: dict[str, Any] = {}
    fine = True
    for key, entry in node.entries().items():
        place = join(where, key)
        if key in family.keys:
            values[key] = family.keys[key].kind.check(entry.node, place, report)
            fine = fine and values[key] is not INVALID
        elif key != "distribution" and key in _KEYS:
            report.fault(entry.place, place, f"is no key of {family.name}", _foreign_hint(family, key, node))
            fine = False
    for key, rule in family.keys.items():
        if rule.required and key not in values:
            report.fault(node.place, where, f"the key {key} is missing: {family.name} needs it")
            fine = False
    return values if fine else None


def _foreign_hint(family: Family, key: str, node: Node) -> str:
    if "distribution" not in node.entries():
        names = [name for name, other in FAMILIES.items() if {key, *family.keys} <= set(other.keys)]
        if names:
            return f"add `distribution:` with one of {', '.join(names)}"
    return f"its keys: {', '.join(family.keys)}"


def _related(family: Family, values: Mapping[str, Any], node: Node, where: str, report: Report) -> bool:
    """Checks of one value against another."""
    keys = node.entries()
    if "min" in values and values["min"] >= values["max"]:
        message = f"min {show(values['min'])} must be less than max {show(values['max'])}"
        hint = f"for a fixed value write `value: {show(values['min'])}`" if values["min"] == values["max"] else ""
        report.fault(keys["min"].node.place, join(where, "min"), message, hint)
        return False
    if "probabilities" in values:
        return _check_weights(values, keys["probabilities"].node, join(where, "probabilities"), report)
    return True


def _check_weights(values: Mapping[str, Any], node: Node, where: str, report: Report) -> bool:
    weights, alternatives = values["probabilities"], values["values"]
    if len(weights) != len(alternatives):
        message = f"{len(weights)} probabilities for {len(alternatives)} values"
        report.fault(node.place, where, message, "one for each value, in the same order")
        return False
    total = math.fsum(weights)
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        report.fault(node.place, where, f"must sum to 1, but sum to {total:.6g}")
        return False
    return True


def _fits(distribution: Distribution, node: Node, where: str, report: Report) -> bool:
    """Checks of the finished distribution: exponents and steps may leave nothing to draw."""
    if isinstance(distribution, LogUniform) and not 0 < distribution.low < distribution.high:
        report.fault(node.place, where, "the bounds are too close for numbers of this size")
        return False
    if not isinstance(distribution, Quantized):
        return True
    largest = max(abs(bound) for bound in distribution.bounds if math.isfinite(bound)) if _bounded(distribution) else 0
    if largest / distribution.q > _STEP_LIMIT:
        report.fault(node.place, where, f"q {show(distribution.q)} is too small for this range")
        return False
    if not isinstance(distribution.base, Uniform) and distribution.is_empty:  # a uniform one may still have a grid
        report_empty(distribution, node.place, where, report)
        return False
    return True


def report_empty(distribution: Quantized, place: Place, where: str, report: Report) -> None:
    """The fault of a range without any multiple of q."""
    low, high = (show(bound) for bound in distribution.bounds)
    report.fault(
        place, where, f"no multiple of q {show(distribution.q)} lies between {low} and {high}", "use a smaller q"
    )


def _bounded(distribution: Quantized) -> bool:
    return any(math.isfinite(bound) for bound in distribution.bounds)


def _warn_of_exponents(family: Family, distribution: Distribution, node: Node, where: str, report: Report) -> None:
    if not family.exponents:
        return
    base = distribution.base if isinstance(distribution, Quantized) else distribution
    low, high = (show(bound) for bound in (base.low, base.high)) if isinstance(base, LogUniform) else ("", "")
    place = node.entries()["distribution"].node.place
    message = f"the bounds of {family.name} are natural-log exponents: this draws between {low} and {high}"
    report.warn(place, where, message, f"for bounds that are values write {family.name}_values")


def _as_mapping(node: Node) -> str:
    """How to write what was most likely meant."""
    if isinstance(node.value, list):
        return "for alternatives write `values: […]`"
    if node.value is None:
        return "give value, values, min and max, or parameters"
    return f"for a fixed value write {{value: {show(node.value, 30)}}}"
