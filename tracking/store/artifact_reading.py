"""Reading artifacts: versions as their collections see them, collections, lineage."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from tracking.artifacts.contract import (
    COMMITTED,
    NEVER,
    ArtifactPath,
    ArtifactRecord,
    ArtifactUse,
    CollectionRecord,
)
from tracking.artifacts.names import is_digest, is_registry, registered, version_of
from tracking.errors import ArtifactNotFound
from tracking.store.artifact_tables import ALIASES, ARTIFACTS, COLLECTIONS, DEEDS, MEMBERS
from tracking.store.kept_tables import FILES

_SOURCE, _HOME = MEMBERS.alias("source"), COLLECTIONS.alias("home")
_ARTIFACT = ("id", "type", "digest", "manifest", "bases", "size", "count", "description", "metadata", "tags")
_ARTIFACT_MORE = ("ttl", "state", "run_id", "step", "created_at", "updated_at")
_SEEN: Select[Any] = (
    select(
        *(ARTIFACTS.c[name] for name in _ARTIFACT + _ARTIFACT_MORE),
        COLLECTIONS.c.id.label("collection_id"),
        COLLECTIONS.c.entity,
        COLLECTIONS.c.project,
        COLLECTIONS.c.name,
        MEMBERS.c.version,
        MEMBERS.c.is_link,
        MEMBERS.c.created_at.label("joined_at"),
        _SOURCE.c.version.label("source_version"),
        _HOME.c.entity.label("source_entity"),
        _HOME.c.project.label("source_project"),
        _HOME.c.name.label("source_name"),
        _HOME.c.ttl.label("home_ttl"),
    )
    .select_from(MEMBERS)
    .join(ARTIFACTS, ARTIFACTS.c.id == MEMBERS.c.artifact_id)
    .join(COLLECTIONS, COLLECTIONS.c.id == MEMBERS.c.collection_id)
    .join(_SOURCE, (_SOURCE.c.artifact_id == ARTIFACTS.c.id) & _SOURCE.c.is_link.is_(False))
    .join(_HOME, _HOME.c.id == _SOURCE.c.collection_id)
)
_ALIVE = _SEEN.where(ARTIFACTS.c.state == COMMITTED)
_AT_ONCE = 500


def find(connection: Connection, path: ArtifactPath) -> ArtifactRecord:
    """One version. Raises ArtifactNotFound."""
    collection = find_collection(connection, path)
    rows = _ALIVE.where(COLLECTIONS.c.id == collection["id"])
    version = version_of(path.alias)
    if version is not None:
        rows = rows.where(MEMBERS.c.version == version)
    elif is_digest(path.alias):
        rows = rows.where(ARTIFACTS.c.digest == path.alias).order_by(MEMBERS.c.version.desc()).limit(1)
    else:
        named = (ALIASES.c.collection_id == COLLECTIONS.c.id) & (ALIASES.c.version == MEMBERS.c.version)
        rows = rows.join(ALIASES, named).where(ALIASES.c.alias == path.alias)
    found = records(connection, rows)
    if not found:
        raise ArtifactNotFound(_no_version(connection, path, str(collection["id"])))
    return found[0]


def by_id(connection: Connection, artifact_id: str) -> ArtifactRecord:
    """A version in its source collection, also a deleted one. Raises ArtifactNotFound."""
    found = records(connection, _SEEN.where(ARTIFACTS.c.id == artifact_id, MEMBERS.c.is_link.is_(False)))
    if not found:
        raise ArtifactNotFound(f"no artifact has the id {artifact_id!r}")
    return found[0]


def made_by(connection: Connection, record_id: str) -> ArtifactRecord | None:
    """What a "log" or "link" record became."""
    deed = connection.execute(
        select(DEEDS.c.collection_id, DEEDS.c.artifact_id).where(DEEDS.c.id == record_id, DEEDS.c.kind != "use")
    ).first()
    if deed is None:
        return None
    found = records(connection, _SEEN.where(COLLECTIONS.c.id == deed[0], ARTIFACTS.c.id == deed[1]))
    return found[0] if found else None


def versions(
    connection: Connection, path: ArtifactPath, limit: int | None, offset: int, oldest_first: bool
) -> list[ArtifactRecord]:
    """Versions of a collection, newest first unless told otherwise; [] for an unknown one."""
    try:
        collection = find_collection(connection, path)
    except ArtifactNotFound:
        return []
    order = MEMBERS.c.version.asc() if oldest_first else MEMBERS.c.version.desc()
    return records(
        connection, _ALIVE.where(COLLECTIONS.c.id == collection["id"]).order_by(order).limit(limit).offset(offset)
    )


def links(connection: Connection, artifact_id: str) -> list[ArtifactRecord]:
    """The version as each collection that links to it sees it."""
    rows = _ALIVE.where(ARTIFACTS.c.id == artifact_id, MEMBERS.c.is_link.is_(True))
    return records(connection, rows.order_by(MEMBERS.c.created_at))


def collection(connection: Connection, path: ArtifactPath) -> CollectionRecord:
    """One collection. Raises ArtifactNotFound."""
    return _collections(connection, [find_collection(connection, path)])[0]


def collections(
    connection: Connection, entity: str | None, project: str | None, kind: str | None, registry: bool | None
) -> list[CollectionRecord]:
    """Collections by project and name."""
    rows = select(COLLECTIONS)
    if entity is not None:
        rows = rows.where(COLLECTIONS.c.entity == entity)
    if project is not None:
        rows = rows.where(COLLECTIONS.c.project == registered(ArtifactPath("", project, "")).project)
    if kind is not None:
        rows = rows.where(COLLECTIONS.c.type == kind)
    found = [dict(row) for row in connection.execute(rows).mappings()]
    chosen = [row for row in found if registry is None or is_registry(row["project"]) is registry]
    # Sorted here: a database sorts by its collation.
    chosen.sort(key=lambda row: (row["entity"], row["project"], row["name"]))
    return _collections(connection, chosen)


def logged_by(connection: Connection, run_id: str) -> list[ArtifactRecord]:
    """What a run logged, in order."""
    return _of_run(connection, run_id, "log")


def used_by(connection: Connection, run_id: str) -> list[ArtifactRecord]:
    """What a run used, in order."""
    return _of_run(connection, run_id, "use")


def users(connection: Connection, artifact_id: str) -> list[ArtifactUse]:
    """Who used a version, each run once, in order."""
    rows = select(DEEDS.c.run_id, DEEDS.c.artifact_id, DEEDS.c.use_as, DEEDS.c.at)
    rows = rows.where(DEEDS.c.artifact_id == artifact_id, DEEDS.c.kind == "use", DEEDS.c.run_id != "")
    found: dict[str, ArtifactUse] = {}
    for row in connection.execute(rows.order_by(DEEDS.c.at)):
        found.setdefault(row[0], ArtifactUse(*row))
    return list(found.values())


def expired(connection: Connection, now: float) -> list[ArtifactRecord]:
    """Versions whose time is over and which no registry links to."""
    rows = _ALIVE.where(MEMBERS.c.is_link.is_(False)).where((ARTIFACTS.c.ttl > 0) | (_HOME.c.ttl > 0))
    rows = rows.order_by(COLLECTIONS.c.project, COLLECTIONS.c.name, MEMBERS.c.version)
    late = [found for found in records(connection, rows) if found.expires_at is not None and found.expires_at <= now]
    return [found for found in late if not any(is_registry(link.project) for link in links(connection, found.id))]


def manifests(connection: Connection, without: Sequence[str]) -> list[str]:
    """The manifests that living versions need, but for the versions with these ids."""
    found: set[str] = set()
    left_out = frozenset(without)
    rows = select(ARTIFACTS.c.id, ARTIFACTS.c.manifest, ARTIFACTS.c.bases).where(_IS_ALIVE)
    for artifact_id, own, bases in connection.execute(rows):
        if artifact_id not in left_out:
            found.update((own, *bases))
    return sorted(found)


def file_digests(connection: Connection) -> list[str]:
    """The digests of all files of runs."""
    return list(connection.execute(select(FILES.c.digest).distinct()).scalars())


def find_collection(connection: Connection, path: ArtifactPath, lock: bool = False) -> dict[str, Any]:
    """The row of a collection: of that entity, else without one, else the only one of that name when no entity is
    said. Raises ArtifactNotFound."""
    path = registered(path)
    rows = select(COLLECTIONS).where(COLLECTIONS.c.project == path.project, COLLECTIONS.c.name == path.name)
    found = [dict(row) for row in connection.execute(rows.with_for_update() if lock else rows).mappings()]
    by_entity = {row["entity"]: row for row in found}
    chosen = by_entity.get(path.entity) or by_entity.get("")
    if chosen is None and not path.entity and len(found) == 1:
        chosen = found[0]
    if chosen is None:
        raise ArtifactNotFound(_no_collection(connection, path))
    return chosen


def records(connection: Connection, rows: Select[Any]) -> list[ArtifactRecord]:
    """What a selection of _SEEN finds, with the aliases."""
    found = [dict(row) for row in connection.execute(rows).mappings()]
    aliases = _aliases(connection, {row["collection_id"] for row in found})
    return [_record(row, aliases.get((row["collection_id"], row["version"]), ())) for row in found]


# -- inside -------------------------------------------------------------------------------------

_IS_ALIVE = ARTIFACTS.c.state == COMMITTED


def _record(row: Mapping[str, Any], aliases: Sequence[str]) -> ArtifactRecord:
    ttl = row["home_ttl"] if row["ttl"] is None else row["ttl"]
    values = {name: row[name] for name in _ARTIFACT + _ARTIFACT_MORE}
    values["bases"], values["tags"] = tuple(row["bases"]), tuple(row["tags"])
    return ArtifactRecord(
        **values,
        **{name: row[name] for name in ("entity", "project", "name", "version")},
        **{name: row[name] for name in ("source_entity", "source_project", "source_name", "source_version")},
        is_link=bool(row["is_link"]),
        aliases=tuple(aliases),
        expires_at=None if ttl is None or ttl <= 0 else row["created_at"] + ttl,
        linked_at=row["joined_at"] if row["is_link"] else None,
    )


def _aliases(connection: Connection, collection_ids: Iterable[str]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for some in _portions(sorted(collection_ids)):
        for collection_id, alias, version in connection.execute(
            select(ALIASES).where(ALIASES.c.collection_id.in_(some))
        ):
            found.setdefault((collection_id, version), []).append(alias)
    for names in found.values():
        names.sort()
    return found


def _collections(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[CollectionRecord]:
    ids = [row["id"] for row in rows]
    aliases: dict[str, dict[str, int]] = {}
    for (collection_id, version), names in _aliases(connection, ids).items():
        aliases.setdefault(collection_id, {}).update(dict.fromkeys(names, version))
    counts: dict[str, tuple[int, int]] = {}
    for some in _portions(ids):
        counted = (
            select(MEMBERS.c.collection_id, func.count(), func.sum(ARTIFACTS.c.size))
            .join(ARTIFACTS, ARTIFACTS.c.id == MEMBERS.c.artifact_id)
            .where(MEMBERS.c.collection_id.in_(some), _IS_ALIVE)
            .group_by(MEMBERS.c.collection_id)
        )
        counts |= {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(counted)}
    return [_collection(row, aliases.get(row["id"], {}), *counts.get(row["id"], (0, 0))) for row in rows]


def _collection(row: Mapping[str, Any], aliases: Mapping[str, int], count: int, size: int) -> CollectionRecord:
    ttl = row["ttl"]
    return CollectionRecord(
        **{name: row[name] for name in ("entity", "project", "name", "type", "description")},
        tags=tuple(row["tags"]),
        aliases=dict(sorted(aliases.items())),
        versions=count,
        size=size,
        ttl=None if ttl is None or ttl == NEVER else ttl,
        protected=tuple(row["protected"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _of_run(connection: Connection, run_id: str, kind: str) -> list[ArtifactRecord]:
    deeds = select(DEEDS.c.artifact_id).where(DEEDS.c.run_id == run_id, DEEDS.c.kind == kind).order_by(DEEDS.c.at)
    ids = list(dict.fromkeys(connection.execute(deeds).scalars()))
    found: dict[str, ArtifactRecord] = {}
    for some in _portions(ids):
        rows = _SEEN.where(ARTIFACTS.c.id.in_(some), MEMBERS.c.is_link.is_(False))
        found |= {record.id: record for record in records(connection, rows)}
    return [found[one] for one in ids if one in found]


def _portions(values: Sequence[str]) -> Iterable[Sequence[str]]:
    """SQLite allows some thousand parameters in a statement."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _no_collection(connection: Connection, path: ArtifactPath) -> str:
    there = select(COLLECTIONS.c.name).where(COLLECTIONS.c.project == path.project)
    names = sorted(set(connection.execute(there).scalars()))
    if not names:
        return f"no artifact {path.name!r} in project {path.project!r}: the project has no artifacts in this store"
    near = difflib.get_close_matches(path.name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names[:10])}"
    return f"no artifact {path.name!r} in project {path.project!r}; {hint}"


def _no_version(connection: Connection, path: ArtifactPath, collection_id: str) -> str:
    aliases = connection.execute(select(ALIASES.c.alias).where(ALIASES.c.collection_id == collection_id)).scalars()
    numbers = (
        select(MEMBERS.c.version)
        .join(ARTIFACTS, ARTIFACTS.c.id == MEMBERS.c.artifact_id)
        .where(MEMBERS.c.collection_id == collection_id, _IS_ALIVE)
        .order_by(MEMBERS.c.version.desc())
        .limit(5)
    )
    known = [f"v{number}" for number in connection.execute(numbers).scalars()] + sorted(aliases)
    return f"artifact {path.collection} has no version {path.alias!r}; it has {', '.join(known) or 'none any more'}"
