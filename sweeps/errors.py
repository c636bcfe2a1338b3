"""Every error that the sweeps floor raises on purpose.

tracking.errors.SweepError
└── SweepsError
    ├── SpecInvalid             a sweep.yaml with faults: all of them, each with its place
    ├── SpaceExhausted          the searcher has no further suggestion
    ├── SweepNotFound           no sweep has this id (names the nearest)
    ├── AmbiguousId             the prefix fits several
    ├── TrialNotFound           no trial has this name or number
    ├── LeaseLost               the lease of a trial or of the suggesting role is no longer ours
    ├── BudgetTooSmall          a finished sweep is to go on without room for another trial
    ├── NothingToRun            the sweep is over, paused or has no trial yet
    └── NoRunner                no agent floor is installed beside this package
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.errors import SweepError


class SweepsError(SweepError):
    """Base of the errors of the sweeps floor."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a sweep.yaml. Line and column count from 1; 0 when the source has no text (a dict)."""

    message: str
    where: str = ""
    """Dotted path of the key, such as `parameters.lr.min`."""
    line: int = 0
    column: int = 0
    hint: str = ""

    def render(self, source: str) -> str:
        """`sweep.yaml:3:5: parameters.lr.min: …` with the hint on the same line."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        parts = [place, self.where, self.message] if self.where else [place, self.message]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")


class SpecInvalid(SweepsError):
    """A sweep specification with faults; `faults` has all of them in the order of the file."""

    def __init__(self, faults: Sequence[Fault], source: str = "sweep") -> None:
        self.faults, self.source = tuple(faults), source
        super().__init__("\n".join(fault.render(source) for fault in self.faults))


class SpaceExhausted(SweepsError):
    """The searcher has no further suggestion."""


class SweepNotFound(SweepsError):
    """No sweep has this id."""


class AmbiguousId(SweepsError):
    """The prefix fits more than one."""


class TrialNotFound(SweepsError):
    """No trial has this name."""


class LeaseLost(SweepsError):
    """The lease is no longer ours: somebody else may hold it."""


class BudgetTooSmall(SweepsError):
    """A finished sweep goes on only with a budget that leaves something to do."""


class NothingToRun(SweepsError):
    """There is no trial to run, and none will come."""


class NoRunner(SweepsError):
    """Nothing that runs trials is installed."""
