"""The events of a sweep that people want to hear of: finished, first failure, new best, a trial that has stalled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from agent.attempts.attempt import Attempt
from agent.attempts.verdict import Verdict
from sweeps.control.ranking import best_of, rank
from sweeps.records import EVENT, Notice, SweepRecord, TrialKey
from sweeps.spec.model import SweepSpec
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from sweeps.views.wording import clean, duration, number, params_text
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message
from tracking.alerts.wanted import Events

BEST_WAIT_S = 60.0
"""A new best so soon after another is not told."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `claimed` asks the store whether it is ours to tell, and finds the words for it."""

    claimed: Callable[[], Message | None]


class SweepEvents:
    """Finds events. Each is claimed by a notice of its kind in the store, which only the first of all agents adds."""

    def __init__(self, sweep: SweepRecord, spec: SweepSpec, store: SweepStore, wanted: Events) -> None:
        self._sweep, self._store, self._wanted = sweep, store, wanted
        self._metric = spec.metric
        self._goal = spec.metric.goal.value if spec.metric else "minimize"
        self._name = f"{sweep.name} ({sweep.id})" if sweep.name else sweep.id
        self._best: float | None = None
        self._progress: dict[TrialKey, tuple[int, float]] = {}
        self._told: set[TrialKey] = set()

    def ended(self, attempt: Attempt, verdict: Verdict) -> Iterator[Event]:
        """An attempt is over: it may be the first that failed, or the best so far."""
        self._progress.pop(attempt.key, None)
        outcome = verdict.outcome
        if self._wanted.first_failure and verdict.counts_as_failure:
            told = outcome or verdict.back
            reason = told.reason if told is not None else "it failed"
            yield Event(partial(self._first_failure, attempt.trial.number, attempt.run_id, reason))
        if (
            self._wanted.new_best
            and self._metric is not None
            and outcome is not None
            and outcome.state is TrialState.COMPLETE
            and outcome.value is not None
        ):
            yield Event(partial(self._new_best, attempt.trial.number, outcome.value))

    @property
    def patience(self) -> float:
        """Seconds between two looks for trials that have stalled: a part of what stalling takes."""
        return self._wanted.stalled / 4 if self._wanted.stalled is not None else math.inf

    def stalled(self, attempts: Iterable[Attempt], now: float) -> Iterator[Event]:
        """Running trials whose journals have not grown for too long."""
        limit = self._wanted.stalled
        if limit is None:
            return
        for attempt in attempts:
            if attempt.exit is not None or not attempt.handle.began:
                continue
            offset, since = self._progress.get(attempt.key, (-1, now))
            if offset != attempt.shipper.offset:
                self._progress[attempt.key] = (attempt.shipper.offset, now)
                self._told.discard(attempt.key)
            elif now - since >= limit and attempt.key not in self._told:
                self._told.add(attempt.key)
                yield Event(partial(self._stalled, attempt.key, attempt.run_id, now - since))

    def left(self, state: SweepState) -> Iterator[Event]:
        """The agent leaves: the sweep may be over."""
        if self._wanted.finished and state is SweepState.FINISHED:
            yield Event(self._finished)

    # -- in the thread that sends -----------------------------------------------------------------

    def _first_failure(self, trial: int, run_id: str, reason: str) -> Message | None:
        if not self._claim("first-failure", f"trial {trial} was the first that failed"):
            return None
        return self._message(
            f"First failure in sweep {self._short}", f"Trial {trial}: {clean(reason)}", AlertLevel.WARN, run_id
        )

    def _new_best(self, trial: int, value: float) -> Message | None:
        assert self._metric is not None
        if self._best is not None and not self._is_better(value, self._best):
            return None
        ranked = rank(self._store.trials(self._sweep.id, states=[TrialState.COMPLETE]), self._goal)
        if not ranked:
            return None
        self._best = ranked[0].value
        if ranked[0].number != trial or len(ranked) < 2:  # the first value of a sweep beats nothing
            return None
        if self._was_just_told("best:") or not self._claim(f"best:{trial}", f"trial {trial} is the best so far"):
            return None
        params = ", ".join(params_text(ranked[0].params, ranked[0].params))
        before = number(ranked[1].value)
        text = f"Trial {trial}: {self._metric.name} = {number(value)} (before: {before})\n{params}"
        return self._message(f"New best in sweep {self._short}", text, AlertLevel.INFO, ranked[0].run_id)

    def _stalled(self, key: TrialKey, run_id: str, seconds: float) -> Message | None:
        if not self._claim(f"stalled:{key.number}:{key.attempt}", f"trial {key.number} has stalled"):
            return None
        text = f"It has logged nothing for {duration(seconds)}; it still runs."
        return self._message(f"Trial {key.number} of sweep {self._short} has stalled", text, AlertLevel.WARN, run_id)

    def _finished(self) -> Message | None:
        record = self._store.sweep(self._sweep.id)
        counts = self._store.counts(self._sweep.id)
        text = ", ".join(f"{count} {state.value}" for state, count in counts.items()) or "no trials"
        best = best_of(self._store, self._sweep.id, self._goal) if self._metric is not None else None
        if best is not None and self._metric is not None:
            params = ", ".join(params_text(best.params, best.params))
            text += f"\nBest: trial {best.number}, {self._metric.name} = {number(best.value)}\n{params}"
        why = f"\n{record.reason}" if record.reason else ""
        # Claimed when no call of the store is left that could fail. With a raised budget the sweep ends once more.
        if not self._claim(f"finished:{record.next_number}", "the sweep has finished"):
            return None
        return self._message(f"Sweep {self._short} finished", text + why, AlertLevel.INFO, "")

    def _claim(self, kind: str, text: str) -> bool:
        return self._store.add_notice(self._sweep.id, Notice(EVENT + kind, text))

    def _was_just_told(self, kind: str) -> bool:
        now = self._store.now()
        found = [one for one in self._store.notices(self._sweep.id) if one.kind.startswith(EVENT + kind)]
        return any(now - one.at < BEST_WAIT_S for one in found)

    def _is_better(self, one: float, other: float) -> bool:
        return one > other if self._goal == "maximize" else one < other

    @property
    def _short(self) -> str:
        return self._sweep.name or self._sweep.id

    def _message(self, title: str, text: str, level: AlertLevel, run: str) -> Message:
        return Message(title, text, level, run, self._sweep.project, self._name, "")
