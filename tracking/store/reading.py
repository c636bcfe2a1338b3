"""Reading runs, the keys that they logged, and their points."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, bindparam, select

from tracking.database.dialect import loads, storable
from tracking.errors import RunNotFound
from tracking.states import RunState
from tracking.store import console, joining
from tracking.store.chunks import FLOAT, JSON, SHORT_CHUNK, decode
from tracking.store.contract import Points, RunRecord, SeriesInfo
from tracking.store.tables import CHUNKS, RUNS

_AT_ONCE = 500
RECORD_COLUMNS = tuple(RUNS.c["run_group" if field.name == "group" else field.name] for field in fields(RunRecord))
"""The columns of a RunRecord, in the order of its fields."""

_OURS = select(*RECORD_COLUMNS).where(joining.IS_OURS)
_PARTS = select(*RECORD_COLUMNS).where(RUNS.c.part_of == bindparam("in_run"))
_SIZE = select(RUNS.c.console_size).where(RUNS.c.id == bindparam("in_run"))
_RUNS = select(*RECORD_COLUMNS).where(RUNS.c.part_of == "").order_by(RUNS.c.created_at, RUNS.c.trial, RUNS.c.id)
_SUMMARIES = select(RUNS.c.part_of, RUNS.c.id, RUNS.c.last_step, RUNS.c.summary).where(
    RUNS.c.part_of != "", RUNS.c.summary != "{}"
)

CHUNKS_IN_RANGE = (
    select(CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .where(
        CHUNKS.c.run_id == bindparam("in_run"),
        CHUNKS.c.key == bindparam("in_key"),
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
    """One run, joined with its parts. Raises RunNotFound."""
    found = {row[0]: record_of(row) for row in connection.execute(_OURS, {"in_run": run_id})}
    owner = found.pop(run_id, None)
    if owner is None:
        raise RunNotFound(f"no run {run_id!r} in this store")
    return joining.joined(owner, found.values()) if found else owner


def runs(connection: Connection, sweep_id: str | None, project: str | None) -> list[RunRecord]:
    """Runs, oldest first; not their parts, whose summaries they have."""
    statement, summaries = _RUNS, _SUMMARIES
    if sweep_id is not None:
        statement = statement.where(RUNS.c.sweep_id == sweep_id)
    if project is not None:
        statement = statement.where(RUNS.c.project == project)
        summaries = summaries.where(RUNS.c.project == project)
    records = [record_of(row) for row in connection.execute(statement)]
    return joining.with_summaries(records, connection.execute(summaries).all())


def parts(connection: Connection, run_id: str) -> list[RunRecord]:
    """The parts of a run: writers by number, then the system."""
    return joining.in_order(record_of(row) for row in connection.execute(_PARTS, {"in_run": run_id}))


def keys(connection: Connection, run_id: str) -> list[SeriesInfo]:
    """The keys of a run and its parts in alphabetical order."""
    return joining.infos(connection, run_id)


def series(connection: Connection, run_id: str, key: str, start: int, stop: int | None) -> Points:
    """All points with start <= step < stop."""
    sources = joining.sources(connection, run_id, key)
    pieces = [_points_of(connection, source, key, sources.kind, start, stop) for source in sources.run_ids]
    if len(pieces) == 1:
        return Points(*pieces[0])
    return Points(*joining.merged_points(pieces))


def _points_of(
    connection: Connection, run_id: str, key: str, kind: str, start: int, stop: int | None
) -> tuple[list[int], list[Any]]:
    """The points of one writer."""
    steps: list[int] = []
    values: list[Any] = []
    given = {"in_run": run_id, "in_key": storable(key), "from_step": start}
    for chunk in connection.execute(CHUNKS_IN_RANGE, {**given, "to_step": LAST_STEP if stop is None else stop}):
        some_steps, some_values = cut(*decode(*chunk), start, stop)
        steps += some_steps
        values += widened(some_values, kind)
    return steps, values


def heads(connection: Connection, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
    """The first `count` finite values of each run that has any."""
    found: dict[str, list[float]] = {}
    shared = joining.owners_by_part(connection, run_ids, key)
    for run_id in shared:
        values = series(connection, run_id, key, 0, None).values
        found[run_id] = [float(value) for value in values if _is_finite(value)][:count]
    open_ids, chunk_no = [run_id for run_id in dict.fromkeys(run_ids) if run_id not in shared], 0
    while open_ids and count > 0:
        longer: list[str] = []
        for run_id, points, values in _first_values(connection, open_ids, key, chunk_no):
            head = found.setdefault(run_id, [])
            finite = (float(value) for value in values if math.isfinite(value))
            head += [value for _, value in zip(range(count - len(head)), finite, strict=False)]
            if len(head) < count and points >= SHORT_CHUNK:
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


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def record_of(row: Sequence[Any]) -> RunRecord:
    """The run of a row of RECORD_COLUMNS."""
    values = list(row)
    values[7] = tuple(values[7])
    values[8] = RunState(values[8])
    values[11:14] = map(loads, values[11:14])
    return RunRecord(*values)
