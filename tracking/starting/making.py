"""The parts that every run is made of: identity, config, folder, journal and the Run object itself."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.context import TrialContext
from tracking.errors import HomeUnwritable
from tracking.ids import name_for
from tracking.journal.silent import SilentWriter
from tracking.live.config import Config
from tracking.live.identity import Identity
from tracking.live.recorder import Recorder, Writer
from tracking.live.run import Run
from tracking.notices import warn
from tracking.starting.settings import Settings

if TYPE_CHECKING:  # a first attempt continues nothing
    from tracking.starting.resuming import Previous

DEFAULT_PROJECT = "uncategorized"


class Journal:
    """A journal that was opened, and what it continues."""

    __slots__ = ("attempt", "previous", "writer")

    def __init__(self, writer: Writer, attempt: int, previous: Previous | None = None) -> None:
        self.writer, self.attempt, self.previous = writer, attempt, previous


def make_run(
    settings: Settings, run_dir: Path, start: Identity, config: Config, journal: Journal, stop_reason: Any
) -> Run:
    """The Run object on an opened journal."""
    previous = journal.previous
    silent = isinstance(journal.writer, SilentWriter)
    return Run(
        start,
        attempt=journal.attempt,
        run_dir=run_dir,
        mode="disabled" if silent else settings.mode,
        settings=settings,
        config=config,
        recorder=Recorder(journal.writer, previous.next_step if previous else 0, stop_reason),
        restored_summary=previous.summary if previous else None,
        resumed=previous is not None,
    )


def make_config(settings: Settings, values: Mapping[str, Any], trial: TrialContext | None) -> Config:
    """The config of a run: what a trial sets is locked."""
    return Config(values, trial.params if trial else None, frozen=not settings.allow_val_change)


def make_identity(
    run_id: str,
    settings: Settings,
    trial: TrialContext | None,
    previous: Previous | None,
    config: Mapping[str, Any],
    starting_step: int = 0,
) -> Identity:
    """The identity of a run: what the trial says, then the settings, then what the run was before."""
    old = previous.start if previous else None
    return Identity(
        id=run_id,
        project=(trial.project if trial else "") or settings.project or (old.project if old else "") or DEFAULT_PROJECT,
        entity=(trial.entity if trial else "") or settings.entity or (old.entity if old else ""),
        name=settings.name or (old.name if old else "") or name_for(run_id, trial.trial if trial else None),
        notes=settings.notes or (old.notes if old else ""),
        group=settings.group or (old.group if old else ""),
        job_type=settings.job_type or (old.job_type if old else ""),
        tags=settings.tags or (old.tags if old else ()),
        config=config,
        metadata=_metadata(),
        sweep_id=trial.sweep_id if trial else "",
        trial=trial.trial if trial else None,
        started_at=time.time(),
        starting_step=starting_step,
        host=os.uname().nodename,
        pid=os.getpid(),
    )


def _metadata() -> dict[str, Any]:
    system = os.uname()
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""
    return {
        "argv": [str(word) for word in sys.argv],
        "cwd": folder,
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "os": f"{system.sysname} {system.release} {system.machine}",
        "cpu_count": os.cpu_count(),
    }


def run_record(start: Identity, attempt: int) -> dict[str, Any]:
    """The body of the first record of a journal."""
    return {"attempt": attempt, "start": start.as_json()}


def make_folder(folder: Path) -> None:
    """Make the folder of a run. Raises HomeUnwritable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> HomeUnwritable:
    """The error for a folder that cannot be written, with what to do."""
    why = error.strerror or str(error)
    return HomeUnwritable(
        f"cannot write in {folder}: {why}. Make room or set SWEEP_HOME to a folder that you can write; "
        'init(mode="disabled") needs none.'
    )


def busy_writer(run_id: str) -> SilentWriter:
    """What stands in for the journal of a run that another process writes, which is warned about."""
    warn(f"another process writes run {run_id} at this moment: what this process logs is not recorded")
    return SilentWriter()
