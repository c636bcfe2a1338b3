"""Changing a version that is in the store, linking it, and asking where it came from and who used it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tracking.artifacts import access
from tracking.artifacts.contract import ArtifactChange, ArtifactPath, ArtifactRecord
from tracking.artifacts.names import LATEST, check_aliases, check_tags, parse
from tracking.artifacts.standing import plain_metadata
from tracking.errors import RunNotFound, UsageError

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact


def push(artifact: Artifact, force: bool = False) -> None:
    """Bring what was changed of the object into the store. Raises ArtifactNotFound, AliasProtected."""
    record = artifact.stored()
    change = _change(artifact, record)
    wanted, held = check_aliases(artifact.aliases), record.aliases
    new = [alias for alias in wanted if alias not in held]
    gone = [alias for alias in held if alias not in wanted]
    with access.opened(artifact.store_url) as store:
        if new or gone:
            store.change_aliases(record.path, new, gone, force=force)
        if change is not None:
            store.update(record.id, change)
        artifact.become(store.find(record.path))


def delete(artifact: Artifact, delete_aliases: bool) -> None:
    """Delete the version, or only the link. Raises ArtifactRefused."""
    record = artifact.stored()
    with access.opened(artifact.store_url) as store:
        if record.is_link:
            store.unlink(record.path)
        else:
            store.delete(record.id, delete_aliases=delete_aliases)
            artifact.become(store.by_id(record.id))


def link(artifact: Artifact, target_path: str, aliases: Iterable[str] | None, force: bool) -> ArtifactRecord:
    """Link the version into a collection. Raises UsageError, AliasProtected."""
    record = artifact.stored()
    target = link_target(target_path, record.source_project, record.source_entity)
    names = [alias for alias in check_aliases(aliases) if alias != LATEST]
    with access.opened(artifact.store_url) as store:
        return store.link(record.id, target, names, force=force)


def unlink(artifact: Artifact, force: bool) -> None:
    """Remove the link. Raises ArtifactRefused when it is none."""
    record = artifact.stored()
    with access.opened(artifact.store_url) as store:
        store.unlink(record.path, force=force)


def links(artifact: Artifact) -> list[ArtifactRecord]:
    """The version as the collections that link to it see it."""
    record = artifact.stored()
    with access.opened(artifact.store_url) as store:
        return store.links(record.id)


def source(artifact: Artifact) -> ArtifactRecord:
    """The version in the collection where it was made."""
    record = artifact.stored()
    with access.opened(artifact.store_url) as store:
        return store.by_id(record.id)


def logged_by(artifact: Artifact) -> Any:
    """The public run that made it; None when none did, or when it was deleted."""
    record = artifact.stored()
    return _public_run(artifact, record.run_id) if record.run_id else None


def used_by(artifact: Artifact) -> list[Any]:
    """The public runs that used it; deleted ones are left out."""
    record = artifact.stored()
    with access.opened(artifact.store_url) as store:
        uses = store.users(record.id)
    found = (_public_run(artifact, use.run_id) for use in uses)
    return [run for run in found if run is not None]


def link_target(path: str, project: str, entity: str) -> ArtifactPath:
    """Where a link goes: `registry-NAME/COLLECTION` or `[[entity/]project/]collection`. Raises UsageError."""
    if not isinstance(path, str) or not path:
        raise UsageError(f"link target {path!r}: write registry-NAME/COLLECTION or [[entity/]project/]collection")
    if ":" in path:
        raise UsageError(f"link target {path!r} names a version; a collection numbers its members itself")
    return parse(path, project, entity)


def _change(artifact: Artifact, record: ArtifactRecord) -> ArtifactChange | None:
    description, metadata = artifact.description or "", plain_metadata(artifact.metadata)
    ttl = artifact.own_ttl
    change = ArtifactChange(
        description=description if description != record.description else None,
        metadata=metadata if metadata != dict(record.metadata) else None,
        tags=check_tags(artifact.tags) if tuple(artifact.tags) != record.tags else None,
        ttl=ttl if ttl != record.ttl else None,
        inherit_ttl=ttl is None and record.ttl is not None,
    )
    return None if change == ArtifactChange() else change


def _public_run(artifact: Artifact, run_id: str) -> Any:
    from tracking.public.api import Api  # the public objects stand on artifacts, too

    try:
        return Api({"store": artifact.store_url} if artifact.store_url else None).run(run_id)
    except RunNotFound:
        return None
