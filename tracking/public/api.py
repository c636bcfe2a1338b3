"""`tracking.Api`: what was recorded, read and edited from anywhere: runs, sweeps, artifacts, projects."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tracking.errors import RunNotFound, UsageError
from tracking.public import arriving, published, run_files
from tracking.public.contract import Query
from tracking.public.filtering.parsing import parse, parse_order
from tracking.public.published import PublishedSweeps
from tracking.public.run import Run
from tracking.public.runs import Runs
from tracking.public.session import Session

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.artifacts.contract import ArtifactRecord

_OVERRIDES = ("store", "project", "entity")


@dataclass(frozen=True, slots=True)
class Project:
    """A project: it exists as long as a run of it does. Times are ISO text in UTC."""

    name: str
    entity: str
    runs: int
    created_at: str
    last_run_at: str

    @property
    def id(self) -> str:
        return self.name

    @property
    def path(self) -> list[str]:
        return [part for part in (self.entity, self.name) if part]


class Api:
    """The store of `$SWEEP_STORE` (default: the home's), or the one that `overrides["store"]` names.

    `overrides` may have "project" and "entity" too: the defaults of paths, before SWEEP_PROJECT and SWEEP_ENTITY.
    `api_key` and `timeout` are accepted for W&B's sake. Nothing is opened before the first question.
    """

    def __init__(
        self, overrides: Mapping[str, Any] | None = None, timeout: float | None = None, api_key: str | None = None
    ) -> None:
        given = dict(overrides or {})
        self.session = Session(*(given.get(name) for name in _OVERRIDES))
        self.timeout = timeout
        self._sweeps: PublishedSweeps | None = None

    # -- runs -----------------------------------------------------------------------------------

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, Any] | None = None,
        order: str | Sequence[str] = "+created_at",
        per_page: int = 50,
        include_sweeps: bool = True,
        lazy: bool = True,
    ) -> Runs:
        """The runs of `[entity/]project`, lazily; of all projects when neither `path` nor a default names one.

        `filters` are Mongo-like: {"state": "finished", "config.lr": {"$lt": 0.1}, "$or": [...]}; `order` is a field
        with + or -, several with commas. `include_sweeps=False` leaves the trials of sweeps out. docs/api.md lists the
        fields and operators. Raises UsageError for what they cannot mean.
        """
        entity, project = self.session.place(path)
        given = dict(filters) if filters else {}
        where = parse(given if include_sweeps else {"$and": [given, {"sweep": None}]} if given else {"sweep": None})
        return Runs(self, Query(project, entity, where, parse_order(order)), per_page)

    def run(self, path: str) -> Run:
        """The run `[[entity/]project/]id`. Raises RunNotFound, which names the nearest."""
        parts = [part for part in path.strip().split("/") if part]
        if parts and parts[-2:-1] == ["runs"]:
            del parts[-2]  # the path of a web page
        if not 1 <= len(parts) <= 3:
            raise UsageError(f"{path!r} names no run; write [[entity/]project/]id")
        run_id = parts[-1]
        found = arriving.awaited(run_id, lambda: list(self.session.queries.load([run_id])))
        place = "/".join(parts[:-1])
        if found and place:
            entity, project = self.session.place(place)
            if found[0].project != project or (len(parts) > 2 and found[0].entity not in ("", entity)):
                where = "/".join(part for part in (found[0].entity, found[0].project, found[0].id) if part)
                raise RunNotFound(f"no run {path!r} in this store. Did you mean {where!r}?")
        if not found:
            if arriving.recorded_here(run_id):
                raise RunNotFound(f"run {path!r} is recorded here, but not in this store yet: `sweep sync {run_id}`")
            raise RunNotFound(f"no run {path!r} in this store.{self._nearest(run_id, place)}")
        return Run(self, found[0])

    def projects(self, entity: str | None = None, per_page: int = 200) -> list[Project]:
        """The projects by name."""
        rows = self.session.queries.projects(entity)
        return [Project(*row[:3], run_files.iso(row.created_at), run_files.iso(row.last_at)) for row in rows]

    def project(self, name: str, entity: str | None = None) -> Project:
        """One project. Raises UsageError, which names the nearest."""
        projects = self.projects(entity)
        for project in projects:
            if project.name == name:
                return project
        near = difflib.get_close_matches(name, [project.name for project in projects], n=1)
        raise UsageError(f"no project {name!r} in this store.{f' Did you mean {near[0]!r}?' if near else ''}")

    # -- sweeps ---------------------------------------------------------------------------------

    def sweep(self, path: str) -> Any:
        """The sweep `[[entity/]project/]id`: see sweeps.api.published. Raises SweepNotFound, UsageError."""
        return self._sweeps_floor().sweep(path)

    def sweeps(self, project: str | None = None) -> list[Any]:
        """The sweeps of `[entity/]project` (default: all), newest first."""
        return self._sweeps_floor().sweeps(self.session.place(project)[1])

    def stop_trial(self, sweep_id: str, number: int) -> bool:
        """Ask for the end of one trial; False when it has ended."""
        return self._sweeps_floor().stop_trial(sweep_id, number, "canceled: stopped by the user")

    def _sweeps_floor(self) -> PublishedSweeps:
        if self._sweeps is None:
            self._sweeps = published.find(self)
        return self._sweeps

    # -- artifacts ------------------------------------------------------------------------------

    def artifact(self, name: str, type: str | None = None) -> Artifact:
        """The version `[[entity/]project/]name:alias` (default alias: latest). Raises ArtifactNotFound."""
        from tracking.public import stored_artifacts

        return stored_artifacts.artifact(self, name, type)

    def artifacts(self, type_name: str | None, name: str, per_page: int = 50, tags: Sequence[str] | None = None) -> Any:
        """The versions of `[[entity/]project/]name`, newest first."""
        from tracking.public import stored_artifacts

        return stored_artifacts.versions(self, type_name, name, tags)

    def artifact_collections(self, project_name: str | None = None, type_name: str | None = None) -> Any:
        """The collections of `[entity/]project`, of one type if one is named."""
        from tracking.public import stored_artifacts

        return stored_artifacts.collections(self, project_name, type_name)

    def artifact_collection(self, type_name: str | None, name: str) -> Any:
        """The collection `[[entity/]project/]name`. Raises ArtifactNotFound."""
        from tracking.public import stored_artifacts

        return stored_artifacts.collection(self, type_name, name)

    def artifact_exists(self, name: str, type: str | None = None) -> bool:
        """Whether there is such a version."""
        from tracking.public import stored_artifacts

        return stored_artifacts.exists(self, name, type)

    def artifact_of(self, record: ArtifactRecord) -> Artifact:
        """The artifact of a record of the store."""
        from tracking.public import stored_artifacts

        return stored_artifacts.opened(self, record)

    # -- itself ---------------------------------------------------------------------------------

    @property
    def default_entity(self) -> str | None:
        return self.session.entity or None

    @property
    def settings(self) -> dict[str, str]:
        """The defaults of paths."""
        return {"entity": self.session.entity, "project": self.session.project}

    def flush(self) -> None:
        """Nothing is cached: here so that scripts which call it run unchanged."""

    def close(self) -> None:
        """Give the connections back; they are opened again when needed."""
        self.session.close()

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _nearest(self, run_id: str, place: str) -> str:
        """` Did you mean 'x'?`, looking at the ids and names of the project; "" when nothing is near."""
        entity, project = self.session.place(place)
        rows = self.session.queries.find(Query(project, entity, order=parse_order("-created_at")), 0, 1000)
        named = {row.name: row.id for row in rows} | {row.id: row.id for row in rows}
        near = difflib.get_close_matches(run_id, named, n=1)
        return f" Did you mean {named[near[0]]!r}?" if near else ""
