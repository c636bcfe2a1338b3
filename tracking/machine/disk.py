"""Measures the disk that runs are kept on and what goes through the disks of the machine."""

from __future__ import annotations

from pathlib import Path

import psutil


class DiskSource:
    """`system/disk.percent` and `.free_gb` of the file system of `folder`; `.in`, `.out`: MB/s read and written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[float, int, int] | None = None

    def sample(self, now: float) -> dict[str, float]:
        values: dict[str, float] = {}
        try:
            usage = psutil.disk_usage(str(self._folder))
            values = {"system/disk.percent": usage.percent, "system/disk.free_gb": usage.free / 1e9}
        except OSError:
            pass  # the folder is gone, or its file system does not answer
        counters = psutil.disk_io_counters()
        if counters is None:  # containers often show no disks
            return values
        read, written = counters.read_bytes, counters.write_bytes
        if self._last is not None and now > self._last[0]:
            elapsed = now - self._last[0]
            values["system/disk.in"] = max(0, read - self._last[1]) / 1e6 / elapsed
            values["system/disk.out"] = max(0, written - self._last[2]) / 1e6 / elapsed
        self._last = now, read, written
        return values
