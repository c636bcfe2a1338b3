"""The pure core of a sweep: trials in, decisions out. It joins Searcher, Stopper, retries and budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sweeps.control.judging import Judgement, judge_values, reaches_target
from sweeps.errors import SpaceExhausted
from sweeps.records import Suggestion, TrialRecord
from sweeps.searchers import make_searcher
from sweeps.searchers.contract import Observation
from sweeps.spec.model import SweepSpec
from sweeps.states import FailureClass, TrialState
from sweeps.stoppers import make_stopper
from sweeps.stoppers.contract import Curve, Stop

LOST_LIMIT = 3
"""A trial whose machine was lost that many times is given up."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Suggestions for the trials from `first_number` on, made when `seen` trials had ended."""

    first_number: int
    seen: int
    suggestions: tuple[Suggestion, ...] = ()
    exhausted: str = ""
    """Why no further ones will come; "" while they do."""
    target_reached: bool = False
    """Whether `exhausted` says that the target is reached: then waiting trials have become pointless too."""


class Verdict(StrEnum):
    """What becomes of a trial whose attempt failed."""

    RETRY = "retry"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is for people: "lost 3 times"."""

    verdict: Verdict
    reason: str

    @property
    def is_retry(self) -> bool:
        return self.verdict is Verdict.RETRY


class Controller:
    """One sweep's decisions, from what it was told. No clock, no I/O; told the same, it decides the same.

    Suggestion n depends on the specification, n, and the trials below n, of which those count as ended whose finish_seq
    is at most `seen`. Order and number of the calls of `tell` do not matter, as long as each brings all that had
    happened since the last.
    """

    def __init__(self, spec: SweepSpec) -> None:
        self.spec = spec
        self._searcher = make_searcher(spec)
        self._stopper = make_stopper(spec)
        self._ended: set[int] = set()
        self._reached: tuple[int, float] | None = None
        self.next_number = 0
        """The lowest number that was not told."""
        self.seen = 0
        """The highest finish_seq that was told."""

    @property
    def lookahead(self) -> int:
        """How many suggestions may be made at once ahead of need. With a target none: each trial may be the last."""
        if self.spec.metric is not None and self.spec.metric.target is not None:
            return 1
        return self._searcher.lookahead

    # -- suggesting -----------------------------------------------------------------------------

    def tell(self, records: Iterable[TrialRecord]) -> None:
        """Learn of trials, new ones and those that have ended; what is known already changes nothing.

        New trials must follow on from `next_number` without a gap.
        """
        news = sorted((record for record in records if self._is_news(record)), key=lambda record: record.number)
        for record in news:
            self._note(record)
        self._searcher.tell([observe(record, self.seen) for record in news])

    def suggest(self, count: int) -> Batch:
        """Up to `count` suggestions; fewer, with the reason, when budget or space end or the target is reached."""
        first, seen = self.next_number, self.seen
        if self._reached is not None:
            return Batch(first, seen, exhausted=self._target_text(*self._reached), target_reached=True)
        cap = self.spec.max_trials
        wanted = count if cap is None else min(count, cap - self.next_number)
        suggestions: list[Suggestion] = []
        try:
            while len(suggestions) < wanted:
                suggestions.append(self._suggest_next())
        except SpaceExhausted as error:
            return Batch(first, seen, tuple(suggestions), str(error))
        spent = cap is not None and self.next_number >= cap
        reason = f"run_cap of {cap} {'trial' if cap == 1 else 'trials'} reached" if spent else ""
        return Batch(first, seen, tuple(suggestions), reason)

    def _suggest_next(self) -> Suggestion:
        """The next point, which counts as running from then on: `tell` of its record will bring nothing new."""
        suggestion = self._searcher.ask(self.next_number)
        self._searcher.tell([Observation(self.next_number, suggestion.params, TrialState.RUNNING)])
        self.next_number += 1
        return suggestion

    def _is_news(self, record: TrialRecord) -> bool:
        return record.number >= self.next_number or (record.finish_seq is not None and record.number not in self._ended)

    def _note(self, record: TrialRecord) -> None:
        self.next_number = max(self.next_number, record.number + 1)
        if record.finish_seq is None:
            return
        self._ended.add(record.number)
        self.seen = max(self.seen, record.finish_seq)
        judged = record.state in (TrialState.COMPLETE, TrialState.PRUNED)
        if judged and record.value is not None and reaches_target(self.spec.metric, record.value):
            self._reached = min(filter(None, (self._reached, (record.number, record.value))))

    def _target_text(self, number: int, value: float) -> str:
        metric = self.spec.metric
        assert metric is not None
        return f"target {metric.target:g} reached: {metric.name} is {value:.6g} in trial {number}"

    # -- stopping -------------------------------------------------------------------------------

    def due(self, judged: int, length: int) -> int | None:
        """How many values per trial `judge` needs, now that a curve grew from `judged` to `length`; None: not now."""
        return None if self._stopper is None else self._stopper.due(judged, length)

    def judge(self, number: int, curves: Mapping[int, Curve]) -> Stop | None:
        """Whether the trial is to be ended early; see `Stopper.judge`."""
        return None if self._stopper is None else self._stopper.judge(number, curves)

    # -- ends -----------------------------------------------------------------------------------

    def worth(self, history: Sequence[Any], summary: Any = None, state: TrialState = TrialState.COMPLETE) -> Judgement:
        """Value and length of a trial from what it logged; see `judge_values`."""
        return judge_values(self.spec.metric, history, summary, state)

    def after_attempt(self, trial: TrialRecord, failure: FailureClass) -> Decision:
        """Whether a trial runs again whose attempt has just failed. `trial` is its record from before that."""
        return after_attempt(trial, failure, self.spec.retry_max)


def after_attempt(trial: TrialRecord, failure: FailureClass, retry_max: int) -> Decision:
    """A machine's failure is retried until it happened LOST_LIMIT times, the trial's own up to `retry_max` times."""
    if failure is FailureClass.PREEMPTED:
        return Decision(Verdict.RETRY, "preempted")
    if failure.is_infrastructure:
        lost = trial.lost + 1
        return Decision(Verdict.GIVE_UP if lost >= LOST_LIMIT else Verdict.RETRY, f"lost {lost} of {LOST_LIMIT} times")
    failures = trial.failures + 1
    verdict = Verdict.RETRY if failures <= retry_max else Verdict.GIVE_UP
    return Decision(verdict, f"failed {failures} of {retry_max + 1} times")


def observe(record: TrialRecord, seen: int) -> Observation:
    """A trial as a search sees it that knows of `seen` ends: what ended later, or never, counts as running."""
    if record.finish_seq is None or record.finish_seq > seen:
        return Observation(record.number, record.params, TrialState.RUNNING)
    return Observation(record.number, record.params, record.state, record.value, record.length, record.finish_seq)
