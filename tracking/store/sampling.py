"""Thinning a series for a chart: the extremes of each bucket, from the chunks' digests where the range is long."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import nan
from typing import Any

from sqlalchemy import Connection, bindparam, select

from tracking.database.dialect import storable
from tracking.store import joining
from tracking.store.chunks import BLOCK_POINTS, CHUNK_POINTS, DIGEST_POINTS, FLOAT, INT, JSON, decode, extremes
from tracking.store.contract import Points
from tracking.store.reading import CHUNKS_IN_RANGE, LAST_STEP, cut, series, widened
from tracking.store.tables import CHUNKS

_RANGE = (
    CHUNKS.c.run_id == bindparam("in_run"),
    CHUNKS.c.key == bindparam("in_key"),
    CHUNKS.c.last_step >= bindparam("from_step"),
    CHUNKS.c.first_step < bindparam("to_step"),
)
_OUTLINE_COLUMNS = (CHUNKS.c.low_step, CHUNKS.c.low, CHUNKS.c.high_step, CHUNKS.c.high)
_OUTLINES = (
    select(CHUNKS.c.chunk_no, CHUNKS.c.first_step, CHUNKS.c.last_step, *_OUTLINE_COLUMNS)
    .where(*_RANGE)
    .order_by(CHUNKS.c.chunk_no)
)
_DIGESTS = select(CHUNKS.c.chunk_no, CHUNKS.c.digest).where(*_RANGE)
_NUMBERS = select(CHUNKS.c.chunk_no).where(*_RANGE).order_by(CHUNKS.c.chunk_no)
_BY_NUMBER = (
    select(CHUNKS.c.chunk_no, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .where(*_RANGE, CHUNKS.c.chunk_no.in_(bindparam("numbers", expanding=True)))
    .order_by(CHUNKS.c.chunk_no)
)
_MOST_JSON_CHUNKS = 64
_MOST_MERGED = 200_000
"""Points of several writers that are merged exactly; beyond, samples of each are."""


def sample(connection: Connection, run_id: str, key: str, points: int, start: int, stop: int | None) -> Points:
    """At most about `points` points of the range that keep the shape."""
    sources = joining.sources(connection, run_id, key)
    if not sources.run_ids or points < 1:
        return Points([], [])
    if len(sources.run_ids) == 1:
        return _sample_one(connection, sources.run_ids[0], key, sources.kind, points, start, stop)
    if sources.count <= _MOST_MERGED:
        whole = series(connection, run_id, key, start, stop)
        return _thinned(list(whole.steps), list(whole.values), points, sources.kind)
    each = [_sample_one(connection, one, key, sources.kind, points, start, stop) for one in sources.run_ids]
    steps, values = joining.merged_points((one.steps, one.values) for one in each)
    return _thinned(steps, values, points, sources.kind)


def _sample_one(
    connection: Connection, run_id: str, key: str, kind: str, points: int, start: int, stop: int | None
) -> Points:
    """A sample of what one writer has."""
    given = {"in_run": run_id, "in_key": storable(key)}
    bounds = {**given, "from_step": start, "to_step": LAST_STEP if stop is None else stop}
    if kind == JSON:
        return _thin_json(connection, bounds, points, start, stop)
    steps, values = _gather(connection, bounds, max(1, points // 2), start, stop)
    return _thin(steps, values, points, kind)


def _thinned(steps: list[int], values: list[Any], points: int, kind: str) -> Points:
    """A sample of points that are at hand."""
    if kind == JSON:
        stride = -(-len(steps) // points) or 1
        return Points(steps[::stride], values[::stride])
    return _thin(steps, array("d", values), points, kind)


def _gather(
    connection: Connection, bounds: dict[str, Any], buckets: int, start: int, stop: int | None
) -> tuple[array[int], array[float]]:
    """Points of the range, as few as fill the buckets (or half of them): the extremes of chunks, else those of the
    blocks of chunks, else all points. The chunks at the edges, of which a part is in the range, are always opened."""
    steps, values = array("q"), array("d")
    outlines = connection.execute(_OUTLINES, bounds).all()
    whole = {row[0] for row in outlines if row[3] is not None and row[1] >= start and row[2] < bounds["to_step"]}
    if 2 * len(whole) * CHUNK_POINTS // BLOCK_POINTS < buckets:
        for chunk in connection.execute(CHUNKS_IN_RANGE, bounds):
            _append(steps, values, *cut(*decode(*chunk), start, stop))
        return steps, values
    digests = {} if len(whole) >= buckets else {row[0]: row[1] for row in connection.execute(_DIGESTS, bounds)}
    edges = [row[0] for row in outlines if row[0] not in whole]
    opened = {row[0]: row[1:] for row in connection.execute(_BY_NUMBER, {**bounds, "numbers": edges})}
    block = BLOCK_POINTS if digests else CHUNK_POINTS
    for number, _, _, *extreme in outlines:
        if number in opened:
            _add_blocks(steps, values, *cut(*decode(*opened[number]), start, stop), block)
        elif number in digests:
            _append(steps, values, *decode(FLOAT, DIGEST_POINTS, digests[number]))
        else:
            _add_extremes(steps, values, *extreme)
    return steps, values


def _add_blocks(steps: array[int], values: array[float], more_steps: Any, more_values: Any, block: int) -> None:
    """Points of an edge as thin as the rest, or they would get more than their share of the buckets."""
    for begin in range(0, len(more_steps), block):
        for place in sorted(set(extremes(more_values, begin, min(begin + block, len(more_steps))))):
            steps.append(more_steps[place])
            values.append(more_values[place])


def _add_extremes(
    steps: array[int], values: array[float], low_step: int, low: float | None, high_step: int, high: float | None
) -> None:
    ends = [(low_step, nan if low is None else low), (high_step, nan if high is None else high)]
    for step, value in sorted(ends, key=lambda end: end[0]):
        steps.append(step)
        values.append(value)


def _append(steps: array[int], values: array[float], more_steps: Any, more_values: Any) -> None:
    steps.extend(more_steps)
    values.extend(more_values if more_values.typecode == "d" else array("d", more_values))


def _thin(steps: Any, values: Any, points: int, kind: str) -> Points:
    total = len(steps)
    if total <= points:
        places: Sequence[int] = range(total)
    else:
        buckets = max(1, points // 2)
        kept: list[int] = []
        for bucket in range(buckets):
            low, high = extremes(values, bucket * total // buckets, (bucket + 1) * total // buckets)
            kept += [low] if low == high else sorted((low, high))
        places = kept
    if kind == INT:
        return Points([steps[i] for i in places], [int(values[i]) for i in places])
    return Points([steps[i] for i in places], [values[i] for i in places])


def _thin_json(connection: Connection, bounds: dict[str, Any], points: int, start: int, stop: int | None) -> Points:
    """Every n-th point; of a very long series only some chunks are looked at."""
    numbers = [row[0] for row in connection.execute(_NUMBERS, bounds)]
    if len(numbers) > _MOST_JSON_CHUNKS:
        numbers = [numbers[i * len(numbers) // _MOST_JSON_CHUNKS] for i in range(_MOST_JSON_CHUNKS)]
    steps: list[int] = []
    values: list[Any] = []
    for _, kind, count, data in connection.execute(_BY_NUMBER, {**bounds, "numbers": numbers}):
        some_steps, some_values = cut(*decode(kind, count, data), start, stop)
        steps += some_steps
        values += widened(some_values, JSON)
    stride = -(-len(steps) // points) or 1
    return Points(steps[::stride], values[::stride])
