"""The way up to whatever runs trials: the entry-point group `sweep.runners`, so that this floor imports no agent."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

from sweeps.errors import NoRunner

ENTRY_POINTS = "sweep.runners"
LOCAL = "local"


def find_runner(name: str = LOCAL) -> Callable[..., Any]:
    """The function `run(sweep_id, *, function, count, slots, …)` of that name. Raises NoRunner."""
    points = metadata.entry_points(group=ENTRY_POINTS, name=name)
    for point in points:
        runner: Callable[..., Any] = point.load()
        return runner
    raise NoRunner(
        f"nothing is installed that runs trials (no entry point {name!r} in the group {ENTRY_POINTS!r}); "
        "reinstall with: pip install --force-reinstall sweepwright"
    )
