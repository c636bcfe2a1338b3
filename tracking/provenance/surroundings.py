"""Finds out which machine a run is on: host, system, CPUs, memory, GPUs, container, scheduler."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking.machine.gpu import Gpus, shared_gpus
from tracking.machine.limits import memory_group, usable_cpus

_SLURM = {
    "job_id": "SLURM_JOB_ID",
    "array_job_id": "SLURM_ARRAY_JOB_ID",
    "array_task_id": "SLURM_ARRAY_TASK_ID",
    "nodes": "SLURM_JOB_NUM_NODES",
    "rank": "SLURM_PROCID",
    "partition": "SLURM_JOB_PARTITION",
}
"""These numbers help to find the job again. No other variable of the environment is looked at."""


def surroundings(pid: int, gpus: Gpus | None = None, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What is recorded of the machine; `memory` in bytes."""
    import psutil  # only what runs beside the training pays for it

    facts: dict[str, Any] = {
        "host": platform.node(),
        "os": platform.platform(),
        "cpu_count": psutil.cpu_count(logical=False) or os.cpu_count(),
        "cpu_count_logical": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
    }
    group = memory_group(pid, facts["memory"])
    if group is not None:
        facts["memory_limit"] = group.limit
    usable = usable_cpus(pid)
    if usable < (os.cpu_count() or 1):
        facts["cpu_limit"] = usable
    facts |= (gpus or shared_gpus()).describe()
    slurm = {name: value for name, key in _SLURM.items() if (value := (environ or os.environ).get(key))}
    if slurm:
        facts["slurm"] = slurm
    container = _container(pid)
    if container:
        facts["container"] = container
    return facts


def _container(pid: int, root: Path = Path("/")) -> str:
    """Which kind of container this looks like, "" when it looks like none."""
    if (root / "run/.containerenv").exists():
        return "podman"
    try:
        groups = (root / f"proc/{pid}/cgroup").read_text()
    except OSError:
        groups = ""
    if "kubepods" in groups:
        return "kubernetes"
    return "docker" if (root / ".dockerenv").exists() or "docker" in groups else ""
