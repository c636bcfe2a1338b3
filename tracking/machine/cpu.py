"""Measures how busy the CPUs of the machine are."""

from __future__ import annotations

import psutil


class CpuSource:
    """`system/cpu`: percent of all CPUs of the machine that were busy since the last sample."""

    def __init__(self) -> None:
        self._last = _busy_and_all()

    def sample(self, now: float) -> dict[str, float]:
        busy, total = _busy_and_all()
        spent, elapsed = busy - self._last[0], total - self._last[1]
        if elapsed < 0.2:  # CPU seconds: the kernel counts in hundredths, so a shorter look says nothing
            return {}
        self._last = busy, total
        return {"system/cpu": min(100.0, max(0.0, 100.0 * spent / elapsed))}


def _busy_and_all() -> tuple[float, float]:
    times = psutil.cpu_times()
    # On Linux the time of guests is contained in user and nice already.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total
