"""The sweep store on SQLite and PostgreSQL: each call of the contract is one transaction of one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweeps.records import (
    AgentRecord,
    NewSweep,
    Notice,
    Outcome,
    Renewal,
    Return,
    Suggestion,
    SweepRecord,
    TrialKey,
    TrialRecord,
)
from sweeps.states import TRIAL_TRANSITIONS, SweepState, TrialState
from sweeps.store import agents, ending, leasing, lookup, moving, suggesting
from sweeps.store.contract import SweepStore
from tracking.database.engine import Database


class SqlSweepStore(SweepStore):
    """The contract on a `Database` whose schema is there (see `sweeps.store.open_store`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read, self._write = database.read, database.write

    def now(self) -> float:
        return self._database.now()

    def close(self) -> None:
        self._database.close()

    # -- sweeps ---------------------------------------------------------------------------------

    def create_sweep(self, sweep: NewSweep) -> SweepRecord:
        return self._write(moving.create_sweep, sweep)

    def sweep(self, sweep_id: str) -> SweepRecord:
        return self._read(lookup.sweep, sweep_id)

    def find_sweep(self, prefix: str) -> SweepRecord:
        return self._read(lookup.find_sweep, prefix)

    def sweeps(self, *, project: str | None = None) -> list[SweepRecord]:
        return self._read(lookup.sweeps, project)

    def move_sweep(self, sweep_id: str, target: SweepState, reason: str = "") -> SweepRecord:
        return self._write(moving.move_sweep, sweep_id, target, reason)

    def set_exhausted(self, sweep_id: str, reason: str) -> None:
        self._write(moving.set_exhausted, sweep_id, reason)

    def replace_document(self, sweep_id: str, document: Mapping[str, object]) -> SweepRecord:
        return self._write(moving.replace_document, sweep_id, document)

    def settle(self, sweep_id: str) -> SweepRecord:
        # Nearly always there is nothing to end, which a read can tell without the lock of a writer.
        sweep, due = self._read(moving.settle_due, sweep_id)
        return self._write(moving.settle, sweep_id) if due else sweep

    def delete_sweep(self, sweep_id: str) -> list[str]:
        return self._write(moving.delete_sweep, sweep_id)

    # -- suggesting -----------------------------------------------------------------------------

    def acquire_suggesting(self, sweep_id: str, owner: str, ttl: float) -> bool:
        return self._write(suggesting.acquire, sweep_id, owner, ttl)

    def add_trials(
        self, sweep_id: str, owner: str, first_number: int, seen: int, suggestions: Sequence[Suggestion]
    ) -> list[TrialRecord]:
        return self._write(suggesting.add_trials, sweep_id, owner, first_number, seen, suggestions)

    def release_suggesting(self, sweep_id: str, owner: str) -> None:
        self._write(suggesting.release, sweep_id, owner)

    # -- trials ---------------------------------------------------------------------------------

    def claim(self, sweep_id: str, agent_id: str, count: int, ttl: float) -> list[TrialRecord]:
        return self._write(leasing.claim, sweep_id, agent_id, count, ttl) if count > 0 else []

    def renew(self, sweep_id: str, agent_id: str, keys: Sequence[TrialKey], ttl: float) -> Renewal:
        return self._write(leasing.renew, sweep_id, agent_id, keys, ttl)

    def finish(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        for outcome in outcomes:
            if not TRIAL_TRANSITIONS.is_final(outcome.state):
                raise ValueError(f"an attempt does not end as {outcome.state.value}: use give_back")
        return self._write(ending.finish, outcomes) if outcomes else []

    def give_back(self, returns: Sequence[Return]) -> list[Return]:
        return self._write(ending.give_back, returns) if returns else []

    def unclaim(self, keys: Sequence[TrialKey]) -> None:
        if keys:
            self._write(ending.unclaim, keys)

    def reap(self, sweep_id: str, lost_limit: int) -> list[TrialRecord]:
        # Like settle: look first, for this is asked every few seconds by every agent.
        return self._write(ending.reap, sweep_id, lost_limit) if self._read(ending.has_expired, sweep_id) else []

    def request_stop(self, sweep_id: str, number: int, reason: str) -> bool:
        return self._write(ending.request_stop, sweep_id, number, reason)

    def trial(self, sweep_id: str, number: int) -> TrialRecord:
        return self._read(lookup.trial, sweep_id, number)

    def trials(self, sweep_id: str, *, states: Sequence[TrialState] | None = None) -> list[TrialRecord]:
        return self._read(lookup.trials, sweep_id, states)

    def changes(self, sweep_id: str, from_number: int, after_finish: int) -> list[TrialRecord]:
        return self._read(lookup.changes, sweep_id, from_number, after_finish)

    def counts(self, sweep_id: str) -> dict[TrialState, int]:
        return self._read(lookup.counts, sweep_id)

    # -- agents and notices -----------------------------------------------------------------------

    def register_agent(self, agent: AgentRecord) -> None:
        self._write(agents.register, agent)

    def retire_agent(self, agent_id: str) -> None:
        self._write(agents.retire, agent_id)

    def agents(self, sweep_id: str) -> list[AgentRecord]:
        return self._read(agents.of_sweep, sweep_id)

    def add_notice(self, sweep_id: str, notice: Notice) -> bool:
        return self._write(agents.add_notice, sweep_id, notice)

    def notices(self, sweep_id: str) -> list[Notice]:
        return self._read(agents.notices, sweep_id)
