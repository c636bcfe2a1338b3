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
from tracking.home import part_id
from tracking.ids import name_for
from tracking.journal.silent import SilentWriter
from tracking.live.config import Config
from tracking.live.identity import Identity
from tracking.live.recorder import Recorder, Writer
from tracking.live.run import Run
from tracking.notices import warn
from tracking.starting.settings import Settings

if TYPE_CHECKING:  # a first attempt continues nothing
    from tracking.starting.past.moments import Moment
    from tracking.starting.past.resuming import Previous

DEFAULT_PROJECT = "uncategorized"


class Journal:
    """A journal that was opened, and what it continues."""

    __slots__ = ("attempt", "part", "previous", "writer")

    def __init__(self, writer: Writer, attempt: int, previous: Previous | None = None, part: str = "") -> None:
        self.writer, self.attempt, self.previous, self.part = writer, attempt, previous, part


class Choice:
    """Which run is opened and what is known of its past."""

    __slots__ = ("forked", "known", "past", "run_id", "starting_step")

    def __init__(
        self,
        run_id: str,
        known: Previous | None = None,
        past: Previous | None = None,
        starting_step: int = 0,
        forked: Moment | None = None,
    ) -> None:
        """`known`: earlier attempts under this id, whether continued or not. `past`: what config, summary and history
        begin with."""
        self.run_id, self.known, self.past = run_id, known, past
        self.starting_step, self.forked = starting_step, forked


def make_run(
    settings: Settings, run_dir: Path, start: Identity, config: Config, journal: Journal, stop_reason: Any
) -> Run:
    """The Run object on an opened journal."""
    previous = journal.previous
    silent = isinstance(journal.writer, SilentWriter)
    recorder = Recorder(journal.writer, start.starting_step or (previous.next_step if previous else 0), stop_reason)
    recorder.tentative = start.tentative and not silent
    run = Run(
        start,
        attempt=journal.attempt,
        run_dir=run_dir,
        mode="disabled" if silent else settings.mode,
        settings=settings,
        config=config,
        recorder=recorder,
        restored_summary=previous.summary if previous else None,
        resumed=previous is not None and not start.forked_from,
        part=journal.part,
    )
    if previous is not None and previous.metrics and not silent:
        _declare_again(recorder, previous)
    return run


def _declare_again(recorder: Recorder, previous: Previous) -> None:
    """What the run declared with define_metric() holds for its next attempt, too, with all that it gathered."""
    from tracking.live.metrics import MetricDefinition  # most runs declare nothing

    for body in previous.metrics.values():
        recorder.define(MetricDefinition.from_json(body))
    recorder.precede(previous.aggregates)


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
    forked: Moment | None = None,
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
        started_at=float(settings.x_start_time or time.time()),
        starting_step=starting_step,
        host=settings.host or os.uname().nodename,
        pid=os.getpid(),
        forked_from=forked.run_id if forked else "",
        fork_step=forked.step if forked else None,
        tentative=False,
        part_of="",
    )


def _metadata() -> dict[str, Any]:
    system = os.uname()
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""
    return {
        "argv": _argv(),
        "cwd": folder,
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "os": f"{system.sysname} {system.release} {system.machine}",
        "cpu_count": os.cpu_count(),
    }


def _argv() -> list[str]:
    """The command line, without the secrets that it may hold."""
    if len(sys.argv) < 2:
        return [str(word) for word in sys.argv]
    from tracking.provenance.masking import masked_arguments

    return masked_arguments(sys.argv)


def run_record(start: Identity, attempt: int, part: str = "") -> dict[str, Any]:
    """The body of the first record of a journal."""
    body = start.as_json()
    if part:
        body |= {"id": part_id(start.id, part), "part_of": start.id}
    return {"attempt": attempt, "start": body}


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
