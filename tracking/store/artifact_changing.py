"""Changing artifacts by hand: aliases, links, descriptions, deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from tracking.artifacts.contract import (
    COMMITTED,
    DELETED,
    ArtifactChange,
    ArtifactPath,
    ArtifactRecord,
    CollectionChange,
    CollectionRecord,
)
from tracking.artifacts.names import LATEST, registered
from tracking.errors import AliasProtected, ArtifactNotFound, ArtifactRefused
from tracking.store import artifact_reading as reading
from tracking.store.artifact_rows import add_member, current_aliases, locked_collection, put_aliases
from tracking.store.artifact_tables import ALIASES, ARTIFACTS, COLLECTIONS, MEMBERS


def change(connection: Connection, artifact_id: str, news: ArtifactChange, now: float) -> ArtifactRecord:
    """Change what is no content. Raises ArtifactNotFound."""
    values: dict[str, Any] = {"updated_at": now}
    if news.description is not None:
        values["description"] = news.description
    if news.metadata is not None:
        values["metadata"] = dict(news.metadata)
    if news.tags is not None:
        values["tags"] = list(news.tags)
    if news.ttl is not None or news.inherit_ttl:
        values["ttl"] = None if news.inherit_ttl else news.ttl
    alive = (ARTIFACTS.c.id == artifact_id) & (ARTIFACTS.c.state == COMMITTED)
    if not connection.execute(update(ARTIFACTS).where(alive).values(values)).rowcount:
        raise ArtifactNotFound(f"no artifact has the id {artifact_id!r} (any more)")
    return reading.by_id(connection, artifact_id)


def change_aliases(
    connection: Connection, path: ArtifactPath, add: Sequence[str], remove: Sequence[str], force: bool
) -> ArtifactRecord:
    """Move aliases to a version, or take some from it. Raises ArtifactNotFound, AliasProtected."""
    collection = reading.find_collection(connection, path, lock=True)
    found = reading.find(connection, path)
    held = current_aliases(connection, collection["id"])
    gone = [alias for alias in remove if held.get(alias) == found.version and alias not in add]
    _refuse_protected(collection, gone, force)
    _refuse_protected(collection, put_aliases(connection, collection, found.version, add, force), False)
    if gone:
        _drop_aliases(connection, collection["id"], gone)
    return reading.find(connection, _at(path, found.version))


def link(
    connection: Connection, artifact_id: str, target: ArtifactPath, aliases: Sequence[str], force: bool, now: float
) -> ArtifactRecord:
    """Make a version a member of another collection. Raises ArtifactNotFound, AliasProtected."""
    found = _living(connection, artifact_id)
    collection = locked_collection(connection, registered(target), found.type, now)
    version = add_member(connection, collection, artifact_id, True, now)
    _refuse_protected(collection, put_aliases(connection, collection, version, [LATEST, *aliases], force), False)
    return reading.find(connection, _at(registered(target), version))


def unlink(connection: Connection, path: ArtifactPath, force: bool) -> None:
    """Remove a link. Raises ArtifactNotFound, ArtifactRefused, AliasProtected."""
    collection = reading.find_collection(connection, path, lock=True)
    found = reading.find(connection, path)
    if not found.is_link:
        raise ArtifactRefused(f"{found.path} is no link but the artifact itself: delete() removes it")
    _refuse_protected(collection, found.aliases, force)
    _leave(connection, collection["id"], found.version)


def remove(connection: Connection, artifact_id: str, delete_aliases: bool, now: float) -> None:
    """Delete a version and all links to it. Raises ArtifactNotFound, ArtifactRefused."""
    found = _living(connection, artifact_id)
    everywhere = [found, *reading.links(connection, artifact_id)]
    named = [f"{seen.path.collection}:{alias}" for seen in everywhere for alias in seen.aliases if alias != LATEST]
    if named and not delete_aliases:
        raise ArtifactRefused(
            f"{found.path} still has aliases ({', '.join(named)}): delete(delete_aliases=True) deletes it nevertheless"
        )
    _mark_deleted(connection, [artifact_id], now)
    members = select(MEMBERS.c.collection_id, MEMBERS.c.version, MEMBERS.c.is_link)
    for collection_id, version, is_link in connection.execute(
        members.where(MEMBERS.c.artifact_id == artifact_id)
    ).all():
        _leave(connection, collection_id, version, keep_member=not is_link)


def change_collection(
    connection: Connection, path: ArtifactPath, news: CollectionChange, now: float
) -> CollectionRecord:
    """Change a collection. Raises ArtifactNotFound, ArtifactRefused."""
    row = reading.find_collection(connection, path, lock=True)
    values: dict[str, Any] = {"updated_at": now}
    for name in ("name", "type", "description", "ttl"):
        if (value := getattr(news, name)) is not None:
            values[name] = value
    for name in ("tags", "protected"):
        if (words := getattr(news, name)) is not None:
            values[name] = list(words)
    if values.get("name", row["name"]) != row["name"]:
        _refuse_taken(connection, row, values["name"])
    connection.execute(update(COLLECTIONS).where(COLLECTIONS.c.id == row["id"]).values(values))
    return reading.collection(connection, ArtifactPath(row["entity"], row["project"], values.get("name", row["name"])))


def remove_collection(connection: Connection, path: ArtifactPath, now: float) -> None:
    """Delete a collection, its versions and the links to them. Raises ArtifactNotFound."""
    row = reading.find_collection(connection, path, lock=True)
    own = select(MEMBERS.c.artifact_id).where(MEMBERS.c.collection_id == row["id"], MEMBERS.c.is_link.is_(False))
    for artifact_id in connection.execute(own).scalars().all():
        if reading.by_id(connection, artifact_id).state == COMMITTED:
            remove(connection, artifact_id, True, now)
    connection.execute(delete(COLLECTIONS).where(COLLECTIONS.c.id == row["id"]))


# -- inside -------------------------------------------------------------------------------------


def _living(connection: Connection, artifact_id: str) -> ArtifactRecord:
    found = reading.by_id(connection, artifact_id)
    if found.state != COMMITTED:
        raise ArtifactNotFound(f"{found.path} was deleted")
    return found


def _leave(connection: Connection, collection_id: str, version: int, keep_member: bool = False) -> None:
    """Take a version out of a collection: its aliases go, and `latest` to the newest that is left."""
    held = current_aliases(connection, collection_id)
    _drop_aliases(connection, collection_id, [alias for alias, number in held.items() if number == version])
    if not keep_member:
        here = (MEMBERS.c.collection_id == collection_id) & (MEMBERS.c.version == version)
        connection.execute(delete(MEMBERS).where(here))
    if held.get(LATEST) == version:
        _move_latest(connection, collection_id)


def _move_latest(connection: Connection, collection_id: str) -> None:
    newest = connection.execute(
        select(MEMBERS.c.version)
        .join(ARTIFACTS, ARTIFACTS.c.id == MEMBERS.c.artifact_id)
        .where(MEMBERS.c.collection_id == collection_id, ARTIFACTS.c.state == COMMITTED)
        .order_by(MEMBERS.c.version.desc())
        .limit(1)
    ).scalar()
    if newest is not None:
        put_aliases(connection, {"id": collection_id, "protected": []}, newest, [LATEST])


def _drop_aliases(connection: Connection, collection_id: str, aliases: Sequence[str]) -> None:
    connection.execute(delete(ALIASES).where(ALIASES.c.collection_id == collection_id, ALIASES.c.alias.in_(aliases)))


def _mark_deleted(connection: Connection, ids: Sequence[str], now: float) -> None:
    gone = update(ARTIFACTS).where(ARTIFACTS.c.id.in_(ids)).values(state=DELETED, updated_at=now)
    connection.execute(gone)


def _refuse_protected(collection: dict[str, Any], aliases: Sequence[str], force: bool) -> None:
    found = [alias for alias in aliases if alias in collection["protected"]]
    if found and not force:
        raise AliasProtected(
            f"alias {', '.join(map(repr, found))} of {collection['project']}/{collection['name']} is protected: "
            "only force=True moves or removes it"
        )


def _refuse_taken(connection: Connection, row: dict[str, Any], name: str) -> None:
    taken = select(COLLECTIONS.c.id).where(
        COLLECTIONS.c.entity == row["entity"], COLLECTIONS.c.project == row["project"], COLLECTIONS.c.name == name
    )
    if connection.execute(taken).first() is not None:
        raise ArtifactRefused(f"project {row['project']!r} has an artifact {name!r} already")


def _at(path: ArtifactPath, version: int) -> ArtifactPath:
    return ArtifactPath(path.entity, path.project, path.name, f"v{version}")
