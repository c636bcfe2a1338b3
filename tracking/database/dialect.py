"""SQL that SQLite and PostgreSQL spell differently, and column types that both keep alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, Text, TextClause, bindparam, or_, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Float, TypeDecorator

from tracking.database.json_text import dumps, loads

__all__ = ["Json", "Words", "clock", "dumps", "loads", "one_of", "storable", "upsert"]


class clock(FunctionElement[float]):
    """The time of the database as Unix seconds (written small, as SQL functions are)."""

    type = Float()
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(element: clock, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _postgres_clock(element: clock, compiler: Any, **options: Any) -> str:
    # Not now(), which is the begin of the transaction: a lease taken after a wait for a lock would be short.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class Words(TypeDecorator[str]):
    """Text from users and programs: NUL and lone surrogates, which databases refuse, are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Json(TypeDecorator[Any]):
    """JSON as strict text: keeps NaN, infinities and NUL (see json_text), which PostgreSQL's own JSON types refuse."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else loads(value)


def one_of(column: Column[str], states: Iterable[StrEnum]) -> ColumnElement[bool]:
    """`column IN (states)` in a form that serves executemany too."""
    return or_(*(column == state.value for state in states))


def storable(value: str) -> str:
    """The text as both databases can keep it."""
    if value.isprintable():
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def upsert(table: Table, keys: Sequence[str]) -> TextClause:
    """INSERT that replaces every other column of a row with the same keys; both databases know this form."""
    names = [column.name for column in table.columns]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return text(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    ).bindparams(*(bindparam(column.name, type_=column.type) for column in table.columns))
