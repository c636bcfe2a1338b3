"""Measures the GPUs in a thread of its own, so that a driver that hangs holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from tracking.machine.nvml import Nvml

PATIENCE_S = 0.02
"""How long one sample waits for the answer; one that comes later goes into the next row."""
_START_PATIENCE_S = 0.25
"""The first answer takes longer: NVML is loaded for it."""


class Gpus:
    """The GPUs of this machine, for all samplers of the process: NVML is opened once, and asked one by one."""

    def __init__(self, load: Callable[[], Any] | None = None) -> None:
        self._load = load or _library
        self._lock = threading.Lock()
        self._nvml: Nvml | None = None
        self._absent = False

    @property
    def absent(self) -> bool:
        """Whether it is known that there are none."""
        return self._absent

    def sample(self, visible: str | None, pids: frozenset[int]) -> dict[str, float]:
        """See Nvml; {} where there is no GPU. May take as long as the driver takes."""
        with self._lock:
            nvml = self._opened()
            return nvml.sample(nvml.chosen(visible), pids) if nvml is not None else {}

    def describe(self) -> dict[str, Any]:
        """{"gpu": […], "driver", "cuda"}; {} where there is no GPU."""
        with self._lock:
            nvml = self._opened()
            return {"gpu": nvml.describe(), **nvml.versions()} if nvml is not None and nvml.devices else {}

    def _opened(self) -> Nvml | None:
        if self._nvml is None and not self._absent:
            try:
                self._nvml = Nvml(self._load())
            except Exception:  # noqa: BLE001  boundary: no driver, no library, one that is broken: no GPU can be asked
                self._absent = True
            else:
                self._absent = not self._nvml.devices
        return None if self._absent else self._nvml


class GpuSource:
    """`system/gpu.0.utilization`, `.memory` (percent), `.memory_allocated_mb`, `.temperature`, `.power_w`, …"""

    def __init__(
        self, pids: Callable[[], frozenset[int]], visible: str | None = None, gpus: Gpus | None = None
    ) -> None:
        self._pids, self._visible = pids, visible
        self._gpus = gpus or shared_gpus()
        self._answer: dict[str, float] = {}
        self._answered = threading.Event()
        self._asking: threading.Thread | None = None
        self._patience = _START_PATIENCE_S

    def sample(self, now: float) -> dict[str, float]:
        if self._gpus.absent:
            return {}
        if self._asking is None:
            self._ask()
        if not self._answered.wait(self._patience):
            self._patience = PATIENCE_S
            return {}
        self._asking, self._patience = None, PATIENCE_S
        return self._answer

    def _ask(self) -> None:
        self._answered.clear()
        self._asking = threading.Thread(target=self._read, args=(self._pids(),), name="gpu-sample", daemon=True)
        self._asking.start()

    def _read(self, pids: frozenset[int]) -> None:
        try:
            self._answer = self._gpus.sample(self._visible, pids)
        except Exception:  # noqa: BLE001  boundary: whatever a driver does, the others are measured
            self._answer = {}
        self._answered.set()


@cache
def shared_gpus() -> Gpus:
    """The one of this process."""
    return Gpus()


def _library() -> Any:
    import pynvml  # loads ctypes, and only where something is measured

    return pynvml
