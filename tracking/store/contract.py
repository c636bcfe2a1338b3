"""The contract of the run store: what tracking needs from a database, in words that an HTTP server could keep too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
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
    forked_from: str = ""
    """The run whose history up to and including `fork_step`, config and summary this run begins with."""
    fork_step: int | None = None
    """None: all that the parent has."""
    tentative: bool = False
    """Whether `starting_step` is what a checkpoint would allow; a rewind follows when the script ignores it."""
    part_of: str = ""
    """The run of which this journal is a part; "" for a run."""


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
    files: list[dict[str, Any]] = field(default_factory=list)
    """FILE records: a name replaces what had it before."""
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    """ARTIFACT records, in order."""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    """ALERT records; each gets "position", the journal offset that makes it unique."""
    aggregates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What define_metric(summary="min,…") gathered over this attempt alone (`tracking.live.metrics.Aggregate.state`):
    the store joins it with what the history before `starting_step` gave."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Top-level keys merged into the metadata of the run."""
    rewind: int | None = None
    """Drop the history at steps >= this one before `history` is added."""
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
    part_of: str = ""
    """The run of which this is a part, "" for a run."""


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What the public Api changes of a run; None leaves a field as it is. Maps are merged by their top-level keys."""

    name: str | None = None
    notes: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: tuple[str, ...] | None = None
    config: JsonMap = field(default_factory=dict)
    summary: JsonMap = field(default_factory=dict)
    metadata: JsonMap = field(default_factory=dict)
    without_config: tuple[str, ...] = ()
    """Keys to remove, before `config` is merged."""
    without_summary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that a run keeps; its bytes are the blob `digest` (64 hex digits), of `size` bytes."""

    run_id: str
    name: str
    digest: str
    size: int
    mime: str
    step: int | None
    at: float
    """Unix seconds."""


class AlertState(StrEnum):
    """What became of an alert: HELD came too soon after another of its title, FAILED was given up."""

    WAITING = "waiting"
    SENT = "sent"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert of a run. (run_id, attempt, part, position) name it: its place in the journal where it was raised."""

    run_id: str
    attempt: int
    part: str
    position: int
    title: str
    text: str
    level: str
    wait: float
    """Seconds within which no other alert of this title is sent."""
    at: float
    """Unix seconds."""
    sent: AlertState
    reason: str
    tries: int
    """How often a sender took it on; it never said what came of it when this grew without a mark."""
    sent_at: float | None


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What the store knows of one key of one run, without reading its points.

    `count` is an upper bound for a key that several parts of a run have: they may have points at the same step.
    """

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
    """Runs, their config, summary, history and console output, and the files and alerts that they recorded.

    A run may have parts: what other processes record into it (`tracking.home.part_id`). The store keeps each part as a
    run of its own with the owner in `part_of`, so parts are shipped, resumed and refused as runs are; readers see the
    owner and its parts as one run. What the owner recorded wins over its parts, then w1, w2, … in this order.

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
        A batch of a newer attempt starts a new epoch: its from_offset must be 0 and its state becomes RUNNING. When
        its `start` cuts the history (starting_step), the summary of what was cut follows the points that are left.
        A batch of an older attempt changes nothing and returns -1: its writer is stale. So is a writer's part (w1, …)
        of an attempt that is older than its owner's.
        """

    @abstractmethod
    def run(self, run_id: str) -> RunRecord:
        """One run, with the summary and the metadata of its parts. Raises RunNotFound."""

    @abstractmethod
    def runs(self, *, sweep_id: str | None = None, project: str | None = None) -> list[RunRecord]:
        """Runs, oldest first; never parts. The metadata is that of the run alone: `run()` adds what its parts know."""

    @abstractmethod
    def parts(self, run_id: str) -> list[RunRecord]:
        """The parts of a run as they are, main writers first (w1, w2, …); [] for a run without parts."""

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
    def samples(self, run_ids: Sequence[str], key: str, points: int = 500) -> dict[str, Points]:
        """`sample` of many runs at once, for each run that has the key: what a chart of many runs needs."""

    @abstractmethod
    def heads(self, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
        """The first `count` finite values of a numeric key for each run which has any: what a Stopper compares."""

    @abstractmethod
    def console(self, run_id: str, start: int = 0, limit: int = 1 << 20) -> bytes:
        """Console bytes of the latest attempt from byte `start`. Raises RunNotFound."""

    @abstractmethod
    def files(self, run_id: str) -> list[FileRecord]:
        """The files of a run and its parts by name, as they are now; [] when there are none."""

    @abstractmethod
    def alerts(self, run_id: str) -> list[AlertRecord]:
        """The alerts of a run and its parts, of all its attempts, in the order in which they were raised."""

    @abstractmethod
    def waiting_alerts(self, limit: int = 100, run_ids: Sequence[str] | None = None) -> list[AlertRecord]:
        """Alerts (of these runs) that wait and that no sender has claimed at this moment, oldest first."""

    @abstractmethod
    def claim_alert(self, alert: AlertRecord, sender: str, seconds: float = 60.0) -> bool:
        """Take an alert on for so long (the database's clock); False when it is claimed by another or waits no more.

        Who has not marked it by then may be followed by another sender: `seconds` must exceed any attempt to send.
        """

    @abstractmethod
    def mark_alert(
        self, alert: AlertRecord, sender: str, sent: AlertState, reason: str = "", retry_in: float = 0.0
    ) -> bool:
        """Say what came of an alert that this sender has claimed; False (and no change) when the claim is another's.

        WAITING gives it back, to be shown by `waiting_alerts` after `retry_in` seconds.
        """

    @abstractmethod
    def update_run(self, run_id: str, changes: RunChanges) -> RunRecord:
        """Change what people may change of a run; the run afterwards. Raises RunNotFound.

        A run that goes on may set the same keys again later.
        """

    @abstractmethod
    def delete_runs(self, run_ids: Sequence[str]) -> None:
        """Delete runs with their parts, history, files and alerts; unknown ids are ignored. Blobs stay."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back. A closed store may not be used again."""
