"""Turns the conditions of the public Api into SQL; each leaf is true or false, never unknown, so that NOT is right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, exists, false, func, not_, or_, true, type_coerce

from tracking.database.dialect import clock, storable
from tracking.database.json_text import escaped_text, plain_text
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
from tracking.store.queries_json import JsonValue, PostgresValue, SqliteValue, among, texts_of_list
from tracking.store.tables import RUNS

Expression = ColumnElement[Any]
_COLUMNS: dict[str, Expression] = {**{column.name: column for column in RUNS.c}, "group": RUNS.c.run_group}
Distinct = Callable[[Any, Any], Iterable[str]]
"""The distinct texts of an expression among the runs that are looked at; the second is a table to join, or None."""
_COMPARISONS = {"gt": "__gt__", "gte": "__ge__", "lt": "__lt__", "lte": "__le__", "eq": "__eq__"}


class Translator:
    """Conditions on the table of runs; `documents` are what its `config` and `summary` are as JSON."""

    def __init__(self, documents: dict[str, Expression], distinct: Distinct, *, sqlite: bool) -> None:
        self._documents, self._distinct, self._sqlite = documents, distinct, sqlite

    def where(self, condition: Condition) -> Expression:
        """The condition in SQL."""
        match condition:
            case AllHold(parts):
                return and_(true(), *map(self.where, parts))
            case OneHolds(parts):
                return or_(false(), *map(self.where, parts))
            case Not(part):
                return not_(self.where(part))
        return func.coalesce(self._leaf(condition), false())

    def order(self, order: Order) -> list[Expression]:
        """What to sort by."""
        field = order.field
        if field.kind in ("config", "summary"):
            value = self._json(field)
            keys = [func.coalesce(value.number, value.truth), value.text]
        elif field.kind in ("text", "either"):
            keys = [self._in_order(func.nullif(_COLUMNS[field.column or "name"], ""))]
        else:
            keys = [self._column(field)]
        return [(key.desc() if order.descending else key.asc()).nulls_last() for key in keys]

    # -- leaves -----------------------------------------------------------------------------------

    def _leaf(self, condition: Compare | OneOf | Exists | Matches) -> Expression:
        kind = condition.field.kind
        if kind in ("config", "summary"):
            return self._json_leaf(condition)
        if kind == "tags":
            return self._tags_leaf(condition)
        if kind == "either":
            return or_(*(self._text_leaf(condition, _COLUMNS[name]) for name in ("id", "name")))
        if kind == "text":
            return self._text_leaf(condition, _COLUMNS[condition.field.column])
        return self._number_leaf(condition)

    def _json_leaf(self, condition: Compare | OneOf | Exists | Matches) -> Expression:
        value = self._json(condition.field)
        match condition:
            case Exists():
                return value.present
            case Compare(_, "eq", wanted):
                return _json_equals(value, [wanted])
            case OneOf(_, several):
                return _json_equals(value, several)
            case Compare(_, op, wanted):
                if isinstance(wanted, str):
                    return _compared(value.text, op, escaped_text(wanted))
                return false() if _is_nan(wanted) else _compared(value.number, op, value.operand(wanted))  # type: ignore[arg-type]
            case Matches(_, pattern):
                return value.text.in_(self._fitting(pattern, value.text, None))

    def _tags_leaf(self, condition: Compare | OneOf | Exists | Matches) -> Expression:
        tags = type_coerce(RUNS.c.tags, Text)
        if isinstance(condition, Exists):
            return tags != "[]"
        table = texts_of_list(tags, sqlite=self._sqlite)
        value = self._in_order(table.c.value)
        match condition:
            case Compare(_, _, None):
                return tags == "[]"
            case Compare(_, op, wanted):
                return exists().where(_compared(value, op, escaped_text(str(wanted))))
            case OneOf(_, several):
                texts = [escaped_text(str(wanted)) for wanted in several if wanted is not None]
                held = exists().where(value.in_(among(texts, sqlite=self._sqlite)))
                return or_(held, tags == "[]") if None in several else held
            case Matches(_, pattern):
                return exists().where(value.in_(self._fitting(pattern, value, table)))

    def _text_leaf(self, condition: Compare | OneOf | Exists | Matches, column: Expression) -> Expression:
        ordered = self._in_order(column)
        match condition:
            case Exists():
                return column != ""
            case Compare(_, "eq", wanted):
                return column == _stored(wanted)
            case Compare(_, op, wanted):
                return and_(column != "", _compared(ordered, op, _stored(wanted)))
            case OneOf(_, several):
                return ordered.in_(among([_stored(wanted) for wanted in several], sqlite=self._sqlite))
            case Matches(_, pattern):
                return and_(column != "", ordered.in_(self._fitting(pattern, ordered, None)))

    def _number_leaf(self, condition: Compare | OneOf | Exists | Matches) -> Expression:
        column = self._column(condition.field)
        match condition:
            case Compare(_, _, None):
                return column.is_(None)
            case Compare(_, op, wanted):
                return false() if _is_nan(wanted) else _compared(column, op, wanted)
            case OneOf(_, several):
                equal = [column == wanted for wanted in several if wanted is not None and not _is_nan(wanted)]
                return or_(false(), *equal, *([column.is_(None)] if None in several else []))
        return column.is_not(None)

    def _column(self, field: Field) -> Expression:
        if field.column == "duration":
            return func.coalesce(_COLUMNS["finished_at"], clock()) - _COLUMNS["started_at"]
        found: Expression = _COLUMNS[field.column]
        return found

    def _json(self, field: Field) -> JsonValue:
        document = self._documents[field.kind]
        return SqliteValue(document, field.paths) if self._sqlite else PostgresValue(document, field.paths)

    def _in_order(self, text: Expression) -> Expression:
        """Text compared by its code points, as SQLite does."""
        return text if self._sqlite else text.collate("C")

    def _fitting(self, pattern: str, text: Expression, table: Any) -> Any:
        """The texts there are that a pattern fits: Python looks, so that patterns mean the same everywhere."""
        search = re.compile(pattern).search
        found = [stored for stored in self._distinct(text, table) if search(plain_text(stored))]
        return among(found, sqlite=self._sqlite)


def _json_equals(value: JsonValue, several: Sequence[Any]) -> Expression:
    """Equal to one of the values, each compared as what it is."""
    texts = [escaped_text(wanted) for wanted in several if isinstance(wanted, str)]
    bools = [int(wanted) for wanted in several if isinstance(wanted, bool)]
    numbers = [wanted for wanted in several if isinstance(wanted, int | float) and not isinstance(wanted, bool)]
    ways: list[Expression] = [false()]
    if texts:
        ways.append(value.text.in_(texts))
    if bools:
        ways.append(value.truth.in_(bools))
    if finite := [wanted for wanted in numbers if not _is_nan(wanted)]:
        ways.append(value.number.in_([value.operand(wanted) for wanted in finite]))
    if len(finite) < len(numbers):
        ways.append(value.is_nan)
    if None in several:
        ways += [value.is_null, not_(value.present)]
    return or_(*(func.coalesce(way, false()) for way in ways))


def _compared(left: Expression, op: str, right: Any) -> Expression:
    result: Expression = getattr(left, _COMPARISONS[op])(right)
    return result


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _stored(value: Any) -> str:
    return "" if value is None else storable(str(value))
