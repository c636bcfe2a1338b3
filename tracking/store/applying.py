"""Projecting batches of journals into the tables: which of them count, and what they change of their run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, select, update

from tracking.database.dialect import clock, dumps
from tracking.states import RUN_TRANSITIONS, RunState
from tracking.store import console, history
from tracking.store.contract import RunBatch, RunEnd, RunStart
from tracking.store.tables import RUNS
from tracking.store.tails import History, Row, TailCache

STALE = -1
_IDS_AT_ONCE = 500  # SQLite allows 32 766 parameters in a statement

_LOADED = ("id", "state", "attempt", "journal_offset", "console_size", "last_step", "created_at")
_LOADED_JSON = ("config", "summary", "metrics")
_RENAMED = ("name", "notes", "tags")
_BLANK_WORDS = ("project", "entity", "name", "notes", "run_group", "job_type", "reason", "sweep_id", "host")
_LOCK = (
    select(*(RUNS.c[name] for name in _LOADED + _LOADED_JSON))
    .where(RUNS.c.id.in_(bindparam("run_ids", expanding=True)))
    .order_by(RUNS.c.id)
    .with_for_update()
)
_INSERT = insert(RUNS)
_NOW = select(clock())
_TRIAL_RUN = re.compile(r"([a-z][a-z0-9]{7})-(\d{1,18})")


@dataclass(slots=True)
class Draft:
    """A run while batches are applied to it: what is stored, what changes, and its history."""

    id: str
    is_new: bool
    state: str = RunState.RUNNING.value
    attempt: int = -1
    offset: int = 0
    console_size: int = 0
    last_step: int | None = None
    created_at: float = 0.0
    stored_json: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_LOADED_JSON, "{}"))
    changes: Row = field(default_factory=dict)
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    console: list[Row] = field(default_factory=list)
    history: History = field(default_factory=History)

    @property
    def stamp(self) -> tuple[float, int, int]:
        """What the history in memory belongs to."""
        return self.created_at, self.attempt, self.offset

    def merge(self, column: str, news: dict[str, Any]) -> None:
        """Merge top-level keys into a JSON column."""
        if column not in self.merged:
            self.merged[column] = json.loads(self.stored_json[column])
        self.merged[column].update(news)

    def written(self) -> None:
        """All that changed is in the database."""
        self.stored_json |= {column: dumps(value) for column, value in self.merged.items()}
        self.is_new = False
        self.changes, self.merged, self.console = {}, {}, []
        self.history.stamp = self.stamp

    def changed(self) -> Row:
        """Columns to write."""
        return self.changes | {column: dumps(value) for column, value in self.merged.items()}


def apply(connection: Connection, cache: TailCache, batches: Sequence[RunBatch]) -> tuple[list[int], list[Draft]]:
    """Apply all batches; the offsets for the caller, and the runs whose histories may be cached after the commit."""
    now = float(connection.execute(_NOW).scalar_one())
    drafts = _load(connection, cache, {batch.run_id for batch in batches}, now)
    offsets = [_apply_one(connection, drafts[batch.run_id], batch, now) for batch in batches]
    # A batch that was refused makes no run.
    written = [draft for draft in drafts.values() if draft.attempt >= 0]
    _write(connection, written)
    return offsets, written


# -- loading ------------------------------------------------------------------------------------


def _load(connection: Connection, cache: TailCache, run_ids: Iterable[str], now: float) -> dict[str, Draft]:
    wanted = sorted(run_ids)
    drafts = {run_id: Draft(run_id, True, created_at=now) for run_id in wanted}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        for row in connection.execute(_LOCK, {"run_ids": wanted[start : start + _IDS_AT_ONCE]}):
            *known, created_at, config, summary, metrics = row
            run_id, state, attempt, offset, size, last_step = known
            stored = {"config": config, "summary": summary, "metrics": metrics}
            drafts[run_id] = Draft(run_id, False, state, attempt, offset, size, last_step, created_at, stored)
    for draft in drafts.values():
        kept = cache.take(draft.id)
        if not draft.is_new:
            is_ours = kept is not None and kept.stamp == draft.stamp
            draft.history = kept if kept is not None and is_ours else History(complete=False)
    return drafts


# -- one batch ----------------------------------------------------------------------------------


def _apply_one(connection: Connection, draft: Draft, batch: RunBatch, now: float) -> int:
    if batch.attempt < draft.attempt:
        return STALE
    if batch.from_offset != (draft.offset if batch.attempt == draft.attempt else 0):
        return draft.offset if batch.attempt == draft.attempt else 0
    if batch.attempt > draft.attempt:
        _begin_attempt(connection, draft, batch)
    if batch.start is not None and batch.from_offset == 0:
        _begin_run(connection, draft, batch.start, now)
    _take(connection, draft, batch)
    if batch.end is not None:
        _end(draft, batch.end, now)
    draft.offset = draft.changes["journal_offset"] = batch.to_offset
    return batch.to_offset


def _begin_attempt(connection: Connection, draft: Draft, batch: RunBatch) -> None:
    """A new epoch: whatever the attempt before left unfinished is over."""
    if draft.attempt < 0:
        draft.changes.update(_from_ids(batch.run_id))
    else:
        console.clear(connection, draft.id)
        draft.console.clear()
    draft.attempt, draft.offset, draft.console_size = batch.attempt, 0, 0
    draft.state = RunState.RUNNING.value
    draft.changes.update(
        attempt=batch.attempt, state=draft.state, reason="", exit_code=None, finished_at=None, console_size=0
    )


def _begin_run(connection: Connection, draft: Draft, start: RunStart, now: float) -> None:
    draft.changes.update(
        project=start.project,
        entity=start.entity,
        name=start.name,
        notes=start.notes,
        run_group=start.group,
        job_type=start.job_type,
        tags=list(start.tags),
        metadata=dict(start.metadata),
        sweep_id=start.sweep_id,
        trial=start.trial,
        host=start.host,
        pid=start.pid,
        started_at=start.started_at or now,
    )
    draft.merged["config"] = dict(start.config)
    if start.starting_step <= 0:
        draft.merged["summary"] = {}
    if draft.history.tails or not draft.history.complete:
        _write(connection, [draft])  # an earlier attempt in the same call
        draft.history = history.drop_from(connection, draft.id, start.starting_step)
    kept = draft.last_step is not None and start.starting_step > 0
    draft.last_step = min(draft.last_step or 0, start.starting_step - 1) if kept else None
    draft.changes["last_step"] = draft.last_step


def _take(connection: Connection, draft: Draft, batch: RunBatch) -> None:
    for column, news in (("config", batch.config), ("summary", batch.summary), ("metrics", batch.metrics)):
        if news:
            draft.merge(column, news)
    draft.changes.update({name: batch.identity[name] for name in _RENAMED if name in batch.identity})
    if batch.history:
        history.load(connection, draft.id, draft.history, batch.history)
        draft.history.extend(batch.history)
    if batch.last_step is not None and (draft.last_step is None or batch.last_step > draft.last_step):
        draft.last_step = draft.changes["last_step"] = batch.last_step
    if batch.console:
        row, draft.console_size = console.append(draft.id, draft.console_size, batch.console, batch.console_offset)
        draft.changes["console_size"] = draft.console_size
        if row is not None:
            draft.console.append(row)


def _end(draft: Draft, end: RunEnd, now: float) -> None:
    """The first end of an attempt counts: an ended run only moves by running again."""
    if RunState(draft.state) not in RUN_TRANSITIONS.sources(end.state):
        return
    draft.state = end.state.value
    draft.history.seal()
    draft.changes.update(state=end.state.value, reason=end.reason, exit_code=end.exit_code, finished_at=end.at or now)


def _from_ids(run_id: str) -> Row:
    """What is known of a run whose journal never said how it started."""
    found = _TRIAL_RUN.fullmatch(run_id)
    return {"sweep_id": found[1], "trial": int(found[2])} if found else {}


# -- writing ------------------------------------------------------------------------------------


def _write(connection: Connection, drafts: Sequence[Draft]) -> None:
    fresh = [_new_row(draft) for draft in drafts if draft.is_new]
    if fresh:
        connection.execute(_INSERT, fresh)
    by_columns: dict[tuple[str, ...], list[Row]] = {}
    for draft in drafts:
        if not draft.is_new and (changed := draft.changed()):
            names = tuple(sorted(changed))
            given = {f"new_{name}": value for name, value in changed.items()}
            by_columns.setdefault(names, []).append({"in_run": draft.id, **given})
    for names, rows in by_columns.items():
        connection.execute(_update(names), rows)
    history.write(connection, [(draft.id, draft.history, draft.state != RunState.RUNNING.value) for draft in drafts])
    pieces = [row for draft in drafts for row in draft.console]
    if pieces:
        connection.execute(console.INSERT, pieces)
    for draft in drafts:
        draft.written()


@lru_cache(maxsize=256)
def _update(names: tuple[str, ...]) -> Update:
    values = {RUNS.c[name]: bindparam(f"new_{name}", type_=RUNS.c[name].type) for name in names}
    return update(RUNS).where(RUNS.c.id == bindparam("in_run")).values(values)


def _new_row(draft: Draft) -> Row:
    blank: Row = {
        **dict.fromkeys(_BLANK_WORDS, ""),
        **dict.fromkeys(("exit_code", "trial", "finished_at", "last_step"), None),
        **draft.stored_json,
        "tags": [],
        "metadata": {},
        "pid": 0,
        "started_at": draft.created_at,
        "console_size": 0,
    }
    return blank | draft.changed() | {"id": draft.id, "created_at": draft.created_at}
