"""Judges how an attempt ended: what its run's record says, and what happens to its trial. Pure."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from agent.attempts.attempt import CANCELED, PREEMPTED, PRUNED, Attempt
from agent.executors.contract import Exit
from sweeps.control.controller import after_attempt
from sweeps.records import Outcome, Return
from sweeps.spec.model import MetricSpec
from sweeps.states import FailureClass, TrialState
from tracking.states import RunState
from tracking.store.contract import RunEnd

# A program raises these itself, whoever sends the signal in the end: the parameters or the code are to blame.
_OWN_FAULTS = {
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGABRT", "SIGFPE", "SIGILL", "SIGBUS", "SIGSYS", "SIGXFSZ")
    if hasattr(signal, name)
}
_OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|out of memory|OutOfMemoryError|std::bad_alloc", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the trial: one of `outcome`, `back` and `unclaim`, or nothing when the lease was lost."""

    outcome: Outcome | None = None
    back: Return | None = None
    unclaim: bool = False
    """It never began here: it waits again as if it had not been taken."""
    failure: FailureClass | None = None

    @property
    def counts_as_failure(self) -> bool:
        """Whether the failure limits count it: not what people or the scheduler of the machine wanted."""
        return self.failure is not None and not self.failure.is_infrastructure


def run_end(attempt: Attempt, tail: str, at: float) -> RunEnd:
    """The end that the run's record shows, `at` Unix seconds. `tail`: the last lines that it printed."""
    found, told = attempt.exit, attempt.told
    assert found is not None
    code = found.code if found.code is not None else -(found.signal or 0)
    if attempt.stop:
        state = RunState.PREEMPTED if attempt.stop.startswith(PREEMPTED) else RunState.KILLED
        return RunEnd(state, attempt.stop, code, at)
    if _interrupted(found):
        return RunEnd(RunState.PREEMPTED, "interrupted by Ctrl-C", code, at)
    failure = failure_of(found, told, tail)
    if failure is None:
        return told if told is not None else RunEnd(RunState.FINISHED, "", code, at)
    state = RunState.CRASHED if failure.is_infrastructure else RunState.FAILED
    return RunEnd(state, reason_of(found, told, tail), code, at)


def judge(attempt: Attempt, tail: str, metric: MetricSpec | None, retry_max: int) -> Verdict:
    """What happens to the trial of an attempt that has ended and whose journal was shipped to its end."""
    found, told, curve, key = attempt.exit, attempt.told, attempt.curve, attempt.key
    assert found is not None
    if attempt.is_lost:
        return Verdict(failure=FailureClass.LOST)
    for prefix, state in ((PRUNED, TrialState.PRUNED), (CANCELED, TrialState.CANCELED)):
        if attempt.stop.startswith(prefix):
            reason = attempt.stop.removeprefix(prefix)
            return Verdict(Outcome(key, state, reason, None, curve.value, curve.length))
    if never_began(found):
        return Verdict(unclaim=True, failure=FailureClass.LAUNCH if found.launch_failed else None)
    if attempt.stop or _interrupted(found):
        reason = attempt.stop.removeprefix(PREEMPTED) or "interrupted by Ctrl-C"
        return Verdict(back=Return(key, FailureClass.PREEMPTED, reason), failure=FailureClass.PREEMPTED)
    failure = failure_of(found, told, tail)
    if failure is None:
        reason = _why_no_value(attempt, metric)
        return Verdict(Outcome(key, TrialState.COMPLETE, reason, None, curve.value, curve.length))
    reason = reason_of(found, told, tail)
    if after_attempt(attempt.trial, failure, retry_max).is_retry:
        return Verdict(back=Return(key, failure, reason), failure=failure)
    value = curve.imputed(metric.impute) if metric is not None else None
    return Verdict(Outcome(key, TrialState.FAILED, reason, failure, value, curve.length), failure=failure)


def failure_of(found: Exit, told: RunEnd | None, tail: str) -> FailureClass | None:
    """The class of the failure, None for a good end. A script that ends well but called finish(exit_code=1) failed."""
    if found.details.get("lost"):
        return FailureClass.LOST
    if found.signal is not None:
        return FailureClass.CODE if found.signal in _OWN_FAULTS else FailureClass.KILLED
    if found.stopped:
        return FailureClass.PREEMPTED
    if found.code == 0 and (told is None or told.state is not RunState.FAILED):
        return None
    return FailureClass.OOM if _OUT_OF_MEMORY.search(tail or found.error) else FailureClass.CODE


def never_began(found: Exit) -> bool:
    """Whether nothing of it ran: there is no run to record and no failure to blame on the trial."""
    return found.launch_failed or bool(found.details.get("unstarted"))


def reason_of(found: Exit, told: RunEnd | None, tail: str) -> str:
    """One line for people: the exit status and the last thing that was said."""
    if found.details.get("lost"):
        return found.error
    if found.signal is not None:
        try:
            return f"killed by {signal.Signals(found.signal).name}"
        except ValueError:
            return f"killed by signal {found.signal}"
    if found.code == 0 and told is not None:
        return told.reason or f"the run was finished with exit code {told.exit_code}"
    last = next((line.strip() for line in reversed((found.error or tail).splitlines()) if line.strip()), "")
    if found.error:
        return last or "an exception"
    return f"exit status {found.code}" + (f": {last[:300]}" if last else "")


def _interrupted(found: Exit) -> bool:
    return found.signal == signal.SIGINT


def _why_no_value(attempt: Attempt, metric: MetricSpec | None) -> str:
    if metric is None or attempt.curve.value is not None:
        return ""
    if attempt.curve.was_logged:
        kind = "only NaN or infinite" if attempt.curve.saw_bad_number else "no number"
        return f"metric {metric.name!r} was {kind}"
    return f"metric {metric.name!r} was never logged"
