"""Opens runs: chooses id and attempt, makes the folder and the journal, starts shipper and console capture."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracking import context, ids
from tracking.context import TrialContext
from tracking.errors import HomeUnwritable, UsageError
from tracking.home import Home, console_path, journal_path
from tracking.journal.records import RecordType
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalBusy, JournalWriter
from tracking.live.config import Config
from tracking.live.console import ConsoleCapture
from tracking.live.recorder import Recorder, Writer
from tracking.live.run import Run
from tracking.notices import forget, inform, warn
from tracking.shipping.child import ShipperChild, forget_children
from tracking.starting import endings, handshake, resuming
from tracking.starting.endings import Ending
from tracking.starting.resuming import LastRun, Previous
from tracking.starting.settings import Settings
from tracking.states import RunState
from tracking.store.contract import RunStart

DEFAULT_PROJECT = "uncategorized"
_OFF = ("off", "false", "0", "no")


@dataclass(slots=True)
class _Journal:
    """A journal that was opened, and what it continues."""

    writer: Writer
    attempt: int
    previous: Previous | None = None


def open_run(settings: Settings, trial: TrialContext | None, values: Mapping[str, Any]) -> Run:
    """The run that these settings describe, made the current one. Raises UsageError and HomeUnwritable."""
    forget("log:")
    if settings.mode == "disabled":
        run = _disabled(settings, trial, values)
    elif trial is not None:
        run = _open_trial(settings, trial, values)
    else:
        run = _open_plain(settings, values)
    context.add_run(run)
    return run


def _disabled(settings: Settings, trial: TrialContext | None, values: Mapping[str, Any]) -> Run:
    run_id = trial.run_id if trial else settings.id or ids.new_id()
    config = _config(settings, values, trial)
    start = _start(run_id, settings, trial, None, {})
    return Run(
        start,
        attempt=trial.attempt if trial else 1,
        run_dir=None,
        mode="disabled",
        settings=settings,
        config=config,
        recorder=Recorder(SilentWriter(), stop_reason=trial.stop_reason if trial and context.current_trial() else None),
    )


def _open_trial(settings: Settings, trial: TrialContext, values: Mapping[str, Any]) -> Run:
    config = _config(settings, values, trial)
    start = _start(trial.run_id, settings, trial, None, config.as_json())
    _make_folder(trial.run_dir)
    journal = _trial_journal(trial, start)
    in_process = context.current_trial() is not None
    run = _run(settings, trial.run_dir, start, config, journal, trial.stop_reason if in_process else None)
    if journal.previous is not None:
        journal.writer.record(RecordType.CONFIG, config.as_json())
    if not in_process:
        endings.watch()
        if not handshake.agent_ships():
            _accompany(run, settings, trial.run_dir, journal.attempt, None)
    return run


def _trial_journal(trial: TrialContext, start: RunStart) -> _Journal:
    """The journal of this attempt; a script that calls init() again after finish() continues it."""
    path = journal_path(trial.run_dir, trial.attempt)
    try:
        return _Journal(JournalWriter.create(path, _run_record(start, trial.attempt)), trial.attempt)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    previous = resuming.from_attempt(trial.run_dir, trial.run_id, trial.attempt)
    try:
        writer = JournalWriter.reopen(path, previous.next_layout)
    except JournalBusy:
        return _Journal(_busy(trial.run_id), trial.attempt)
    writer.record(RecordType.EVENT, {"kind": "reopened", "at": time.time()})
    return _Journal(writer, trial.attempt, previous)


def _open_plain(settings: Settings, values: Mapping[str, Any]) -> Run:
    home = Home.find()
    runs = Path(settings.dir).expanduser().absolute() / "sweepwright" if settings.dir else home.runs
    if not settings.dir:
        home.create()
    last_run = LastRun(home) if settings.resume == "auto" and not settings.id else None
    run_id, previous = _choose(settings, runs, last_run)
    resumed = previous is not None and bool(settings.resume)
    config = _config(settings, {**previous.config, **values} if resumed and previous else values, None)
    first = previous.next_step if resumed and previous else 0
    start = _start(run_id, settings, None, previous if resumed else None, config.as_json(), first)
    run_dir = runs / run_id
    _make_folder(run_dir)
    journal = _plain_journal(run_dir, start, previous)
    journal.previous = previous if resumed else None
    run = _run(settings, run_dir, start, config, journal, None)
    endings.watch()
    inform(f"run {run.name} ({run.id}){_also(run, journal.attempt)}, project {run.project}, files in {run_dir}")
    if not run.disabled:
        _accompany(run, settings, run_dir, journal.attempt, last_run)
    return run


def _choose(settings: Settings, runs: Path, last_run: LastRun | None) -> tuple[str, Previous | None]:
    """The id of the run and what is known of it already. Raises UsageError as `resume` demands."""
    if settings.id is None:
        if settings.resume == "must":
            raise UsageError("resume='must' needs the id of the run to resume: init(id=…)")
        wanted = last_run.read() if last_run is not None else None
        known = resuming.from_journals(runs / wanted, wanted) if wanted else None
        return (wanted, known) if wanted and known and not known.live else (ids.new_id(), None)
    run_id = ids.check_id(str(settings.id))
    known = resuming.from_journals(runs / run_id, run_id)
    if known is None and settings.mode == "online":
        known = resuming.from_store(run_id)
    if settings.resume == "must" and known is None:
        raise UsageError(f"resume='must', but there is no run {run_id}")
    if settings.resume == "never" and known is not None:
        raise UsageError(f"resume='never', but the run {run_id} exists already")
    return run_id, known


def _plain_journal(run_dir: Path, start: RunStart, previous: Previous | None) -> _Journal:
    if previous is not None and previous.live:
        return _Journal(_busy(start.id), previous.attempt)
    attempt = previous.attempt if previous is not None else 0
    while True:
        attempt += 1
        try:
            writer = JournalWriter.create(journal_path(run_dir, attempt), _run_record(start, attempt))
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(run_dir, error) from error
        return _Journal(writer, attempt)


def _run(
    settings: Settings, run_dir: Path, start: RunStart, config: Config, journal: _Journal, stop_reason: Any
) -> Run:
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


def _accompany(run: Run, settings: Settings, run_dir: Path, attempt: int, last_run: LastRun | None) -> None:
    """Give a run its shipper and its console capture. Without them it still records."""
    console = shipper = None
    if str(settings.console or "").lower() not in _OFF:
        try:
            console = ConsoleCapture(console_path(run_dir, attempt))
        except OSError as error:
            warn(f"the console output is not kept: {error}")
    if settings.mode == "online":
        try:
            shipper = ShipperChild.start(run_dir, run.id, attempt)
        except OSError as error:
            warn(f"no shipper could be started ({error}): run {run.id} stays in its journal in {run_dir}")
    if last_run is not None:
        last_run.write(run.id)
    run.attach(shipper, console, _forgetting(last_run))


def _forgetting(last_run: LastRun | None) -> Any:
    def at_end(ending: Ending) -> None:
        if last_run is not None and ending.state is RunState.FINISHED:
            last_run.clear()

    return at_end


def _config(settings: Settings, values: Mapping[str, Any], trial: TrialContext | None) -> Config:
    return Config(values, trial.params if trial else None, frozen=not settings.allow_val_change)


def _start(
    run_id: str,
    settings: Settings,
    trial: TrialContext | None,
    previous: Previous | None,
    config: Mapping[str, Any],
    starting_step: int = 0,
) -> RunStart:
    old = previous.start if previous else None
    return RunStart(
        id=run_id,
        project=(trial.project if trial else "") or settings.project or (old.project if old else "") or DEFAULT_PROJECT,
        entity=(trial.entity if trial else "") or settings.entity or (old.entity if old else ""),
        name=settings.name or (old.name if old else "") or ids.name_for(run_id, trial.trial if trial else None),
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


def _run_record(start: RunStart, attempt: int) -> dict[str, Any]:
    return {"attempt": attempt, "start": {name: getattr(start, name) for name in RunStart.__slots__}}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> HomeUnwritable:
    why = error.strerror or str(error)
    return HomeUnwritable(
        f"cannot write in {folder}: {why}. Make room or set SWEEP_HOME to a folder that you can write; "
        'init(mode="disabled") needs none.'
    )


def _busy(run_id: str) -> SilentWriter:
    warn(f"another process writes run {run_id} at this moment: what this process logs is not recorded")
    return SilentWriter()


def _also(run: Run, attempt: int) -> str:
    return f" resumed at step {run.step}" if run.resumed else f" attempt {attempt}" if attempt > 1 else ""


def _after_fork() -> None:
    forget_children()
    for run in context.after_fork():
        run.after_fork()


os.register_at_fork(after_in_child=_after_fork)
