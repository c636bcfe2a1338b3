"""The order in which trials end: the one place that hands out `finish_seq` and writes ended trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Update, bindparam, select, update

from sweeps.states import TRIAL_TRANSITIONS, FailureClass, TrialState
from sweeps.store.tables import SWEEPS, TRIALS
from tracking.database.dialect import clock, one_of

_TRIAL = (TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.number == bindparam("in_number"))
_LOCK = select(SWEEPS.c.state, SWEEPS.c.finish_seq).where(SWEEPS.c.id == bindparam("in_sweep")).with_for_update()
_COUNT_UP = update(SWEEPS).where(SWEEPS.c.id == bindparam("in_sweep")).values(finish_seq=bindparam("new_seq"))
_WAITING = (
    select(TRIALS.c.number, TRIALS.c.attempt)
    .where(TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.state == TrialState.WAITING.value)
    .order_by(TRIALS.c.number)
    .with_for_update()
)


def _end_statements() -> dict[TrialState, Update]:
    """One statement for each final state: the reverse table names the states that it may come from."""
    ends = [state for state in TrialState if TRIAL_TRANSITIONS.is_final(state)]
    return {
        state: update(TRIALS)
        .where(
            *_TRIAL,
            TRIALS.c.attempt == bindparam("in_attempt"),
            one_of(TRIALS.c.state, TRIAL_TRANSITIONS.sources(state)),
        )
        .values(
            state=state.value,
            reason=bindparam("why"),
            failure=bindparam("new_failure"),
            failures=TRIALS.c.failures + bindparam("more_failures"),
            lost=TRIALS.c.lost + bindparam("more_lost"),
            value=bindparam("new_value"),
            length=bindparam("new_length"),
            leased_until=None,
            finished_at=clock(),
            finish_seq=bindparam("rank"),
        )
        for state in ends
    }


_END = _end_statements()


@dataclass(frozen=True, slots=True)
class End:
    """The end of one trial of a sweep whose rows are locked."""

    number: int
    attempt: int
    state: TrialState
    reason: str = ""
    failure: FailureClass | None = None
    value: float | None = None
    length: int = 0


def lock_sweep(connection: Connection, sweep_id: str) -> tuple[str, int] | None:
    """Lock the row of a sweep: (state, finish_seq), or None when it is not there.

    Whoever ends trials takes this lock before those of trials, so that no two wait for each other.
    """
    row = connection.execute(_LOCK, {"in_sweep": sweep_id}).first()
    return None if row is None else (row[0], row[1])


def end_trials(connection: Connection, sweep_id: str, finish_seq: int, ends: Sequence[End]) -> None:
    """Write ends, in the order given, after the `finish_seq` trials that ended before."""
    if not ends:
        return
    given: dict[TrialState, list[dict[str, object]]] = {}
    for rank, end in enumerate(ends, finish_seq + 1):
        failure = end.failure
        given.setdefault(end.state, []).append(
            {
                "in_sweep": sweep_id,
                "in_number": end.number,
                "in_attempt": end.attempt,
                "why": end.reason,
                "new_failure": failure and failure.value,
                "more_failures": int(failure is not None and not failure.is_infrastructure),
                "more_lost": int(failure is not None and failure.counts_as_lost),
                "new_value": end.value,
                "new_length": end.length,
                "rank": rank,
            }
        )
    for state, rows in given.items():
        connection.execute(_END[state], rows)
    connection.execute(_COUNT_UP, {"in_sweep": sweep_id, "new_seq": finish_seq + len(ends)})


def cancel_waiting(connection: Connection, sweep_id: str, reason: str) -> None:
    """Cancel every waiting trial of a sweep."""
    locked = lock_sweep(connection, sweep_id)
    assert locked is not None
    waiting = connection.execute(_WAITING, {"in_sweep": sweep_id}).all()
    ends = [End(number, attempt, TrialState.CANCELED, reason) for number, attempt in waiting]
    end_trials(connection, sweep_id, locked[1], ends)
