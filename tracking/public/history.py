"""The history of a run as the Api gives it: thinned for charts, or exact and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracking.errors import UsageError
from tracking.home import part_id
from tracking.journal.parts import SYSTEM
from tracking.public.session import Session
from tracking.store.contract import SeriesInfo

STEP, TIME, RUNTIME = "_step", "_timestamp", "_runtime"
_EVERY_RUN = (RUNTIME, TIME)
_MOST_SAMPLED = 64
"""So many keys decide which steps a thinned history shows; the other ones are read at those steps."""
_STREAMS = {"default": "", "system": SYSTEM, "events": SYSTEM}

Row = dict[str, Any]


class Place:
    """One stream of one run, and the keys that it has. Raises UsageError for a stream that does not exist."""

    def __init__(self, session: Session, run_id: str, stream: str, started_at: float) -> None:
        self.session, self.started_at = session, started_at
        self.id = _source(run_id, stream)
        self.counts = {info.key: info.count for info in infos(session, run_id, stream)}

    def stored(self, names: Sequence[str]) -> list[str]:
        """The keys behind names: `_step` is none, and `_runtime` follows from `_timestamp`."""
        derived = [TIME if name == RUNTIME and RUNTIME not in self.counts else name for name in names if name != STEP]
        return list(dict.fromkeys(derived))

    def completed(self, step: int, values: Mapping[str, Any]) -> Row:
        """A row with its step and its run time."""
        row = {**values, STEP: step}
        if TIME in row and RUNTIME not in row and self.started_at:
            row[RUNTIME] = max(0.0, row[TIME] - self.started_at)
        return row


def infos(session: Session, run_id: str, stream: str = "default") -> list[SeriesInfo]:
    """What the store knows of each key of a stream; in the default one are those of the run and its writers."""
    source = _source(run_id, stream)
    found = session.store.keys(source)
    if source != run_id:
        return found
    machine = {info.key: info for info in session.store.keys(part_id(run_id, SYSTEM))}
    return [info for info in found if info.key.startswith("_") or machine.get(info.key) != info]


def sampled(place: Place, keys: Sequence[str] | None, samples: int, axis: str) -> list[Row]:
    """At most `samples` rows in the order of `axis`, each whole; the extremes of every key are among them.

    With `keys` only rows that have all of them. A run with fewer rows is given exactly.
    """
    if samples < 1:
        raise UsageError(f"history(samples={samples}): at least one row must be asked for")
    names = list(dict.fromkeys([axis, *(keys if keys is not None else place.counts)]))
    wanted = [key for key in place.stored(names) if key in place.counts]
    if not wanted or (keys is not None and len(wanted) < len(place.stored(names))):
        return []
    found = [place.completed(step, row) for step, row in _rows(place, wanted, samples, all_of=keys is not None)]
    if keys is not None:
        found = [{name: row[name] for name in dict.fromkeys([STEP, *names])} for row in found if _has(row, names)]
    if axis != STEP:
        found = [row for row in found if axis in row]
        found.sort(key=lambda row: (not isinstance(row[axis], int | float), row[axis] != row[axis], row[axis]))
    return found


def scanned(place: Place, keys: Sequence[str] | None, page: int, start: int, stop: int | None) -> Iterator[Row]:
    """Every row with start <= step < stop in step order; with `keys` those that have them all, and nothing else."""
    if page < 1:
        raise UsageError(f"scan_history(page_size={page}): a page has at least one row")
    names = list(dict.fromkeys(keys or ()))
    wanted = None if keys is None else place.stored(names) or None
    points = page * max(1, len(wanted or place.counts))
    return _scan(place, wanted, None if keys is None else names, points, start, stop)


def columns(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> dict[str, list[Any]]:
    """The rows as columns: those of `first`, then the rest by name, what every run has at the end."""
    names = {name for row in rows for name in row}
    rest = sorted(names - set(first), key=lambda name: (name in _EVERY_RUN, name))
    return {name: [row.get(name) for row in rows] for name in [*first, *rest]}


def _source(run_id: str, stream: str) -> str:
    """The id under which the store keeps a stream of a run."""
    if stream not in _STREAMS:
        raise UsageError(f"stream={stream!r}: a history has the streams {', '.join(map(repr, _STREAMS))}")
    return part_id(run_id, _STREAMS[stream])


def _scan(
    place: Place, wanted: list[str] | None, names: list[str] | None, points: int, start: int, stop: int | None
) -> Iterator[Row]:
    for step, values in place.session.queries.rows(place.id, wanted, start, stop, points):
        row = place.completed(step, values)
        if names is None:
            yield row
        elif _has(row, names):
            yield {name: row[name] for name in names}


def _has(row: Row, names: Sequence[str]) -> bool:
    return all(name in row for name in names)


def _rows(place: Place, wanted: list[str], samples: int, *, all_of: bool) -> list[tuple[int, Mapping[str, Any]]]:
    """Steps in order, and the values at them."""
    session, counts = place.session, place.counts
    if max(counts[key] for key in wanted) <= samples:
        rows: list[tuple[int, Mapping[str, Any]]] = [
            row for row in session.queries.rows(place.id, wanted) if not all_of or len(row[1]) == len(wanted)
        ]
        return rows if len(rows) <= samples else [rows[number] for number in _spread(len(rows), samples)]
    if len(wanted) == 1:
        found = session.store.sample(place.id, wanted[0], samples)
        return [(step, {wanted[0]: value}) for step, value in zip(found.steps, found.values, strict=True)]
    steps = _steps(place, wanted, samples, all_of=all_of)
    values = session.queries.values_at(place.id, wanted, steps)
    return [(step, {key: values[key][step] for key in wanted if step in values[key]}) for step in steps]


def _steps(place: Place, wanted: list[str], samples: int, *, all_of: bool) -> list[int]:
    """The steps of a thinned history, ascending: where the keys have their extremes."""
    counts = place.counts
    telling = [key for key in wanted if key not in _EVERY_RUN] or wanted
    rarest = min(telling, key=lambda key: counts[key])
    if all_of and counts[rarest] < max(counts[key] for key in telling):
        telling = [rarest]  # other steps do not have all keys
    telling = sorted(telling, key=lambda key: -counts[key])[:_MOST_SAMPLED]
    each = max(2, samples // len(telling))
    ordered = sorted({step for key in telling for step in place.session.store.sample(place.id, key, each).steps})
    return ordered if len(ordered) <= samples else [ordered[number] for number in _spread(len(ordered), samples)]


def _spread(total: int, count: int) -> list[int]:
    """`count` places out of `total`, evenly, the first and the last among them."""
    return [0] if count == 1 else [place * (total - 1) // (count - 1) for place in range(count)]
