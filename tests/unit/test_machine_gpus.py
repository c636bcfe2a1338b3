"""GPUs through a fake NVML: values, those that cannot be told, GPUs that vanish, drivers that hang."""

from __future__ import annotations

import threading
import time

import pytest

from tests.unit.fake_nvml import GPU_IS_LOST, LIBRARY_NOT_FOUND, NOT_SUPPORTED, FakeGpu, FakeNvml
from tracking.machine.gpu import Gpus, GpuSource
from tracking.machine.nvml import Nvml


def no_pids() -> frozenset[int]:
    return frozenset()


def test_every_value_of_a_gpu_has_its_key_and_unit() -> None:
    gpu = FakeGpu()
    gpu.processes = [(7, 20 * 10**6), (8, 5 * 10**6), (9, 10**9)]
    nvml = Nvml(FakeNvml(gpu))
    assert nvml.sample(nvml.devices, frozenset({7, 8})) == {
        "system/gpu.0.memory_allocated_mb": 50.0,
        "system/gpu.0.memory": 25.0,
        "system/gpu.0.process.memory_mb": 25.0,
        "system/gpu.0.utilization": 80.0,
        "system/gpu.0.memory_access": 30.0,
        "system/gpu.0.temperature": 61.0,
        "system/gpu.0.power_w": 350.0,
        "system/gpu.0.power_percent": 50.0,
    }


@pytest.mark.parametrize("what", ["memory", "utilization", "temperature", "power", "limit", "processes", "mig"])
def test_what_a_gpu_cannot_tell_is_left_out_and_nothing_else(what: str) -> None:
    gpu = FakeGpu()
    gpu.processes = [(7, 1)]
    whole = Nvml(FakeNvml(gpu))
    every = set(whole.sample(whole.devices, frozenset({7})))
    gpu.broken = {what: NOT_SUPPORTED}
    nvml = Nvml(FakeNvml(gpu))
    some = set(nvml.sample(nvml.devices, frozenset({7})))
    assert some < every or what == "mig"
    assert len(some) >= len(every) - 2


def test_memory_that_the_driver_does_not_split_by_process_is_left_out() -> None:
    gpu = FakeGpu()
    gpu.processes = [(7, None)]
    nvml = Nvml(FakeNvml(gpu))
    assert "system/gpu.0.process.memory_mb" not in nvml.sample(nvml.devices, frozenset({7}))


def test_a_gpu_that_falls_off_the_bus_is_asked_no_more_and_the_others_are() -> None:
    good, bad = FakeGpu(), FakeGpu(uuid="GPU-bbbb")
    nvml = Nvml(FakeNvml(bad, good))
    bad.broken = {"all": GPU_IS_LOST}
    for _ in range(20):
        values = nvml.sample(nvml.devices, frozenset())
        assert values["system/gpu.1.utilization"] == 80.0
        assert not any(key.startswith("system/gpu.0") for key in values)
    calls = bad.calls
    nvml.sample(nvml.devices, frozenset())
    assert bad.calls == calls


def test_a_gpu_that_comes_back_after_one_lost_answer_is_measured_again() -> None:
    gpu = FakeGpu()
    nvml = Nvml(FakeNvml(gpu))
    gpu.broken = {"all": GPU_IS_LOST}
    assert nvml.sample(nvml.devices, frozenset()) == {}
    gpu.broken = {}
    assert "system/gpu.0.utilization" in nvml.sample(nvml.devices, frozenset())


def test_a_gpu_that_was_lost_at_the_start_keeps_its_number() -> None:
    gone = FakeGpu()
    gone.broken = {"handle": GPU_IS_LOST}
    nvml = Nvml(FakeNvml(gone, FakeGpu()))
    assert {key.split(".")[1] for key in nvml.sample(nvml.devices, frozenset())} == {"1"}


def test_instances_of_a_divided_gpu_show_their_memory() -> None:
    gpu = FakeGpu()
    gpu.mig = 1
    gpu.instances = [FakeGpu(memory=(1, 10)), None, FakeGpu(memory=(5, 10))]
    nvml = Nvml(FakeNvml(gpu))
    values = nvml.sample(nvml.devices, frozenset())
    assert values["system/gpu.0.mig.0.memory"] == 10.0
    assert values["system/gpu.0.mig.2.memory"] == 50.0
    assert "system/gpu.0.mig.0.utilization" not in values
    assert values["system/gpu.0.utilization"] == 80.0
    assert len(nvml.describe()) == 1


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("2,0", [2, 0]),
        ("1,9,0", [1]),
        ("GPU-b", [1]),
        ("GPU-none", []),
        ("NoDevFiles", []),
    ],
)
def test_only_gpus_that_the_program_may_see_are_measured(visible: str | None, expected: list[int]) -> None:
    nvml = Nvml(FakeNvml(FakeGpu(uuid="GPU-aa"), FakeGpu(uuid="GPU-bb"), FakeGpu(uuid="GPU-cc")))
    assert [device.name for device in nvml.chosen(visible)] == [f"gpu.{index}" for index in expected]


def test_the_environment_names_gpus_driver_and_cuda() -> None:
    gpus = Gpus(lambda: FakeNvml(FakeGpu(), FakeGpu("NVIDIA A100")))
    assert gpus.describe() == {
        "gpu": [{"name": "NVIDIA H200", "memory": 200_000_000}, {"name": "NVIDIA A100", "memory": 200_000_000}],
        "driver": "560.35",
        "cuda": "12.6",
    }


def test_a_machine_without_gpus_or_driver_or_library_is_no_error() -> None:
    def absent() -> FakeNvml:
        raise ImportError("no pynvml")

    for load in (absent, lambda: FakeNvml(fails=LIBRARY_NOT_FOUND), FakeNvml):
        gpus = Gpus(load)
        assert gpus.sample(None, frozenset()) == {}
        assert gpus.absent
        assert gpus.describe() == {}
        assert GpuSource(no_pids, gpus=gpus).sample(0.0) == {}


def test_the_library_is_opened_once_for_all_samplers() -> None:
    library = FakeNvml(FakeGpu())
    gpus = Gpus(lambda: library)
    for _ in range(3):
        assert GpuSource(no_pids, gpus=gpus).sample(0.0)["system/gpu.0.utilization"] == 80.0
    assert library.opened == 1


class _Stuck(FakeNvml):
    """A driver that does not answer until it is let go."""

    def __init__(self, *gpus: FakeGpu) -> None:
        super().__init__(*gpus)
        self.go = threading.Event()

    def nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu) -> object:
        assert self.go.wait(30)
        return super().nvmlDeviceGetUtilizationRates(gpu)


def test_a_driver_that_hangs_costs_one_short_wait_and_its_answer_comes_with_a_later_row() -> None:
    library = _Stuck(FakeGpu())
    source = GpuSource(no_pids, gpus=Gpus(lambda: library))
    assert source.sample(0.0) == {}
    began = time.monotonic()
    for _ in range(3):
        assert source.sample(1.0) == {}
    assert time.monotonic() - began < 5.0
    library.go.set()
    deadline = time.monotonic() + 10
    while not (values := source.sample(2.0)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert values["system/gpu.0.utilization"] == 80.0


def test_a_driver_that_raises_what_nobody_expects_harms_nothing() -> None:
    class Odd(FakeNvml):
        def nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu) -> object:
            raise ValueError("out of its mind")

    assert GpuSource(no_pids, gpus=Gpus(lambda: Odd(FakeGpu()))).sample(0.0) == {}
