"""A run and its parts as readers see them: one summary, one metadata, one series for each key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select

from tracking.database.dialect import loads, storable
from tracking.journal.parts import SYSTEM, rank, split_id
from tracking.store.contract import RunRecord, SeriesInfo
from tracking.store.tables import RUNS, SERIES
from tracking.store.tails import wider

_IDS_AT_ONCE = 500

IS_OURS = or_(RUNS.c.id == bindparam("in_run"), RUNS.c.part_of == bindparam("in_run"))
_OURS = select(RUNS.c.id).where(IS_OURS)
_SOURCES = select(SERIES.c.run_id, SERIES.c.kind, SERIES.c.count).where(
    SERIES.c.key == bindparam("in_key"), SERIES.c.run_id.in_(_OURS)
)
_INFOS = select(
    SERIES.c.run_id, SERIES.c.key, SERIES.c.kind, SERIES.c.count, SERIES.c.last_step, SERIES.c.last_value
).where(SERIES.c.run_id.in_(_OURS))
_PARTS_WITH = (
    select(RUNS.c.part_of, SERIES.c.run_id)
    .join_from(RUNS, SERIES, SERIES.c.run_id == RUNS.c.id)
    .where(RUNS.c.part_of.in_(bindparam("owners", expanding=True)), SERIES.c.key == bindparam("in_key"))
)


class Sources:
    """The runs (the owner first) that have points of a key, and the kind and number of them all."""

    __slots__ = ("count", "kind", "run_ids")

    def __init__(self, rows: Sequence[tuple[str, str, int]]) -> None:
        self.run_ids = [row[0] for row in rows]
        self.kind = ""
        self.count = 0
        for _, kind, count in rows:
            self.kind = wider(self.kind, kind)
            self.count += count


def sources(connection: Connection, run_id: str, key: str) -> Sources:
    """Who has points of a key that a reader of this run sees."""
    rows = connection.execute(_SOURCES, {"in_run": run_id, "in_key": storable(key)})
    seen = [(row[0], row[1], row[2]) for row in rows if _is_seen(run_id, row[0], key)]
    return Sources(sorted(seen, key=lambda row: _order(row[0])))


def merged_points(pieces: Iterable[tuple[Sequence[int], Sequence[Any]]]) -> tuple[list[int], list[Any]]:
    """The points of several writers as one series; at an equal step the first piece that has it wins."""
    merged: dict[int, Any] = {}
    for steps, values in reversed(list(pieces)):
        merged.update(zip(steps, values, strict=True))
    ordered = sorted(merged)
    return ordered, [merged[step] for step in ordered]


def infos(connection: Connection, run_id: str) -> list[SeriesInfo]:
    """The keys of a run and its parts in alphabetical order."""
    found: dict[str, SeriesInfo] = {}
    rows = sorted(connection.execute(_INFOS, {"in_run": run_id}), key=lambda row: _order(row[0]))
    for source, key, kind, count, last_step, last_value in rows:
        if not _is_seen(run_id, source, key):
            continue
        info = SeriesInfo(key, kind, count, last_step, last_value)
        known = found.get(key)
        found[key] = info if known is None else _both(known, info)
    # Sorted here: a database sorts by its collation.
    return [found[key] for key in sorted(found)]


def joined(run: RunRecord, parts: Iterable[RunRecord]) -> RunRecord:
    """A run with what its parts know: of equal names the run's own count, then those of w1, w2, …."""
    summary: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    last_step = run.last_step
    for part in sorted(parts, key=lambda part: _order(part.id), reverse=True):
        metadata |= part.metadata
        summary |= part.summary
        if not _is_system(part.id) and part.last_step is not None:
            last_step = max(part.last_step, -1 if last_step is None else last_step)
    return replace(run, summary={**summary, **run.summary}, metadata={**metadata, **run.metadata}, last_step=last_step)


def with_summaries(runs: list[RunRecord], parts: Iterable[Sequence[Any]]) -> list[RunRecord]:
    """Runs with the summaries of their parts; `parts` are rows of part_of, id, last_step and the summary's text."""
    by_owner: dict[str, list[Sequence[Any]]] = {}
    for row in parts:
        by_owner.setdefault(row[0], []).append(row)
    return [_with_summary(run, by_owner[run.id]) if run.id in by_owner else run for run in runs]


def owners_by_part(connection: Connection, run_ids: Sequence[str], key: str) -> set[str]:
    """Those of the runs of which a part has points of this key."""
    found: set[str] = set()
    for start in range(0, len(run_ids), _IDS_AT_ONCE):
        given = {"owners": run_ids[start : start + _IDS_AT_ONCE], "in_key": storable(key)}
        rows = connection.execute(_PARTS_WITH, given)
        found |= {owner for owner, part in rows if _is_seen(owner, part, key)}
    return found


def in_order(parts: Iterable[RunRecord]) -> list[RunRecord]:
    """Parts in the order in which they speak for their run."""
    return sorted(parts, key=lambda part: _order(part.id))


def _with_summary(run: RunRecord, parts: Sequence[Sequence[Any]]) -> RunRecord:
    summary: dict[str, Any] = {}
    last_step = run.last_step
    for _, part, step, text in sorted(parts, key=lambda row: _order(row[1]), reverse=True):
        summary |= loads(text)
        if step is not None and not _is_system(part):
            last_step = max(step, -1 if last_step is None else last_step)
    return replace(run, summary={**summary, **run.summary}, last_step=last_step)


def _both(known: SeriesInfo, other: SeriesInfo) -> SeriesInfo:
    newer = other if other.last_step > known.last_step else known
    kind = wider(known.kind, other.kind)
    return SeriesInfo(known.key, kind, known.count + other.count, newer.last_step, newer.last_value)


def _is_seen(owner: str, source: str, key: str) -> bool:
    """The machine's samples have steps and times of their own, which readers of the run must not take for its own."""
    return source == owner or not (key.startswith("_") and _is_system(source))


def _is_system(run_id: str) -> bool:
    return split_id(run_id)[1] == SYSTEM


def _order(run_id: str) -> tuple[int, int, str]:
    return rank(split_id(run_id)[1])
