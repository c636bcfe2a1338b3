"""Asking a plain run of this machine to stop: SIGTERM to its process, if it surely is that process."""

from __future__ import annotations

import os
import signal

from tracking.errors import UsageError
from tracking.public.contract import RunRow
from tracking.states import RunState

_ROUNDING_S = 2.0
"""By how much the kernel's and our clock may differ on when a process began."""


def terminate(run: RunRow) -> None:
    """Send SIGTERM. Raises UsageError which says why that cannot be, and what would do."""
    if run.state != RunState.RUNNING.value:
        raise UsageError(f"run {run.id} has ended already ({run.state}): there is nothing to stop")
    here = os.uname().nodename
    if run.host != here:
        raise UsageError(
            f"run {run.id} runs on {run.host or 'an unknown machine'}, this is {here}: only a trial of a sweep can be "
            f"stopped from afar; on that machine: kill {run.pid}"
        )
    if not _is_process_of(run):
        raise UsageError(
            f"run {run.id} should be process {run.pid} of this machine, but that process has gone or is another one; "
            "its shipper will mark the run as crashed"
        )
    try:
        os.kill(run.pid, signal.SIGTERM)
    except PermissionError as error:
        raise UsageError(
            f"run {run.id} is process {run.pid} of another user: it cannot be stopped from here"
        ) from error


def _is_process_of(run: RunRow) -> bool:
    """Whether the process with the run's number is the one that started the run.

    Only a process that began before the run did can be: a later one was given the number of a dead one.
    """
    import psutil  # 20 ms, and only who stops a run needs it

    try:
        return bool(run.pid > 1 and psutil.Process(run.pid).create_time() <= run.started_at + _ROUNDING_S)
    except psutil.Error:
        return False
