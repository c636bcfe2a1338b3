"""A stand-in for pynvml: GPUs that can be told what to say, and to fail in every way that real ones do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


NOT_SUPPORTED, NOT_FOUND, LIBRARY_NOT_FOUND, GPU_IS_LOST = 3, 6, 12, 15


class FakeGpu:
    """A GPU; the attributes in `broken` answer with that error."""

    def __init__(self, name: str = "NVIDIA H200", uuid: str = "GPU-aaaa", memory: tuple[int, int] = (50, 200)) -> None:
        self.name, self.uuid = name, uuid
        self.used, self.total = (size * 10**6 for size in memory)
        self.utilization, self.access, self.temperature, self.power, self.limit = 80, 30, 61, 350_000, 700_000
        self.processes: list[tuple[int, int | None]] = []
        self.instances: list[FakeGpu | None] = []
        self.mig = 0
        self.broken: dict[str, int] = {}
        self.calls = 0


class FakeNvml:
    """What Nvml calls of the library."""

    NVMLError = NVMLError

    def __init__(self, *gpus: FakeGpu, fails: int | None = None) -> None:
        self.gpus, self.fails = gpus, fails
        self.opened = 0

    def nvmlInit(self) -> None:
        if self.fails is not None:
            raise NVMLError(self.fails)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        return self._of(self.gpus[index], "handle")

    def nvmlDeviceGetName(self, gpu: FakeGpu) -> str:
        return self._of(gpu, "name").name

    def nvmlDeviceGetUUID(self, gpu: FakeGpu) -> str:
        return self._of(gpu, "uuid").uuid

    def nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu) -> Any:
        return SimpleNamespace(used=self._of(gpu, "memory").used, total=gpu.total)

    def nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu) -> Any:
        return SimpleNamespace(gpu=self._of(gpu, "utilization").utilization, memory=gpu.access)

    def nvmlDeviceGetTemperature(self, gpu: FakeGpu, sensor: int) -> int:
        assert sensor == 0
        return self._of(gpu, "temperature").temperature

    def nvmlDeviceGetPowerUsage(self, gpu: FakeGpu) -> int:
        return self._of(gpu, "power").power

    def nvmlDeviceGetEnforcedPowerLimit(self, gpu: FakeGpu) -> int:
        return self._of(gpu, "limit").limit

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in self._of(gpu, "processes").processes]

    def nvmlDeviceGetMigMode(self, gpu: FakeGpu) -> tuple[int, int]:
        return self._of(gpu, "mig").mig, gpu.mig

    def nvmlDeviceGetMaxMigDeviceCount(self, gpu: FakeGpu) -> int:
        return len(gpu.instances)

    def nvmlDeviceGetMigDeviceHandleByIndex(self, gpu: FakeGpu, index: int) -> FakeGpu:
        instance = gpu.instances[index]
        if instance is None:
            raise NVMLError(NOT_FOUND)
        return instance

    def nvmlSystemGetDriverVersion(self) -> str:
        return "560.35"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return 12060

    @staticmethod
    def _of(gpu: FakeGpu, what: str) -> FakeGpu:
        gpu.calls += 1
        error = gpu.broken.get(what, gpu.broken.get("all"))
        if error is not None:
            raise NVMLError(error)
        return gpu
