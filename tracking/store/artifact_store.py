"""The artifact store on SQLite and PostgreSQL: each call of the contract is one transaction of one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from tracking.artifacts.contract import (
    ArtifactChange,
    ArtifactPath,
    ArtifactRecord,
    ArtifactStore,
    ArtifactUse,
    CollectionChange,
    CollectionRecord,
)
from tracking.database.dialect import clock
from tracking.database.engine import Database
from tracking.store import artifact_changing as changing
from tracking.store import artifact_reading as reading
from tracking.store.artifact_rows import apply_artifacts
from tracking.store.layout import SCHEMA

_NOW = select(clock())


def open_artifacts(url: str | None = None) -> ArtifactStore:
    """Open the artifact store at `url` (default: that of the home folder); it is part of the run store.

    Raises StoreUrlInvalid, StoreUnavailable, StoreTooNew, StoreOutdated, HomeUnwritable.
    """
    return SqlArtifactStore(SCHEMA.open(url))


class SqlArtifactStore(ArtifactStore):
    """The contract on a `Database` whose schema is there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read, self._write = database.read, database.write

    def now(self) -> float:
        return self._database.now()

    def find(self, path: ArtifactPath) -> ArtifactRecord:
        return self._read(reading.find, path)

    def by_id(self, artifact_id: str) -> ArtifactRecord:
        return self._read(reading.by_id, artifact_id)

    def made_by(self, record_id: str) -> ArtifactRecord | None:
        return self._read(reading.made_by, record_id)

    def versions(
        self, path: ArtifactPath, *, limit: int | None = None, offset: int = 0, oldest_first: bool = False
    ) -> list[ArtifactRecord]:
        return self._read(reading.versions, path, limit, offset, oldest_first)

    def collection(self, path: ArtifactPath) -> CollectionRecord:
        return self._read(reading.collection, path)

    def collections(
        self,
        *,
        entity: str | None = None,
        project: str | None = None,
        type: str | None = None,
        registry: bool | None = None,
    ) -> list[CollectionRecord]:
        return self._read(reading.collections, entity, project, type, registry)

    def links(self, artifact_id: str) -> list[ArtifactRecord]:
        return self._read(reading.links, artifact_id)

    def logged_by(self, run_id: str) -> list[ArtifactRecord]:
        return self._read(reading.logged_by, run_id)

    def used_by(self, run_id: str) -> list[ArtifactRecord]:
        return self._read(reading.used_by, run_id)

    def users(self, artifact_id: str) -> list[ArtifactUse]:
        return self._read(reading.users, artifact_id)

    def apply(self, run_id: str, project: str, entity: str, records: Sequence[Mapping[str, Any]]) -> None:
        self._write(_timed(apply_artifacts), run_id, project, entity, records)

    def update(self, artifact_id: str, change: ArtifactChange) -> ArtifactRecord:
        return self._write(_timed(changing.change), artifact_id, change)  # type: ignore[no-any-return]

    def change_aliases(
        self, path: ArtifactPath, add: Sequence[str] = (), remove: Sequence[str] = (), *, force: bool = False
    ) -> ArtifactRecord:
        return self._write(changing.change_aliases, path, add, remove, force)

    def link(
        self, artifact_id: str, target: ArtifactPath, aliases: Sequence[str] = (), *, force: bool = False
    ) -> ArtifactRecord:
        return self._write(_timed(changing.link), artifact_id, target, aliases, force)  # type: ignore[no-any-return]

    def unlink(self, path: ArtifactPath, *, force: bool = False) -> None:
        self._write(changing.unlink, path, force)

    def delete(self, artifact_id: str, *, delete_aliases: bool = False) -> None:
        self._write(_timed(changing.remove), artifact_id, delete_aliases)

    def update_collection(self, path: ArtifactPath, change: CollectionChange) -> CollectionRecord:
        return self._write(_timed(changing.change_collection), path, change)  # type: ignore[no-any-return]

    def delete_collection(self, path: ArtifactPath) -> None:
        self._write(_timed(changing.remove_collection), path)

    def expired(self) -> list[ArtifactRecord]:
        return self._read(_timed(reading.expired))

    def manifests(self, without: Sequence[str] = ()) -> Iterator[str]:
        return iter(self._read(reading.manifests, without))

    def file_digests(self) -> Iterator[str]:
        return iter(self._read(reading.file_digests))

    def close(self) -> None:
        self._database.close()


def _timed(work: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the clock of the database as its last argument."""

    def run(connection: Connection, *given: Any) -> Any:
        return work(connection, *given, float(connection.execute(_NOW).scalar_one()))

    return run
