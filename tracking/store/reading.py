"""Reading runs, the keys that they logged, and their points."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from tracking.database.dialect import storable
from tracking.errors import RunNotFound
from tracking.states import RunState
from tracking.store import console
from tracking.store.chunks import CHUNK_POINTS, FLOAT, JSON, decode
from tracking.store.contract import Points, RunRecord, SeriesInfo
from tracking.store.tables import CHUNKS, RUNS, SERIES

_AT_ONCE = 500
_RUN = select(RUNS).where(RUNS.c.id == bindparam("in_run"))
_SIZE = select(RUNS.c.console_size).where(RUNS.c.id == bindparam("in_run"))
_RUNS = select(RUNS).order_by(RUNS.c.created_at, RUNS.c.trial, RUNS.c.id)
_DELETE = delete(RUNS).where(RUNS.c.id.in_(bindparam("run_ids", expanding=True)))

_KEYS = (
    select(SERIES.c.key, SERIES.c.kind, SERIES.c.count, SERIES.c.last_step, SERIES.c.last_value)
    .where(SERIES.c.run_id == bindparam("in_run"))
    .order_by(SERIES.c.key)
)
_IN_SERIES = (CHUNKS.c.run_id == bindparam("in_run"), CHUNKS.c.key == bindparam("in_key"))
KIND = select(SERIES.c.kind).where(SERIES.c.run_id == bindparam("in_run"), SERIES.c.key == bindparam("in_key"))
CHUNKS_IN_RANGE = (
    select(CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .where(
        *_IN_SERIES,
        CHUNKS.c.last_step >= bindparam("from_step"),
        CHUNKS.c.first_step < bindparam("to_step"),
    )
    .order_by(CHUNKS.c.chunk_no)
)
_HEADS = select(CHUNKS.c.run_id, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data).where(
    CHUNKS.c.run_id.in_(bindparam("run_ids", expanding=True)),
    CHUNKS.c.key == bindparam("in_key"),
    CHUNKS.c.chunk_no == bindparam("in_chunk"),
    CHUNKS.c.kind != JSON,
)
LAST_STEP = 2**63 - 1


def run(connection: Connection, run_id: str) -> RunRecord:
    """One run. Raises RunNotFound."""
    row = connection.execute(_RUN, {"in_run": run_id}).first()
    if row is None:
        raise RunNotFound(f"no run {run_id!r} in this store")
    return _record(row)


def runs(connection: Connection, sweep_id: str | None, project: str | None) -> list[RunRecord]:
    """Runs, oldest first."""
    statement = _RUNS
    if sweep_id is not None:
        statement = statement.where(RUNS.c.sweep_id == sweep_id)
    if project is not None:
        statement = statement.where(RUNS.c.project == project)
    return [_record(row) for row in connection.execute(statement)]


def delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete runs; their series, chunks and console go with them."""
    for start in range(0, len(run_ids), _AT_ONCE):
        connection.execute(_DELETE, {"run_ids": run_ids[start : start + _AT_ONCE]})


def keys(connection: Connection, run_id: str) -> list[SeriesInfo]:
    """The keys of a run in alphabetical order."""
    # Sorted here: a database sorts by its collation.
    found = (SeriesInfo(*row) for row in connection.execute(_KEYS, {"in_run": run_id}))
    return sorted(found, key=lambda info: info.key)


def series(connection: Connection, run_id: str, key: str, start: int, stop: int | None) -> Points:
    """All points with start <= step < stop."""
    given = {"in_run": run_id, "in_key": storable(key)}
    kind = connection.execute(KIND, given).scalar()
    steps: list[int] = []
    values: list[Any] = []
    end = LAST_STEP if stop is None else stop
    for chunk in connection.execute(CHUNKS_IN_RANGE, {**given, "from_step": start, "to_step": end}):
        some_steps, some_values = cut(*decode(*chunk), start, stop)
        steps += some_steps
        values += widened(some_values, kind)
    return Points(steps, values)


def heads(connection: Connection, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
    """The first `count` finite values of each run that has any."""
    found: dict[str, list[float]] = {}
    open_ids, chunk_no = list(dict.fromkeys(run_ids)), 0
    while open_ids and count > 0:
        longer: list[str] = []
        for run_id, points, values in _first_values(connection, open_ids, key, chunk_no):
            head = found.setdefault(run_id, [])
            finite = (float(value) for value in values if math.isfinite(value))
            head += [value for _, value in zip(range(count - len(head)), finite, strict=False)]
            if len(head) < count and points >= CHUNK_POINTS:
                longer.append(run_id)
        open_ids, chunk_no = longer, chunk_no + 1
    return {run_id: head for run_id, head in found.items() if head}


def read_console(connection: Connection, run_id: str, start: int, limit: int) -> bytes:
    """Console bytes from byte `start`. Raises RunNotFound."""
    if connection.execute(_SIZE, {"in_run": run_id}).first() is None:
        raise RunNotFound(f"no run {run_id!r} in this store")
    return console.read(connection, run_id, max(0, start), max(0, limit))


def cut(steps: Any, values: Any, start: int, stop: int | None) -> tuple[Any, Any]:
    """The points with start <= step < stop."""
    if steps and (steps[0] < start or (stop is not None and steps[-1] >= stop)):
        begin = bisect_left(steps, start)
        end = len(steps) if stop is None else bisect_left(steps, stop)
        return steps[begin:end], values[begin:end]
    return steps, values


def widened(values: Any, kind: str | None) -> list[Any]:
    """Values of one chunk as those of the whole series: integers beside floats are floats."""
    if kind == FLOAT:
        return [float(value) for value in values] if getattr(values, "typecode", "") == "q" else list(values)
    return list(values)


def _first_values(
    connection: Connection, run_ids: Sequence[str], key: str, chunk_no: int
) -> Iterator[tuple[str, int, Any]]:
    for start in range(0, len(run_ids), _AT_ONCE):
        given = {"run_ids": run_ids[start : start + _AT_ONCE], "in_key": storable(key), "in_chunk": chunk_no}
        for run_id, kind, points, data in connection.execute(_HEADS, given):
            yield run_id, points, decode(kind, points, data)[1]


def _record(row: Sequence[Any]) -> RunRecord:
    """A row of the whole table, whose columns are in the order of the fields."""
    values = list(row)
    values[7] = tuple(values[7])
    values[8] = RunState(values[8])
    values[11:14] = map(json.loads, values[11:14])
    return RunRecord(*values)
