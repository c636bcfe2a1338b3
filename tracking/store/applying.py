"""Projecting batches of journals into the tables: which of them count, and what they change of their run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, select

from tracking.database.dialect import clock, storable
from tracking.journal.parts import SYSTEM, split_id
from tracking.states import RUN_TRANSITIONS, RunState
from tracking.store import console, cutting, drafts, history, kept
from tracking.store.contract import RunBatch, RunEnd, RunStart
from tracking.store.drafts import Draft
from tracking.store.tables import RUNS
from tracking.store.tails import TailCache

STALE = -1

_RENAMED = ("name", "notes", "tags")
_NOW = select(clock())
_IDENTITY = select(RUNS.c.project, RUNS.c.entity).where(RUNS.c.id == bindparam("in_run"))
_METADATA = select(RUNS.c.metadata).where(RUNS.c.id == bindparam("in_run"))


def apply(connection: Connection, cache: TailCache, batches: Sequence[RunBatch]) -> tuple[list[int], list[Draft]]:
    """Apply all batches; the offsets for the caller, and the runs whose histories may be cached after the commit."""
    now = float(connection.execute(_NOW).scalar_one())
    owners = {owner for batch in batches if (owner := _owner_of_writer(batch))}
    loaded = drafts.load(connection, cache, {storable(batch.run_id) for batch in batches} | owners, now)
    work = _Work(connection, loaded, now)
    offsets = [work.apply(loaded[storable(batch.run_id)], batch) for batch in batches]
    # A batch that was refused makes no run.
    written = [draft for draft in loaded.values() if draft.attempt >= 0]
    drafts.write(connection, written)
    _apply_artifacts(connection, written, now)
    return offsets, written


class _Work:
    """One call: its transaction, the runs that it changes and the time of the database."""

    def __init__(self, connection: Connection, loaded: dict[str, Draft], now: float) -> None:
        self.connection, self.loaded, self.now = connection, loaded, now

    def apply(self, draft: Draft, batch: RunBatch) -> int:
        """Apply one batch; the offset which its run has then."""
        if batch.attempt < draft.attempt or self._is_outdated(batch):
            return STALE
        if batch.from_offset != (draft.offset if batch.attempt == draft.attempt else 0):
            return draft.offset if batch.attempt == draft.attempt else 0
        if batch.attempt > draft.attempt:
            self._begin_attempt(draft, batch)
        if batch.start is not None and batch.from_offset == 0:
            self._begin_run(draft, batch.start)
        self._take(draft, batch)
        if batch.end is not None:
            _end(draft, batch.end, self.now)
        draft.offset = draft.changes["journal_offset"] = batch.to_offset
        return batch.to_offset

    def _is_outdated(self, batch: RunBatch) -> bool:
        """Whether this is a writer beside a run that has gone on to another attempt."""
        owner = self.loaded.get(_owner_of_writer(batch))
        return owner is not None and batch.attempt < owner.attempt

    def _begin_attempt(self, draft: Draft, batch: RunBatch) -> None:
        """A new epoch: whatever the attempt before left unfinished is over."""
        if draft.attempt < 0:
            draft.part_of = _part_of(batch)
            draft.changes.update(drafts.names_from(batch.run_id))
        else:
            console.clear(self.connection, draft.id)
            draft.console.clear()
        draft.attempt, draft.offset, draft.console_size = batch.attempt, 0, 0
        draft.state = RunState.RUNNING.value
        draft.changes.update(
            attempt=batch.attempt, state=draft.state, reason="", exit_code=None, finished_at=None, console_size=0
        )

    def _begin_run(self, draft: Draft, start: RunStart) -> None:
        was_new = draft.is_new
        if was_new and start.started_at > 0:
            # When it began, not when it came here: an offline run may be shipped days later.
            draft.created_at = min(draft.created_at, start.started_at)
        draft.changes.update(_columns(start, self.now))
        draft.merged["config"] = dict(start.config)
        self._cut(draft, start.starting_step)
        if start.forked_from and (was_new or start.starting_step <= 0):
            cutting.fork(self.connection, draft, start, self.loaded)

    def _cut(self, draft: Draft, step: int) -> None:
        if not draft.is_new and not draft.part_of:
            cutting.cut_parts(self.connection, draft, step, self.loaded)
        cutting.cut(self.connection, draft, step)

    def _take(self, draft: Draft, batch: RunBatch) -> None:
        if batch.rewind is not None:
            self._cut(draft, batch.rewind)
        for column, news in (("config", batch.config), ("summary", batch.summary), ("metrics", batch.metrics)):
            if news:
                draft.merge(column, news)
        if batch.summary and (together := cutting.joined(draft, batch)):
            draft.merge("summary", together)
        if batch.metadata:
            self._merge_metadata(draft, batch)
        draft.changes.update({name: batch.identity[name] for name in _RENAMED if name in batch.identity})
        if batch.history:
            history.load(self.connection, draft.id, draft.history, batch.history)
            draft.history.extend(batch.history)
        if batch.last_step is not None and (draft.last_step is None or batch.last_step > draft.last_step):
            draft.last_step = draft.changes["last_step"] = batch.last_step
        if batch.console:
            _take_console(draft, batch)
        _keep(draft, batch)

    def _merge_metadata(self, draft: Draft, batch: RunBatch) -> None:
        known = draft.changes.get("metadata")
        if known is None:
            known = self.connection.execute(_METADATA, {"in_run": draft.id}).scalar() or {}
        draft.changes["metadata"] = {**known, **batch.metadata}


def _columns(start: RunStart, now: float) -> dict[str, object]:
    return {
        "project": start.project,
        "entity": start.entity,
        "name": start.name,
        "notes": start.notes,
        "run_group": start.group,
        "job_type": start.job_type,
        "tags": list(start.tags),
        "metadata": dict(start.metadata),
        "sweep_id": start.sweep_id,
        "trial": start.trial,
        "host": start.host,
        "pid": start.pid,
        "started_at": start.started_at or now,
    }


def _take_console(draft: Draft, batch: RunBatch) -> None:
    row, draft.console_size = console.append(draft.id, draft.console_size, batch.console, batch.console_offset)
    draft.changes["console_size"] = draft.console_size
    if row is not None:
        draft.console.append(row)


def _keep(draft: Draft, batch: RunBatch) -> None:
    """Take what lies beside the history; what a part records belongs to its owner."""
    for record in batch.files:
        row = kept.file_row(draft.owner, record)
        if row is not None:
            draft.files[row["name"]] = row
    part = split_id(draft.id)[1] if draft.part_of else ""
    draft.alerts += [kept.alert_row(draft.owner, batch.attempt, part, record) for record in batch.alerts]
    draft.artifacts += batch.artifacts


def _end(draft: Draft, end: RunEnd, now: float) -> None:
    """The first end of an attempt counts: an ended run only moves by running again."""
    if RunState(draft.state) not in RUN_TRANSITIONS.sources(end.state):
        return
    draft.state = end.state.value
    draft.history.seal()
    draft.changes.update(state=end.state.value, reason=end.reason, exit_code=end.exit_code, finished_at=end.at or now)


def _apply_artifacts(connection: Connection, written: Iterable[Draft], now: float) -> None:
    for draft in written:
        if not draft.artifacts:
            continue
        from tracking.store.artifact_rows import apply_artifacts  # few batches have any

        project, entity = connection.execute(_IDENTITY, {"in_run": draft.id}).one()
        apply_artifacts(connection, draft.owner, project, entity, draft.artifacts, now)
        draft.artifacts = []


def _part_of(batch: RunBatch) -> str:
    """The run of which this journal is a part, even when its first record is lost."""
    if batch.start is not None:
        return batch.start.part_of
    owner, part = split_id(batch.run_id)
    return owner if part else ""


def _owner_of_writer(batch: RunBatch) -> str:
    owner, part = split_id(batch.run_id)
    return storable(owner) if part not in ("", SYSTEM) else ""
