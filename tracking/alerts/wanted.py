"""Which events of sweeps are told to people."""

from __future__ import annotations

from dataclasses import dataclass

STALLED_AFTER_S = 1800.0


@dataclass(frozen=True, slots=True)
class Events:
    """All of them unless alerts.yaml says otherwise. `stalled`: seconds without news of a running trial, None never."""

    finished: bool = True
    first_failure: bool = True
    new_best: bool = True
    stalled: float | None = STALLED_AFTER_S
