"""Makes every suggestion of a sweep again from (specification, seed, number, what was seen), as law 4 promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sweeps.control.controller import observe
from sweeps.errors import SpaceExhausted
from sweeps.records import Params, TrialRecord
from sweeps.searchers import make_searcher
from sweeps.searchers.contract import Searcher
from sweeps.space import identity
from sweeps.spec.model import SweepSpec


@dataclass(frozen=True, slots=True)
class Replayed:
    """One suggestion: as it was made, and as it is made today. `again` is None when none comes any more."""

    number: int
    seen: int
    made: Params
    again: Params | None

    @property
    def equal(self) -> bool:
        return self.again is not None and identity(self.made) == identity(self.again)


def replay(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Iterator[Replayed]:
    """Every trial by number with the point that is suggested for it today.

    Each is asked for with the trials before it as they were made: one that differs does not change those after it.
    """
    ordered = sorted(trials, key=lambda trial: trial.number)
    searcher, seen = make_searcher(spec), 0
    for position, trial in enumerate(ordered):
        past = ordered[:position]
        if trial.seen < seen:  # made from an older view than the one before it: begin again
            searcher, seen = make_searcher(spec), 0
            searcher.tell([observe(record, 0) for record in past])
        searcher.tell([observe(record, trial.seen) for record in past if seen < (record.finish_seq or 0) <= trial.seen])
        seen = trial.seen
        yield Replayed(trial.number, trial.seen, trial.params, _ask(searcher, trial.number))
        searcher.tell([observe(trial, 0)])


def _ask(searcher: Searcher, number: int) -> Params | None:
    try:
        return searcher.ask(number).params
    except SpaceExhausted:
        return None
