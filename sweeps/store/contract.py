"""The contract of the sweep store: sweeps, trials, leases and agents, in words that an HTTP server could keep too."""

from __future__ import annotations

from abc import ABC, abstractmethod
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
from sweeps.states import SweepState, TrialState


class SweepStore(ABC):
    """Sweeps and their trials: the only truth about who may run what.

    Each call is one transaction. Every state move is a compare-and-set against the tables in `sweeps.states`.
    Every call may raise tracking.errors.StoreUnavailable and may then be made again; `claim` is the one call where a
    repeat may have taken trials that the caller never saw: their leases expire. Times come from the database's clock.
    One instance may be used by several threads; it must not be used across a fork.
    """

    @abstractmethod
    def now(self) -> float:
        """The clock of the database, Unix seconds."""

    # -- sweeps ---------------------------------------------------------------------------------

    @abstractmethod
    def create_sweep(self, sweep: NewSweep) -> SweepRecord:
        """Store a new sweep in state RUNNING. Raises ValueError when the id is taken."""

    @abstractmethod
    def sweep(self, sweep_id: str) -> SweepRecord:
        """One sweep by its full id. Raises SweepNotFound."""

    @abstractmethod
    def find_sweep(self, prefix: str) -> SweepRecord:
        """One sweep by id, unique prefix of an id, or `entity/project/id`.

        Raises SweepNotFound, which names the nearest id there is, or AmbiguousId, which lists the candidates.
        """

    @abstractmethod
    def sweeps(self, *, project: str | None = None) -> list[SweepRecord]:
        """All sweeps, newest first."""

    @abstractmethod
    def move_sweep(self, sweep_id: str, target: SweepState, reason: str = "") -> SweepRecord:
        """Move the sweep; raises IllegalMove, SweepNotFound. To be in `target` already is no error and changes nothing.

        STOPPING and CANCELING cancel the waiting trials in the same transaction; CANCELING also requests the stop
        ("canceled: …") of every running trial. STOPPING/CANCELING with no open trial left goes on to FINISHED/CANCELED
        at once. RUNNING from FINISHED/CANCELED clears `exhausted`.
        """

    @abstractmethod
    def set_exhausted(self, sweep_id: str, reason: str) -> None:
        """No further suggestions will come; see `settle`."""

    @abstractmethod
    def replace_document(self, sweep_id: str, document: Mapping[str, object]) -> SweepRecord:
        """Put a changed specification in place of the old one (a raised budget) and clear `exhausted`.
        Raises SweepNotFound."""

    @abstractmethod
    def settle(self, sweep_id: str) -> SweepRecord:
        """End what has nothing left to do: RUNNING and exhausted with no open trial, or STOPPING with no open trial,
        becomes FINISHED; CANCELING with no running trial becomes CANCELED. Returns the sweep as it is then."""

    @abstractmethod
    def delete_sweep(self, sweep_id: str) -> list[str]:
        """Delete a sweep with trials, agents and notices; returns the run ids of its trials, which are the caller's to
        delete. Raises SweepNotFound, and IllegalMove while a live lease exists (cancel first)."""

    # -- suggesting -----------------------------------------------------------------------------

    @abstractmethod
    def acquire_suggesting(self, sweep_id: str, owner: str, ttl: float) -> bool:
        """Take the role of the suggester for `ttl` seconds. False when somebody else has it or the sweep is not
        RUNNING. Taking it again while it is ours extends it."""

    @abstractmethod
    def add_trials(
        self, sweep_id: str, owner: str, first_number: int, seen: int, suggestions: Sequence[Suggestion]
    ) -> list[TrialRecord]:
        """Append WAITING trials numbered from `first_number`, with run ids `<sweep>-<number>`.
        Raises LeaseLost, changing nothing, unless the role is `owner`'s (past its time but not taken will do),
        first_number is the sweep's next_number and the sweep is RUNNING or PAUSED."""

    @abstractmethod
    def release_suggesting(self, sweep_id: str, owner: str) -> None:
        """Give the role back; not having it is no error."""

    # -- trials ---------------------------------------------------------------------------------

    @abstractmethod
    def claim(self, sweep_id: str, agent_id: str, count: int, ttl: float) -> list[TrialRecord]:
        """Lease up to `count` waiting trials, lowest numbers first, while the sweep is RUNNING: state RUNNING,
        attempt + 1, leased until now + ttl, stop_requested cleared. [] when there are none. No attempt of a trial is
        ever claimed twice."""

    @abstractmethod
    def renew(self, sweep_id: str, agent_id: str, keys: Sequence[TrialKey], ttl: float) -> Renewal:
        """Heartbeat: extend the leases that still are this agent's (number, attempt, agent and state RUNNING all match,
        even when already past their time but not yet taken), touch the agent's row and tell the sweep's state.
        Raises SweepNotFound when the sweep was deleted."""

    @abstractmethod
    def finish(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """End attempts: each gets the next finish_seq of its sweep, in the order given. Returns the refused ones
        (stale: the attempt is not the current one or the trial is not RUNNING); those changed nothing. A failure raises
        `lost` or `failures` by one, as in give_back; a value that is not finite is stored as None.
        Raises ValueError for a state that is not final."""

    @abstractmethod
    def give_back(self, returns: Sequence[Return]) -> list[Return]:
        """RUNNING -> WAITING for attempts that are to run again; returns the refused (stale) ones. If the sweep is
        STOPPING, CANCELING or over, or the trial's stop was requested with "canceled: …", it becomes CANCELED instead
        (so do trials in unclaim and reap)."""

    @abstractmethod
    def unclaim(self, keys: Sequence[TrialKey]) -> None:
        """Hand claimed trials back which were never started: RUNNING -> WAITING, no counter is raised; stale ones are
        ignored. The attempt's number is used up."""

    @abstractmethod
    def reap(self, sweep_id: str, lost_limit: int) -> list[TrialRecord]:
        """Take back the trials whose lease has expired: WAITING with `lost` + 1, FAILED (class lost) when `lost`
        reaches lost_limit, CANCELED when the sweep is STOPPING, CANCELING or over. Returns the trials that changed."""

    @abstractmethod
    def request_stop(self, sweep_id: str, number: int, reason: str) -> bool:
        """Ask for the end of one trial: a running one gets `stop_requested`, a waiting one becomes CANCELED.
        False when it has ended. Raises TrialNotFound."""

    @abstractmethod
    def trial(self, sweep_id: str, number: int) -> TrialRecord:
        """One trial. Raises TrialNotFound."""

    @abstractmethod
    def trials(self, sweep_id: str, *, states: Sequence[TrialState] | None = None) -> list[TrialRecord]:
        """Trials by number."""

    @abstractmethod
    def changes(self, sweep_id: str, from_number: int, after_finish: int) -> list[TrialRecord]:
        """Trials which a searcher has not been told: number >= from_number or finish_seq > after_finish; by number."""

    @abstractmethod
    def counts(self, sweep_id: str) -> dict[TrialState, int]:
        """How many trials are in each state; states without trials are absent."""

    # -- agents and notices -----------------------------------------------------------------------

    @abstractmethod
    def register_agent(self, agent: AgentRecord) -> None:
        """Make an agent known (started_at and heartbeat_at are set by the store). Made again it is a heartbeat.
        Raises SweepNotFound."""

    @abstractmethod
    def retire_agent(self, agent_id: str) -> None:
        """The agent has ended by itself; unknown ids are ignored."""

    @abstractmethod
    def agents(self, sweep_id: str) -> list[AgentRecord]:
        """Agents of a sweep, oldest first."""

    @abstractmethod
    def add_notice(self, sweep_id: str, notice: Notice) -> bool:
        """Record a notice; False when the sweep has one of this kind already (then nothing changes).
        Raises SweepNotFound."""

    @abstractmethod
    def notices(self, sweep_id: str) -> list[Notice]:
        """Notices, oldest first."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back."""
