"""Finding runs for the public Api on SQLite and PostgreSQL: each call is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from tracking.database.dialect import upsert
from tracking.database.engine import Database
from tracking.database.json_text import dumps, loads
from tracking.errors import RunNotFound
from tracking.home import part_id
from tracking.journal.parts import SYSTEM, rank, split_id
from tracking.public.contract import HistoryRow, ProjectRow, Query, RunQueries, RunRow
from tracking.store import queries_rows
from tracking.store.contract import FileRecord
from tracking.store.kept_tables import FILES
from tracking.store.layout import SCHEMA
from tracking.store.queries_json import among
from tracking.store.queries_where import Translator
from tracking.store.tables import RUNS

_AT_ONCE = 5000
_COLUMNS = [
    type_coerce(RUNS.c[name], Text)
    for name in (
        "id", "project", "entity", "name", "notes", "run_group", "job_type", "tags", "state", "reason", "exit_code",
        "config", "summary", "sweep_id", "trial", "attempt", "host", "pid", "created_at", "started_at", "finished_at",
        "last_step",
    )
]  # fmt: skip
# Not the bare column: most runs are no part, so its index would be a detour.
_IS_RUN = RUNS.c.part_of.concat("") == ""
_BY_ID = select(*_COLUMNS)
_WRITERS = select(RUNS.c.part_of, RUNS.c.id, RUNS.c.summary, RUNS.c.last_step).where(
    RUNS.c.id != RUNS.c.part_of + part_id("", SYSTEM)
)
_PROJECTS = (
    select(
        RUNS.c.project,
        func.max(RUNS.c.entity),
        func.count(),
        func.min(RUNS.c.created_at),
        func.max(RUNS.c.created_at),
    )
    .where(_IS_RUN)
    .group_by(RUNS.c.project)
)
_EXISTS = select(RUNS.c.id).where(RUNS.c.id == bindparam("in_run"))
_UPSERT_FILE = upsert(FILES, ("run_id", "name"))


def open_queries(url: str | None = None) -> RunQueries:
    """Open what searches the run store at `url` (default: that of the home folder), made or upgraded as needed.

    Raises StoreUrlInvalid, StoreUnavailable, StoreTooNew, StoreOutdated, HomeUnwritable.
    """
    return SqlRunQueries(SCHEMA.open(url))


class SqlRunQueries(RunQueries):
    """The contract on a `Database` whose schema is there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read = database.read

    def count(self, query: Query) -> int:
        return self._read(_count, query, self._database.is_sqlite)

    def ids(self, query: Query) -> list[str]:
        return self._read(_ids, query, self._database.is_sqlite)

    def find(self, query: Query, offset: int = 0, limit: int | None = None) -> list[RunRow]:
        return self._read(_find, query, self._database.is_sqlite, offset, limit)

    def load(self, run_ids: Sequence[str]) -> list[RunRow]:
        return self._read(_load, run_ids)

    def projects(self, entity: str | None = None) -> list[ProjectRow]:
        return self._read(_projects, entity)

    def rows(
        self,
        run_id: str,
        keys: Sequence[str] | None = None,
        start: int = 0,
        stop: int | None = None,
        points: int = 100_000,
    ) -> Iterator[HistoryRow]:
        return queries_rows.rows(self._database, run_id, keys, start, stop, points)

    def values_at(self, run_id: str, keys: Sequence[str], steps: Sequence[int]) -> Mapping[str, Mapping[int, Any]]:
        return self._read(queries_rows.values_at, run_id, keys, steps)

    def add_file(self, file: FileRecord) -> None:
        self._database.write(_add_file, file)

    def close(self) -> None:
        self._database.close()


class _Source:
    """The runs that a query looks at, and its conditions in SQL."""

    def __init__(self, connection: Connection, query: Query, *, sqlite: bool) -> None:
        self._connection, self._query = connection, query
        documents: dict[str, ColumnElement[Any]] = {kind: RUNS.c[kind] for kind in ("config", "summary")}
        if not sqlite:
            documents = {kind: literal_column(f"runs.{kind}_document", JSONB) for kind in documents}
        self._translator = Translator(documents, self._distinct, sqlite=sqlite)

    def select(self, *columns: Any, ordered: bool = True) -> Select[Any]:
        statement = select(*columns).select_from(RUNS).where(*self._scope())
        if self._query.where is not None:
            statement = statement.where(self._translator.where(self._query.where))
        if not ordered:
            return statement
        keys = [key for order in self._query.order for key in self._translator.order(order)]
        return statement.order_by(*keys, RUNS.c.created_at, RUNS.c.trial, RUNS.c.id)

    def _scope(self) -> list[ColumnElement[bool]]:
        query = self._query
        scope = [_IS_RUN]
        if query.project is not None:
            scope.append(RUNS.c.project == query.project)
        if query.entity is not None:
            scope.append(or_(RUNS.c.entity == query.entity, RUNS.c.entity == ""))
        if query.sweep_id is not None:
            scope.append(RUNS.c.sweep_id == query.sweep_id)
        return scope

    def _distinct(self, text: Any, table: Any) -> Iterable[str]:
        statement = select(text).select_from(RUNS if table is None else RUNS.join(table, true()))
        found = self._connection.execute(statement.where(*self._scope()).distinct())
        return [row[0] for row in found if row[0] is not None]


def _count(connection: Connection, query: Query, sqlite: bool) -> int:
    source = _Source(connection, query, sqlite=sqlite)
    return int(connection.execute(source.select(func.count(), ordered=False)).scalar_one())


def _ids(connection: Connection, query: Query, sqlite: bool) -> list[str]:
    source = _Source(connection, query, sqlite=sqlite)
    return [row[0] for row in connection.execute(source.select(RUNS.c.id))]


def _find(connection: Connection, query: Query, sqlite: bool, offset: int, limit: int | None) -> list[RunRow]:
    # The ids first: a database sorts small rows faster than those with whole configs in them.
    source = _Source(connection, query, sqlite=sqlite)
    statement = source.select(RUNS.c.id).offset(offset or None).limit(limit)
    return _load(connection, [row[0] for row in connection.execute(statement)])


def _load(connection: Connection, run_ids: Sequence[str]) -> list[RunRow]:
    found: dict[str, RunRow] = {}
    for start in range(0, len(run_ids), _AT_ONCE):
        wanted = _among(connection, run_ids[start : start + _AT_ONCE])
        for row in connection.execute(_BY_ID.where(RUNS.c.id.in_(wanted), _IS_RUN)):
            found[row[0]] = RunRow._make(row)
    return _with_writers(connection, [found[run_id] for run_id in run_ids if run_id in found])


def _with_writers(connection: Connection, runs: list[RunRow]) -> list[RunRow]:
    """The runs with the summaries of those who wrote into them as well; what the run says itself wins."""
    parts: dict[str, list[Any]] = {}
    for start in range(0, len(runs), _AT_ONCE):
        wanted = _among(connection, [run.id for run in runs[start : start + _AT_ONCE]])
        for row in connection.execute(_WRITERS.where(RUNS.c.part_of.in_(wanted))):
            parts.setdefault(row[0], []).append(row)
    return [_joined(run, parts[run.id]) if run.id in parts else run for run in runs] if parts else runs


def _among(connection: Connection, run_ids: Sequence[str]) -> Any:
    return among(run_ids, sqlite=connection.dialect.name == "sqlite")


def _joined(run: RunRow, parts: list[Any]) -> RunRow:
    summary: dict[str, Any] = {}
    last_step = run.last_step
    for _, _, text, step in sorted(parts, key=lambda part: rank(split_id(part[1])[1]), reverse=True):
        summary |= loads(text)
        last_step = step if last_step is None else max(last_step, step or 0)
    return run._replace(summary=dumps(summary | loads(run.summary)), last_step=last_step)


def _projects(connection: Connection, entity: str | None) -> list[ProjectRow]:
    statement = _PROJECTS
    if entity is not None:
        statement = statement.where(or_(RUNS.c.entity == entity, RUNS.c.entity == ""))
    return sorted(ProjectRow._make(row) for row in connection.execute(statement))


def _add_file(connection: Connection, file: FileRecord) -> None:
    if connection.execute(_EXISTS, {"in_run": file.run_id}).first() is None:
        raise RunNotFound(f"no run {file.run_id!r} in this store")
    values = {name: getattr(file, name) for name in FILES.c.keys()}  # noqa: SIM118  a collection of columns, no dict
    connection.execute(_UPSERT_FILE, values)
