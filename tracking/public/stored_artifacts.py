"""Artifacts as the Api finds them: versions, collections, whether something exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from tracking.artifacts import names
from tracking.artifacts.artifact import Artifact
from tracking.artifacts.contract import ArtifactPath, ArtifactRecord, CollectionChange, CollectionRecord
from tracking.errors import ArtifactNotFound
from tracking.public.run_files import iso

if TYPE_CHECKING:
    from tracking.public.api import Api

_AT_ONCE = 50


class Versions(Sequence[Artifact]):
    """The versions of a collection, newest first; read when they are first looked at."""

    def __init__(self, api: Api, path: ArtifactPath, tags: Sequence[str] = ()) -> None:
        self._api, self._path, self._tags = api, path, frozenset([tags] if isinstance(tags, str) else tags)
        self._records: list[ArtifactRecord] | None = None

    def __len__(self) -> int:
        return len(self._known())

    @overload
    def __getitem__(self, index: int) -> Artifact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Artifact]: ...
    def __getitem__(self, index: int | slice) -> Artifact | list[Artifact]:
        if isinstance(index, slice):
            return [opened(self._api, record) for record in self._known()[index]]
        return opened(self._api, self._known()[index])

    def __repr__(self) -> str:
        return f"<Versions of {self._path.collection} ({len(self)})>"

    def _known(self) -> list[ArtifactRecord]:
        if self._records is None:
            found = self._api.session.artifacts.versions(self._path)
            self._records = [record for record in found if self._tags <= set(record.tags)]
        return self._records


class Collection:
    """A named line of versions, as it was when it was read."""

    def __init__(self, api: Api, record: CollectionRecord) -> None:
        self._api, self._record = api, record

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def type(self) -> str:
        return self._record.type

    @property
    def project(self) -> str:
        return self._record.project

    @property
    def entity(self) -> str:
        return self._record.entity

    @property
    def description(self) -> str:
        return self._record.description

    @property
    def tags(self) -> list[str]:
        return list(self._record.tags)

    @property
    def aliases(self) -> list[str]:
        return sorted(self._record.aliases)

    @property
    def size(self) -> int:
        """Bytes of all versions, equal files of different versions counted each time."""
        return self._record.size

    @property
    def created_at(self) -> str:
        """ISO text in UTC."""
        return iso(self._record.created_at)

    def artifacts(self, per_page: int = _AT_ONCE) -> Versions:
        """Its versions, newest first."""
        return Versions(self._api, self._record.path)

    versions = artifacts

    def change(self, **changes: Any) -> None:
        """Change name, type, description, tags, ttl (seconds) or protected aliases.

        Raises ArtifactNotFound, and ArtifactRefused for a name that is taken.
        """
        self._record = self._api.session.artifacts.update_collection(self._record.path, CollectionChange(**changes))

    def delete(self) -> None:
        """Delete it with its versions and the links to them. Raises ArtifactNotFound."""
        self._api.session.artifacts.delete_collection(self._record.path)

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self.artifacts())

    def __len__(self) -> int:
        return self._record.versions

    def __repr__(self) -> str:
        return f"<Collection {self._record.path.collection} ({self.type}, {len(self)} versions)>"


def opened(api: Api, record: ArtifactRecord) -> Artifact:
    """The artifact of a record."""
    return Artifact.of(record, api.session.url)


def artifact(api: Api, name: str, type: str | None) -> Artifact:
    """One version. Raises ArtifactNotFound, also for one of another type."""
    record = api.session.artifacts.find(_path(api, name))
    if type is not None and record.type != type:
        raise ArtifactNotFound(f"artifact {name!r} is of type {record.type!r}, not {type!r}")
    return opened(api, record)


def versions(api: Api, type: str | None, name: str, tags: Sequence[str] | None) -> Versions:
    """The versions of a collection. Raises ArtifactNotFound, also for one of another type."""
    path = _path(api, name)
    record = api.session.artifacts.collection(path)
    if type is not None and record.type != type:
        raise ArtifactNotFound(f"{path.collection} is a collection of type {record.type!r}, not {type!r}")
    return Versions(api, record.path, tags or ())


def collections(api: Api, project: str | None, type: str | None) -> list[Collection]:
    """The collections of a project (default: of all)."""
    entity, name = api.session.place(project)
    found = api.session.artifacts.collections(entity=entity, project=name, type=type)
    return [Collection(api, record) for record in found]


def collection(api: Api, type: str | None, name: str) -> Collection:
    """One collection. Raises ArtifactNotFound, also for one of another type."""
    record = api.session.artifacts.collection(_path(api, name))
    if type is not None and record.type != type:
        raise ArtifactNotFound(f"{record.path.collection} is a collection of type {record.type!r}, not {type!r}")
    return Collection(api, record)


def exists(api: Api, name: str, type: str | None) -> bool:
    """Whether there is such a version."""
    try:
        artifact(api, name, type)
    except ArtifactNotFound:
        return False
    return True


def _path(api: Api, name: str) -> ArtifactPath:
    """The path that a name means; without any project the only collection of this name. Raises ArtifactNotFound."""
    path = names.parse(name, api.session.project, api.session.entity)
    if path.project:
        return path
    found = [record for record in api.session.artifacts.collections() if record.name == path.name]
    if len(found) == 1:
        return replace(found[0].path, alias=path.alias)
    if found:
        listed = ", ".join(record.path.collection for record in found[:5])
        raise ArtifactNotFound(f"several projects have a collection {path.name!r}: {listed}; name one of them")
    raise ArtifactNotFound(f"no project has a collection {path.name!r}")
