"""The contract of the artifact store: collections, versions, aliases, lineage; what an HTTP server could keep too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COMMITTED, DELETED = "COMMITTED", "DELETED"
NEVER = -1.0
"""A time to live that says: never expires, whatever the collection says."""


@dataclass(frozen=True, slots=True)
class ArtifactPath:
    """Where an artifact is looked up: `[[entity/]project/]name[:alias]`, with the defaults filled in.

    `alias` is an alias, a version such as "v3", or a digest (64 hex digits).
    """

    entity: str
    project: str
    name: str
    alias: str = "latest"

    @property
    def collection(self) -> str:
        """`entity/project/name`, without the entity when there is none."""
        return "/".join(part for part in (self.entity, self.project, self.name) if part)

    def __str__(self) -> str:
        return f"{self.collection}:{self.alias}"


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One version of an artifact as seen from one collection: that in which it was made, or one that links to it.

    Times are Unix seconds, sizes bytes. `size` and `count` of an incremental version count what its base has, too.
    """

    id: str
    entity: str
    project: str
    name: str
    version: int
    is_link: bool
    source_entity: str
    source_project: str
    source_name: str
    source_version: int
    type: str
    digest: str
    manifest: str
    """Digest of the blob that holds the manifest."""
    bases: tuple[str, ...]
    """Manifests that lie below it, lowest first: only an incremental version has any."""
    size: int
    count: int
    description: str
    metadata: Mapping[str, Any]
    aliases: tuple[str, ...]
    """In this collection, alphabetically."""
    tags: tuple[str, ...]
    ttl: float | None
    """Seconds to live after `created_at`; None: what its collection says; NEVER."""
    expires_at: float | None
    state: str
    run_id: str
    """The run that logged it; "" when none did."""
    step: int | None
    created_at: float
    updated_at: float
    linked_at: float | None

    @property
    def path(self) -> ArtifactPath:
        return ArtifactPath(self.entity, self.project, self.name, f"v{self.version}")


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """A named line of versions. `protected` are aliases which only `force=True` moves."""

    entity: str
    project: str
    name: str
    type: str
    description: str
    tags: tuple[str, ...]
    aliases: Mapping[str, int]
    """Alias -> version."""
    versions: int
    """How many there are now."""
    size: int
    """Bytes of all versions, equal files of different versions counted each time."""
    ttl: float | None
    protected: tuple[str, ...]
    created_at: float
    updated_at: float

    @property
    def path(self) -> ArtifactPath:
        return ArtifactPath(self.entity, self.project, self.name)


@dataclass(frozen=True, slots=True)
class ArtifactUse:
    """A run that had an artifact as its input."""

    run_id: str
    artifact_id: str
    use_as: str
    at: float


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """What `update` changes of a version; None leaves a field as it is."""

    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    tags: Sequence[str] | None = None
    ttl: float | None = None
    inherit_ttl: bool = False
    """Take the time to live of the collection again."""


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """What `update_collection` changes; None leaves a field as it is."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    tags: Sequence[str] | None = None
    ttl: float | None = None
    """NEVER removes the limit."""
    protected: Sequence[str] | None = field(default=None)


class ArtifactStore(ABC):
    """Collections of versions. Bytes are no concern of it: they are blobs (tracking.blobs).

    Every call may raise StoreUnavailable. An entity that has no such collection is tried again without entity, so
    that paths written for a hosted tracker find what was logged without one. Registries (projects named
    `registry-…`) belong to no entity.
    """

    @abstractmethod
    def now(self) -> float:
        """The clock of the database, Unix seconds."""

    # -- finding --------------------------------------------------------------------------------

    @abstractmethod
    def find(self, path: ArtifactPath) -> ArtifactRecord:
        """One version. Raises ArtifactNotFound, which names what is there instead."""

    @abstractmethod
    def by_id(self, artifact_id: str) -> ArtifactRecord:
        """A version by its id, as its source collection sees it; deleted ones too. Raises ArtifactNotFound."""

    @abstractmethod
    def made_by(self, record_id: str) -> ArtifactRecord | None:
        """What a "log" or "link" record became; None while the store does not have the record."""

    @abstractmethod
    def versions(
        self, path: ArtifactPath, *, limit: int | None = None, offset: int = 0, oldest_first: bool = False
    ) -> list[ArtifactRecord]:
        """Versions of a collection, newest first; [] for an unknown one. The alias of `path` does not matter."""

    @abstractmethod
    def collection(self, path: ArtifactPath) -> CollectionRecord:
        """One collection. Raises ArtifactNotFound."""

    @abstractmethod
    def collections(
        self,
        *,
        entity: str | None = None,
        project: str | None = None,
        type: str | None = None,
        registry: bool | None = None,
    ) -> list[CollectionRecord]:
        """Collections by project and name. `registry` True: only those of registries, False: only others."""

    @abstractmethod
    def links(self, artifact_id: str) -> list[ArtifactRecord]:
        """The version as each collection that links to it sees it."""

    # -- lineage --------------------------------------------------------------------------------

    @abstractmethod
    def logged_by(self, run_id: str) -> list[ArtifactRecord]:
        """What a run logged, in order, each version once (also one that another run had made first)."""

    @abstractmethod
    def used_by(self, run_id: str) -> list[ArtifactRecord]:
        """What a run used, in order, each version once."""

    @abstractmethod
    def users(self, artifact_id: str) -> list[ArtifactUse]:
        """Who used a version, in order."""

    # -- writing --------------------------------------------------------------------------------

    @abstractmethod
    def apply(self, run_id: str, project: str, entity: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Take ARTIFACT records (tracking.artifacts.recording has the fields) in one transaction.

        Idempotent by the "id" of a record. `run_id` "" means that no run stands behind them. What cannot be done (a
        link to what was deleted, a protected alias) is left out, never raised: the journal is history.
        """

    @abstractmethod
    def update(self, artifact_id: str, change: ArtifactChange) -> ArtifactRecord:
        """Change what is no content. Raises ArtifactNotFound."""

    @abstractmethod
    def change_aliases(
        self, path: ArtifactPath, add: Sequence[str] = (), remove: Sequence[str] = (), *, force: bool = False
    ) -> ArtifactRecord:
        """Move aliases to the version that `path` names, or take some from it.

        Raises ArtifactNotFound, and AliasProtected unless `force`.
        """

    @abstractmethod
    def link(
        self, artifact_id: str, target: ArtifactPath, aliases: Sequence[str] = (), *, force: bool = False
    ) -> ArtifactRecord:
        """Make the version a member of another collection, with the next number there; linked twice it keeps its
        number. Raises ArtifactNotFound, and AliasProtected unless `force`."""

    @abstractmethod
    def unlink(self, path: ArtifactPath, *, force: bool = False) -> None:
        """Remove a link, with its aliases. Raises ArtifactNotFound, ArtifactRefused for a source version, and
        AliasProtected unless `force`."""

    @abstractmethod
    def delete(self, artifact_id: str, *, delete_aliases: bool = False) -> None:
        """Delete a version and all links to it; its number is not given again, lineage still knows it.

        Raises ArtifactNotFound, and ArtifactRefused while it has aliases (other than "latest") without
        `delete_aliases`. When it was the latest, the newest of the others is.
        """

    @abstractmethod
    def update_collection(self, path: ArtifactPath, change: CollectionChange) -> CollectionRecord:
        """Change a collection. Raises ArtifactNotFound, and ArtifactRefused for a name that is taken."""

    @abstractmethod
    def delete_collection(self, path: ArtifactPath) -> None:
        """Delete a collection with its versions and the links to them. Raises ArtifactNotFound."""

    # -- tidying up -----------------------------------------------------------------------------

    @abstractmethod
    def expired(self) -> list[ArtifactRecord]:
        """Versions whose time is over; what a registry links to never is."""

    @abstractmethod
    def manifests(self, without: Sequence[str] = ()) -> Iterator[str]:
        """The digests of all manifests that living versions need, but for the versions with these ids."""

    @abstractmethod
    def file_digests(self) -> Iterator[str]:
        """The digests of all files of runs."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back."""
