"""A run as the Api shows it: what it is, its history and files, and what may be changed of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from tracking.database.json_text import loads
from tracking.errors import RunNotFound, UsageError
from tracking.home import part_id
from tracking.journal.parts import SYSTEM
from tracking.public import history, run_files, stopping
from tracking.public.contract import RunRow
from tracking.public.edits import Edited, EditedSummary
from tracking.public.run_files import File, Files
from tracking.states import RunState
from tracking.store.contract import RunChanges, SeriesInfo

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.public.api import Api

Stream = Literal["default", "system", "events"]


class Run:
    """One run in the store, as it was when it was read; `load()` reads it again.

    `name`, `notes`, `tags`, `group`, `job_type`, `config` and `summary` may be edited; `update()` stores what was. The
    history cannot be changed. Every call may raise StoreUnavailable, and RunNotFound when the run was deleted.
    """

    def __init__(self, api: Api, row: RunRow) -> None:
        self._api, self._session = api, api.session
        self._take(row)

    def _take(self, row: RunRow) -> None:
        self._row = row
        self.name, self.notes, self.group, self.job_type = row.name, row.notes, row.group, row.job_type
        self.tags: list[str] = loads(row.tags)
        self._config: Edited | None = None
        self._summary: EditedSummary | None = None

    # -- what it is -----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self._row.id

    @property
    def storage_id(self) -> str:
        return self._row.id

    @property
    def display_name(self) -> str:
        """The same as `name`."""
        return self.name

    @display_name.setter
    def display_name(self, value: str) -> None:
        self.name = value

    @property
    def project(self) -> str:
        return self._row.project

    @property
    def entity(self) -> str:
        """The team, "" when the run was recorded without one."""
        return self._row.entity

    @property
    def path(self) -> list[str]:
        """Entity (if there is one), project and id."""
        return [part for part in (self.entity, self.project, self.id) if part]

    @property
    def state(self) -> str:
        """ "running", "finished", "failed", "crashed", "killed" or "preempted"."""
        return self._row.state

    @property
    def reason(self) -> str:
        """Why it is in this state, for people."""
        return self._row.reason

    @property
    def exit_code(self) -> int | None:
        return self._row.exit_code

    @property
    def config(self) -> Edited:
        """What it was configured with."""
        if self._config is None:
            self._config = Edited(self._row.config, "config")
        return self._config

    @property
    def json_config(self) -> str:
        """The stored config as JSON text."""
        return self._row.config

    @property
    def summary(self) -> EditedSummary:
        """One value per key: the last one logged, unless the run said otherwise."""
        if self._summary is None:
            self._summary = EditedSummary(self._row.summary, self._store_summary)
        return self._summary

    @property
    def summary_metrics(self) -> dict[str, Any]:
        """The stored summary as a plain mapping."""
        found: dict[str, Any] = loads(self._row.summary)
        return found

    @property
    def metadata(self) -> dict[str, Any]:
        """Host, command line, git commit, hardware and what else is known of its environment."""
        return dict(self._session.store.run(self.id).metadata)

    @property
    def system_metrics(self) -> dict[str, Any]:
        """The last value of each system metric."""
        infos = self._session.store.keys(part_id(self.id, SYSTEM))
        return {info.key: info.last_value for info in infos if not info.key.startswith("_")}

    @property
    def created_at(self) -> str:
        """When it was first recorded, as ISO text in UTC."""
        return run_files.iso(self._row.created_at)

    @property
    def started_at(self) -> str:
        return run_files.iso(self._row.started_at)

    @property
    def duration(self) -> float | None:
        """Seconds from the start to the end; None while it runs."""
        ended = self._row.finished_at
        return None if ended is None else max(0.0, ended - self._row.started_at)

    @property
    def lastHistoryStep(self) -> int:
        """The last step that it logged, -1 when it logged nothing."""
        return -1 if self._row.last_step is None else self._row.last_step

    @property
    def host(self) -> str:
        return self._row.host

    @property
    def user(self) -> str:
        """ "": there are no accounts."""
        return ""

    @property
    def url(self) -> None:
        """None: no web page shows it."""
        return None

    @property
    def sweep_name(self) -> str | None:
        """The id of its sweep, None for a run of its own."""
        return self._row.sweep_id or None

    @property
    def sweep(self) -> Any:
        """Its sweep, None for a run of its own. Raises UsageError where sweeps are not installed."""
        return self._api.sweep(self._row.sweep_id) if self._row.sweep_id else None

    def __repr__(self) -> str:
        return f"<Run {'/'.join(self.path)} ({self.state})>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, height: int = 420, hidden: bool = False) -> str:
        """The run as a small HTML table, for notebooks; `hidden` folds it. `height` in pixels."""
        facts = {"id": self.id, "project": self.project, "state": self.state, "created": self.created_at}
        shown = {
            key: value for key, value in sorted(self.summary_metrics.items()) if not isinstance(value, dict | list)
        }
        rows = "".join(
            f"<tr><th align='left'>{escape(str(key))}</th><td>{escape(str(value))}</td></tr>"
            for key, value in {**facts, **shown}.items()
        )
        table = f'<div style="max-height:{int(height)}px;overflow:auto"><table>{rows}</table></div>'
        return f"<details{'' if hidden else ' open'}><summary>{escape(self.name or self.id)}</summary>{table}</details>"

    # -- history --------------------------------------------------------------------------------

    def history(
        self,
        samples: int = 500,
        keys: Sequence[str] | None = None,
        x_axis: str = "_step",
        pandas: bool | Literal["polars"] = True,
        stream: Stream = "default",
    ) -> Any:
        """At most `samples` rows in the order of `x_axis`, thinned so that the extremes of every key stay.

        With `keys` only rows that have all of them. A DataFrame of pandas (`pandas="polars"`: of polars), or with
        `pandas=False` a list of mappings. `stream="system"` has what the machine did; its steps count the samples.
        Raises UsageError, ExtraMissing.
        """
        given = [keys] if isinstance(keys, str) else keys
        place = history.Place(self._session, self.id, stream, self._row.started_at)
        rows = history.sampled(place, given, samples, x_axis)
        if not pandas:
            return rows
        from tracking.tables.frames import to_frame  # lists need no frames

        first = list(dict.fromkeys([history.STEP, x_axis, *(given or ())]))
        return to_frame(history.columns(rows, first), "polars" if pandas == "polars" else "pandas")

    def scan_history(
        self,
        keys: Sequence[str] | None = None,
        page_size: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
        stream: Stream = "default",
    ) -> Iterator[dict[str, Any]]:
        """Every row with min_step <= `_step` < max_step, exactly, in step order, read about `page_size` rows at a time.

        With `keys` only rows that have all of them, and nothing but these keys.
        """
        given = [keys] if isinstance(keys, str) else keys
        place = history.Place(self._session, self.id, stream, self._row.started_at)
        return history.scanned(place, given, page_size, min_step or 0, max_step)

    def logged_keys(self, stream: str = "default") -> list[SeriesInfo]:
        """What it logged: each key with its kind, number of points and last value, by name."""
        return history.infos(self._session, self.id, stream)

    # -- files and artifacts --------------------------------------------------------------------

    def files(self, names: Sequence[str] | None = None, per_page: int = 50, pattern: str | None = None) -> Files:
        """The files that it kept, media and console output included; `pattern` takes `*`, `?` and `%`."""
        return run_files.all_files(self._session, self._session.store.run(self.id), names, pattern)

    def file(self, name: str) -> File:
        """One file. Raises FileMissing, which names the nearest."""
        return run_files.one_file(self._session, self._session.store.run(self.id), name)

    def upload_file(self, path: str | os.PathLike[str], root: str | os.PathLike[str] = ".") -> File:
        """Keep a file with this run, under its path seen from `root`. Raises UsageError, OSError."""
        return run_files.upload(self._session, self.id, path, root)

    def logged_artifacts(self, per_page: int = 100) -> list[Artifact]:
        """The versions of artifacts that it logged, in order."""
        return [self._api.artifact_of(record) for record in self._session.artifacts.logged_by(self.id)]

    def used_artifacts(self, per_page: int = 100) -> list[Artifact]:
        """The versions of artifacts that were its inputs, in order."""
        return [self._api.artifact_of(record) for record in self._session.artifacts.used_by(self.id)]

    def lineage(self) -> dict[str, list[Artifact]]:
        """{"used": inputs, "logged": outputs}."""
        return {"used": self.used_artifacts(), "logged": self.logged_artifacts()}

    # -- changing -------------------------------------------------------------------------------

    def update(self) -> None:
        """Store what was edited. A run that goes on may set the same keys again. Raises UsageError."""
        row = self._row
        changes = RunChanges(
            name=_changed(self.name, row.name),
            notes=_changed(self.notes, row.notes),
            group=_changed(self.group, row.group),
            job_type=_changed(self.job_type, row.job_type),
            tags=self._new_tags(),
            config=self._config.changes() if self._config is not None else {},
            summary=self._summary.changes() if self._summary is not None else {},
            without_config=self._config.removed() if self._config is not None else (),
            without_summary=self._summary.removed() if self._summary is not None else (),
        )
        self._store_changes(changes)

    save = update

    def delete(self, delete_artifacts: bool = False) -> None:
        """Delete it with its history, files and folder here; with `delete_artifacts` also the artifacts it logged.

        Blobs that nothing needs any more go with `sweep artifact gc`. Raises UsageError while it runs.
        """
        if self._current().state == RunState.RUNNING.value:
            raise UsageError(f"run {self.id} is running: stop it first, or its shipper would record it again")
        if delete_artifacts:
            for artifact in self.logged_artifacts():
                artifact.delete(delete_aliases=True)
        self._session.store.delete_runs([self.id])
        folder = self._session.home.run_dir(self.id)
        if folder.parent == self._session.home.runs:  # an id is one path element; never delete anywhere else
            shutil.rmtree(folder, ignore_errors=True)

    def stop(self) -> None:
        """Ask it to stop: its agent ends a trial, a plain run of this machine gets SIGTERM.

        Raises UsageError when it has ended, or is out of reach from here.
        """
        row = self._current()
        if row.sweep_id and row.trial is not None:
            if not self._api.stop_trial(row.sweep_id, row.trial):
                raise UsageError(f"run {self.id} has ended already: there is nothing to stop")
            return
        stopping.terminate(row)

    def wait_until_finished(self, timeout: float | None = None, poll: float = 0.5) -> None:
        """Wait until it has ended, looking every `poll` seconds. Raises TimeoutError after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.load()._row.state == RunState.RUNNING.value:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"run {self.id} still runs after {timeout:g} s")
            time.sleep(poll)

    def load(self, force: bool = False) -> Run:
        """Read it again, forgetting what was edited and not stored; returns itself. Raises RunNotFound."""
        self._take(self._current())
        return self

    refresh = load

    # -- inside ---------------------------------------------------------------------------------

    def _current(self) -> RunRow:
        found = self._session.queries.load([self.id])
        if not found:
            raise RunNotFound(f"run {self.id} is no longer in this store")
        return found[0]

    def _new_tags(self) -> tuple[str, ...] | None:
        tags = tuple(dict.fromkeys(map(str, [self.tags] if isinstance(self.tags, str) else self.tags)))
        return None if list(tags) == loads(self._row.tags) else tags

    def _store_summary(self) -> None:
        """Store the edited summary alone."""
        assert self._summary is not None
        self._store_changes(
            RunChanges(summary=self._summary.changes(), without_summary=self._summary.removed()), "summary"
        )

    def _store_changes(self, changes: RunChanges, only: str = "") -> None:
        if changes != RunChanges():
            self._session.store.update_run(self.id, changes)
        row = self._current()
        if only == "summary":
            self._row, self._summary = row._replace(config=self._row.config, tags=self._row.tags), None
            return
        self._take(row)


def _changed(value: Any, stored: str) -> str | None:
    return None if value == stored else str(value)


def plain_facts(run: Run) -> Mapping[str, Any]:
    """What a table of runs shows of one beside its config and summary."""
    row = run._row
    return {
        "id": row.id,
        "name": row.name,
        "project": row.project,
        "entity": row.entity,
        "state": row.state,
        "group": row.group,
        "job_type": row.job_type,
        "tags": loads(row.tags),
        "sweep": row.sweep_id or None,
        "created_at": row.created_at,
        "duration": run.duration,
        "last_step": row.last_step,
    }
