"""One attempt of one trial while this agent drives it: what was started, what was shipped and why it is to end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agent.attempts.curve import Curve
from agent.executors.contract import Exit, Handle, Launch
from sweeps.records import TrialKey, TrialRecord
from tracking.shipping.journal_shipper import JournalShipper
from tracking.store.contract import RunBatch, RunEnd

PRUNED = "pruned: "
CANCELED = "canceled: "
PREEMPTED = "preempted: "
LOST = "lost: "


@dataclass(slots=True, eq=False)
class Attempt:
    """Mutable, touched by the loop's thread only, except for `press`. Times are of the monotonic clock."""

    trial: TrialRecord
    key: TrialKey
    launch: Launch
    handle: Handle
    shipper: JournalShipper
    curve: Curve
    slot: int
    exit: Exit | None = None
    ended: float = 0.0
    stop: str = ""
    """Why it is to end, with the prefix that tells the end state; "" while it may go on."""
    kill_at: float = 0.0
    """When SIGTERM has had its time."""
    killed: bool = False
    judged: int = 0
    """The curve's length at the last judgement of the stopper."""
    told: RunEnd | None = None
    """What the journal says of its end: the agent knows better and judges."""
    seen_batch: RunBatch | None = None
    """The batch that was last made ready; a failed shipment hands it out again."""
    final: RunEnd | None = None
    """The end that the agent's judgement gives to the run, once it is on its way."""
    run_known: bool = False
    """Whether the store has a record of the run for this attempt."""
    shipped: bool = False
    """Whether all that it left, its end included, is in the store."""

    @property
    def run_id(self) -> str:
        return self.launch.run_id

    @property
    def is_lost(self) -> bool:
        """Whether the lease is gone: what it brings is refused."""
        return self.stop.startswith(LOST)

    @property
    def seconds(self) -> float:
        """How long it has run, without the time in an executor's queue; 0 while it waits there."""
        if self.exit is not None and "seconds" in self.exit.details:
            return float(self.exit.details["seconds"])
        began = self.handle.began
        return (self.ended or time.monotonic()) - began if began else 0.0

    def notice_exit(self) -> bool:
        """Whether it has ended; asks the handle while it was not known to."""
        if self.exit is None:
            self.exit = self.handle.poll()
            if self.exit is not None:
                self.ended = time.monotonic()
        return self.exit is not None

    def ask_to_end(self, reason: str, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds. The first reason counts; what has ended keeps its end."""
        if self.notice_exit():
            return
        if not self.stop:
            self.stop = reason
            self.kill_at = time.monotonic() + grace
            self.handle.terminate()

    def press(self, why: str, kill_at: float, now: float) -> None:
        """Send the signals that are due, from a thread beside the loop's; the loop notices the end when it can.

        `why` is the reason to end it now, with SIGKILL from `kill_at` on; "" for none.
        """
        if self.handle.poll() is not None:
            return
        if why and not self.stop:
            self.kill_at = kill_at
            self.stop = why
            self.handle.terminate()
        if why:
            self.kill_at = min(self.kill_at, kill_at)
        if self.stop and not self.killed and now >= self.kill_at:
            self.killed = True
            self.handle.kill()

    def lose(self) -> None:
        """The lease is gone: kill at once, whatever was asked before."""
        if self.is_lost:
            return
        self.stop = f"{LOST}the lease was taken over"
        self.kill_now()

    def kill_now(self) -> None:
        self.killed = True
        if not self.notice_exit():
            self.handle.kill()

    def escalate(self, now: float) -> None:
        """SIGKILL when the grace after SIGTERM is over."""
        if self.stop and not self.killed and self.exit is None and now >= self.kill_at:
            self.kill_now()
