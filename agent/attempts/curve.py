"""The curve of one attempt: from the batches that pass by, its value, its length and what was logged at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tracking.store.contract import Points, RunBatch, SeriesPart

_HIDDEN = "_"  # keys such as _timestamp and _runtime are ours, not the user's


class Curve:
    """Follows the metric while the journal is shipped, so that the end of a trial needs no reading of the store.

    Only finite values count. A point at the step of the last one replaces it, as in the store, so the newest point is
    held apart from those that can change no more.
    """

    def __init__(self, metric: str | None, *, maximize: bool = False, aggregate: str = "best") -> None:
        self._metric = metric
        self._better: Callable[[float, float], float] = max if maximize else min
        self._aggregate = aggregate
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._settled: float | None = None
        self._settled_count = 0
        self._settled_last: float | None = None
        self._step: int | None = None
        self._newest: float | None = None
        self._summary: float | None = None
        self.keys: set[str] = set()
        """The user's keys that were logged so far."""
        self.saw_bad_number = False
        """Whether the metric was NaN or infinite at least once."""

    @property
    def metric(self) -> str | None:
        """The key that is followed."""
        return self._metric

    def recall(self, points: Points) -> None:
        """Begin with what an earlier attempt left of the history, which this one continues."""
        self.clear()
        self._extend(SeriesPart("json", list(points.steps), list(points.values)))
        self.saw_bad_number = False

    def extend(self, batch: RunBatch) -> None:
        """Take in what a batch brings."""
        self.keys.update(key for key in batch.history if not key.startswith(_HIDDEN))
        self.keys.update(key for key in batch.summary if not key.startswith(_HIDDEN))
        if self._metric is None:
            return
        part = batch.history.get(self._metric)
        if part is not None:
            self._extend(part)
        if self._metric in batch.summary:
            self._take_summary(batch.summary[self._metric])

    @property
    def length(self) -> int:
        """How many finite values the history has."""
        return self._settled_count + (self._newest is not None)

    @property
    def last(self) -> float | None:
        """The last finite value of the history."""
        return self._newest if self._newest is not None else self._settled_last

    @property
    def best(self) -> float | None:
        """The best finite value of the history."""
        return self._best_of(self._settled, self._newest)

    @property
    def value(self) -> float | None:
        """What orders the trial: the best over history and summary, or the last one; None without a finite number."""
        return self._worth(self._aggregate)

    def imputed(self, impute: str) -> float | None:
        """The value of a failed trial under `metric.impute`: "latest" and "best" choose, "worst" leaves the choice."""
        return self._worth({"latest": "last", "best": "best"}.get(impute, self._aggregate))

    @property
    def was_logged(self) -> bool:
        """Whether the metric was logged at all, finite or not."""
        return self._metric is not None and self._metric in self.keys

    def _worth(self, aggregate: str) -> float | None:
        if aggregate == "last":
            return self.last if self.last is not None else self._summary
        return self._best_of(self.best, self._summary)

    def _extend(self, part: SeriesPart) -> None:
        for step, value in zip(part.steps, part.values, strict=True):
            if step != self._step:
                self._settle()
            self._step = step
            self._newest = self._finite(value)

    def _settle(self) -> None:
        if self._newest is not None:
            self._settled = self._best_of(self._settled, self._newest)
            self._settled_last = self._newest
            self._settled_count += 1

    def _finite(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not math.isfinite(value):
            self.saw_bad_number = True
            return None
        return float(value)

    def _take_summary(self, value: Any) -> None:
        """`define_metric(summary="min,max")` makes the summary a mapping: then its best entry counts."""
        if isinstance(value, Mapping):
            found = [self._finite(value[name]) for name in ("min", "max", "best", "last") if name in value]
            for number in found:
                self._summary = self._best_of(self._summary, number)
        else:
            self._summary = self._finite(value)

    def _best_of(self, one: float | None, other: float | None) -> float | None:
        if one is None or other is None:
            return other if one is None else one
        return self._better(one, other)
