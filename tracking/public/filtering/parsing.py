"""Reads Mongo-like filters and orders into conditions; what is wrong is said with its place and the nearest name."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal, cast

from tracking.errors import UsageError
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
    Scalar,
)
from tracking.public.filtering.fields import field

_GROUPS = ("$and", "$or", "$nor")
_ORDERED = ("$gt", "$gte", "$lt", "$lte")
_OPERATORS = ("$eq", "$ne", *_ORDERED, "$in", "$nin", "$exists", "$regex", "$not")
_DEEPEST = 50


def parse(filters: Mapping[str, Any] | None) -> Condition | None:
    """The condition that a filter means; None for no filter.

    Several keys of a mapping all have to hold. Raises UsageError.
    """
    if not filters:
        return None
    return _document(filters, "filters", 0)


def parse_order(order: str | Iterable[str] | None) -> tuple[Order, ...]:
    """`"-summary_metrics.acc,+created_at"`, or a list of such words; without a sign it is +. Raises UsageError."""
    words = order.split(",") if isinstance(order, str) else list(order or ())
    return tuple(_order(str(word).strip()) for word in words if str(word).strip())


def _order(word: str) -> Order:
    found = field(word.lstrip("+-"))
    if found.kind == "tags":
        raise UsageError("runs cannot be ordered by their tags")
    return Order(found, word.startswith("-"))


def _document(given: Any, where: str, depth: int) -> Condition:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where}: a filter is a mapping such as {{'config.lr': {{'$lt': 0.1}}}}, not {given!r:.80}")
    if depth > _DEEPEST:
        raise UsageError(f"{where:.80}: a filter may be nested {_DEEPEST} deep at most")
    parts = [_entry(str(key), value, f"{where}[{str(key)!r}]", depth) for key, value in given.items()]
    return parts[0] if len(parts) == 1 else AllHold(tuple(parts))


def _entry(key: str, value: Any, where: str, depth: int) -> Condition:
    if key in _GROUPS:
        return _group(key, value, where, depth)
    if key == "$not":
        return Not(_document(value, where, depth + 1))
    if key.startswith("$"):
        raise UsageError(_unknown(key, where, (*_GROUPS, "$not")))
    return _field_condition(field(key), value, where, depth)


def _group(key: str, value: Any, where: str, depth: int) -> Condition:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise UsageError(f"{where} takes a list of filters, not {value!r:.80}")
    parts = tuple(_document(part, f"{where}[{index}]", depth + 1) for index, part in enumerate(value))
    if key == "$and":
        return AllHold(parts)
    return OneHolds(parts) if key == "$or" else Not(OneHolds(parts))


def _field_condition(found: Field, value: Any, where: str, depth: int) -> Condition:
    if not isinstance(value, Mapping):
        return _compare(found, "eq", value, where)
    if not value:
        raise UsageError(f"{where}: an empty mapping compares with nothing; operators are {', '.join(_OPERATORS)}")
    if depth > _DEEPEST:
        raise UsageError(f"{where:.80}: a filter may be nested {_DEEPEST} deep at most")
    parts = [_operation(found, str(op), operand, f"{where}[{str(op)!r}]", depth) for op, operand in value.items()]
    return parts[0] if len(parts) == 1 else AllHold(tuple(parts))


def _operation(found: Field, op: str, operand: Any, where: str, depth: int) -> Condition:
    if op in _ORDERED:
        return _compare(found, op[1:], operand, where)
    match op:
        case "$eq":
            return _compare(found, "eq", operand, where)
        case "$ne":
            return Not(_compare(found, "eq", operand, where))
        case "$in":
            return _one_of(found, operand, where)
        case "$nin":
            return Not(_one_of(found, operand, where))
        case "$exists":
            return Exists(found) if operand else Not(Exists(found))
        case "$regex":
            return _matches(found, operand, where)
        case "$not":
            return Not(_field_condition(found, operand, where, depth + 1))
    raise UsageError(_unknown(op, where, _OPERATORS))


def _compare(found: Field, op: str, value: Any, where: str) -> Compare:
    operand = _operand(found, value, where)
    if op != "eq" and (operand is None or isinstance(operand, bool)):
        raise UsageError(f"{where}: {operand!r} has no order; it can only be equal ($eq, $ne)")
    return Compare(found, cast(Literal["eq", "gt", "gte", "lt", "lte"], op), operand)


def _one_of(found: Field, values: Any, where: str) -> OneOf:
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise UsageError(f"{where} takes a list, not {values!r:.80}")
    return OneOf(found, tuple(_operand(found, value, where) for value in values))


def _matches(found: Field, pattern: Any, where: str) -> Matches:
    if found.kind in ("number", "time"):
        raise UsageError(f"{where}: {found.name} is no text, so no pattern can fit it")
    if not isinstance(pattern, str):
        raise UsageError(f"{where} takes a regular expression as text, not {pattern!r:.80}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{where}: {pattern!r} is no regular expression: {error}") from error
    return Matches(found, pattern)


def _operand(found: Field, value: Any, where: str) -> Scalar:
    """The value as the field compares. Raises UsageError for what it can never be."""
    if found.kind == "time" and value is not None:
        return _seconds(value, where)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a scalar of numpy
    if value is not None and not isinstance(value, str | int | float):
        kind = type(value).__name__
        raise UsageError(
            f"{where}: {found.name} can be compared with a number, a text, a bool or None, not with a {kind}"
        )
    if found.kind == "number" and value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise UsageError(f"{where}: {found.name} is a number; {value!r} is none")
    if found.kind in ("text", "either", "tags") and value is not None and not isinstance(value, str):
        raise UsageError(f"{where}: {found.name} is a text; {value!r} is none")
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**308 else math.inf if value > 0 else -math.inf
    return str(value) if isinstance(value, str) else value


def _seconds(value: Any, where: str) -> float:
    """Unix seconds of a time: a number, a datetime, or ISO text (UTC where it names no zone)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if not isinstance(moment, datetime):
        raise UsageError(f"{where}: {value!r} is no time; write one as 2026-05-31T12:00:00 (UTC) or as Unix seconds")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _unknown(op: str, where: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(op, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
    return f"{where}: no operator {op!r}{hint}"
