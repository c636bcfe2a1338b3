"""Reads one attempt's journal from end to end: what whoever continues the run, or forks it, has to know."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.home import journal_path
from tracking.live.metrics import Aggregate, Definitions, MetricDefinition, summary_mode
from tracking.store.contract import RunBatch, RunStart, SeriesPart

if TYPE_CHECKING:
    from tracking.starting.past.resuming import Previous


@dataclass(slots=True)
class Retold:
    """What one attempt left."""

    start: RunStart | None = None
    first_step: int = 0
    """Where its part of the history begins, after what it rewound."""
    next_step: int = 0
    next_layout: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    aggregates: dict[str, Aggregate] = field(default_factory=dict)

    def add_to(self, previous: Previous) -> None:
        """Put it on top of what the attempts before it left."""
        previous.summary.update(self.summary)
        previous.metrics.update(self.metrics)
        for key, aggregate in self.aggregates.items():
            alone = aggregate.summary()
            aggregate.precede(previous.aggregates.get(key, {}))
            previous.aggregates[key] = aggregate.state()
            if self.summary.get(key, alone) == alone:  # else it was set by hand
                previous.summary[key] = aggregate.summary()


def read_attempt(run_dir: Path, run_id: str, attempt: int, until: int | None = None) -> Retold:
    """One attempt's journal; with `until` its summary is what it was after that step."""
    from tracking.shipping.projector import Projector, read_on  # a run without a past needs neither

    projector, told = Projector(run_id, attempt), Retold()
    teller = _Teller(told, until)
    path = journal_path(run_dir, attempt)
    while True:
        batch = read_on(projector, path)  # it goes on behind damaged bytes
        teller.take(batch)
        if batch.to_offset == batch.from_offset:
            break
    told.start = projector.start
    told.next_layout = projector.next_layout
    told.next_step = told.first_step if projector.last_step is None else projector.last_step + 1
    return told


class _Teller:
    """Gathers the batches of one journal into what they mean together."""

    def __init__(self, told: Retold, until: int | None) -> None:
        self._told, self._until = told, until
        self._definitions = Definitions()

    def take(self, batch: RunBatch) -> None:
        told = self._told
        if batch.start is not None:
            told.config.update(batch.start.config)
            told.first_step = batch.start.starting_step
        told.config.update(batch.config)
        if batch.rewind is not None:
            self._rewind(batch.rewind)
        for name, body in batch.metrics.items():
            told.metrics[name] = dict(body)
            self._definitions.add(MetricDefinition.from_json(body), overwrite=True)
        if self._until is None:
            told.summary.update(batch.summary)
        else:
            told.summary.update({key: value for key, value in batch.summary.items() if key not in batch.history})
        for key, part in batch.history.items():
            self._summarise(key, part, batch.summary)

    def _rewind(self, step: int) -> None:
        self._told.first_step = min(self._told.first_step, step)
        if step == 0:
            self._told.summary.clear()
            self._told.aggregates.clear()

    def _summarise(self, key: str, part: SeriesPart, shown: Mapping[str, Any]) -> None:
        count = len(part.steps) if self._until is None else bisect_right(part.steps, self._until)
        if key.startswith("_") or not count:
            return
        definition = self._definitions.of(key)
        if summary_mode(definition) == "aggregate" and definition is not None:
            aggregate = self._told.aggregates.setdefault(key, Aggregate(definition))
            aggregate.redefine(definition)
            aggregate.feed(part.values[:count])
        elif self._until is not None and key in shown:
            self._told.summary[key] = part.values[count - 1]
