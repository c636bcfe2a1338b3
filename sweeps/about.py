"""The few facts of a sweep that every view shows: method, metric, budget."""

from __future__ import annotations

from dataclasses import dataclass

from sweeps.errors import SpecInvalid
from sweeps.records import SweepRecord
from sweeps.spec.model import SweepSpec


@dataclass(frozen=True, slots=True)
class About:
    """`metric` is "" when the sweep has none; `budget` is None when the search has no end of its own."""

    method: str
    metric: str
    goal: str
    budget: int | None
    stopper: str
    seed: int
    spec: SweepSpec

    @classmethod
    def of(cls, record: SweepRecord) -> About:
        """Read from the stored document."""
        spec = SweepSpec.from_document(record.document)
        return cls(
            method=spec.method,
            metric=spec.metric.name if spec.metric else "",
            goal=spec.metric.goal.value if spec.metric else "minimize",
            budget=_budget(spec),
            stopper="hyperband" if spec.early_terminate else "",
            seed=spec.seed,
            spec=spec,
        )


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list of sweeps shows of each, even of one that a newer version of this program made."""

    method: str
    metric: str
    goal: str
    budget: int | None

    @classmethod
    def of(cls, record: SweepRecord) -> Brief:
        try:
            about = About.of(record)
        except SpecInvalid:
            return cls(method="unreadable", metric="", goal="minimize", budget=None)
        return cls(about.method, about.metric, about.goal, about.budget)


def _budget(spec: SweepSpec) -> int | None:
    """The number of trials after which the sweep is over; finite spaces end by themselves under grid and random."""
    sizes = {"grid": spec.space.grid_size, "random": spec.space.size}
    limits = [limit for limit in (spec.max_trials, sizes.get(spec.method)) if limit is not None]
    return min(limits, default=None)
