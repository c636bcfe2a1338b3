"""What the objects of one Api share: the stores that they read, opened when they are first needed, and its defaults."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import tracking.store
from tracking import environment
from tracking.blobs.store import Blobs
from tracking.errors import UsageError
from tracking.home import Home

if TYPE_CHECKING:
    from tracking.artifacts.contract import ArtifactStore
    from tracking.public.contract import RunQueries
    from tracking.store.contract import RunStore


class Session:
    """Usable by several threads; a forked child opens connections of its own.

    `project` and `entity` hold where a path names none: "" for no default.
    """

    def __init__(self, url: str | None = None, project: str | None = None, entity: str | None = None) -> None:
        self.url = url
        self.project = project or environment.read(environment.PROJECT) or ""
        self.entity = entity or environment.read(environment.ENTITY) or ""
        self.home = Home.find()
        self._pid = os.getpid()
        self._store: RunStore | None = None
        self._queries: RunQueries | None = None
        self._artifacts: ArtifactStore | None = None

    @property
    def store(self) -> RunStore:
        self._forget_after_fork()
        if self._store is None:
            self._store = tracking.store.open_store(self.url)
        return self._store

    @property
    def queries(self) -> RunQueries:
        self._forget_after_fork()
        if self._queries is None:
            self._queries = tracking.store.open_queries(self.url)
        return self._queries

    @property
    def artifacts(self) -> ArtifactStore:
        self._forget_after_fork()
        if self._artifacts is None:
            self._artifacts = tracking.store.open_artifacts(self.url)
        return self._artifacts

    def blobs(self, run_id: str) -> list[Blobs]:
        """Where bytes of a run may lie: in the home's files, or still in its folder on this machine."""
        return [Blobs(self.home.files), Blobs(self.home.run_dir(run_id) / "blobs")]

    def place(self, path: str | None) -> tuple[str | None, str | None]:
        """The entity and the project that `[entity/]project` names; None where neither it nor a default says one.

        Raises UsageError.
        """
        entity, project = self.entity or None, self.project or None
        parts = [part for part in (path or "").split("/") if part]
        if len(parts) > 2:
            raise UsageError(f"{path!r} names no project; write [entity/]project")
        if parts:
            project = parts.pop()
        return (parts.pop() if parts else entity), project

    def close(self) -> None:
        """Give all connections back; the session opens new ones when it is used again."""
        for opened in (self._store, self._queries, self._artifacts):
            if opened is not None:
                opened.close()
        self._store = self._queries = self._artifacts = None

    def _forget_after_fork(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._store = self._queries = self._artifacts = None
