"""The contract of the run store: what tracking needs from a database, in words that an HTTP server could keep too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracking.states import RunState

JsonMap = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunStart:
    """What a journal says when its run starts. `starting_step` > 0 continues the history that the store has."""

    id: str
    project: str
    entity: str = ""
    name: str = ""
    notes: str = ""
    group: str = ""
    job_type: str = ""
    tags: tuple[str, ...] = ()
    config: JsonMap = field(default_factory=dict)
    metadata: JsonMap = field(default_factory=dict)
    sweep_id: str = ""
    trial: int | None = None
    started_at: float = 0.0
    """Unix seconds."""
    starting_step: int = 0
    host: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended."""

    state: RunState
    reason: str = ""
    exit_code: int | None = None
    at: float = 0.0


@dataclass(slots=True)
class SeriesPart:
    """Consecutive points of one key, steps strictly ascending within the part.

    kind is "float" (values are floats, NaN and inf included), "int" (64-bit integers) or "json" (any JSON value).
    A key may change its kind between parts; readers then see floats widened, or JSON.
    """

    kind: str
    steps: list[int]
    values: list[Any]


@dataclass(slots=True)
class RunBatch:
    """What a stretch [from_offset, to_offset) of the journal of one attempt means.

    Merging rules: `config` and `summary` are JSON-merged top-level keys (value None removes nothing: it is a value);
    a point at a step which the series already ends with replaces that value; `start` (only in the batch that begins at
    offset 0) replaces config and metadata and drops history at steps >= starting_step and, if starting_step is 0, the
    summary. A point at a step before the last one of its series is ignored.
    """

    run_id: str
    attempt: int
    from_offset: int
    to_offset: int
    start: RunStart | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    """define_metric declarations by name."""
    history: dict[str, SeriesPart] = field(default_factory=dict)
    last_step: int | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    """What was renamed since the start: any of name, notes (text) and tags (a list); it replaces what was there."""
    console: bytes = b""
    """New raw console bytes, which follow the `console_offset` bytes shipped before."""
    console_offset: int = 0
    end: RunEnd | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the store knows it. Times are Unix seconds."""

    id: str
    project: str
    entity: str
    name: str
    notes: str
    group: str
    job_type: str
    tags: tuple[str, ...]
    state: RunState
    reason: str
    exit_code: int | None
    config: JsonMap
    summary: JsonMap
    metrics: JsonMap
    metadata: JsonMap
    sweep_id: str
    trial: int | None
    attempt: int
    host: str
    pid: int
    created_at: float
    started_at: float
    finished_at: float | None
    last_step: int | None
    journal_offset: int
    console_size: int


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What the store knows of one key of one run, without reading its points."""

    key: str
    kind: str
    count: int
    last_step: int
    last_value: Any


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one key in step order. In a sample of a long series each bucket gives its minimum and maximum."""

    steps: Sequence[int]
    values: Sequence[Any]


class RunStore(ABC):
    """Runs, their config, summary, history and console output.

    Every call may raise StoreUnavailable (the database cannot be reached, its disk is full, it is locked for longer
    than the busy limit); the caller may call again: every writing call is idempotent. Nothing else leaks out of the
    database driver. One instance may be used by several threads; it must not be used across a fork.
    """

    @abstractmethod
    def now(self) -> float:
        """The clock of the database, Unix seconds."""

    @abstractmethod
    def apply(self, batches: Sequence[RunBatch]) -> list[int]:
        """Project batches in one transaction; return for each the journal offset that the store has afterwards.

        A run that is unknown is made from `batch.start` (or, when the journal never said, with what the ids tell).
        A batch whose `from_offset` is not the stored offset of that attempt changes nothing: the returned offset says
        from where to read again. So shipping twice changes nothing.
        A batch of a newer attempt starts a new epoch: its from_offset must be 0 and its state becomes RUNNING.
        A batch of an older attempt changes nothing and returns -1: its writer is stale.
        """

    @abstractmethod
    def run(self, run_id: str) -> RunRecord:
        """One run. Raises RunNotFound."""

    @abstractmethod
    def runs(self, *, sweep_id: str | None = None, project: str | None = None) -> list[RunRecord]:
        """Runs, oldest first."""

    @abstractmethod
    def keys(self, run_id: str) -> list[SeriesInfo]:
        """The keys which the run has logged, in alphabetical order; [] for an unknown run."""

    @abstractmethod
    def series(self, run_id: str, key: str, start: int = 0, stop: int | None = None) -> Points:
        """All points of a key with start <= step < stop; empty when there are none."""

    @abstractmethod
    def sample(self, run_id: str, key: str, points: int = 2000, start: int = 0, stop: int | None = None) -> Points:
        """At most about `points` points that keep the shape: the minimum and maximum of each bucket of points.

        Exact when there are fewer. A NaN is shown only where a bucket has nothing else; JSON values are thinned out
        evenly.
        """

    @abstractmethod
    def heads(self, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
        """The first `count` finite values of a numeric key for each run which has any: what a Stopper compares."""

    @abstractmethod
    def console(self, run_id: str, start: int = 0, limit: int = 1 << 20) -> bytes:
        """Console bytes of the latest attempt from byte `start`. Raises RunNotFound."""

    @abstractmethod
    def delete_runs(self, run_ids: Sequence[str]) -> None:
        """Delete runs with all their history; unknown ids are ignored."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back. A closed store may not be used again."""
