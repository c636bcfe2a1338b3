"""The sampler: what it writes when, and that nothing harms the journal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracking.home import journal_path, part_id
from tracking.journal.reader import read_stretch
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.machine.limits import memory_group, usable_cpus
from tracking.machine.part import PART, SystemPart
from tracking.machine.process import ProcessSource, ProcessTree
from tracking.machine.sampler import Sampler, interval_of, visible_gpus
from tracking.shipping.projector import Projector
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd


class Counting:
    """A source whose value is the number of the sample."""

    def __init__(self) -> None:
        self.count = 0.0

    def sample(self, now: float) -> dict[str, float]:
        self.count += 1
        return {"system/cpu": self.count}


class Broken:
    def sample(self, now: float) -> dict[str, float]:
        raise RuntimeError("the sensor is on fire")


def sampler(folder: Path, *sources: object, interval: float | None = 15.0) -> Sampler:
    return Sampler(folder, "r", 1, os.getpid(), interval, sources=sources or [Counting()])  # type: ignore[arg-type]


def batch(folder: Path) -> RunBatch:
    data = read_stretch(journal_path(folder, 1, PART), 0, 1 << 20).data
    return Projector(part_id("r", PART), 1).project(data)


def test_the_first_sample_is_taken_at_once_and_the_next_when_due(tmp_path: Path) -> None:
    one = sampler(tmp_path)
    taken = [one.tick(now) for now in (100.0, 105.0, 114.9, 115.0, 200.0)]
    assert taken == [True, False, False, True, True]
    one.close()
    cpu = batch(tmp_path).history["system/cpu"]
    assert (list(cpu.steps)[:3], list(cpu.values)[:3]) == ([0, 1, 2], [1.0, 2.0, 3.0])


def test_the_part_says_to_which_run_it_belongs(tmp_path: Path) -> None:
    JournalWriter.create(
        journal_path(tmp_path, 1), {"attempt": 1, "start": {"id": "r", "project": "p", "entity": "e"}}
    ).close()
    one = sampler(tmp_path)
    one.tick(0.0)
    one.close(RunEnd(RunState.CRASHED, "gone", None, 5.0))
    found = batch(tmp_path)
    assert found.start is not None
    assert (found.start.id, found.start.part_of, found.start.project) == (part_id("r", PART), "r", "p")
    assert found.end is not None
    assert found.end.state is RunState.CRASHED


def test_a_source_that_fails_costs_its_own_values_only(tmp_path: Path) -> None:
    one = sampler(tmp_path, Broken(), Counting())
    one.tick(0.0)
    one.close()
    assert "system/cpu" in batch(tmp_path).history


def test_two_samplers_for_one_attempt_never_mix(tmp_path: Path) -> None:
    first, second = sampler(tmp_path), sampler(tmp_path)
    assert first.tick(0.0)
    assert not second.tick(0.0)
    second.close()
    first.tick(20.0)
    first.close()
    assert list(batch(tmp_path).history["system/cpu"].values)[:2] == [1.0, 2.0]


def test_a_restarted_companion_continues_the_part(tmp_path: Path) -> None:
    first = sampler(tmp_path)
    first.tick(0.0)
    first.tick(20.0)
    assert first.part._writer is not None
    first.part._writer.abandon()  # as a SIGKILL leaves it
    second = sampler(tmp_path)
    second.tick(0.0)
    second.close()
    assert list(batch(tmp_path).history["system/cpu"].steps)[:3] == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 5, 9, 30])
def test_a_torn_end_is_cut_off_before_the_part_is_continued(tmp_path: Path, cut: int) -> None:
    first = sampler(tmp_path)
    first.tick(0.0)
    first.tick(20.0)
    assert first.part._writer is not None
    first.part._writer.abandon()
    path = journal_path(tmp_path, 1, PART)
    os.truncate(path, path.stat().st_size - cut)
    second = sampler(tmp_path)
    second.tick(0.0)
    second.close()
    assert list(batch(tmp_path).history["system/cpu"].steps)[:2] == [0, 1]


def test_a_file_that_is_no_journal_is_started_anew(tmp_path: Path) -> None:
    journal_path(tmp_path, 1, PART).write_bytes(b"SWPJ")
    one = sampler(tmp_path)
    one.tick(0.0)
    one.close()
    assert batch(tmp_path).start is not None


def test_a_folder_that_is_gone_makes_it_silent(tmp_path: Path) -> None:
    one = sampler(tmp_path / "nowhere")
    assert not one.tick(0.0)
    one.close()


def test_facts_and_rows_share_the_part(tmp_path: Path) -> None:
    part = SystemPart(tmp_path, "r", 1)
    one = Sampler(tmp_path, "r", 1, os.getpid(), None, part=part)
    assert not one.tick(0.0)
    part.record(RecordType.METADATA, {"host": "here"})
    one.close()
    one.close()
    assert batch(tmp_path).metadata == {"host": "here"}


@pytest.mark.parametrize(
    ("setting", "variable", "seconds"),
    [
        (None, "", 15.0),
        (None, "off", None),
        (None, "OFF", None),
        (None, "0", None),
        (None, "2.5", 2.5),
        (None, "on", 15.0),
        (None, "0.0001", 0.1),
        (None, "nonsense", 15.0),
        (3, "off", 3.0),
        (False, "", None),
        (True, "", 15.0),
        (-1, "", None),
    ],
)
def test_the_interval_comes_from_the_setting_or_the_environment(
    setting: object, variable: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEP_SYSTEM", variable)
    assert interval_of(setting) == seconds


def test_every_source_of_this_machine_gives_plain_numbers(tmp_path: Path) -> None:
    one = Sampler(tmp_path, "r", 1, os.getpid(), 0.1)
    one.tick(0.0)
    assert sum(number * number for number in range(3_000_000))  # so that there is a processor time to measure
    one.tick(10.0)
    one.close()
    history = batch(tmp_path).history
    for key in (
        "system/memory",
        "system/memory.available_mb",
        "system/memory.process_mb",
        "system/process.threads",
        "system/cpu.process",
        "system/disk.percent",
        "system/network.sent",
        "system/network.recv",
    ):
        assert history[key].kind == "float", key
        assert all(value >= 0.0 for value in history[key].values)
    assert 1.0 < history["system/memory.process_mb"].values[0] < 100_000.0
    assert 0.0 < history["system/memory"].values[0] <= 100.0


def test_children_and_their_children_count_for_the_process() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        tree = ProcessTree(process.pid)
        assert len(tree.processes()) == 2
        values = ProcessSource(tree, 1.0).sample(0.0)
        assert values["system/process.count"] == 2.0
        process.communicate(b"\n")
    assert tree.processes() == []
    assert ProcessSource(tree, 1.0).sample(1.0) == {}


def test_only_the_gpus_of_the_process_are_read_from_its_environment() -> None:
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": "3", "SECRET": "x"}
    with subprocess.Popen(["cat"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"x")  # once it answers, it has its own environment and not the one of the fork
        process.stdin.flush()
        process.stdout.read(1)
        assert visible_gpus(process.pid) == "3"
        process.stdin.close()


def cgroup(root: Path, lines: str, files: dict[str, str]) -> None:
    (root / "proc/7").mkdir(parents=True)
    (root / "proc/7/cgroup").write_text(lines)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_narrowest_memory_limit_of_a_group_holds(tmp_path: Path) -> None:
    cgroup(
        tmp_path,
        "0::/a/b\n",
        {
            "a/memory.max": "4000\n",
            "a/b/memory.max": "max\n",
            "a/memory.current": "1500\n",
            "a/memory.stat": "anon 3\ninactive_file 500\n",
        },
    )
    group = memory_group(7, 10_000, tmp_path)
    assert group is not None
    assert (group.limit, group.used()) == (4000, 1000)
    assert memory_group(7, 3000, tmp_path) is None


def test_limits_of_the_older_kind_of_groups_are_read_too(tmp_path: Path) -> None:
    cgroup(
        tmp_path,
        "4:memory:/job\n3:cpu,cpuacct:/job\n",
        {
            "memory/job/memory.limit_in_bytes": "900\n",
            "memory/job/memory.usage_in_bytes": "600\n",
            "memory/job/memory.stat": "total_inactive_file 100\n",
            "cpu/job/cpu.cfs_quota_us": "5000\n",
            "cpu/job/cpu.cfs_period_us": "100000\n",
        },
    )
    group = memory_group(7, 10_000, tmp_path)
    assert group is not None
    assert (group.limit, group.used()) == (900, 500)
    assert usable_cpus(7, tmp_path) == 0.05


def test_the_group_of_a_container_is_its_mount(tmp_path: Path) -> None:
    """Inside a container the path of the group is often one of the host, which is not there."""
    cgroup(
        tmp_path,
        "0::/docker/abc\n",
        {"memory.max": "5000\n", "memory.current": "10\n", "memory.stat": "inactive_file 0\n", "cpu.max": "150 100\n"},
    )
    group = memory_group(7, 10_000, tmp_path)
    assert group is not None
    assert group.limit == 5000
    assert usable_cpus(7, tmp_path) == pytest.approx(min(1.5, len(os.sched_getaffinity(0))), abs=0.6)


def test_without_groups_nothing_bounds_a_process(tmp_path: Path) -> None:
    assert memory_group(7, 10_000, tmp_path) is None
    assert usable_cpus(os.getpid(), tmp_path) >= 1.0
