"""The word that `sweep init` writes where only a person knows what belongs there, and the warning while it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sweeps.space import Categorical, Constant, Distribution
from sweeps.spec.parameters import Declared
from sweeps.spec.parts import Settings
from sweeps.spec.report import Report, join
from sweeps.spec.source.node import Node

PLACEHOLDER = "CHANGE_ME"


def placeholders(spec: Settings) -> list[str]:
    """What is still to be filled in: elements of `command`, and parameters by `name: CHANGE_ME`."""
    parameters = [one.name for one in spec.space if _holds(one.distribution)]
    return [*filter(_is_placeholder, spec.command or ()), *(f"{name}: {PLACEHOLDER}" for name in parameters)]


def warn_of_placeholders(root: Node, command: Sequence[str], declared: Sequence[Declared], report: Report) -> None:
    """Every run would get the word itself, which is allowed and never meant."""
    message = f"still says {PLACEHOLDER}: put in what belongs there"
    for position, element in enumerate(command):
        if _is_placeholder(element):
            item = root.entries()["command"].node.value[position]
            report.warn(item.place, join("command", position), message)
    for one in declared:
        if one.parameter is not None and _holds(one.parameter.distribution):
            where = join("parameters", ".parameters.".join(one.parameter.path))
            report.warn(one.place, where, message)


def _holds(distribution: Distribution) -> bool:
    return any(map(_is_placeholder, _alternatives(distribution)))


def _alternatives(distribution: Distribution) -> Iterator[Any]:
    if isinstance(distribution, Constant):
        yield distribution.value
    elif isinstance(distribution, Categorical):
        yield from distribution.values


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and PLACEHOLDER in value
