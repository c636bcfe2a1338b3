"""Looks after the machine of a run in a thread: samples it, and records its environment once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from tracking import environment
from tracking.blobs.store import Blobs
from tracking.machine.part import SystemPart, run_record
from tracking.machine.sampler import Sampler, interval_of
from tracking.provenance.collecting import Wanted, collect
from tracking.store.contract import RunEnd

CLOSE_PATIENCE_S = 10.0
"""How long the end waits for a look at the environment that is still going on (a git diff of a slow disk)."""


class MachineWatch:
    """Writes the part "system" of one attempt. A thread, so that a driver that hangs never holds up the shipping."""

    def __init__(
        self,
        run_dir: Path,
        run_id: str,
        attempt: int,
        pid: int,
        blobs: Blobs,
        say: Callable[[str], None],
        collector: Callable[..., None] = collect,
    ) -> None:
        """`pid`: the training process, 0 when it has ended. `collector`: see `provenance.collecting.collect`."""
        self._run_dir, self._run_id, self._attempt, self._pid = run_dir, run_id, attempt, pid
        self._blobs, self._say, self._collector = blobs, say, collector
        self._ending, self._sampled = threading.Event(), threading.Event()
        self._sampler: Sampler | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin: the first sample is taken at once."""
        self._thread = threading.Thread(target=self._serve, name="sweep-machine", daemon=True)
        self._thread.start()

    def await_sample(self, patience: float) -> None:
        """Until the first sample is taken, at most `patience` seconds."""
        self._sampled.wait(patience)

    def ask_to_end(self) -> None:
        """Let the thread end when it comes to it."""
        self._ending.set()

    @property
    def is_over(self) -> bool:
        """Whether the thread has ended, so that `close` waits for nothing."""
        return self._thread is None or not self._thread.is_alive()

    def close(self, end: RunEnd | None, patience: float = CLOSE_PATIENCE_S) -> None:
        """Take the last sample and end the part. Never raises; what hangs is left behind."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._ending.set()
        thread.join(patience)
        if self._sampler is not None and not thread.is_alive():
            try:
                self._sampler.close(end)
            except Exception as error:  # noqa: BLE001  boundary: what the machine says is no reason to lose the run
                self._say(f"the system metrics could not be ended: {error!r}")

    def _serve(self) -> None:
        try:
            interval = interval_of()
            part = SystemPart(self._run_dir, self._run_id, self._attempt)
            fresh = part.next_step == 0 and not part.silent  # else an earlier companion of this attempt has been here
            self._sampler = Sampler(
                self._run_dir, self._run_id, self._attempt, self._pid, interval if self._pid else None, part=part
            )
            self._sampler.tick(time.monotonic())
            self._sampled.set()
            if fresh:
                self._collect(part)
            while not self._ending.wait(interval):
                self._sampler.tick(time.monotonic())
        except Exception as error:  # noqa: BLE001  boundary: what the machine says is no reason to lose the run
            self._say(f"the system metrics have ended: {error!r}")

    def _collect(self, part: SystemPart) -> None:
        """Record the environment."""
        start = run_record(self._run_dir, self._attempt).get("start") or {}
        known = start.get("metadata") or {}
        self._collector(
            part.record,
            self._blobs,
            cwd=str(known.get("cwd") or "."),
            argv=[str(word) for word in known.get("argv") or ()],
            executable=str(known.get("executable") or ""),
            pid=self._pid,
            started_at=float(start.get("started_at") or 0.0),
            wanted=wanted(),
        )


def wanted() -> Wanted:
    """What may be collected, as the variables say that the training process set for its companion."""
    return Wanted.of(
        {
            "x_disable_meta": environment.flag("DISABLE_META"),
            "x_disable_machine_info": environment.flag("DISABLE_MACHINE_INFO"),
        }
    )
