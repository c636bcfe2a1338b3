"""What the agent tells people: one line per event, in plain words."""

from __future__ import annotations

from collections.abc import Callable

from agent.attempts.attempt import Attempt
from agent.attempts.verdict import Verdict
from sweeps.states import TrialState
from sweeps.views.wording import clean, number, params_text

Say = Callable[[str], None]


def silent(_line: str) -> None:
    """Say nothing."""


class Announcer:
    """Turns events into lines. `say` gets what is left out by --quiet, `warn` what is always told (stderr)."""

    def __init__(self, say: Say, warn: Say, metric: str | None) -> None:
        self.say = say
        self.warn = warn
        self._metric = metric or "value"

    def started(self, attempt: Attempt) -> None:
        if self.say is silent:
            return
        again = f" (attempt {attempt.key.attempt})" if attempt.key.attempt > 1 else ""
        shown = " ".join(params_text(attempt.trial.params, attempt.trial.params))
        self.say(f"trial {attempt.trial.number} started{again}: {shown}")

    def ended(self, attempt: Attempt, verdict: Verdict) -> None:
        if self.say is silent:
            return
        head = f"trial {attempt.trial.number}"
        seconds = f"{attempt.seconds:.1f} s"
        if verdict.outcome is None:
            why = verdict.back.reason if verdict.back is not None else "its lease was taken over, the result is refused"
            again = ", it runs again" if verdict.back is not None else ""
            self.say(f"{head} {verdict.failure or 'lost'} after {seconds}: {clean(why)}{again}")
            return
        outcome = verdict.outcome
        value = f" {self._metric}={number(outcome.value)}" if outcome.value is not None else ""
        reason = f": {clean(outcome.reason)}" if outcome.reason else ""
        word = "stopped early" if outcome.state is TrialState.PRUNED else outcome.state.value
        self.say(f"{head} {word}{value} after {seconds}{reason}")
