"""The contract of what the public Api asks of a store: finding runs by conditions, reading rows of their history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tracking.public.filtering.conditions import Condition, Order
from tracking.store.contract import FileRecord


@dataclass(frozen=True, slots=True)
class Query:
    """Which runs are wanted, and in which order. Parts of runs (`part_of`) are never found.

    `entity` also finds the runs that were recorded without one. Equal runs are ordered by their time and their id.
    """

    project: str | None = None
    entity: str | None = None
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    sweep_id: str | None = None


class RunRow(NamedTuple):
    """What a list shows of a run. `tags`, `config` and `summary` are JSON text (tracking.database.json_text reads it),
    so that a list of many runs costs little. Times are Unix seconds."""

    id: str
    project: str
    entity: str
    name: str
    notes: str
    group: str
    job_type: str
    tags: str
    state: str
    reason: str
    exit_code: int | None
    config: str
    summary: str
    sweep_id: str
    trial: int | None
    attempt: int
    host: str
    pid: int
    created_at: float
    started_at: float
    finished_at: float | None
    last_step: int | None


class ProjectRow(NamedTuple):
    """A project: it exists as long as a run of it does."""

    name: str
    entity: str
    runs: int
    created_at: float
    """When its first run was recorded."""
    last_at: float
    """When its newest run was recorded."""


HistoryRow = tuple[int, dict[str, Any]]
"""A step, and the values that were logged at it."""


class RunQueries(ABC):
    """Reading many runs at once.

    Every call may raise StoreUnavailable. Usable by several threads, not across a fork.
    """

    @abstractmethod
    def count(self, query: Query) -> int:
        """How many runs there are."""

    @abstractmethod
    def ids(self, query: Query) -> list[str]:
        """The ids of all of them, in order."""

    @abstractmethod
    def find(self, query: Query, offset: int = 0, limit: int | None = None) -> list[RunRow]:
        """Some of them, in order."""

    @abstractmethod
    def load(self, run_ids: Sequence[str]) -> list[RunRow]:
        """The runs with these ids in the order of the ids; those that are gone are left out."""

    @abstractmethod
    def projects(self, entity: str | None = None) -> list[ProjectRow]:
        """The projects by name."""

    @abstractmethod
    def rows(
        self,
        run_id: str,
        keys: Sequence[str] | None = None,
        start: int = 0,
        stop: int | None = None,
        points: int = 100_000,
    ) -> Iterator[HistoryRow]:
        """The rows of a history with start <= step < stop in step order, those of the parts "w1" … included.

        At most about `points` values are in memory at a time. Without `keys` all that the run itself logged.
        """

    @abstractmethod
    def values_at(self, run_id: str, keys: Sequence[str], steps: Sequence[int]) -> Mapping[str, Mapping[int, Any]]:
        """For each key the values at those of the ascending `steps` where it has one."""

    @abstractmethod
    def add_file(self, file: FileRecord) -> None:
        """Say that a run has this file, in place of one of the same name. Raises RunNotFound."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back."""
