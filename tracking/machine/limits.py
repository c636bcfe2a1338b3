"""What a container or the scheduler leaves of this machine to a process: CPUs and memory."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """The control group that bounds the memory."""

    folder: Path
    limit: int
    """Bytes."""
    usage_file: str
    cache_key: str

    def used(self) -> int | None:
        """Bytes in use, without the file cache that the kernel would give back."""
        try:
            usage = int((self.folder / self.usage_file).read_text())
            for line in (self.folder / "memory.stat").read_text().splitlines():
                key, _, value = line.partition(" ")
                if key == self.cache_key:
                    return max(0, usage - int(value))
        except (OSError, ValueError):
            return None
        return usage


def memory_group(pid: int, total: int, root: Path = Path("/")) -> MemoryGroup | None:
    """The narrowest group above the process whose limit is below `total` bytes; None when nothing bounds it."""
    found: MemoryGroup | None = None
    for folder, (limit_file, usage_file, cache_key) in _folders(pid, "memory", root):
        limit = _number(folder / limit_file)
        if limit is not None and 0 < limit < (found.limit if found else total):
            found = MemoryGroup(folder, int(limit), usage_file, cache_key)
    return found


def usable_cpus(pid: int, root: Path = Path("/")) -> float:
    """How many CPUs the process may use: its affinity and the quota of its control group; at least 0.01."""
    try:
        count = float(len(os.sched_getaffinity(pid)))
    except (OSError, AttributeError):
        count = float(os.cpu_count() or 1)
    for folder, _ in _folders(pid, "cpu", root):
        quota = _quota(folder)
        if quota is not None:
            count = min(count, quota)
    return max(count, 0.01)


def _folders(pid: int, controller: str, root: Path) -> list[tuple[Path, tuple[str, str, str]]]:
    """The group of the process and all above it; in a container the path may not exist, then the mount's root."""
    base = root / "sys/fs/cgroup"
    try:
        lines = (root / f"proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return []
    found: list[tuple[Path, tuple[str, str, str]]] = []
    for line in lines:
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names == "":
            mount, files = base, _V2
        elif controller in names.split(","):
            mount, files = base / controller, _V1
        else:
            continue
        group = mount / path.strip("/")
        chain = [group, *group.parents]
        found += [(folder, files) for folder in chain if folder == mount or mount in folder.parents]
    return found


def _quota(folder: Path) -> float | None:
    try:
        words = (folder / "cpu.max").read_text().split()
        return None if words[0] == "max" else int(words[0]) / int(words[1])
    except (OSError, ValueError, IndexError, ZeroDivisionError):
        pass
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and period and quota > 0 else None


def _number(path: Path) -> float | None:
    try:
        text = path.read_text().strip()
        return math.inf if text == "max" else float(int(text))
    except (OSError, ValueError):
        return None
