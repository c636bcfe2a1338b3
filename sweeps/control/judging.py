"""What a trial is worth: its value from the metric's history and summary, and whether that reaches the target."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.spec.parts import Goal, MetricSpec
from sweeps.states import TrialState

_OF_HISTORY = ("best", "min", "max", "first", "last")
"""What `define_metric(summary=…)` keeps of a key that was logged itself; a mean never was."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The value that orders a trial, how many finite values led to it and, without one, why there is none."""

    value: float | None
    length: int
    reason: str = ""


def judge_values(
    metric: MetricSpec | None, history: Iterable[Any], summary: Any = None, state: TrialState = TrialState.COMPLETE
) -> Judgement:
    """The worth of a trial that logged `history` under the metric's name and has `summary` there at its end.

    Takes the best value, or the last with `aggregate: last`; NaN, infinities and what is no number are left out.
    A failed trial whose metric says `impute: latest` or `best` is given that value instead.
    """
    if metric is None:
        return Judgement(None, 0)
    logged = list(history)
    finite = [float(value) for value in logged if is_finite(value)]
    summed = _summed(summary)
    latest = _aggregate(metric, state) == "last"
    value = _last(finite, summed) if latest else best_of(metric.goal, [*finite, *summed])
    if value is not None:
        return Judgement(value, len(finite))
    seen = bool(logged) or summary is not None
    why = f"metric {metric.name!r} was never a finite number" if seen else f"metric {metric.name!r} was never logged"
    return Judgement(None, 0, why)


def best_of(goal: Goal, values: Iterable[float]) -> float | None:
    """The best of some numbers; None when there are none."""
    return max(values, default=None) if goal is Goal.MAXIMIZE else min(values, default=None)


def reaches_target(metric: MetricSpec | None, value: float | None) -> bool:
    """Whether `value` is as good as `metric.target` or better; False when there is no target."""
    if metric is None or metric.target is None or value is None:
        return False
    return value >= metric.target if metric.goal is Goal.MAXIMIZE else value <= metric.target


def is_finite(value: Any) -> bool:
    """Whether it is a number that can order trials."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _aggregate(metric: MetricSpec, state: TrialState) -> str:
    if state is TrialState.FAILED and metric.impute != "worst":
        return "last" if metric.impute == "latest" else "best"
    return metric.aggregate


def _last(finite: list[float], summed: list[float]) -> float | None:
    """The last value of the history; the summary speaks only where there is no history."""
    return finite[-1] if finite else next(iter(reversed(summed)), None)


def _summed(summary: Any) -> list[float]:
    if isinstance(summary, Mapping):
        summary_values = [summary[name] for name in _OF_HISTORY if name in summary]
    else:
        summary_values = [summary]
    return [float(value) for value in summary_values if is_finite(value)]
