"""A run while batches are applied to it: loaded and locked, changed in memory, written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, select, update

from tracking.database.dialect import dumps, loads
from tracking.states import RunState
from tracking.store import console, history, kept
from tracking.store.tables import RUNS
from tracking.store.tails import History, Row, TailCache

IDS_AT_ONCE = 500  # SQLite allows 32 766 parameters in a statement

_LOADED = ("id", "state", "attempt", "journal_offset", "console_size", "last_step", "created_at", "part_of")
_LOADED_JSON = ("config", "summary", "metrics", "earlier")
_BLANK_WORDS = ("project", "entity", "name", "notes", "run_group", "job_type", "reason", "sweep_id", "host")
_LOCK = (
    select(*(RUNS.c[name] for name in _LOADED + _LOADED_JSON))
    .where(RUNS.c.id.in_(bindparam("run_ids", expanding=True)))
    .order_by(RUNS.c.id)
    .with_for_update()
)
_LOCK_PARTS = select(RUNS.c.id).where(RUNS.c.part_of == bindparam("in_run")).order_by(RUNS.c.id).with_for_update()
_INSERT = insert(RUNS)
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
    part_of: str = ""
    stored_json: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_LOADED_JSON, "{}"))
    changes: Row = field(default_factory=dict)
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    console: list[Row] = field(default_factory=list)
    files: dict[str, Row] = field(default_factory=dict)
    alerts: list[Row] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    history: History = field(default_factory=History)

    @property
    def stamp(self) -> tuple[float, int, int]:
        """What the history in memory belongs to."""
        return self.created_at, self.attempt, self.offset

    @property
    def owner(self) -> str:
        """The run that readers see: this one, or that of which it is a part."""
        return self.part_of or self.id

    def json(self, column: str) -> dict[str, Any]:
        """A JSON column as it is now."""
        if column in self.merged:
            return self.merged[column]
        text = self.stored_json[column]
        return {} if text == "{}" else dict(loads(text))

    def merge(self, column: str, news: dict[str, Any]) -> None:
        """Merge top-level keys into a JSON column."""
        if column not in self.merged:
            self.merged[column] = self.json(column)
        self.merged[column].update(news)

    def written(self) -> None:
        """All that changed is in the database."""
        self.stored_json |= {column: dumps(value) for column, value in self.merged.items()}
        self.is_new = False
        self.changes, self.merged, self.console, self.files, self.alerts = {}, {}, [], {}, []
        self.history.stamp = self.stamp

    def changed(self) -> Row:
        """Columns to write."""
        return self.changes | {column: dumps(value) for column, value in self.merged.items()}


def load(connection: Connection, cache: TailCache, run_ids: Iterable[str], now: float) -> dict[str, Draft]:
    """Lock the rows of these runs; a blank draft for each that has none."""
    wanted = sorted(run_ids)
    drafts = {run_id: Draft(run_id, True, created_at=now) for run_id in wanted}
    for start in range(0, len(wanted), IDS_AT_ONCE):
        for row in connection.execute(_LOCK, {"run_ids": wanted[start : start + IDS_AT_ONCE]}):
            *known, config, summary, metrics, earlier = row
            run_id, state, attempt, offset, size, last_step, created_at, part_of = known
            stored = {"config": config, "summary": summary, "metrics": metrics, "earlier": earlier}
            drafts[run_id] = Draft(run_id, False, state, attempt, offset, size, last_step, created_at, part_of, stored)
    for draft in drafts.values():
        held = cache.take(draft.id)
        if not draft.is_new:
            is_ours = held is not None and held.stamp == draft.stamp
            draft.history = held if held is not None and is_ours else History(complete=False)
    return drafts


def parts_of(connection: Connection, run_id: str) -> list[str]:
    """The ids of the parts of a run that the store has, locked."""
    return [row[0] for row in connection.execute(_LOCK_PARTS, {"in_run": run_id})]


def names_from(run_id: str) -> Row:
    """What is known of a run whose journal never said how it started."""
    found = _TRIAL_RUN.fullmatch(run_id)
    return {"sweep_id": found[1], "trial": int(found[2])} if found else {}


def write(connection: Connection, drafts: Sequence[Draft]) -> None:
    """Write all that changed; artifacts are the caller's, after this."""
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
    kept.write(
        connection,
        [row for draft in drafts for row in draft.files.values()],
        [row for draft in drafts for row in draft.alerts],
    )
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
        "journal_offset": 0,
        "part_of": draft.part_of,
    }
    return blank | draft.changed() | {"id": draft.id, "created_at": draft.created_at}
