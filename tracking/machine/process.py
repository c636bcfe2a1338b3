"""Measures the training process with everything that it started: processor time, memory, threads."""

from __future__ import annotations

import os
import time

import psutil


class ProcessTree:
    """The processes below a pid, itself included.

    Asking the kernel for all processes of a big machine takes tens of milliseconds, so parents are remembered and only
    of processes that are new since the last look is it asked.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._parents: dict[int, int] = {}
        self._processes: dict[int, psutil.Process] = {}

    def processes(self) -> list[psutil.Process]:
        """Those that live now; none when the root has ended."""
        self._look()
        members = self._members()
        for pid in list(self._processes):
            if pid not in members:
                del self._processes[pid]
        for pid in members:
            if pid not in self._processes:
                try:
                    self._processes[pid] = psutil.Process(pid)
                except psutil.Error:
                    continue
        return list(self._processes.values())

    def pids(self) -> frozenset[int]:
        """The pids of the last look."""
        return frozenset(self._processes)

    def age(self) -> float:
        """Seconds since the root was started, 0 when it has ended: what it used before the first look is known, too."""
        root = self._processes.get(self.pid)
        try:
            return time.time() - root.create_time() if root is not None else 0.0
        except psutil.Error:
            return 0.0

    def _look(self) -> None:
        present = set(psutil.pids())
        fresh = present - self._parents.keys()
        for pid in self._parents.keys() - present:
            del self._parents[pid]
        for pid in fresh:
            try:
                self._parents[pid] = psutil.Process(pid).ppid()
            except psutil.Error:
                continue

    def _members(self) -> set[int]:
        if self.pid not in self._parents:
            return set()
        children: dict[int, list[int]] = {}
        for pid, parent in self._parents.items():
            children.setdefault(parent, []).append(pid)
        members: set[int] = set()
        waiting = [self.pid]
        while waiting:
            pid = waiting.pop()
            if pid == os.getpid() != self.pid:
                continue  # who measures beside the training (and the git that it asks) is no part of it
            if pid not in members:
                members.add(pid)
                waiting += children.get(pid, ())
        return members


class ProcessSource:
    """`system/cpu.process` (percent of all usable CPUs), `system/memory.process_mb`, `system/process.threads`, …"""

    def __init__(self, tree: ProcessTree, cpus: float) -> None:
        self._tree, self._cpus = tree, max(cpus, 0.01)
        self._busy: dict[int, float] = {}
        self._last: float | None = None

    def sample(self, now: float) -> dict[str, float]:
        busy: dict[int, float] = {}
        memory = threads = count = 0
        for process in self._tree.processes():
            try:
                with process.oneshot():
                    times, used, own = process.cpu_times(), process.memory_info().rss, process.num_threads()
            except psutil.Error:
                continue  # it has ended meanwhile
            busy[process.pid] = times.user + times.system
            memory, threads, count = memory + used, threads + own, count + 1
        if not count:
            return {}
        values = {
            "system/memory.process_mb": memory / 1e6,
            "system/memory.process_percent": 100.0 * memory / psutil.virtual_memory().total,
            "system/process.threads": float(threads),
            "system/process.count": float(count),
        }
        spent = sum(used - self._busy.get(pid, 0.0) for pid, used in busy.items())
        elapsed = now - self._last if self._last is not None else self._tree.age()
        if elapsed > 0:
            values["system/cpu.process"] = max(0.0, 100.0 * spent / elapsed / self._cpus)
        self._busy, self._last = busy, now
        return values
