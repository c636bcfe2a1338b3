"""Verdicts: what becomes of a trial and what its run says, from how its attempt ended."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from agent.attempts.attempt import CANCELED, LOST, PREEMPTED, PRUNED, Attempt
from agent.attempts.curve import Curve
from agent.attempts.verdict import judge, run_end
from agent.executors.contract import Exit, Handle, Launch
from sweeps.records import TrialKey, TrialRecord
from sweeps.spec.parts import Goal, MetricSpec
from sweeps.states import FailureClass, TrialState
from tracking.shipping.journal_shipper import JournalShipper
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, SeriesPart

METRIC = MetricSpec("loss", Goal.MINIMIZE)


class Ended(Handle):
    def __init__(self, found: Exit) -> None:
        self.found = found

    def poll(self) -> Exit:
        return self.found

    def terminate(self) -> None:
        raise AssertionError("it has ended")

    kill = terminate


def attempt(
    found: Exit, stop: str = "", values: tuple[float, ...] = (2.0,), told: RunEnd | None = None, **counts: int
) -> Attempt:
    trial: dict[str, Any] = dict.fromkeys(TrialRecord.__slots__)
    trial |= {"sweep_id": "s", "number": 0, "run_id": "s-0", "attempt": 1, "failures": 0, "lost": 0, **counts}
    curve = Curve("loss")
    if values:
        part = SeriesPart("float", list(range(len(values))), list(values))
        curve.extend(RunBatch("s-0", 1, 0, 1, history={"loss": part}))
    folder = Path("/nowhere")
    made = Attempt(
        trial=TrialRecord(**trial),
        key=TrialKey("s", 0, 1),
        launch=Launch("s-0", "s", 0, 1, {}, folder, {}),
        handle=Ended(found),
        shipper=JournalShipper(folder, "s-0", 1),
        curve=curve,
        slot=0,
    )
    made.notice_exit()
    made.stop, made.told = stop, told
    return made


def outcome(made: Attempt, tail: str = "", retry_max: int = 0) -> tuple[Any, ...]:
    """(state or "waiting", failure, value, the run's state)"""
    verdict = judge(made, tail, METRIC, retry_max)
    run = run_end(made, tail, 0.0).state
    if verdict.outcome is not None:
        return verdict.outcome.state, verdict.outcome.failure, verdict.outcome.value, run
    if verdict.back is not None:
        return "waiting", verdict.back.failure, None, run
    return "unclaimed" if verdict.unclaim else "refused", verdict.failure, None, run


@pytest.mark.parametrize(
    ("found", "stop", "expected"),
    [
        (Exit(code=0), "", (TrialState.COMPLETE, None, 2.0, RunState.FINISHED)),
        (Exit(code=3), "", (TrialState.FAILED, FailureClass.CODE, 2.0, RunState.FAILED)),
        (Exit(signal=9), "", ("waiting", FailureClass.KILLED, None, RunState.CRASHED)),
        (Exit(signal=11), "", (TrialState.FAILED, FailureClass.CODE, 2.0, RunState.FAILED)),
        (Exit(signal=9, details={"lost": True}), "", ("waiting", FailureClass.LOST, None, RunState.CRASHED)),
        (Exit(signal=signal.SIGINT), "", ("waiting", FailureClass.PREEMPTED, None, RunState.PREEMPTED)),
        (Exit(signal=15), PRUNED + "bad", (TrialState.PRUNED, None, 2.0, RunState.KILLED)),
        (Exit(code=0), PRUNED + "bad", (TrialState.PRUNED, None, 2.0, RunState.KILLED)),
        (Exit(stopped=True), CANCELED + "by you", (TrialState.CANCELED, None, 2.0, RunState.KILLED)),
        (Exit(signal=15), PREEMPTED + "end", ("waiting", FailureClass.PREEMPTED, None, RunState.PREEMPTED)),
        (Exit(code=0), LOST + "taken", ("refused", FailureClass.LOST, None, RunState.KILLED)),
    ],
)
def test_an_end_has_its_verdict(found: Exit, stop: str, expected: tuple[Any, ...]) -> None:
    assert outcome(attempt(found, stop)) == expected


def test_what_never_began_goes_back_untouched() -> None:
    for found, failure in (
        (Exit(launch_failed=True, error="no program"), FailureClass.LAUNCH),
        (Exit(stopped=True, details={"unstarted": True}), None),
    ):
        verdict = judge(attempt(found, PREEMPTED + "end"), "", METRIC, 0)
        assert (verdict.unclaim, verdict.failure, verdict.outcome, verdict.back) == (True, failure, None, None)


def test_failures_of_its_own_are_retried_as_the_sweep_says() -> None:
    assert outcome(attempt(Exit(code=1)), retry_max=1)[:2] == ("waiting", FailureClass.CODE)
    assert outcome(attempt(Exit(code=1), failures=1), retry_max=1)[0] is TrialState.FAILED


def test_a_machine_may_lose_a_trial_twice() -> None:
    assert outcome(attempt(Exit(signal=9), lost=1))[0] == "waiting"
    assert outcome(attempt(Exit(signal=9), lost=2))[:2] == (TrialState.FAILED, FailureClass.KILLED)


@pytest.mark.parametrize(
    "tail", ["MemoryError", "torch.OutOfMemoryError: CUDA out of memory. Tried to…", "std::bad_alloc"]
)
def test_memory_that_ran_out_is_told_from_the_log(tail: str) -> None:
    assert outcome(attempt(Exit(code=1)), f"Traceback\n{tail}\n")[1] is FailureClass.OOM


def test_a_run_that_says_it_failed_is_believed() -> None:
    made = attempt(Exit(code=0), told=RunEnd(RunState.FAILED, "loss exploded", 1))
    assert outcome(made)[0] is TrialState.FAILED
    verdict = judge(made, "", METRIC, 0).outcome
    assert verdict is not None
    assert verdict.reason == "loss exploded"


def test_the_reason_ends_with_the_last_line_of_the_log() -> None:
    verdict = judge(attempt(Exit(code=2)), "usage: …\nerror: no such option --lr\n\n", METRIC, 0).outcome
    assert verdict is not None
    assert verdict.reason == "exit status 2: error: no such option --lr"


def test_a_trial_without_a_value_says_why() -> None:
    for values, why in (
        ((), "metric 'loss' was never logged"),
        ((float("nan"),), "metric 'loss' was only NaN or infinite"),
    ):
        verdict = judge(attempt(Exit(code=0), values=values), "", METRIC, 0).outcome
        assert verdict is not None
        assert (verdict.state, verdict.value, verdict.reason) == (TrialState.COMPLETE, None, why)
