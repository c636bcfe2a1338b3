"""The ends of attempts: finished, given back, lost with their agent, or asked to stop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sqlalchemy import Connection, bindparam, select, update

from sweeps.records import Outcome, Return, TrialKey, TrialRecord
from sweeps.states import TRIAL_TRANSITIONS, FailureClass, SweepState, TrialState
from sweeps.store import lookup
from sweeps.store.ranking import End, end_trials, lock_sweep
from sweeps.store.rows import TRIAL_COLUMNS, trial_record
from sweeps.store.tables import TRIALS
from tracking.database.dialect import clock, one_of

CANCELED = "canceled: "
_TAKES_TRIALS = {SweepState.RUNNING.value, SweepState.PAUSED.value}

_TRIAL = (TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.number == bindparam("in_number"))
_RUNNING = select(TRIALS.c.number, TRIALS.c.attempt, TRIALS.c.stop_requested).where(
    TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.state == TrialState.RUNNING.value
)
_HELD = (
    _RUNNING.where(TRIALS.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(TRIALS.c.number)
    .with_for_update()
)
_IS_EXPIRED = TRIALS.c.leased_until < clock()
_EXPIRED = _RUNNING.where(_IS_EXPIRED).add_columns(TRIALS.c.lost, TRIALS.c.agent_id).order_by(TRIALS.c.number)
_EXPIRED_LOCKED = _EXPIRED.with_for_update(skip_locked=True)
_CHANGED = (
    select(*TRIAL_COLUMNS)
    .where(TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(TRIALS.c.number)
)
_WAIT = (
    update(TRIALS)
    .where(
        *_TRIAL,
        TRIALS.c.attempt == bindparam("in_attempt"),
        one_of(TRIALS.c.state, TRIAL_TRANSITIONS.sources(TrialState.WAITING)),
    )
    .values(
        state=TrialState.WAITING.value,
        leased_until=None,
        reason=bindparam("why"),
        failure=bindparam("new_failure"),
        failures=TRIALS.c.failures + bindparam("more_failures"),
        lost=TRIALS.c.lost + bindparam("more_lost"),
    )
)
_ASK_STOP = update(TRIALS).where(*_TRIAL).values(stop_requested=bindparam("why"))


class _Keyed(Protocol):
    @property
    def key(self) -> TrialKey: ...


K = TypeVar("K", bound=_Keyed)


def finish(connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """End attempts; the refused ones."""
    refused: list[Outcome] = []
    for sweep_id, group in _by_sweep(outcomes):
        locked = lock_sweep(connection, sweep_id)
        held, stale = _split(connection, sweep_id, group)
        refused += stale
        if locked is not None:
            end_trials(connection, sweep_id, locked[1], [_end(outcome) for outcome, _ in held])
    return refused


def give_back(connection: Connection, returns: Sequence[Return]) -> list[Return]:
    """Send attempts back to waiting; the refused ones."""
    refused: list[Return] = []
    for sweep_id, group in _by_sweep(returns):
        locked = lock_sweep(connection, sweep_id)
        held, stale = _split(connection, sweep_id, group)
        refused += stale
        if locked is not None:
            tried = [_Back(one.key, stop, one.failure, one.reason) for one, stop in held]
            _send_back(connection, sweep_id, locked, tried)
    return refused


def unclaim(connection: Connection, keys: Sequence[TrialKey]) -> None:
    """Send attempts back that never began, at no cost to them."""
    for sweep_id, group in _by_sweep([_Back(key) for key in keys]):
        locked = lock_sweep(connection, sweep_id)
        held, _ = _split(connection, sweep_id, group)
        if locked is not None:
            _send_back(connection, sweep_id, locked, [replace(one, stop=stop) for one, stop in held])


def has_expired(connection: Connection, sweep_id: str) -> bool:
    """Whether `reap` would find a trial."""
    return connection.execute(_EXPIRED.limit(1), {"in_sweep": sweep_id}).first() is not None


def reap(connection: Connection, sweep_id: str, lost_limit: int) -> list[TrialRecord]:
    """Take back the trials whose lease has expired; the trials that changed."""
    locked = lock_sweep(connection, sweep_id)
    if locked is None:
        return []
    waits: list[_Back] = []
    ends: list[End] = []
    expired = connection.execute(_EXPIRED_LOCKED, {"in_sweep": sweep_id}).all()
    for number, attempt, stop, lost, agent in expired:
        reason = f"agent {agent} was lost"
        if lost + 1 >= lost_limit and not _why_cancel(locked[0], stop):
            why = f"{reason}; that is {lost + 1} times, the limit"
            ends.append(End(number, attempt, TrialState.FAILED, why, FailureClass.LOST))
        else:
            waits.append(_Back(TrialKey(sweep_id, number, attempt), stop, FailureClass.LOST, reason))
    finish_seq = _send_back(connection, sweep_id, locked, waits)
    end_trials(connection, sweep_id, finish_seq, ends)
    if not expired:
        return []
    numbers = [row.number for row in expired]
    return [trial_record(row) for row in connection.execute(_CHANGED, {"in_sweep": sweep_id, "numbers": numbers})]


def request_stop(connection: Connection, sweep_id: str, number: int, reason: str) -> bool:
    """Ask for the end of one trial; False when it has ended."""
    locked = lock_sweep(connection, sweep_id)
    trial = lookup.trial(connection, sweep_id, number, lock=True)
    assert locked is not None, "a trial has a sweep"
    if trial.state is TrialState.WAITING:
        end = End(number, trial.attempt, TrialState.CANCELED, reason.removeprefix(CANCELED))
        end_trials(connection, sweep_id, locked[1], [end])
    elif trial.state is TrialState.RUNNING:
        # A person's wish to cancel is not overridden by a stopper's wish to prune.
        if not trial.stop_requested.startswith(CANCELED):
            connection.execute(_ASK_STOP, {"in_sweep": sweep_id, "in_number": number, "why": reason})
    else:
        return False
    return True


# -- inside -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Back:
    """A running attempt that is to wait again."""

    key: TrialKey
    stop: str = ""
    failure: FailureClass | None = None
    reason: str = ""


def _by_sweep(items: Sequence[K]) -> Iterable[tuple[str, list[K]]]:
    """The items of each sweep, in a fixed order of sweeps: two batches never wait for each other."""
    groups: dict[str, list[K]] = {}
    for item in items:
        groups.setdefault(item.key.sweep_id, []).append(item)
    return sorted(groups.items(), key=lambda group: group[0])


def _split(connection: Connection, sweep_id: str, items: Sequence[K]) -> tuple[list[tuple[K, str]], list[K]]:
    """Which items name the current attempt of a running trial (with its stop_requested), and which are stale."""
    numbers = sorted({item.key.number for item in items})
    rows = connection.execute(_HELD, {"in_sweep": sweep_id, "numbers": numbers})
    running = {(number, attempt): stop for number, attempt, stop in rows}
    held: list[tuple[K, str]] = []
    stale: list[K] = []
    for item in items:
        # Popped: the same attempt named twice ends once.
        stop = running.pop((item.key.number, item.key.attempt), None)
        if stop is None:
            stale.append(item)
        else:
            held.append((item, stop))
    return held, stale


def _end(outcome: Outcome) -> End:
    value = outcome.value if outcome.value is not None and math.isfinite(outcome.value) else None
    key = outcome.key
    return End(key.number, key.attempt, outcome.state, outcome.reason, outcome.failure, value, outcome.length)


def _why_cancel(sweep_state: str, stop: str) -> str:
    """Why a trial that ended by accident is not to run again; "" when it is."""
    if sweep_state not in _TAKES_TRIALS:
        return f"the sweep is {sweep_state}"
    return stop.removeprefix(CANCELED) if stop.startswith(CANCELED) else ""


def _send_back(connection: Connection, sweep_id: str, locked: tuple[str, int], tried: Sequence[_Back]) -> int:
    """RUNNING -> WAITING, or CANCELED where nothing is to run again; the finish_seq afterwards."""
    state, finish_seq = locked
    waits: list[dict[str, object]] = []
    ends: list[End] = []
    for back in tried:
        if why := _why_cancel(state, back.stop):
            reason = f"{why}; {back.reason}" if back.reason else why
            ends.append(End(back.key.number, back.key.attempt, TrialState.CANCELED, reason, back.failure))
        else:
            waits.append(_wait(back))
    if waits:
        connection.execute(_WAIT, waits)
    end_trials(connection, sweep_id, finish_seq, ends)
    return finish_seq + len(ends)


def _wait(back: _Back) -> dict[str, object]:
    failure = back.failure
    return {
        "in_sweep": back.key.sweep_id,
        "in_number": back.key.number,
        "in_attempt": back.key.attempt,
        "why": back.reason,
        "new_failure": failure and failure.value,
        "more_failures": int(failure is not None and not failure.is_infrastructure),
        "more_lost": int(failure is not None and failure.counts_as_lost),
    }
