"""The floor of sweeps as the Api sees it: found through an entry point, because tracking imports nothing of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tracking.errors import UsageError

if TYPE_CHECKING:
    from tracking.public.api import Api

ENTRY_POINTS = "sweep.public"
NAME = "sweeps"


class PublishedSweeps(ABC):
    """Made by `make(api)`, which the entry point `sweeps` of the group `sweep.public` names."""

    @abstractmethod
    def sweep(self, path: str) -> Any:
        """The sweep `[[entity/]project/]id`. Raises what the floor raises for one that does not exist."""

    @abstractmethod
    def sweeps(self, project: str | None) -> list[Any]:
        """The sweeps (of a project), newest first."""

    @abstractmethod
    def stop_trial(self, sweep_id: str, number: int, reason: str) -> bool:
        """Ask for the end of one trial; False when it has ended."""


def find(api: Api) -> PublishedSweeps:
    """The sweeps of the same store. Raises UsageError when no floor of sweeps is installed."""
    for point in metadata.entry_points(group=ENTRY_POINTS, name=NAME):
        make: Callable[[Api], PublishedSweeps] = point.load()
        return make(api)
    raise UsageError(f"sweeps are not installed: no entry point {NAME!r} in the group {ENTRY_POINTS!r}")
