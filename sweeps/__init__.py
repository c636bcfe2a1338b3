"""Hyperparameter searches: `create`, `get`, `agent`, and the `Sweep` that they give. Importing this is cheap."""

from __future__ import annotations

TYPE_CHECKING = False  # not from typing: the command imports this before its search path is clean
if TYPE_CHECKING:
    from sweeps.api.sweep import Sweep, agent, create, get, sweep
    from sweeps.api.trial import Trial
    from sweeps.errors import (
        AmbiguousId,
        BudgetTooSmall,
        LeaseLost,
        NoRunner,
        NothingToRun,
        SpecInvalid,
        SweepNotFound,
        SweepsError,
        TrialNotFound,
    )
    from sweeps.states import SweepState, TrialState
    from tracking.errors import SweepError

__all__ = [
    "AmbiguousId",
    "BudgetTooSmall",
    "LeaseLost",
    "NoRunner",
    "NothingToRun",
    "SpecInvalid",
    "Sweep",
    "SweepError",
    "SweepNotFound",
    "SweepState",
    "SweepsError",
    "Trial",
    "TrialNotFound",
    "TrialState",
    "agent",
    "create",
    "get",
    "sweep",
]

_HOMES = {
    "sweeps.api.sweep": ("Sweep", "agent", "create", "get", "sweep"),
    "sweeps.errors": (
        "AmbiguousId",
        "BudgetTooSmall",
        "LeaseLost",
        "NoRunner",
        "NothingToRun",
        "SpecInvalid",
        "SweepNotFound",
        "SweepsError",
        "TrialNotFound",
    ),
    "sweeps.states": ("SweepState", "TrialState"),
    "sweeps.api.trial": ("Trial",),
    "tracking.errors": ("SweepError",),
}


def __getattr__(name: str) -> object:
    """Public names are imported at first use: the database is not loaded for `import sweeps`."""
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(module), name)
            return value
    raise AttributeError(f"module 'sweeps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
