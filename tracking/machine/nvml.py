"""Reads NVIDIA GPUs through NVML: which there are, and for each what it does at this moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

_GONE = (15, 999)
"""NVML_ERROR_GPU_IS_LOST and NVML_ERROR_UNKNOWN, which is what some drivers say of it instead."""
_LOST_LIMIT = 12
"""A GPU of which so many answers in a row said that it is lost is not asked any more: each such call can take long."""


class Device:
    """One GPU, or one MIG instance of a GPU, and under which name its values go."""

    def __init__(self, handle: Any, name: str, parent: str = "") -> None:
        self.handle, self.name, self.parent = handle, name, parent
        self.lost = 0


class Nvml:
    """The GPUs of the machine. `library` is pynvml or what stands in for it. Raises the library's NVMLError."""

    def __init__(self, library: Any) -> None:
        self._library = library
        library.nvmlInit()
        self.devices = self._found()

    def chosen(self, visible: str | None) -> list[Device]:
        """Those which a CUDA_VISIBLE_DEVICES of this value shows to a program; all when it is None.

        Numbers are taken as NVML counts, which is CUDA's count too where all GPUs are alike.
        """
        if visible is None:
            return self.devices
        words = [word.strip() for word in visible.split(",")]
        chosen: list[Device] = []
        for word in words:
            fitting = [device for device in self.devices if self._is_meant(device, word)]
            if not fitting:
                break  # CUDA, too, ignores what follows a number that it does not know
            chosen += [device for device in fitting if device not in chosen]
        return chosen

    def sample(self, devices: Sequence[Device], pids: frozenset[int]) -> dict[str, float]:
        """What these GPUs do, by key; what a GPU cannot tell is left out."""
        values: dict[str, float] = {}
        for device in devices:
            if device.lost < _LOST_LIMIT:
                values |= self._of(device, pids)
        return values

    def describe(self) -> list[dict[str, Any]]:
        """Name and memory (bytes) of each GPU."""
        found: list[dict[str, Any]] = []
        for device in self.devices:
            if device.parent:
                continue
            about: dict[str, Any] = {}
            name = self._asked(device, self._library.nvmlDeviceGetName)
            if name is not None:
                about["name"] = name.decode() if isinstance(name, bytes) else str(name)
            memory = self._asked(device, self._library.nvmlDeviceGetMemoryInfo)
            if memory is not None:
                about["memory"] = int(memory.total)
            found.append(about)
        return found

    def versions(self) -> dict[str, str]:
        """The versions of the driver and of CUDA that it brings: {"driver", "cuda"}, less what cannot be known."""
        versions: dict[str, str] = {}
        with contextlib.suppress(self._library.NVMLError, AttributeError):
            driver = self._library.nvmlSystemGetDriverVersion()
            versions["driver"] = driver.decode() if isinstance(driver, bytes) else str(driver)
        with contextlib.suppress(self._library.NVMLError, AttributeError):
            number = int(self._library.nvmlSystemGetCudaDriverVersion_v2())
            versions["cuda"] = f"{number // 1000}.{number % 1000 // 10}"
        return versions

    def close(self) -> None:
        with contextlib.suppress(self._library.NVMLError):
            self._library.nvmlShutdown()

    def _found(self) -> list[Device]:
        devices: list[Device] = []
        for index in range(self._library.nvmlDeviceGetCount()):
            try:
                handle = self._library.nvmlDeviceGetHandleByIndex(index)
            except self._library.NVMLError:
                continue  # one that has fallen off the bus keeps its number
            devices.append(Device(handle, f"gpu.{index}"))
            devices += self._instances(devices[-1])
        return devices

    def _instances(self, device: Device) -> list[Device]:
        """The MIG instances of a GPU."""
        library = self._library
        mode = self._asked(device, library.nvmlDeviceGetMigMode)
        if not mode or mode[0] != 1:
            return []
        count = self._asked(device, library.nvmlDeviceGetMaxMigDeviceCount) or 0
        found: list[Device] = []
        for number in range(count):
            try:
                handle = library.nvmlDeviceGetMigDeviceHandleByIndex(device.handle, number)
            except library.NVMLError:
                continue  # places without an instance are counted, too
            found.append(Device(handle, f"{device.name}.mig.{number}", device.name))
        return found

    def _of(self, device: Device, pids: frozenset[int]) -> dict[str, float]:
        library, key = self._library, f"system/{device.name}"
        values: dict[str, float] = {}
        memory = self._asked(device, library.nvmlDeviceGetMemoryInfo)
        if memory is not None:
            values[f"{key}.memory_allocated_mb"] = memory.used / 1e6
            if memory.total:
                values[f"{key}.memory"] = 100.0 * memory.used / memory.total
        ours = self._used_by(device, pids)
        if ours is not None:
            values[f"{key}.process.memory_mb"] = ours / 1e6
        if device.parent:
            return values  # an instance has memory of its own; all else belongs to the whole GPU
        busy = self._asked(device, library.nvmlDeviceGetUtilizationRates)
        if busy is not None:
            values[f"{key}.utilization"] = float(busy.gpu)
            values[f"{key}.memory_access"] = float(busy.memory)
        heat = self._asked(device, lambda handle: library.nvmlDeviceGetTemperature(handle, 0))  # 0: the GPU's sensor
        if heat is not None:
            values[f"{key}.temperature"] = float(heat)
        return values | self._power(device, key)

    def _power(self, device: Device, key: str) -> dict[str, float]:
        drawn = self._asked(device, self._library.nvmlDeviceGetPowerUsage)
        if drawn is None:
            return {}
        values = {f"{key}.power_w": drawn / 1000}
        limit = self._asked(device, self._library.nvmlDeviceGetEnforcedPowerLimit)
        if limit:
            values[f"{key}.power_percent"] = 100.0 * drawn / limit
        return values

    def _used_by(self, device: Device, pids: frozenset[int]) -> int | None:
        """Bytes that these processes have allocated; None when the driver names none of them (as in containers)."""
        running = self._asked(device, self._library.nvmlDeviceGetComputeRunningProcesses) or []
        used = [process.usedGpuMemory for process in running if process.pid in pids]
        known = [size for size in used if size is not None]
        return sum(known) if known else None

    def _asked(self, device: Device, call: Callable[[Any], Any]) -> Any:
        """The answer, None when the device cannot tell; counts how often in a row it was lost."""
        try:
            answer = call(device.handle)
        except self._library.NVMLError as error:
            gone = (
                getattr(self._library, "NVML_ERROR_GPU_IS_LOST", 15),
                getattr(self._library, "NVML_ERROR_UNKNOWN", 999),
            )
            if getattr(error, "value", None) in gone:
                device.lost += 1
            return None
        device.lost = 0
        return answer

    def _is_meant(self, device: Device, word: str) -> bool:
        if word.isdecimal():
            return device.name.split(".mig.")[0] == f"gpu.{int(word)}"
        if not word.startswith(("GPU-", "MIG-")):
            return False
        uuid = self._asked(device, self._library.nvmlDeviceGetUUID)
        uuid = uuid.decode() if isinstance(uuid, bytes) else uuid
        return uuid is not None and str(uuid).startswith(word)
