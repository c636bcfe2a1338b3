"""The checked values that a SweepSpec is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sweeps.space import SearchSpace

Params = Mapping[str, Any]


class Goal(StrEnum):
    """Whether small or large values of the metric are good."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What orders the trials."""

    name: str
    goal: Goal = Goal.MINIMIZE
    target: float | None = None
    """The sweep finishes when a trial reaches this value."""
    impute: str = "worst"
    """What a trial without a value counts as for the search: worst, best or latest."""
    impute_while_running: str = "false"
    """The same for running trials; "false": they count as running."""
    aggregate: str = "best"
    """Which value of a trial's history counts: best or last."""


@dataclass(frozen=True, slots=True)
class HyperbandSpec:
    """Early stopping by bands: either `min_iter` is set, or `max_iter` and `s` are. Iterations count logged values."""

    min_iter: int | None = None
    max_iter: int | None = None
    s: int | None = None
    eta: float = 3.0
    strict: bool = True


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a sweep.yaml settles, with defaults filled in."""

    method: str
    """grid, random or bayes."""
    space: SearchSpace
    metric: MetricSpec | None = None
    early_terminate: HyperbandSpec | None = None
    command: tuple[str, ...] | None = None
    """None: the default command."""
    program: str | None = None
    name: str = ""
    description: str = ""
    project: str = ""
    entity: str = ""
    max_trials: int | None = None
    """The smaller of run_cap and budget.trials."""
    seed: int = 0
    initial: tuple[Params, ...] = ()
    """Flat points to try first."""
    retry_max: int = 0
    """How often a trial that failed by itself is run again."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """The specification as plain JSON with the seed; `SweepSpec.from_document` reads it."""
