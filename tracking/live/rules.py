"""What define_metric() asks of the rows: step metrics that are filled in, aggregates for the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.live.metrics import Aggregate, Definitions, MetricDefinition, summary_mode


class Rules:
    """The declarations of one run and what they need to remember. Its owner holds the lock around every call."""

    def __init__(self, last: dict[str, Any], restored: Mapping[str, Any] | None = None) -> None:
        self._last = last  # the recorder's own mapping, which the rules fill for the keys that they know
        self._restored = restored if restored is not None else {}
        self._definitions = Definitions()
        self._aggregates: dict[str, Aggregate] = {}
        self._axes: dict[str, Any] = {}

    def define(self, definition: MetricDefinition, overwrite: bool) -> MetricDefinition:
        """Take a declaration; return what holds now."""
        holds = self._definitions.add(definition, overwrite)
        for key, aggregate in self._aggregates.items():
            aggregate.redefine(self._definitions.of(key) or holds)
        if definition.step_metric:
            axis = definition.step_metric
            self._axes.setdefault(axis, self._last.get(axis, self._restored.get(axis)))
        return holds

    def precede(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Let aggregates go on from what earlier attempts of the run gave: `Aggregate.state` by key."""
        for key, state in states.items():
            definition = self._definitions.of(key)
            if definition is not None:
                self._aggregates.setdefault(key, Aggregate(definition)).precede(state)

    def apply(self, row: dict[str, Any]) -> bool:
        """Do what the declarations ask for the keys of a row; whether there was anything to do."""
        ruled = False
        for key in list(row):
            if key in self._axes:
                self._axes[key], ruled = row[key], True
        for key in list(row):
            definition = self._definitions.of(key)
            if definition is None:
                self._last[key] = row[key]
                continue
            ruled = True
            self._insert_axis(definition, row)
            self._summarise(key, row[key], definition)
        return ruled

    def _insert_axis(self, definition: MetricDefinition, row: dict[str, Any]) -> None:
        axis = definition.step_metric
        if axis and definition.syncs and axis not in row and self._axes.get(axis) is not None:
            row[axis] = self._axes[axis]

    def _summarise(self, key: str, value: Any, definition: MetricDefinition) -> None:
        mode = summary_mode(definition)
        if mode == "copy":
            self._last[key] = value
        elif mode == "aggregate":
            aggregate = self._aggregates.setdefault(key, Aggregate(definition))
            aggregate.feed((value,))
            self._last[key] = aggregate.summary()
