"""Collects the faults and warnings of one specification, in the order of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from sweeps.errors import Fault, SpecInvalid
from sweeps.space.values import show
from sweeps.spec.source.node import Node, Place

_LIMIT = 100  # a broken generator may make a fault per line: nobody reads more


class Report:
    """All that is wrong or odd about one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._faults: list[tuple[Place, Fault]] = []
        self._warnings: list[tuple[Place, Fault]] = []

    def fault(self, place: Place, where: str, message: str, hint: str = "") -> None:
        """Note a fault; parsing goes on, to find the others."""
        self._faults.append((place, Fault(message, where, place.line, place.column, hint)))

    def warn(self, place: Place, where: str, message: str, hint: str = "") -> None:
        """Note something that is allowed but most likely not meant."""
        self._warnings.append((place, Fault(message, where, place.line, place.column, hint)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings as lines for people."""
        return tuple(fault.render(self.source) for fault in _in_order(self._warnings))

    def raise_if_faulty(self) -> None:
        """Raises SpecInvalid with every fault."""
        if self._faults:
            faults = _in_order(self._faults)
            if len(faults) > _LIMIT:
                faults[_LIMIT:] = [Fault(f"… and {len(faults) - _LIMIT} more faults")]
            raise SpecInvalid(faults, self.source)


def _in_order(found: list[tuple[Place, Fault]]) -> list[Fault]:
    ordered: dict[Fault, None] = {}  # an anchor that is used twice brings the same fault twice
    for _, fault in sorted(found, key=lambda pair: (pair[0].line, pair[0].column, pair[0].order)):
        ordered.setdefault(fault)
    return list(ordered)


def join(where: str, key: str | int) -> str:
    """`a.b` for keys, `a[2]` for positions."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    return f"{where}.{key}" if where else key


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`did you mean …?`, else the names allowed."""
    names = list(allowed)
    lowered = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower()[:200], lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]}?"
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"allowed: {shown}"


def found(node: Node) -> str:
    """What stands there, for people: `found "abc" (a string)`."""
    value: Any = node.value
    if isinstance(value, dict):
        return "found a mapping"
    if isinstance(value, list):
        return "found a list"
    if value is None:
        return "found nothing" if node.raw == "" else "found null"
    return f"found {show(value, 40)} ({_type_name(value)})"


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    return "a number" if isinstance(value, float) else "a string"
