"""What a user's sweep.yaml says, checked. `load` reads one; YAML is imported only then."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.spec.command import expand, shell_line
    from sweeps.spec.loading import Loaded, load, load_text
    from sweeps.spec.model import Goal, HyperbandSpec, MetricSpec, SweepSpec

__all__ = [
    "Goal",
    "HyperbandSpec",
    "Loaded",
    "MetricSpec",
    "SweepSpec",
    "expand",
    "load",
    "load_text",
    "shell_line",
]

_HOMES = {
    "command": ("expand", "shell_line"),
    "loading": ("Loaded", "load", "load_text"),
    "model": ("Goal", "HyperbandSpec", "MetricSpec", "SweepSpec"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"sweeps.spec.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
