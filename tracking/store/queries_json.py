"""Reaching into stored JSON by a path: how SQLite and PostgreSQL tell what lies there, as numbers and as texts.

Names and paths are bound, never pasted. What NaN and the infinities look like is said in tracking.database.json_text.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Numeric,
    SQLColumnExpression,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracking.database.json_text import INF, MINUS_INF, NAN, escaped_text

Path = tuple[str, ...]
Expression = ColumnElement[Any]
_NOT_TEXT = (NAN, INF, MINUS_INF)
# What SQLite's path syntax takes between quotes as it is, in every version.
_SIMPLE = re.compile(r"[ !#-\[\]-~]+")
_HUGE = Decimal("1e5000")
"""Infinity as a PostgreSQL numeric: Python writes no whole number with so many digits."""


class JsonValue(ABC):
    """What lies at the first of some paths that is present in a JSON document."""

    @property
    @abstractmethod
    def present(self) -> Expression:
        """Whether anything does, be it null."""

    @property
    @abstractmethod
    def is_null(self) -> Expression: ...

    @property
    @abstractmethod
    def truth(self) -> Expression:
        """1 or 0 for a bool, else NULL."""

    @property
    @abstractmethod
    def raw_text(self) -> Expression:
        """A string as it is stored, the words for NaN and the infinities included; else NULL."""

    @property
    @abstractmethod
    def number(self) -> Expression:
        """A number, the infinities included; NULL for anything else and for NaN."""

    @abstractmethod
    def operand(self, value: float) -> Expression:
        """A number to compare `number` with."""

    @property
    def text(self) -> Expression:
        """A string as json_text.escaped_text() writes it; NULL for anything else."""
        return case((self.raw_text.not_in(_NOT_TEXT), self.raw_text))

    @property
    def is_nan(self) -> Expression:
        return self.raw_text == NAN


class SqliteValue(JsonValue):
    """With SQLite's json functions, which parse a document once for all that one statement asks of its row."""

    def __init__(self, document: Expression, paths: Sequence[Path]) -> None:
        places = [_sqlite_place(document, path) for path in paths]
        kinds = [kind for kind, _ in places]
        self._kind: Expression = kinds[0] if len(kinds) == 1 else func.coalesce(*kinds)
        self._value: Expression = (
            places[0][1] if len(places) == 1 else case(*((kind.is_not(None), value) for kind, value in places))
        )

    @property
    def present(self) -> Expression:
        return self._kind.is_not(None)

    @property
    def is_null(self) -> Expression:
        return self._kind == "null"

    @property
    def truth(self) -> Expression:
        return case((self._kind == "true", 1), (self._kind == "false", 0))

    @property
    def raw_text(self) -> Expression:
        return case((self._kind == "text", self._value))

    @property
    def number(self) -> Expression:
        infinite = case(
            (self._value == INF, literal_column("9e999")), (self._value == MINUS_INF, literal_column("-9e999"))
        )
        return case((self._kind.in_(("integer", "real")), self._value), (self._kind == "text", infinite))

    def operand(self, value: float) -> Expression:
        return literal(value)


class PostgresValue(JsonValue):
    """With jsonb operators; the document is a jsonb already."""

    def __init__(self, document: Expression, paths: Sequence[Path]) -> None:
        nodes = [_postgres_node(document, path) for path in paths]
        self._node: Expression = nodes[0] if len(nodes) == 1 else func.coalesce(*nodes)

    @cached_property
    def _kind(self) -> Expression:
        return func.jsonb_typeof(self._node, type_=Text)

    @cached_property
    def _as_text(self) -> Expression:
        return self._node.op("#>>", return_type=Text())(literal_column("'{}'"))

    @property
    def present(self) -> Expression:
        return self._node.is_not(None)

    @property
    def is_null(self) -> Expression:
        return self._kind == "null"

    @property
    def truth(self) -> Expression:
        return case((self._kind == "boolean", case((self._as_text == "true", 1), else_=0)))

    @property
    def raw_text(self) -> Expression:
        return case((self._kind == "string", self._as_text)).collate("C")

    @property
    def number(self) -> Expression:
        infinite = case((self._as_text == INF, _numeric(_HUGE)), (self._as_text == MINUS_INF, _numeric(-_HUGE)))
        return case((self._kind == "number", cast(self._as_text, Numeric)), (self._kind == "string", infinite))

    def operand(self, value: float) -> Expression:
        if value in (float("inf"), float("-inf")):
            return _numeric(_HUGE if value > 0 else -_HUGE)
        return _numeric(Decimal(repr(value)))  # the digits that stand in the JSON, so that 0.1 equals 0.1


def texts_of_list(document: SQLColumnExpression[Any], *, sqlite: bool) -> Any:
    """The strings of a JSON list as a table with one column, `value`."""
    if sqlite:
        return func.json_each(document).table_valued("value")
    return func.jsonb_array_elements_text(cast(document, JSONB)).table_valued("value").render_derived()


def among(texts: Sequence[str], *, sqlite: bool) -> Any:
    """A subquery of any number of texts, bound as one parameter."""
    table = texts_of_list(bindparam(None, json.dumps(list(texts)), type_=Text), sqlite=sqlite)
    return select(table.c.value)


def _numeric(value: Decimal) -> Expression:
    return cast(bindparam(None, str(value), type_=Text), Numeric)


def _sqlite_place(document: Expression, path: Path) -> tuple[Expression, Expression]:
    """The type and the value at a path."""
    names = [escaped_text(name) for name in path]
    if all(_SIMPLE.fullmatch(name) for name in names):
        place = "$" + "".join(f'."{name}"' for name in names)
        return func.json_type(document, place), func.json_extract(document, place)
    # Older versions of SQLite have no way to write other names in a path.
    inner = document
    for name in names[:-1]:
        inner = _member(inner, name, inner=True)
    return _member(inner, names[-1], column="type"), _member(inner, names[-1])


def _member(document: Expression, name: str, *, column: str = "value", inner: bool = False) -> Expression:
    entries = func.json_each(document).table_valued("key", "value", "type").alias()
    wanted = case((or_(entries.c.type == "object"), entries.c.value), else_=null()) if inner else entries.c[column]
    return select(wanted).where(entries.c.key == name).limit(1).scalar_subquery()


def _postgres_node(document: Expression, path: Path) -> Expression:
    node = document
    for name in path:
        node = node.op("->", return_type=JSONB())(cast(bindparam(None, escaped_text(name), type_=Text), Text))
    return node
