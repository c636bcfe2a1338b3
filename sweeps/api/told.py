"""What a caller of `tell()` may say about a trial, turned into history, value and end state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from sweeps.control.judging import judge_values
from sweeps.spec.parts import MetricSpec
from sweeps.states import TrialState
from tracking.errors import UsageError
from tracking.store.contract import SeriesPart

Told = float | Mapping[str, Any] | Sequence[float] | None

# What a person may call the end of a trial.
_STATES = {
    "complete": TrialState.COMPLETE,
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "stopped": TrialState.PRUNED,
    "failed": TrialState.FAILED,
    "canceled": TrialState.CANCELED,
}


@dataclass(slots=True)
class Telling:
    """The end of a trial. `length` counts the finite values of the metric."""

    state: TrialState
    reason: str = ""
    value: float | None = None
    length: int = 0
    history: dict[str, SeriesPart] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def last_step(self) -> int | None:
        return max((part.steps[-1] for part in self.history.values() if part.steps), default=None)


def understand(told: Told, state: str | None, metric: MetricSpec | None) -> Telling:
    """Read what was told: a number is the metric, a list is its curve, a mapping has numbers or lists by metric name.

    Raises UsageError for anything else, and when the metric is missing from a trial that is said to be complete.
    """
    telling = Telling(_end_state(state))
    for key, numbers in _by_key(told, metric).items():
        telling.history[key] = SeriesPart("float", list(range(len(numbers))), numbers)
        if numbers:
            telling.summary[key] = numbers[-1]
    if metric is not None and metric.name in telling.history:
        verdict = judge_values(metric, telling.history[metric.name].values, state=telling.state)
        telling.value, telling.length, telling.reason = verdict.value, verdict.length, verdict.reason
    elif metric is not None and telling.state is TrialState.COMPLETE:
        given = ", ".join(map(repr, telling.history)) or "nothing"
        raise UsageError(
            f"tell() needs the metric {metric.name!r} and was given {given}; for a trial that broke, say state='failed'"
        )
    return telling


def _end_state(state: str | None) -> TrialState:
    if state is None:
        return TrialState.COMPLETE
    try:
        return _STATES[str(state).lower()]
    except KeyError:
        raise UsageError(f"tell() knows no state {state!r}; allowed: {', '.join(_STATES)}") from None


def _by_key(told: Told, metric: MetricSpec | None) -> dict[str, list[float]]:
    if told is None:
        return {}
    if isinstance(told, Mapping):
        return {str(key): _numbers(value, str(key)) for key, value in told.items()}
    if metric is None:
        raise UsageError("the sweep has no metric, so a bare number means nothing: tell(trial, {'name': value})")
    return {metric.name: _numbers(told, metric.name)}


def _numbers(value: Any, key: str) -> list[float]:
    if isinstance(value, (list, tuple)):
        return [_number(item, key) for item in value]
    return [_number(value, key)]


def _number(value: Any, key: str) -> float:
    """Real numbers, and whatever turns into one by itself (numpy and torch scalars); no text and no bool."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    convert = getattr(value, "item", None)
    if callable(convert) and isinstance(item := convert(), (int, float)) and not isinstance(item, bool):
        return float(item)
    raise UsageError(f"tell() needs numbers: {key!r} is {value!r} ({type(value).__name__})")
