"""Concludes attempts whose journals are shipped: tells the store how their trials ended and counts failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from agent.announcing import Announcer
from agent.attempts.attempt import Attempt
from agent.attempts.limits import FailureLimits
from agent.attempts.shipping import log_tail
from agent.attempts.slots import Slots
from agent.attempts.target import Target
from agent.attempts.verdict import Verdict, judge
from agent.attempts.watching import MetricWatch
from agent.errors import AgentError, CannotLaunch, TooManyFailures
from sweeps.spec.model import SweepSpec
from sweeps.store.contract import SweepStore
from tracking.home import journal_path


class Concluding:
    """Its `failure` is set when the agent should take no more trials: the reason, with the tail of the last log."""

    def __init__(
        self,
        store: SweepStore,
        sweep_id: str,
        spec: SweepSpec,
        slots: Slots,
        limits: FailureLimits,
        announcer: Announcer,
        told: Callable[[Attempt, Verdict], None],
    ) -> None:
        """`told` is called with each attempt of which the store knows how it ended."""
        self._store = store
        self._told = told
        self._slots = slots
        self._limits = limits
        self._announcer = announcer
        self._metric = spec.metric
        self._retry_max = spec.retry_max
        self._watch = MetricWatch(store, sweep_id, spec.metric.name if spec.metric else None, announcer.warn)
        self._target = Target(store, sweep_id, spec.metric)
        self._born = time.monotonic()
        self.failure: AgentError | None = None
        self.unclaimed = 0
        """Trials that went back as if they had never been taken."""

    def conclude(self, attempts: Sequence[Attempt]) -> None:
        """Tell the store, then people. Raises StoreUnavailable: what was not taken is concluded again later."""
        judged = [(attempt, self._judge(attempt)) for attempt in attempts]
        self._finish([(attempt, verdict) for attempt, verdict in judged if verdict.outcome is not None])
        self._give_back([(attempt, verdict) for attempt, verdict in judged if verdict.back is not None])
        self._unclaim([attempt for attempt, verdict in judged if verdict.unclaim])
        for attempt, verdict in judged:
            if verdict == Verdict(failure=verdict.failure):
                self._done(attempt, verdict)

    def _judge(self, attempt: Attempt) -> Verdict:
        assert attempt.exit is not None
        tail = log_tail(attempt.launch.console) if attempt.exit.code != 0 else ""
        return judge(attempt, tail, self._metric, self._retry_max)

    def _finish(self, judged: list[tuple[Attempt, Verdict]]) -> None:
        outcomes = [verdict.outcome for _, verdict in judged if verdict.outcome is not None]
        if not outcomes:
            return
        refused = {outcome.key for outcome in self._store.finish(outcomes)}
        for attempt, verdict in judged:
            if attempt.key in refused and not self._is_ours(attempt, verdict):
                attempt.lose()
                verdict = Verdict(failure=verdict.failure)
            self._done(attempt, verdict)
        accepted = [outcome for outcome in outcomes if outcome.key not in refused]
        self._watch.look([attempt for attempt, _ in judged if attempt.key not in refused])
        self._target.check(accepted)

    def _is_ours(self, attempt: Attempt, verdict: Verdict) -> bool:
        """Whether a refused end is the one that we stored before the connection broke."""
        trial = self._store.trial(attempt.key.sweep_id, attempt.key.number)
        assert verdict.outcome is not None
        return trial.attempt == attempt.key.attempt and trial.state is verdict.outcome.state

    def _give_back(self, judged: list[tuple[Attempt, Verdict]]) -> None:
        returns = [verdict.back for _, verdict in judged if verdict.back is not None]
        if not returns:
            return
        self._store.give_back(returns)
        for attempt, verdict in judged:
            self._done(attempt, verdict)

    def _unclaim(self, attempts: list[Attempt]) -> None:
        if not attempts:
            return
        self._store.unclaim([attempt.key for attempt in attempts])
        self.unclaimed += len(attempts)
        for attempt in attempts:
            self._slots.remove(attempt)
            assert attempt.exit is not None
            if attempt.exit.launch_failed and self.failure is None:
                self.failure = CannotLaunch(
                    f"cannot start trial {attempt.trial.number} of sweep {attempt.key.sweep_id}: {attempt.exit.error}. "
                    f"The trial waits again; no other was taken."
                )

    def _done(self, attempt: Attempt, verdict: Verdict) -> None:
        self._slots.remove(attempt)
        self._announcer.ended(attempt, verdict)
        self._told(attempt, verdict)
        if attempt.exit is not None and attempt.exit.code == 0:
            self._slots.note_pace(attempt.seconds)
        if verdict.counts_as_failure:
            limit = self._limits.fail(time.monotonic() - self._born)
            if limit and self.failure is None:
                self.failure = TooManyFailures(_explain(limit, attempt, verdict))
        elif verdict.failure is None:
            self._limits.succeed()


def _explain(limit: str, attempt: Attempt, verdict: Verdict) -> str:
    told = verdict.outcome or verdict.back
    reason = told.reason if told is not None else ""
    tail = "\n".join(f"  | {line}" for line in log_tail(attempt.launch.console).splitlines()) or "  | (nothing)"
    return (
        f"giving up: {limit}. The last one was trial {attempt.trial.number} (run {attempt.run_id}): {reason}\n"
        f"It printed last:\n{tail}\n"
        f"  log:     {attempt.launch.console}\n"
        f"  journal: {journal_path(attempt.launch.run_dir, attempt.key.attempt)}"
    )
