"""Reading sweeps and trials."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from sweeps.errors import AmbiguousId, SweepNotFound, TrialNotFound
from sweeps.records import SweepRecord, TrialRecord
from sweeps.states import TrialState
from sweeps.store.rows import SWEEP_COLUMNS, TRIAL_COLUMNS, sweep_record, trial_record
from sweeps.store.tables import SWEEPS, TRIALS

_SWEEP = select(*SWEEP_COLUMNS).where(SWEEPS.c.id == bindparam("sweep_id"))
_SWEEP_LOCKED = _SWEEP.with_for_update()
_SWEEPS = select(*SWEEP_COLUMNS).order_by(SWEEPS.c.created_at.desc(), SWEEPS.c.id)
_IDS = select(SWEEPS.c.id, SWEEPS.c.name, SWEEPS.c.project, SWEEPS.c.entity).order_by(SWEEPS.c.id)

_TRIALS = select(*TRIAL_COLUMNS).where(TRIALS.c.sweep_id == bindparam("sweep_id")).order_by(TRIALS.c.number)
_TRIAL = _TRIALS.where(TRIALS.c.number == bindparam("number"))
_TRIAL_LOCKED = _TRIAL.with_for_update()
_IN_STATES = _TRIALS.where(TRIALS.c.state.in_(bindparam("states", expanding=True)))
_CHANGES = _TRIALS.where(
    or_(TRIALS.c.number >= bindparam("from_number"), TRIALS.c.finish_seq > bindparam("after_finish"))
)
_COUNTS = (
    select(TRIALS.c.state, func.count()).where(TRIALS.c.sweep_id == bindparam("sweep_id")).group_by(TRIALS.c.state)
)


def sweep(connection: Connection, sweep_id: str, *, lock: bool = False) -> SweepRecord:
    """One sweep, its row locked until the end of the transaction if asked for. Raises SweepNotFound."""
    row = connection.execute(_SWEEP_LOCKED if lock else _SWEEP, {"sweep_id": sweep_id}).first()
    if row is None:
        raise _not_found(sweep_id, connection.execute(_IDS).all())
    return sweep_record(row)


def find_sweep(connection: Connection, prefix: str) -> SweepRecord:
    """One sweep by id, unique prefix or `entity/project/id`. Raises SweepNotFound, AmbiguousId."""
    *path, wanted = prefix.strip().strip("/").split("/")
    everywhere = connection.execute(_IDS).all()
    rows = [row for row in everywhere if _lies_in(row, path)]
    ids = [row.id for row in rows if wanted and row.id.startswith(wanted)]
    ids = [wanted] if wanted in ids else ids
    if not ids:
        raise _elsewhere(prefix, wanted, everywhere) or _not_found(prefix, rows or everywhere)
    if len(ids) > 1:
        raise AmbiguousId(f"{prefix!r} fits {len(ids)} sweeps: {_listed(ids)}. Give more of the id.")
    return sweep(connection, ids[0])


def sweeps(connection: Connection, project: str | None = None) -> list[SweepRecord]:
    """All sweeps, newest first."""
    statement = _SWEEPS if project is None else _SWEEPS.where(SWEEPS.c.project == project)
    return [sweep_record(row) for row in connection.execute(statement)]


def trial(connection: Connection, sweep_id: str, number: int, *, lock: bool = False) -> TrialRecord:
    """One trial. Raises TrialNotFound."""
    row = connection.execute(_TRIAL_LOCKED if lock else _TRIAL, {"sweep_id": sweep_id, "number": number}).first()
    if row is None:
        count = connection.execute(_COUNTS, {"sweep_id": sweep_id}).all()
        total = sum(found for _, found in count)
        has = f"it has {total}, numbered from 0" if total else "it has none yet"
        raise TrialNotFound(f"sweep {sweep_id} has no trial {number}: {has}")
    return trial_record(row)


def trials(connection: Connection, sweep_id: str, states: Sequence[TrialState] | None = None) -> list[TrialRecord]:
    """Trials by number."""
    if states is None:
        rows = connection.execute(_TRIALS, {"sweep_id": sweep_id})
    else:
        rows = connection.execute(_IN_STATES, {"sweep_id": sweep_id, "states": [state.value for state in states]})
    return [trial_record(row) for row in rows]


def changes(connection: Connection, sweep_id: str, from_number: int, after_finish: int) -> list[TrialRecord]:
    """Trials with number >= from_number or finish_seq > after_finish."""
    given = {"sweep_id": sweep_id, "from_number": from_number, "after_finish": after_finish}
    return [trial_record(row) for row in connection.execute(_CHANGES, given)]


def counts(connection: Connection, sweep_id: str) -> dict[TrialState, int]:
    """How many trials are in each state."""
    return {TrialState(state): count for state, count in connection.execute(_COUNTS, {"sweep_id": sweep_id})}


def _lies_in(row: Any, path: Sequence[str]) -> bool:
    """Whether a sweep fits the `entity/project` before its id; what the sweep leaves empty fits all."""
    given = dict(zip(("project", "entity"), reversed(path), strict=False))
    return all(not getattr(row, name) or getattr(row, name) == value for name, value in given.items())


def _elsewhere(prefix: str, wanted: str, rows: Sequence[Any]) -> SweepNotFound | None:
    """What to say when the id is right and the `entity/project` before it is not."""
    found = [row for row in rows if wanted and row.id.startswith(wanted)]
    if len(found) != 1:
        return None
    (row,) = found
    path = "/".join(part for part in (row.entity, row.project, row.id) if part)
    return SweepNotFound(f"no sweep {prefix!r} in this store. Did you mean {path}?")


def _not_found(wanted: str, rows: Sequence[Any]) -> SweepNotFound:
    if not rows:
        return SweepNotFound(f"no sweep {wanted!r}: this store has no sweeps. Make one with `sweep create sweep.yaml`.")
    by_name = {row.name: row.id for row in rows if row.name}
    last = wanted.rstrip("/").rpartition("/")[2]
    near = get_close_matches(last, [row.id for row in rows] + list(by_name), n=1, cutoff=0.5)
    hint = f" Did you mean {by_name.get(near[0], near[0])}?" if near else " `sweep ls` lists them."
    return SweepNotFound(f"no sweep {wanted!r} in this store.{hint}")


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids[:8]) + (", …" if len(ids) > 8 else "")
