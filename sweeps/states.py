"""The states of Sweeps and Trials and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from tracking.states import Transitions


class SweepState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    CANCELING = "canceling"
    FINISHED = "finished"
    CANCELED = "canceled"


SWEEP_TRANSITIONS: Transitions[SweepState] = Transitions(
    {
        SweepState.RUNNING: (SweepState.PAUSED, SweepState.FINISHED, SweepState.STOPPING, SweepState.CANCELING),
        SweepState.PAUSED: (SweepState.RUNNING, SweepState.STOPPING, SweepState.CANCELING),
        SweepState.STOPPING: (SweepState.FINISHED, SweepState.CANCELING),
        SweepState.CANCELING: (SweepState.CANCELED,),
        SweepState.FINISHED: (SweepState.RUNNING,),
        SweepState.CANCELED: (SweepState.RUNNING,),
    }
)


class TrialState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    CANCELED = "canceled"


TRIAL_TRANSITIONS: Transitions[TrialState] = Transitions(
    {
        TrialState.WAITING: (TrialState.RUNNING, TrialState.CANCELED),
        TrialState.RUNNING: (
            TrialState.COMPLETE,
            TrialState.PRUNED,
            TrialState.FAILED,
            TrialState.CANCELED,
            TrialState.WAITING,
        ),
        TrialState.COMPLETE: (),
        TrialState.PRUNED: (),
        TrialState.FAILED: (),
        TrialState.CANCELED: (),
    }
)

OPEN_TRIALS = (TrialState.WAITING, TrialState.RUNNING)
DONE_TRIALS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)
"""What was worked on to an end; a canceled trial was given up, most often before it ran."""


class FailureClass(StrEnum):
    """Why an attempt failed. The first group is the machine's fault and is retried, the second the trial's own."""

    LOST = "lost"  # the agent's heartbeat ended
    KILLED = "killed"  # a signal that we did not send
    LAUNCH = "launch"  # the program could not be started
    PREEMPTED = "preempted"

    CODE = "code"  # exit status other than 0, or an exception
    OOM = "oom"
    DIVERGED = "diverged"  # the metric became NaN or infinite

    @property
    def is_infrastructure(self) -> bool:
        """Whether the machine is to blame rather than the parameters."""
        return self in {FailureClass.LOST, FailureClass.KILLED, FailureClass.PREEMPTED}

    @property
    def counts_as_lost(self) -> bool:
        """Whether it uses up one of the times that a trial may lose its machine: being asked to make room does not."""
        return self in {FailureClass.LOST, FailureClass.KILLED}
