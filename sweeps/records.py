"""The rows of the sweep store as frozen values: what callers see of them. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.states import FailureClass, SweepState, TrialState

Params = Mapping[str, Any]
"""Flat: the name of a nested parameter is its dotted path. `SearchSpace.nest` gives the mapping that a run sees."""


@dataclass(frozen=True, slots=True)
class NewSweep:
    """What `create` stores."""

    id: str
    document: Mapping[str, Any]
    """The checked specification as JSON, with the seed; `SweepSpec.from_document` reads it."""
    source: str = ""
    """The user's YAML, for people to read."""
    project: str = ""
    entity: str = ""
    name: str = ""
    description: str = ""
    workdir: str = ""
    """The folder where `sweep create` ran, which a program's relative path is seen from."""


@dataclass(frozen=True, slots=True)
class SweepRecord:
    id: str
    document: Mapping[str, Any]
    source: str
    project: str
    entity: str
    name: str
    description: str
    workdir: str
    state: SweepState
    reason: str
    """Why it is in this state, for people: "run_cap of 20 trials reached"."""
    exhausted: str
    """Why no further suggestions come ("" while they do); the sweep finishes when its open trials have ended."""
    created_at: float
    finished_at: float | None
    next_number: int
    """How many trials were suggested so far, which is the number of the next one."""
    finish_seq: int
    """How many trials have ended so far."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point that the Searcher proposes, and where it comes from (`engine`, `reason`, …) for people."""

    params: Params
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialRecord:
    sweep_id: str
    number: int
    params: Params
    state: TrialState
    reason: str
    origin: Mapping[str, Any]
    seen: int
    """`finish_seq` of the sweep when this was suggested: the trials that ended later, or never, counted as running."""
    run_id: str
    attempt: int
    """Fencing token; 0 before the first lease."""
    agent_id: str
    leased_until: float | None
    stop_requested: str
    """The reason for which the trial is to be ended now; "" for none. It begins with "pruned: " or
    "canceled: ", which tells the end state."""
    value: float | None
    """The metric (user's sign) that orders the trial; None when it has no finite one."""
    length: int
    """How many finite values of the metric it logged."""
    failure: FailureClass | None
    failures: int
    """Attempts that failed by themselves."""
    lost: int
    """Attempts that were lost with their machine."""
    created_at: float
    started_at: float | None
    finished_at: float | None
    finish_seq: int | None
    """Rank among the trials of the sweep in the order of their ends (from 1); None while open."""


@dataclass(frozen=True, slots=True)
class TrialKey:
    """One attempt of one trial: the right that a Lease gives."""

    sweep_id: str
    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, for the store. `state` is COMPLETE, PRUNED, FAILED or CANCELED."""

    key: TrialKey
    state: TrialState
    reason: str = ""
    failure: FailureClass | None = None
    value: float | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """An attempt that goes back to waiting. Its class decides which counter it raises."""

    key: TrialKey
    failure: FailureClass
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a heartbeat brings back."""

    state: SweepState
    held: frozenset[int]
    """Numbers of the trials whose lease still is ours (now extended)."""
    stops: Mapping[int, str]
    """Number -> stop_requested, for held trials that are to be ended."""


@dataclass(frozen=True, slots=True)
class AgentRecord:
    id: str
    sweep_id: str
    name: str
    host: str
    pid: int
    slots: int
    started_at: float
    heartbeat_at: float
    ended_at: float | None
    versions: Mapping[str, str]


EVENT = "event:"
"""What the kind of a notice begins with that only says that people were told of an event."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people should know about a sweep, once, such as a metric that nobody logs."""

    kind: str
    text: str
    at: float = 0.0

    @property
    def is_event(self) -> bool:
        """Whether it is no news for who looks at the sweep anyway."""
        return self.kind.startswith(EVENT)
