"""The way up to whatever runs trials: the entry-point group `sweep.runners`, so that this floor imports no agent."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

from sweeps.errors import NoRunner

ENTRY_POINTS = "sweep.runners"
LOCAL = "local"
_ADVICE = "`sweep doctor` shows what is wrong; pip install --force-reinstall sweepwright repairs it"


def find_runner(name: str = LOCAL) -> Callable[..., Any]:
    """The function `run(sweep_id, *, function, count, slots, …)` of that name. Raises NoRunner."""
    points = metadata.entry_points(group=ENTRY_POINTS, name=name)
    for point in points:
        try:
            runner: Callable[..., Any] = point.load()
        except ImportError as error:
            raise NoRunner(f"what runs trials ({point.value}) cannot be imported: {error}. {_ADVICE}") from error
        return runner
    raise NoRunner(f"nothing that runs trials is installed (entry point {name!r} of {ENTRY_POINTS!r}). {_ADVICE}")
