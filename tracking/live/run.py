"""A Run as the training process sees it: identity, config, summary, log() and the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking import context
from tracking.errors import UsageError
from tracking.home import Home
from tracking.journal.records import RecordType
from tracking.live.config import Config
from tracking.live.doings import Doings
from tracking.live.identity import Identity
from tracking.live.recorder import Recorder
from tracking.notices import warn
from tracking.starting import endings
from tracking.starting.endings import Ending, ending_for_code, ending_of
from tracking.starting.settings import Settings
from tracking.states import RunState

if TYPE_CHECKING:  # what not every run needs is imported where it is needed: a short trial is mostly imports
    from types import TracebackType

    from tracking.blobs.store import Blobs
    from tracking.live.console import ConsoleCapture
    from tracking.live.metrics import MetricDefinition
    from tracking.live.summary import Summary
    from tracking.shipping.child import ShipperChild

CLOSE_PATIENCE_S = 0.15
"""How long finish() tries to write what a full disk refused before."""
SHIP_PATIENCE_S = 0.2
"""How long finish() waits for the shipper's answer. The shipper goes on without us."""


class Run(Doings):
    """One tracked execution. Made by `tracking.init()`; a context manager that ends the run.

    `config` and `summary` are mappings with attribute access.
    """

    def __init__(
        self,
        start: Identity,
        *,
        attempt: int,
        run_dir: Path | None,
        mode: str,
        settings: Settings,
        config: Config,
        recorder: Recorder,
        restored_summary: Mapping[str, Any] | None = None,
        resumed: bool = False,
        part: str = "",
    ) -> None:
        self._start = start
        self._attempt = attempt
        self._part = part
        self._run_dir = run_dir
        self._mode = mode
        self._settings = settings
        self._config = config
        self._recorder = recorder
        self._summary: Summary | None = None
        self._resumed = resumed
        self._shipper: ShipperChild | None = None
        self._console: ConsoleCapture | None = None
        self._at_end: Callable[[Ending], None] | None = None
        self._before_end: list[Callable[[], None]] = []
        self._blobs: Blobs | None = None
        self._ending = self._finished = False
        self._forked = False
        self._preempting = False
        config.connect(lambda changed: recorder.record(RecordType.CONFIG, changed))
        recorder.restored.update(restored_summary or {})
        if mode != "disabled":
            recorder.convert = self._convert

    # What the training loop calls

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None:
        """Record a row of the history.

        Without `step` the row gets the current step, which then grows by one; `commit=False` keeps the step for the
        next call. With `step` the step is that one, and stays unless `commit=True`; a step below the current one is
        dropped with a warning. Raises UsageError when the run has ended.
        """
        if self._finished:
            raise UsageError(f"run {self.id} is finished: log() records nothing any more; call init() for a new run")
        self._recorder.log(data, step, commit)

    def define_metric(
        self,
        name: str,
        step_metric: str | MetricDefinition | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | Sequence[str] | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
    ) -> MetricDefinition:
        """Declare how a metric (or, with a trailing `*`, many) is shown and summarised. Raises UsageError."""
        from tracking.live.metrics import MetricDefinition

        axis = step_metric.name if isinstance(step_metric, MetricDefinition) else step_metric
        definition = MetricDefinition.checked(name, axis, step_sync, hidden, summary, goal)
        self._recorder.define(definition, bool(overwrite))
        return definition

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run: finished for exit code 0 (the default), failed for any other. Twice is no error."""
        self.end(ending_for_code(exit_code or 0), quiet=bool(quiet))

    def end(self, ending: Ending | None, quiet: bool = False) -> None:
        """End the run in this way; None leaves the word to the companion, which sees the exit status of the process."""
        if self._ending:
            return
        self._ending = True
        self._do_before_end()
        self._finished = True
        context.remove_run(self)
        if self._forked:
            return
        if self._console is not None:
            self._console.close()
        if ending is None:
            # The journal stays open, so that its lock says that the process lives until it is gone.
            self._recorder.record(RecordType.EVENT, {"kind": "exiting", "at": time.time()})
            return
        if self._preempting and ending.state is not RunState.FINISHED:
            ending = Ending(RunState.PREEMPTED, ending.exit_code, ending.reason or "preempted")
        self._recorder.record(RecordType.FINISH, _finish_record(ending))
        if not self._recorder.close(CLOSE_PATIENCE_S):
            warn(f"run {self.id}: the disk is full, so the end of its journal is lost")
        problem = self._shipper.finish(SHIP_PATIENCE_S) if self._shipper is not None else ""
        if not context.active_runs():
            endings.unwatch()
        if self._at_end is not None:
            self._at_end(ending)
        if self._shipper is not None:  # in a trial the agent has the word
            from tracking.live import farewell

            farewell.bid(self, ending, problem, quiet)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(ending_of(error))

    # What the packages around it call

    def record(self, kind: RecordType, body: Mapping[str, Any]) -> None:
        """Append a record that is no row to the journal. Raises UsageError when the run has ended."""
        if self._finished:
            raise UsageError(f"run {self.id} is finished: nothing can be added to it; call init() for a new run")
        self._recorder.record(kind, body)

    def before_end(self, action: Callable[[], None]) -> None:
        """Call `action` once when the run ends, while it still records; what it raises becomes a warning."""
        self._before_end.append(action)

    def confirm_checkpoint(self, step: int | None = None) -> None:
        """Say that the script goes on from the checkpoint of `step` (default: the last one that the run has).

        Only an attempt that repeats a trial heeds it, and only before its first row: see `Recorder.tentative`.
        """
        self._recorder.confirm(step)

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of this run's files go: the home's, or its own folder if it may be carried elsewhere."""
        if self._blobs is None:
            from tracking.blobs.store import Blobs  # a run that only logs numbers has no files

            ours = self._mode != "online" or self._settings.dir
            self._blobs = Blobs(Path(self.dir).parent / "blobs" if ours else Home.find().files)
        return self._blobs

    # What the run is

    @property
    def config(self) -> Config:
        return self._config

    @property
    def summary(self) -> Summary:
        with self._recorder.lock:
            if self._summary is None:
                self._summary = self._make_summary()
            return self._summary

    @property
    def id(self) -> str:
        return self._start.id

    @property
    def name(self) -> str:
        return self._start.name

    @name.setter
    def name(self, value: str) -> None:
        self._rename(name=str(value))

    @property
    def notes(self) -> str:
        return self._start.notes

    @notes.setter
    def notes(self, value: str) -> None:
        self._rename(notes=str(value))

    @property
    def tags(self) -> tuple[str, ...]:
        return self._start.tags

    @tags.setter
    def tags(self, value: Iterable[str]) -> None:
        self._rename(tags=tuple(dict.fromkeys(map(str, value))))

    @property
    def project(self) -> str:
        return self._start.project

    @property
    def entity(self) -> str:
        return self._start.entity

    @property
    def group(self) -> str:
        return self._start.group

    @property
    def job_type(self) -> str:
        return self._start.job_type

    @property
    def sweep_id(self) -> str | None:
        return self._start.sweep_id or None

    @property
    def path(self) -> str:
        """`entity/project/id`, without the entity when there is none."""
        return "/".join(filter(None, (self.entity, self.project, self.id)))

    @property
    def url(self) -> str | None:
        """None: no web page shows the run."""
        return None

    @property
    def dir(self) -> str:
        """A folder for files of this run, made on first use."""
        if self._run_dir is None:
            from tracking.live.marking import passing_folder  # only disabled runs need one

            self._run_dir = passing_folder(self)
        files = self._run_dir / "files"
        files.mkdir(parents=True, exist_ok=True)
        return str(files)

    @property
    def step(self) -> int:
        """The step that the next `log()` without a step of its own gets."""
        return self._recorder.step

    @property
    def last_step(self) -> int | None:
        """The step of the last row that was logged, None before the first: what a checkpoint made now stands for."""
        return self._recorder.last_step

    @property
    def starting_step(self) -> int:
        """The step at which this execution began, 0 unless it goes on from an earlier one."""
        return self._start.starting_step

    @property
    def start_time(self) -> float:
        """Unix seconds."""
        return self._start.started_at

    @property
    def attempt(self) -> int:
        """1 for the first execution of the run, one more for each that continued or repeated it."""
        return self._attempt

    @property
    def part(self) -> str:
        """The name under which this process adds to a shared run, "" for the one that leads it."""
        return self._part

    @property
    def resumed(self) -> bool:
        """Whether the run goes on from what an earlier execution left: its history, or the checkpoint of a trial."""
        return self._resumed

    @property
    def offline(self) -> bool:
        return self._mode == "offline"

    @property
    def disabled(self) -> bool:
        return self._mode == "disabled"

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self._finished

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that writes the run: then nothing is recorded."""
        return self._forked

    def __repr__(self) -> str:
        return f"<Run {self.path} {self.name!r}>"

    # For init() and the fork hook

    def attach(
        self, shipper: ShipperChild | None, console: ConsoleCapture | None, at_end: Callable[[Ending], None] | None
    ) -> None:
        """Take over what has to be closed, and who wants to be told, when the run ends."""
        self._shipper, self._console, self._at_end = shipper, console, at_end

    def after_fork(self) -> None:
        """Let go, in a forked child, of everything that belongs to the parent."""
        self._forked = True
        self._before_end.clear()
        self._recorder.fall_silent(
            f"run {self.id}: this process is a fork of the one that writes the run; what it logs is not recorded"
        )
        if self._shipper is not None:
            self._shipper.abandon()
        if self._console is not None:
            self._console.forked()

    def _make_summary(self) -> Summary:
        from tracking.live.summary import Summary

        summary = Summary(self._recorder.last, self._recorder.restored, self._recorder.converted_value)
        summary.connect(lambda changed: self._recorder.record(RecordType.SUMMARY, changed))
        return summary

    def _convert(self, value: Any, key: str, step: int) -> Any:
        from tracking.media.conversion import converted  # most runs log numbers only

        return converted(value, self, key, step)

    def _do_before_end(self) -> None:
        for action in self._before_end:
            try:
                action()
            except Exception as error:  # noqa: BLE001  boundary: what others do at the end must not lose the end
                warn(f"run {self.id}: something that belongs to its end failed: {error!r}")
        self._before_end.clear()

    def _rename(self, **changes: Any) -> None:
        self._start.rename(changes)
        self._recorder.record(RecordType.IDENTITY, changes)


def _finish_record(ending: Ending) -> dict[str, Any]:
    return {
        "state": ending.state.value,
        "exit_code": ending.exit_code,
        "reason": ending.reason,
        "at": time.time(),
    }
