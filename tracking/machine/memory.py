"""Measures the memory of the machine, or of the container that the training process lives in."""

from __future__ import annotations

import psutil

from tracking.machine.limits import memory_group


class MemorySource:
    """`system/memory` in percent and `system/memory.available_mb`."""

    def __init__(self, pid: int) -> None:
        self._group = memory_group(pid, psutil.virtual_memory().total)

    def sample(self, now: float) -> dict[str, float]:
        machine = psutil.virtual_memory()
        percent, available = machine.percent, machine.available
        used = self._group.used() if self._group is not None else None
        if self._group is not None and used is not None:
            percent = 100.0 * used / self._group.limit
            available = min(available, max(0, self._group.limit - used))
        return {"system/memory": percent, "system/memory.available_mb": available / 1e6}
