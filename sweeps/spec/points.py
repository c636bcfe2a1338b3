"""Reads `initial`, the points to try first, and holds them against the space."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.space import Constant, Distribution, IntUniform, SearchSpace
from sweeps.space.values import show
from sweeps.spec.kinds import INVALID, Anything, Kind, Schema
from sweeps.spec.parameters import Declared
from sweeps.spec.report import Report, found, join, nearest
from sweeps.spec.source.node import Entry, Node


class Points(Kind):
    """A list of mappings. What they may hold depends on the space, which `read_points` knows."""

    def check(self, node: Node, where: str, report: Report) -> list[Node] | Any:
        if not isinstance(node.value, list):
            report.fault(node.place, where, f"must be a list of mappings, {found(node)}", "such as [{lr: 0.1}]")
            return INVALID
        for position, item in enumerate(node.value):
            if not isinstance(item.value, dict):
                message = f"must be a mapping of parameters to values, {found(item)}"
                report.fault(item.place, join(where, position), message, "such as {lr: 0.1}")
        return node.value

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "object"}}


@dataclass(frozen=True, slots=True)
class _Given:
    where: str
    entry: Entry


def read_points(
    items: Sequence[Node], declared: Sequence[Declared], method: str, report: Report
) -> list[dict[str, Any]]:
    """The flat points without repetitions; faults go to the report."""
    return [
        _read_point(item, join("initial", position), declared, method, report)
        for position, item in enumerate(items)
        if isinstance(item.value, dict)
    ]


def distinct(points: Sequence[dict[str, Any]], space: SearchSpace) -> tuple[dict[str, Any], ...]:
    """The points, each once, in the order given."""
    first: dict[Hashable, dict[str, Any]] = {}
    for point in points:
        first.setdefault(space.canonical(point), point)
    return tuple(first.values())


def _read_point(item: Node, where: str, declared: Sequence[Declared], method: str, report: Report) -> dict[str, Any]:
    given: dict[str, _Given] = {}
    _collect(item, where, "", [one.name for one in declared], given, report)
    point: dict[str, Any] = {}
    for one in declared:
        distribution = one.parameter.distribution if one.parameter else None
        if one.name in given:
            point[one.name] = _checked(given[one.name], distribution, method, report)
        elif isinstance(distribution, Constant):
            point[one.name] = distribution.value  # it has one value only: nobody needs to repeat it
        else:
            report.fault(item.place, where, f"the parameter {one.name} is missing", "a point names every parameter")
    return point


def _collect(
    item: Node, where: str, prefix: str, names: Sequence[str], given: dict[str, _Given], report: Report
) -> None:
    """Nested and dotted names become flat ones."""
    for key, entry in item.entries().items():
        name, place = join(prefix, key), join(where, key)
        if name in given:
            report.fault(entry.place, place, f"{name} is given a second time, nested and dotted")
        elif name in names:
            given[name] = _Given(place, entry)
        elif isinstance(entry.node.value, dict) and any(other.startswith(f"{name}.") for other in names):
            _collect(entry.node, place, name, names, given, report)
        else:
            report.fault(entry.place, place, f"{name} is no parameter of this sweep", nearest(name, names))


def _checked(given: _Given, distribution: Distribution | None, method: str, report: Report) -> Any:
    value = Anything().check(given.entry.node, given.where, report)
    if value is INVALID or distribution is None:
        return value
    inside = distribution.on_grid(value) if method == "grid" else distribution.contains(value)
    if not inside:
        message = f"{show(value, 40)} is no value of this parameter"
        report.fault(given.entry.node.place, given.where, message, f"it is {distribution.describe()}")
    return int(value) if inside and isinstance(distribution, IntUniform) else value
