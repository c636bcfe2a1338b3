"""Samples the machine while a run goes on, and records what it finds as the part "system" of the run."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking import environment
from tracking.machine.part import SystemPart

if TYPE_CHECKING:
    from tracking.machine.contract import Source
    from tracking.store.contract import RunEnd

INTERVAL_S = 15.0
"""Seconds between two samples."""
_SHORTEST_S = 0.1
_OFF = ("off", "false", "no", "none", "0")


class Sampler:
    """Takes a sample whenever one is due: the first at once, the last at the end. Nothing here ever raises.

    `pid` is the training process, measured with all that it starts. `part` is shared with who records the environment;
    `sources` are made when the first sample is due, so that an idle sampler loads nothing.
    """

    def __init__(
        self,
        run_dir: Path,
        run_id: str,
        attempt: int,
        pid: int,
        interval: float | None = INTERVAL_S,
        *,
        part: SystemPart | None = None,
        sources: Sequence[Source] | None = None,
    ) -> None:
        """`interval` in seconds; None samples nothing."""
        self._run_dir, self._pid = run_dir, pid
        self._interval = interval
        self._part = part if part is not None else SystemPart(run_dir, run_id, attempt)
        self._sources = sources
        self._due = float("-inf")
        self._taken = float("-inf")

    @property
    def part(self) -> SystemPart:
        """The journal that the samples go to."""
        return self._part

    def tick(self, now: float | None = None) -> bool:
        """Take a sample if one is due; whether it was. `now` in monotonic seconds, default time.monotonic()."""
        moment = time.monotonic() if now is None else now
        if self._interval is None or self._part.silent or moment < self._due:
            return False
        self._due = moment + self._interval
        self._sample(moment)
        return True

    def close(self, ending: RunEnd | None = None) -> None:
        """A last sample, when the one before is a second old, then the end of the part. Twice is no error."""
        moment = time.monotonic()
        if self._interval is not None and not self._part.silent and moment - self._taken >= 1.0:
            self._sample(moment)
        self._part.close(ending)

    def _sample(self, now: float) -> None:
        self._taken = now
        if self._sources is None:
            self._sources = _made(self._run_dir, self._pid)
        values: dict[str, float] = {}
        for source in self._sources:
            try:
                values |= source.sample(now)
            except Exception:  # noqa: BLE001  boundary: a source that fails costs its own values only
                continue
        self._part.row(values)


def interval_of(setting: Any = None) -> float | None:
    """Seconds between samples: from a setting, else SWEEP_SYSTEM, else 15; None for "off", False, 0 and the like."""
    given = setting if setting is not None else environment.read(environment.SYSTEM)
    if given is None or given is True:
        return INTERVAL_S
    if given is False or str(given).strip().lower() in _OFF:
        return None
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        return INTERVAL_S  # "on" and what nobody understands: measuring is the safer guess
    return max(seconds, _SHORTEST_S) if seconds > 0 else None


def visible_gpus(pid: int) -> str | None:
    """CUDA_VISIBLE_DEVICES as the process was started with; nothing else of its environment is looked at."""
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(b"CUDA_VISIBLE_DEVICES="):
                return os.fsdecode(entry.partition(b"=")[2])
        return None
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def _made(run_dir: Path, pid: int) -> list[Source]:
    """Every source that works on this machine."""
    from tracking.machine.cpu import CpuSource  # these bring psutil, which nothing else in tracking needs
    from tracking.machine.disk import DiskSource
    from tracking.machine.gpu import GpuSource
    from tracking.machine.limits import usable_cpus
    from tracking.machine.memory import MemorySource
    from tracking.machine.network import NetworkSource
    from tracking.machine.process import ProcessSource, ProcessTree

    tree = ProcessTree(pid)
    makers: list[Callable[[], Source]] = [
        CpuSource,
        lambda: MemorySource(pid),
        lambda: ProcessSource(tree, usable_cpus(pid)),
        lambda: DiskSource(run_dir),
        NetworkSource,
        lambda: GpuSource(tree.pids, visible_gpus(pid)),
    ]
    made: list[Source] = []
    for make in makers:
        with contextlib.suppress(Exception):  # what this machine does not have
            made.append(make())
    return made
