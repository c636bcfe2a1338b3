"""Writing and dropping the points of runs: series and chunks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from tracking.database.dialect import storable, upsert
from tracking.store.chunks import decode
from tracking.store.contract import SeriesInfo, SeriesPart
from tracking.store.tables import CHUNKS, SERIES
from tracking.store.tails import History, Tail, wider

_RUN = CHUNKS.c.run_id == bindparam("in_run")
_UPSERT_SERIES = upsert(SERIES, ("run_id", "key"))
_UPSERT_CHUNKS = upsert(CHUNKS, ("run_id", "key", "chunk_no"))

_TAILS = (
    select(SERIES.c.key, SERIES.c.kind, SERIES.c.count, CHUNKS.c.chunk_no, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .join_from(
        SERIES,
        CHUNKS,
        and_(
            CHUNKS.c.run_id == SERIES.c.run_id,
            CHUNKS.c.key == SERIES.c.key,
            CHUNKS.c.chunk_no == SERIES.c.chunks - 1,
        ),
    )
    .where(SERIES.c.run_id == bindparam("in_run"))
)
_TAILS_OF_KEYS = _TAILS.where(SERIES.c.key.in_(bindparam("keys", expanding=True)))
_KEYS_AT_ONCE = 500

_DROP_SERIES = delete(SERIES).where(SERIES.c.run_id == bindparam("in_run"))
_DROP_CHUNKS = delete(CHUNKS).where(_RUN)
_DROP_KEY_CHUNKS = delete(CHUNKS).where(_RUN, CHUNKS.c.key == bindparam("in_key"))
_DROP_KEY_SERIES = _DROP_SERIES.where(SERIES.c.key == bindparam("in_key"))
_INFOS = select(SERIES.c.key, SERIES.c.kind, SERIES.c.count, SERIES.c.last_step, SERIES.c.last_value).where(
    SERIES.c.run_id == bindparam("in_run")
)
_DROP_CHUNKS_FROM = _DROP_CHUNKS.where(CHUNKS.c.first_step >= bindparam("from_step"))
_SUMS = select(CHUNKS.c.key, CHUNKS.c.kind, func.sum(CHUNKS.c.count)).where(_RUN).group_by(CHUNKS.c.key, CHUNKS.c.kind)
_NEWEST = select(CHUNKS.c.key, func.max(CHUNKS.c.chunk_no).label("no")).where(_RUN).group_by(CHUNKS.c.key).subquery()
_LAST_CHUNKS = (
    select(CHUNKS.c.key, CHUNKS.c.chunk_no, CHUNKS.c.kind, CHUNKS.c.count, CHUNKS.c.data)
    .join_from(CHUNKS, _NEWEST, and_(CHUNKS.c.key == _NEWEST.c.key, CHUNKS.c.chunk_no == _NEWEST.c.no))
    .where(_RUN)
)


def load(connection: Connection, run_id: str, history: History, keys: Iterable[str]) -> None:
    """Bring the tails of `keys` into a history that does not know all that is stored."""
    if history.complete:
        return
    missing = sorted({storable(key) for key in keys} - history.tails.keys())
    for start in range(0, len(missing), _KEYS_AT_ONCE):
        given = {"in_run": run_id, "keys": missing[start : start + _KEYS_AT_ONCE]}
        for key, series_kind, total, chunk_no, kind, count, data in connection.execute(_TAILS_OF_KEYS, given):
            steps, values = decode(kind, count, data)
            history.tails[key] = Tail(chunk_no, total - count, series_kind, kind, steps, values)


def write(connection: Connection, histories: Sequence[tuple[str, History, bool]]) -> None:
    """Write what is new of many runs; the flag says that a run has ended, so that its chunks may be deflated."""
    chunks = [row for run_id, history, ended in histories for row in history.chunk_rows(run_id, ended=ended)]
    series = [row for run_id, history, _ in histories for row in history.series_rows(run_id)]
    if chunks:
        connection.execute(_UPSERT_CHUNKS, chunks)
        connection.execute(_UPSERT_SERIES, series)
    for _, history, _ in histories:
        history.written()


def drop_from(connection: Connection, run_id: str, step: int) -> History:
    """Drop the points at steps >= `step`; the history as it is then."""
    if step <= 0:
        connection.execute(_DROP_CHUNKS, {"in_run": run_id})
        connection.execute(_DROP_SERIES, {"in_run": run_id})
        return History()
    connection.execute(_DROP_CHUNKS_FROM, {"in_run": run_id, "from_step": step})
    return cut_tails(connection, run_id, step)


def infos(connection: Connection, run_id: str) -> list[SeriesInfo]:
    """The keys of this one row of runs, whatever its parts have."""
    return [SeriesInfo(*row) for row in connection.execute(_INFOS, {"in_run": run_id})]


def replace(connection: Connection, run_id: str, history: History, key: str, part: SeriesPart) -> None:
    """Let a key have these points only."""
    name = storable(key)
    connection.execute(_DROP_KEY_CHUNKS, {"in_run": run_id, "in_key": name})
    connection.execute(_DROP_KEY_SERIES, {"in_run": run_id, "in_key": name})
    history.tails.pop(name, None)
    history.extend({key: part})


def cut_tails(connection: Connection, run_id: str, step: int) -> History:
    """Shorten the last chunk that is left of each series; all series are to be written anew."""
    history = History()
    kinds: dict[str, str] = {}
    counts: dict[str, int] = {}
    for key, kind, count in connection.execute(_SUMS, {"in_run": run_id}):
        kinds[key] = wider(kinds.get(key, ""), kind)
        counts[key] = counts.get(key, 0) + int(count)
    for key, chunk_no, kind, count, data in connection.execute(_LAST_CHUNKS, {"in_run": run_id}).all():
        steps, values = decode(kind, count, data)
        end = bisect_left(steps, step)
        history.tails[key] = Tail(chunk_no, counts[key] - count, kinds[key], kind, steps[:end], values[:end])
        history.dirty.add(key)
    connection.execute(_DROP_SERIES, {"in_run": run_id})
    return history
