"""Samples of one key of many runs at once: a few statements instead of some for each run, and numpy for the arithmetic.

Only readers of charts come here, so only they load numpy; what ships journals stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, case, select

from tracking.database.dialect import storable
from tracking.store import joining
from tracking.store.chunks import BLOCK_POINTS, CHUNK_POINTS, DIGEST_POINTS, FLOAT, JSON, Packed, unpacked
from tracking.store.contract import Points
from tracking.store.sampling import sample
from tracking.store.tables import CHUNKS, SERIES

_AT_ONCE = 250
_ENOUGH = 0.6
"""Chunks stay closed when what is known of them gives this share of the points that are wanted."""

_IN_RUNS = CHUNKS.c.run_id.in_(bindparam("run_ids", expanding=True))
_OF_KEY = (_IN_RUNS, CHUNKS.c.key == bindparam("in_key"))
_SERIES = select(SERIES.c.run_id, SERIES.c.kind, SERIES.c.count).where(
    SERIES.c.run_id.in_(bindparam("run_ids", expanding=True)), SERIES.c.key == bindparam("in_key")
)
_DATA = (
    select(CHUNKS.c.run_id, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .where(*_OF_KEY)
    .order_by(CHUNKS.c.run_id, CHUNKS.c.chunk_no)
)
_TAIL_DATA = case((CHUNKS.c.digest.is_(None), CHUNKS.c.data))
_DIGESTS = (
    select(CHUNKS.c.run_id, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.digest, _TAIL_DATA)
    .where(*_OF_KEY)
    .order_by(CHUNKS.c.run_id, CHUNKS.c.chunk_no)
)
_OUTLINES = (
    select(
        CHUNKS.c.run_id, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.low_step, CHUNKS.c.low, CHUNKS.c.high_step,
        CHUNKS.c.high, _TAIL_DATA,
    )
    .where(*_OF_KEY)
    .order_by(CHUNKS.c.run_id, CHUNKS.c.chunk_no)
)  # fmt: skip

Array = np.ndarray[Any, Any]


def samples(connection: Connection, run_ids: Sequence[str], key: str, points: int) -> dict[str, Points]:
    """A sample of each run that has the key, in the order of `run_ids`."""
    wanted = list(dict.fromkeys(run_ids))
    shared = joining.owners_by_part(connection, wanted, key)
    found: dict[str, Points] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = [run_id for run_id in wanted[start : start + _AT_ONCE] if run_id not in shared]
        found |= _alone(connection, some, storable(key), points)
    for run_id in shared:
        found[run_id] = sample(connection, run_id, key, points, 0, None)
    return {run_id: found[run_id] for run_id in wanted if run_id in found and found[run_id].steps}


def _alone(connection: Connection, run_ids: Sequence[str], key: str, points: int) -> dict[str, Points]:
    """Samples of runs without parts: short ones are read whole, of longer ones what their chunks say of themselves."""
    found: dict[str, Points] = {}
    kinds: dict[str, str] = {}
    ways: dict[Any, list[str]] = {_DATA: [], _DIGESTS: [], _OUTLINES: []}
    for run_id, kind, count in connection.execute(_SERIES, {"run_ids": list(run_ids), "in_key": key}):
        kinds[run_id] = kind
        if kind == JSON:
            found[run_id] = sample(connection, run_id, key, points, 0, None)
        else:
            ways[_way(count // CHUNK_POINTS, points)].append(run_id)
    for statement, ids in ways.items():
        if not ids:
            continue
        rows = connection.execute(statement, {"run_ids": ids, "in_key": key})
        for run_id, chunks in groupby(rows, key=lambda row: row[0]):
            steps, values = _gathered(statement, chunks)
            found[run_id] = _thinned(steps, values, points, kinds[run_id])
    return found


def _way(chunks: int, points: int) -> Any:
    if 2 * chunks >= _ENOUGH * points:
        return _OUTLINES
    return _DIGESTS if DIGEST_POINTS * chunks >= _ENOUGH * points else _DATA


def _gathered(statement: Any, chunks: Iterable[Any]) -> tuple[Array, Array]:
    steps: list[Any] = []
    values: list[Any] = []
    for _, kind, count, *rest in chunks:
        for some_steps, some_values in _points(statement, kind, count, rest):
            steps.append(some_steps)
            values.append(some_values)
    return np.concatenate(steps), np.concatenate(values)


def _points(statement: Any, kind: str, count: int, rest: Sequence[Any]) -> Iterable[tuple[Array, Array]]:
    if statement is _DATA:
        return [decode(count, rest[0])]
    if rest[-1] is not None:
        return [_blocks(*decode(count, rest[-1]))]
    if statement is _DIGESTS:
        return [decode(DIGEST_POINTS, rest[0])]
    low_step, low, high_step, high, _ = rest
    ends = sorted([(low_step, low), (high_step, high)], key=lambda end: end[0])
    return [(np.array([end[0] for end in ends]), np.array([np.nan if end[1] is None else end[1] for end in ends]))]


def _blocks(steps: Array, values: Array) -> tuple[Array, Array]:
    """An open chunk as thin as the digests before it."""
    places = extremes(values, BLOCK_POINTS)
    return steps[places], values[places]


def _thinned(steps: Array, values: Array, points: int, kind: str) -> Points:
    if len(steps) > points:
        places = extremes(values, -(-len(steps) // max(1, points // 2)))
        steps, values = steps[places], values[places]
    if kind != JSON:  # digests hold floats whatever the chunk held
        values = values.astype(np.float64 if kind == FLOAT else np.int64)
    return Points(steps.tolist(), values.tolist())


def extremes(values: Array, width: int) -> Array:
    """Places of the least and the greatest finite value of each bucket of `width` values, ascending."""
    count = len(values)
    buckets = -(-count // width)
    finite = np.isfinite(values)
    padded = np.full((2, buckets * width), np.inf)
    padded[0, :count] = np.where(finite, values, np.inf)
    padded[1, :count] = np.where(finite, -values.astype(np.float64), np.inf)
    firsts: Array = np.arange(buckets) * width
    places: Array = np.unique(padded.reshape(2, buckets, width).argmin(axis=2) + firsts)
    return places


def decode(count: int, data: bytes) -> tuple[Array, Array]:
    """The steps and values of a chunk of numbers, as `tracking.store.chunks.decode` gives them."""
    first, stride, deltas, values = unpacked(count, data)
    if stride:
        steps = np.arange(first, first + stride * count, stride)
    else:
        steps = np.empty(count, np.int64)
        steps[0] = first
        np.cumsum(_array(deltas, count - 1), out=steps[1:])
        steps[1:] += first
    return steps, _array(values, count)


def _array(packed: Packed, count: int) -> Array:
    typecode, planes = packed
    dtype = np.dtype(typecode).newbyteorder("<")
    if len(planes) == 1:
        whole: Array = np.frombuffer(planes[0], dtype)
        return whole
    raw: Array = np.empty((count, len(planes)), np.uint8)
    for number, plane in enumerate(planes):
        raw[:, number] = np.frombuffer(plane, np.uint8)
    return raw.reshape(-1).view(dtype)
