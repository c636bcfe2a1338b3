"""Cutting the history of a run at a step, and letting a run begin with the history of another one (a fork)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from tracking.database.dialect import loads
from tracking.journal.parts import SYSTEM, split_id
from tracking.live.metrics import Aggregate, Definitions, MetricDefinition, summary_mode
from tracking.store import drafts, history, joining, kept, reading
from tracking.store.contract import RunBatch, RunStart, SeriesInfo, SeriesPart
from tracking.store.drafts import Draft
from tracking.store.reading import LAST_STEP
from tracking.store.tables import CHUNKS, RUNS
from tracking.store.tails import History

TIMESTAMP, RUNTIME = "_timestamp", "_runtime"

_PARENT = select(RUNS.c.config, RUNS.c.summary, RUNS.c.metrics).where(RUNS.c.id == bindparam("in_run"))
_PARTS = select(RUNS.c.id).where(RUNS.c.part_of == bindparam("in_run"))
_COPY_CHUNKS = insert(CHUNKS).from_select(
    list(CHUNKS.columns.keys()),
    select(
        bindparam("new_run", type_=CHUNKS.c.run_id.type),
        *(column for column in CHUNKS.columns if column.name != "run_id"),
    ).where(CHUNKS.c.run_id == bindparam("in_run"), CHUNKS.c.first_step < bindparam("from_step")),
)


def restart(connection: Connection, draft: Draft) -> None:
    """Drop the whole history and what the summary had of it."""
    _drop(connection, draft, 0)
    draft.merged["summary"] = {}
    if draft.json("earlier"):
        draft.merged["earlier"] = {}
    draft.last_step = draft.changes["last_step"] = None


def cut(connection: Connection, draft: Draft, step: int) -> None:
    """Drop the history at steps >= `step`; the summary of the keys that lost points says what is left of them."""
    if step <= 0:
        restart(connection, draft)
        return
    if draft.is_new and not draft.history.tails:
        return
    drafts.write(connection, [draft])
    before = {info.key: info for info in history.infos(connection, draft.id)}
    _drop(connection, draft, step)
    _follow(connection, draft, before)


def cut_parts(connection: Connection, draft: Draft, step: int, loaded: dict[str, Draft]) -> None:
    """Cut what the writers beside the run recorded in earlier attempts; the samples of the machine stay."""
    drafts.write(connection, [part for part in loaded.values() if part.part_of == draft.id and part.attempt >= 0])
    for part_id in drafts.parts_of(connection, draft.id):
        part = loaded.get(part_id)
        if split_id(part_id)[1] == SYSTEM or (part is not None and part.attempt >= draft.attempt):
            continue
        if part is None:
            part = loaded[part_id] = Draft(part_id, False, attempt=0, part_of=draft.id)
            part.history = History(complete=False)
        part.history = history.drop_from(connection, part_id, step)
        if step <= 0:
            part.merged["summary"] = {}
        part.last_step = _last_step(part.history)
        part.changes["last_step"] = part.last_step


def fork(connection: Connection, draft: Draft, start: RunStart, loaded: dict[str, Draft]) -> None:
    """Let a new run begin with what its parent had at the end of the step where they part."""
    drafts.write(connection, [other for other in loaded.values() if other.owner == start.forked_from])
    origin: dict[str, Any] = {"run": start.forked_from, "step": start.fork_step}
    metadata = draft.changes.setdefault("metadata", dict(start.metadata))
    metadata["forked_from"] = origin
    row = connection.execute(_PARENT, {"in_run": start.forked_from}).first()
    if row is None or start.forked_from == draft.id:
        origin["note"] = f"the store has no run {start.forked_from}: this run begins without its history"
        return
    config, summary, metrics = row
    stop = LAST_STEP if start.fork_step is None else start.fork_step + 1
    draft.merged["config"] = {**loads(config), **start.config}
    draft.merged["summary"] = loads(summary)
    draft.merged["metrics"] = loads(metrics)
    drafts.write(connection, [draft])
    before = {info.key: info for info in joining.infos(connection, start.forked_from)}
    connection.execute(_COPY_CHUNKS, {"in_run": start.forked_from, "new_run": draft.id, "from_step": stop})
    draft.history = history.cut_tails(connection, draft.id, stop)
    _copy_parts(connection, draft, start.forked_from, stop)
    kept.copy_files(connection, start.forked_from, draft.id, stop)
    drafts.write(connection, [draft])
    _follow(connection, draft, before)


def joined(draft: Draft, batch: RunBatch) -> dict[str, Any]:
    """What the summary says of this attempt joined with what the history before it gave: aggregates and the runtime."""
    if draft.stored_json["earlier"] == "{}" and "earlier" not in draft.merged:
        return {}
    earlier = draft.json("earlier")
    together: dict[str, Any] = {
        key: _shown(MetricDefinition.from_json(state["definition"]), state, earlier[key])
        for key, state in batch.aggregates.items()
        if key in earlier
    }
    if RUNTIME in earlier and RUNTIME in batch.summary:
        together[RUNTIME] = earlier[RUNTIME] + batch.summary[RUNTIME]
    return together


def _drop(connection: Connection, draft: Draft, step: int) -> None:
    if not draft.is_new and not draft.part_of:
        kept.drop_files_from(connection, draft.id, step)
    draft.files = {name: row for name, row in draft.files.items() if row["step"] is None or row["step"] < step}
    if draft.history.tails or not draft.history.complete:
        drafts.write(connection, [draft])  # what an earlier batch of the same call brought
        draft.history = history.drop_from(connection, draft.id, step)


def _follow(connection: Connection, draft: Draft, before: Mapping[str, SeriesInfo]) -> None:
    """Bring last step, summary and aggregates in line with the history that is left."""
    tails = draft.history.tails
    draft.last_step = draft.changes["last_step"] = _last_step(draft.history)
    definitions = _definitions(draft)
    summary, earlier = draft.json("summary"), {}
    for key, info in before.items():
        tail = tails.get(key)
        definition = definitions.of(key) if definitions else None
        mode = "none" if key.startswith("_") else summary_mode(definition)
        has_points = tail is not None and bool(tail.steps)
        if mode == "aggregate" and definition is not None:
            summary.pop(key, None)
            if has_points:
                earlier[key] = _aggregate(connection, draft, key, definition)
                summary[key] = _shown(definition, earlier[key])
        elif mode == "copy" and _same(summary.get(key), info.last_value):
            if tail is not None and has_points:
                summary[key] = tail.values[-1]
            else:
                summary.pop(key, None)
    _follow_clock(draft, summary, before.get(TIMESTAMP))
    if summary.get(RUNTIME):
        earlier[RUNTIME] = summary[RUNTIME]
    draft.merged["summary"], draft.merged["earlier"] = summary, earlier


def _follow_clock(draft: Draft, summary: dict[str, Any], before: SeriesInfo | None) -> None:
    stamps = draft.history.tails.get(TIMESTAMP)
    if stamps is None or not stamps.steps:
        for key in ("_step", TIMESTAMP, RUNTIME):
            summary.pop(key, None)
        return
    if before is not None and before.last_step != stamps.steps[-1] and RUNTIME in summary:
        lost = max(0.0, before.last_value - stamps.values[-1])
        summary[RUNTIME] = max(0.0, summary[RUNTIME] - lost)
    summary |= {"_step": stamps.steps[-1], TIMESTAMP: stamps.values[-1]}


def _definitions(draft: Draft) -> Definitions:
    definitions = Definitions()
    for body in draft.json("metrics").values():
        if isinstance(body, dict) and "name" in body:
            definitions.add(MetricDefinition.from_json(body))
    return definitions


def _shown(definition: MetricDefinition, *states: Mapping[str, Any]) -> dict[str, Any]:
    """What the summary shows of these states of an aggregate, the newest first."""
    aggregate = Aggregate(definition)
    for state in states:
        aggregate.precede(state)
    return aggregate.summary()


def _aggregate(connection: Connection, draft: Draft, key: str, definition: MetricDefinition) -> dict[str, Any]:
    """The state of an aggregate over the stored history. Read anew: a minimum cannot be taken back."""
    aggregate = Aggregate(definition)
    drafts.write(connection, [draft])
    aggregate.feed(reading.series(connection, draft.id, key, 0, None).values)
    return aggregate.state()


def _copy_parts(connection: Connection, draft: Draft, parent: str, stop: int) -> None:
    """What other writers of the parent recorded becomes the fork's own."""
    writers = [row[0] for row in connection.execute(_PARTS, {"in_run": parent}) if split_id(row[0])[1] != SYSTEM]
    for key in sorted({info.key for writer in writers for info in history.infos(connection, writer)}):
        merged = reading.series(connection, parent, key, 0, stop)
        if merged.steps:
            history.replace(connection, draft.id, draft.history, key, _part(merged.steps, merged.values))


def _part(steps: Sequence[int], values: Sequence[Any]) -> SeriesPart:
    kinds = {type(value) for value in values}
    kind = "float" if kinds == {float} else "int" if kinds == {int} else "json"
    return SeriesPart(kind, list(steps), list(values))


def _last_step(kept_history: History) -> int | None:
    return max((tail.steps[-1] for tail in kept_history.tails.values() if tail.steps), default=None)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))
