"""Measures what the machine sends and receives."""

from __future__ import annotations

import psutil


class NetworkSource:
    """`system/network.sent` and `.recv` in MB/s, all interfaces but the loopback."""

    def __init__(self) -> None:
        self._last: tuple[float, int, int] | None = None

    def sample(self, now: float) -> dict[str, float]:
        interfaces = psutil.net_io_counters(pernic=True)
        outside = [counters for name, counters in interfaces.items() if name not in ("lo", "lo0")]
        sent, received = sum(one.bytes_sent for one in outside), sum(one.bytes_recv for one in outside)
        values: dict[str, float] = {}
        if self._last is not None and now > self._last[0]:
            elapsed = now - self._last[0]
            values["system/network.sent"] = max(0, sent - self._last[1]) / 1e6 / elapsed
            values["system/network.recv"] = max(0, received - self._last[2]) / 1e6 / elapsed
        self._last = now, sent, received
        return values
