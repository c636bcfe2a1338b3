"""Reading the rows of a history across its keys and writers, window by window, so that its length needs no memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from tracking.database.dialect import storable
from tracking.database.engine import Database
from tracking.journal.parts import SYSTEM, rank, split_id
from tracking.public.contract import HistoryRow
from tracking.store.chunks import FLOAT, decode
from tracking.store.reading import LAST_STEP, cut, widened
from tracking.store.tables import CHUNKS, RUNS, SERIES
from tracking.store.tails import wider

_KEYS_AT_ONCE = 500
_WRITERS = select(RUNS.c.id).where(RUNS.c.part_of == bindparam("in_run"))
_SERIES = select(SERIES.c.key, SERIES.c.kind).where(SERIES.c.run_id.in_(bindparam("run_ids", expanding=True)))
_OVERLAP = (
    CHUNKS.c.run_id.in_(bindparam("run_ids", expanding=True)),
    CHUNKS.c.key.in_(bindparam("keys", expanding=True)),
    CHUNKS.c.last_step >= bindparam("from_step"),
    CHUNKS.c.first_step < bindparam("to_step"),
)
_EXTENTS = select(CHUNKS.c.first_step, CHUNKS.c.last_step, CHUNKS.c.count).where(*_OVERLAP)
_CHUNKS = (
    select(
        CHUNKS.c.run_id,
        CHUNKS.c.key,
        CHUNKS.c.first_step,
        CHUNKS.c.last_step,
        CHUNKS.c.kind,
        CHUNKS.c.count,
        CHUNKS.c.data,
    )
    .where(*_OVERLAP)
    .order_by(CHUNKS.c.key, CHUNKS.c.chunk_no)
)


class Sources:
    """The run and its writers w1, w2, … in the order in which they speak, and the kinds of the keys of them all."""

    def __init__(self, connection: Connection, run_id: str, keys: Sequence[str] | None) -> None:
        system = split_id(run_id)[1] == SYSTEM
        found = [] if system else [row[0] for row in connection.execute(_WRITERS, {"in_run": run_id})]
        writers = [part for part in found if split_id(part)[1] != SYSTEM]
        self.run_ids = [run_id, *sorted(writers, key=lambda part: rank(split_id(part)[1]))]
        self.kinds: dict[str, str] = {}
        names = None if keys is None else {storable(key) for key in keys}
        for key, kind in connection.execute(_SERIES, {"run_ids": self.run_ids}):
            if names is None or key in names:
                self.kinds[key] = wider(self.kinds.get(key, ""), kind)

    def given(self, start: int, stop: int) -> list[dict[str, Any]]:
        """The parameters of the statements, for some keys at a time."""
        keys = sorted(self.kinds)
        parts = [keys[first : first + _KEYS_AT_ONCE] for first in range(0, len(keys), _KEYS_AT_ONCE)]
        return [{"run_ids": self.run_ids, "keys": part, "from_step": start, "to_step": stop} for part in parts]


def rows(
    database: Database, run_id: str, keys: Sequence[str] | None, start: int, stop: int | None, points: int
) -> Iterator[HistoryRow]:
    """Rows with start <= step < stop in step order, with about `points` values in memory at a time."""
    sources = database.read(Sources, run_id, keys)
    begin, span, last = start, max(1, points // max(1, len(sources.kinds))), LAST_STEP if stop is None else stop
    while begin < last:
        end, found, more = database.read(_window, sources, begin, min(last, begin + span), last, points)
        for step in sorted(found):
            yield step, found[step]
        if not more:
            return
        count = sum(map(len, found.values()))
        span = (end - begin) * 4 if count < points // 4 else max(1, end - begin)
        begin = end


def values_at(
    connection: Connection, run_id: str, keys: Sequence[str], steps: Sequence[int]
) -> dict[str, dict[int, Any]]:
    """For each key the values at some ascending steps; chunks without such a step stay packed."""
    found: dict[str, dict[int, Any]] = {key: {} for key in keys}
    if not steps:
        return found
    sources = Sources(connection, run_id, keys)
    names = {storable(key): key for key in keys}
    wanted = set(steps)
    for given in sources.given(steps[0], steps[-1] + 1):
        for source, key, first, last, kind, count, data in connection.execute(_CHUNKS, given):
            place = bisect_left(steps, first)
            if place == len(steps) or steps[place] > last:
                continue
            values = found[names[key]]
            some = _points(kind, count, data, first, last + 1, sources.kinds[key])
            kept = {step: value for step, value in some if step in wanted}
            found[names[key]] = values | kept if source == run_id else kept | values
    return found


def _window(
    connection: Connection, sources: Sources, start: int, end: int, last: int, points: int
) -> tuple[int, dict[int, dict[str, Any]], bool]:
    """Where the window ends, its rows, and whether there are later ones. It ends sooner where the points are dense."""
    extents = [tuple(row) for given in sources.given(start, last) for row in connection.execute(_EXTENTS, given)]
    if not extents:
        return end, {}, False
    first = min(row[0] for row in extents)
    if first >= end:  # nothing but a gap
        start, end = first, min(last, first + (end - start))
    while end - start > 1 and _estimate(extents, start, end) > 2 * points:
        end = start + (end - start) // 2
    found: dict[int, dict[str, Any]] = {}
    for number, run_id in enumerate(sources.run_ids):
        for given in sources.given(start, end):
            for _, key, _, _, kind, count, data in connection.execute(_CHUNKS, {**given, "run_ids": [run_id]}):
                _add(found, key, _points(kind, count, data, start, end, sources.kinds[key]), first=number == 0)
    return end, found, any(row[1] >= end for row in extents)


def _add(found: dict[int, dict[str, Any]], key: str, points: Iterator[tuple[int, Any]], *, first: bool) -> None:
    if first:
        for step, value in points:
            row = found.get(step)
            if row is None:
                found[step] = {key: value}
            else:
                row[key] = value
    else:
        for step, value in points:
            found.setdefault(step, {}).setdefault(key, value)


def _points(kind: str, count: int, data: bytes, start: int, stop: int, wide: str) -> Iterator[tuple[int, Any]]:
    steps, values = cut(*decode(kind, count, data), start, stop)
    return zip(steps, widened(values, FLOAT if wide == FLOAT else None), strict=True)


def _estimate(extents: Sequence[tuple[Any, ...]], start: int, end: int) -> float:
    """How many points lie in a window, taking those of a chunk as evenly spread."""
    total = 0.0
    for first, last, count in extents:
        shared = min(end, last + 1) - max(start, first)
        if shared > 0:
            total += count * shared / (last + 1 - first)
    return total
