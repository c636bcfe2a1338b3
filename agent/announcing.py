"""What the agent tells people: one line per event, in plain words."""

from __future__ import annotations

from collections.abc import Callable

from agent.attempts.attempt import Attempt
from agent.attempts.verdict import Verdict
from sweeps.records import TrialRecord
from sweeps.states import FailureClass, TrialState
from sweeps.views.wording import clean, number, params_text

Say = Callable[[str], None]

_HOW: dict[FailureClass | None, str] = {
    FailureClass.CODE: "failed",
    FailureClass.OOM: "failed",
    FailureClass.DIVERGED: "failed",
    FailureClass.KILLED: "ended",
    FailureClass.PREEMPTED: "ended",
}
"""What people call the end of an attempt; the reason says the rest."""


def silent(_line: str) -> None:
    """Say nothing."""


class Announcer:
    """Turns events into lines. `say` gets what is left out by --quiet, `warn` what is always told (stderr)."""

    def __init__(self, say: Say, warn: Say, metric: str | None) -> None:
        self.say = say
        self.warn = warn
        self._metric = metric or "value"

    def started(self, trial: TrialRecord) -> None:
        """Called by the thread that begins it, which is the function's own."""
        if self.say is silent:
            return
        again = f" (attempt {trial.attempt})" if trial.attempt > 1 else ""
        shown = " ".join(params_text(trial.params, trial.params))
        self.say(f"trial {trial.number} started{again}: {shown}")

    def ended(self, attempt: Attempt, verdict: Verdict) -> None:
        if self.say is silent:
            return
        head = f"trial {attempt.trial.number}"
        seconds = f"{attempt.seconds:.1f} s"
        if verdict.outcome is None:
            why = verdict.back.reason if verdict.back is not None else "its lease was taken over, the result is refused"
            again = ", it runs again" if verdict.back is not None else ""
            how = _HOW.get(verdict.failure, "lost")
            self.say(f"{head} {how} after {seconds}: {clean(why)}{again}")
            return
        outcome = verdict.outcome
        value = f" {self._metric}={number(outcome.value)}" if outcome.value is not None else ""
        reason = f": {clean(outcome.reason)}" if outcome.reason else ""
        word = "stopped early" if outcome.state is TrialState.PRUNED else outcome.state.value
        self.say(f"{head} {word}{value} after {seconds}{reason}")
