"""What filters and orders mean, in plain Python: the contract tests compare the databases with it."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracking.database.json_text import escaped_text
from tracking.public.filtering.conditions import (
    AllHold,
    Compare,
    Condition,
    Exists,
    Field,
    Matches,
    Not,
    OneHolds,
    OneOf,
    Order,
)

MISSING = object()
BLANK = object()
"""A field without a text: missing, and equal to ""."""


@dataclass
class Example:
    """A run for the tests."""

    id: str
    name: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    state: str = "finished"
    sweep_id: str = ""
    trial: int | None = None
    started_at: float = 1000.0
    finished_at: float | None = 1100.0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def holds(condition: Condition, run: Example) -> bool:
    match condition:
        case AllHold(parts):
            return all(holds(part, run) for part in parts)
        case OneHolds(parts):
            return any(holds(part, run) for part in parts)
        case Not(part):
            return not holds(part, run)
    kind = condition.field.kind
    if kind == "either":
        return any(leaf(condition, value) for value in (run.id, run.name or BLANK))
    if kind == "tags" and not (_asks_for_none(condition) or isinstance(condition, Exists)):
        return any(leaf(condition, tag) for tag in run.tags)
    return leaf(condition, value_of(condition.field, run))


def leaf(condition: Any, value: Any) -> bool:
    match condition:
        case Exists():
            return value is not MISSING and value is not BLANK
        case Compare(_, "eq", wanted):
            return equal(value, wanted)
        case OneOf(_, several):
            return any(equal(value, wanted) for wanted in several)
        case Compare(_, op, wanted):
            return comparable(value, wanted) and getattr(operator, op.replace("te", "e"))(
                _ordered(value), _ordered(wanted)
            )
        case Matches(_, pattern):
            return isinstance(value, str) and re.search(pattern, value) is not None
    raise AssertionError(condition)


def equal(value: Any, wanted: Any) -> bool:
    if value is BLANK:
        return wanted is None or wanted == ""
    if wanted is None:
        return value is MISSING or value is None
    if value is MISSING or value is None or isinstance(value, dict | list):
        return False
    if _class(value) != _class(wanted):
        return False
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(value, float) and math.isnan(value)
    return bool(value == wanted)


def comparable(value: Any, wanted: Any) -> bool:
    return _class(value) == _class(wanted) != "bool" and value is not MISSING and value is not None


def value_of(found: Field, run: Example) -> Any:
    if found.kind in ("config", "summary"):
        document = run.config if found.kind == "config" else run.summary
        places = [_at(document, path) for path in found.paths]
        return next((value for value in places if value is not MISSING), MISSING)
    if found.kind == "tags":
        return run.tags or MISSING
    if found.column == "duration":
        assert run.finished_at is not None
        return run.finished_at - run.started_at
    value = getattr(run, found.column)
    return BLANK if value == "" else MISSING if value is None else value


def in_order(runs: list[Example], orders: tuple[Order, ...]) -> list[Example]:
    """Sorted by the last order first: Python's sort keeps what is equal."""
    for order in reversed(orders):
        runs = _sorted(runs, order)
    return runs


def _sorted(runs: list[Example], order: Order) -> list[Example]:
    numbers: list[tuple[Any, Example]] = []
    texts: list[tuple[Any, Example]] = []
    rest: list[Example] = []
    for run in runs:
        value = value_of(order.field, run) if order.field.kind != "either" else run.name
        if isinstance(value, int | float) and not (isinstance(value, float) and math.isnan(value)):
            numbers.append((value, run))
        elif isinstance(value, str) and (value or order.field.kind in ("config", "summary")):
            texts.append((value, run))
        else:
            rest.append(run)
    ranked: list[Example] = []
    for some in (numbers, texts):
        # Descending, equal ones still in their old order.
        ranked += [run for _, run in sorted(some, key=lambda pair: pair[0], reverse=order.descending)]
    return ranked + rest


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(document, Mapping) or key not in document:
            return MISSING
        document = document[key]
    return document


def _ordered(value: Any) -> Any:
    """Texts are ordered as they are stored: NUL and lone surrogates come late."""
    return escaped_text(value) if isinstance(value, str) else value


def _class(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _asks_for_none(condition: Any) -> bool:
    return (isinstance(condition, Compare) and condition.value is None) or (
        isinstance(condition, OneOf) and None in condition.values
    )
