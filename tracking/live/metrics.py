"""What define_metric() declares, and the aggregates that it asks for in the summary."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracking.errors import UsageError

AGGREGATES = ("min", "max", "mean", "last", "first", "best")
SUMMARY_WORDS = frozenset((*AGGREGATES, "none", "copy"))
GOALS = frozenset(("minimize", "maximize"))
_SHORT_GOALS = {"min": "minimize", "max": "maximize"}


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One declaration; `name` may end with one `*`. None means: not said."""

    name: str
    step_metric: str | None = None
    step_sync: bool | None = None
    hidden: bool | None = None
    summary: tuple[str, ...] | None = None
    goal: str | None = None

    @classmethod
    def checked(
        cls,
        name: str,
        step_metric: str | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | Sequence[str] | None = None,
        goal: str | None = None,
    ) -> MetricDefinition:
        """The declaration of these arguments of define_metric(). Raises UsageError which says what is allowed."""
        if not isinstance(name, str) or not name or "*" in name[:-1]:
            raise UsageError(f"define_metric: the name {name!r} must be text with at most one *, at its end")
        if step_metric is not None and (not isinstance(step_metric, str) or not step_metric or "*" in step_metric):
            raise UsageError(f"define_metric: step_metric {step_metric!r} must be the name of one metric")
        listed = summary.split(",") if isinstance(summary, str) else summary
        words = tuple(str(word).strip().lower() for word in listed) if listed else None
        unknown = [word for word in words or () if word not in SUMMARY_WORDS]
        if unknown:
            raise UsageError(f"define_metric: summary {unknown[0]!r} is none of {', '.join(sorted(SUMMARY_WORDS))}")
        goal = _SHORT_GOALS.get(goal, goal) if goal is not None else None
        if goal is not None and goal not in GOALS:
            raise UsageError(f"define_metric: goal {goal!r} is neither minimize nor maximize")
        if words and "best" in words and goal is None:
            goal = "minimize"
        return cls(name, step_metric, step_sync, hidden, words, goal)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> MetricDefinition:
        """The declaration that `to_json` wrote; unknown keys are ignored."""
        summary = body.get("summary")
        return cls(
            body["name"],
            body.get("step_metric"),
            body.get("step_sync"),
            body.get("hidden"),
            tuple(summary) if summary is not None else None,
            body.get("goal"),
        )

    def to_json(self) -> dict[str, Any]:
        """What was said, as plain JSON."""
        body = {
            "name": self.name,
            "step_metric": self.step_metric,
            "step_sync": self.step_sync,
            "hidden": self.hidden,
            "summary": list(self.summary) if self.summary is not None else None,
            "goal": self.goal,
        }
        return {key: value for key, value in body.items() if value is not None}

    def merged(self, newer: MetricDefinition) -> MetricDefinition:
        """This declaration with what `newer` says on top."""
        said = {key: value for key, value in newer.to_json().items() if key not in ("name", "summary")}
        return replace(self, summary=self.summary if newer.summary is None else newer.summary, **said)

    @property
    def syncs(self) -> bool:
        """Whether the last value of the step metric is inserted into rows that lack it."""
        return self.step_metric is not None and self.step_sync is not False


class Definitions:
    """The declarations of a run, found by exact name first, then by the longest glob."""

    def __init__(self) -> None:
        self._exact: dict[str, MetricDefinition] = {}
        self._globs: dict[str, MetricDefinition] = {}

    def __bool__(self) -> bool:
        return bool(self._exact or self._globs)

    def add(self, definition: MetricDefinition, overwrite: bool = False) -> MetricDefinition:
        """Merge a declaration into those known; return what holds now."""
        table = self._globs if definition.name.endswith("*") else self._exact
        known = None if overwrite else table.get(definition.name)
        merged = definition if known is None else known.merged(definition)
        table[definition.name] = merged
        return merged

    def of(self, key: str) -> MetricDefinition | None:
        """The declaration that holds for a key."""
        exact = self._exact.get(key)
        if exact is not None or not self._globs:
            return exact
        fitting = [name for name in self._globs if key.startswith(name[:-1])]
        return self._globs[max(fitting, key=len)] if fitting else None

    def all(self) -> list[MetricDefinition]:
        return [*self._exact.values(), *self._globs.values()]


class Aggregate:
    """The aggregates of one key, fed with its values in order. NaN takes no part, except in `last`."""

    __slots__ = ("_count", "_definition", "_first", "_last", "_max", "_min", "_sum")

    def __init__(self, definition: MetricDefinition) -> None:
        self._definition = definition
        self._count, self._sum = 0, 0.0
        self._min, self._max = math.inf, -math.inf
        self._first: Any = None
        self._last: Any = None

    def feed(self, values: Iterable[Any]) -> None:
        """Take more values; what is no number counts for first and last only."""
        for value in values:
            if self._first is None:
                self._first = value
            self._last = value
            if isinstance(value, (int, float)) and value == value:
                self._count += 1
                self._sum += value
                self._min = min(self._min, value)
                self._max = max(self._max, value)

    def state(self) -> dict[str, Any]:
        """All that was gathered, as JSON, for `precede`."""
        return {
            "definition": self._definition.to_json(),
            "count": self._count,
            "sum": self._sum,
            "min": self._min,
            "max": self._max,
            "first": self._first,
            "last": self._last,
        }

    def redefine(self, definition: MetricDefinition) -> None:
        """Show other aggregates of the values seen so far."""
        self._definition = definition

    def precede(self, state: Mapping[str, Any]) -> None:
        """Take in what an aggregate of earlier values had as its `state()`; {} is one that was fed with nothing."""
        if not state:
            return
        if state["first"] is not None:
            self._first = state["first"]
        if self._last is None:
            self._last = state["last"]
        self._count += state["count"]
        self._sum += state["sum"]
        self._min, self._max = min(self._min, state["min"]), max(self._max, state["max"])

    def summary(self) -> dict[str, Any]:
        """The mapping that the summary shows, {} while there is nothing to show."""
        known: dict[str, Any] = {"first": self._first, "last": self._last} if self._first is not None else {}
        if self._count:
            best = self._max if self._definition.goal == "maximize" else self._min
            known |= {"min": self._min, "max": self._max, "mean": self._sum / self._count, "best": best}
        return {word: known[word] for word in self._definition.summary or () if word in known}


def summary_mode(definition: MetricDefinition | None) -> str:
    """What the summary shows of a key: "copy" its last value, "none", or "aggregate" a mapping."""
    words = definition.summary if definition is not None else None
    if words is None:
        return "copy"
    if any(word in AGGREGATES for word in words):
        return "aggregate"
    return "copy" if "copy" in words else "none"
