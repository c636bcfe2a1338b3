"""Applying ARTIFACT records: what a run logged, used and linked becomes versions, aliases and lineage."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from tracking.artifacts.contract import COMMITTED, ArtifactPath
from tracking.artifacts.names import LATEST, registered
from tracking.database.dialect import Words, upsert
from tracking.store.artifact_tables import ALIASES, ARTIFACTS, COLLECTIONS, DEEDS, MEMBERS

Row = dict[str, Any]
Record = Mapping[str, Any]

_PUT_ALIAS = upsert(ALIASES, ("collection_id", "alias"))
_NEW_COLLECTION = text(
    "INSERT INTO artifact_collections (id, entity, project, name, type, description, tags, protected, ttl, "
    "next_version, created_at, updated_at) VALUES (:id, :entity, :project, :name, :type, '', '[]', '[]', NULL, 0, "
    ":now, :now) ON CONFLICT (entity, project, name) DO NOTHING"
).bindparams(*(bindparam(name, type_=Words()) for name in ("entity", "project", "name", "type")))
_AT_ONCE = 500


def apply_artifacts(
    connection: Connection, run_id: str, project: str, entity: str, records: Sequence[Record], now: float
) -> None:
    """Take ARTIFACT records of one run, in the caller's transaction.

    Idempotent by the id of each record. What cannot be done is left out with a note: the journal is history.
    """
    known = _known(connection, [str(record.get("id", "")) for record in records])
    for record in records:
        deed = str(record.get("id", ""))
        if not deed or deed in known:
            continue
        known.add(deed)
        work = _WORKS.get(str(record.get("do")))
        if work is not None:
            work(connection, _Source(run_id, project, entity, now), record)


class _Source:
    """Where records come from."""

    __slots__ = ("entity", "now", "project", "run_id")

    def __init__(self, run_id: str, project: str, entity: str, now: float) -> None:
        self.run_id, self.project, self.entity, self.now = run_id, project, entity, now


def locked_collection(connection: Connection, path: ArtifactPath, kind: str, now: float) -> Row:
    """The row of a collection, made when it is new, locked until the transaction ends."""
    given = {"entity": path.entity, "project": path.project, "name": path.name}
    connection.execute(_NEW_COLLECTION, {**given, "id": os.urandom(16).hex(), "type": kind, "now": now})
    matches = (COLLECTIONS.c[column] == value for column, value in given.items())
    return dict(connection.execute(select(COLLECTIONS).where(*matches).with_for_update()).mappings().one())


def put_aliases(
    connection: Connection, collection: Row, version: int, aliases: Sequence[str], force: bool = False
) -> list[str]:
    """Point aliases of a collection at a version; returns the protected ones, which stay where they are."""
    held = current_aliases(connection, collection["id"])
    kept = [] if force else [name for name in aliases if name in collection["protected"] and held.get(name) != version]
    moved = [alias for alias in dict.fromkeys(aliases) if alias not in kept]
    if moved:
        rows = [{"collection_id": collection["id"], "alias": alias, "version": version} for alias in moved]
        connection.execute(_PUT_ALIAS, rows)
    return kept


def current_aliases(connection: Connection, collection_id: str) -> dict[str, int]:
    """Alias -> version."""
    found = select(ALIASES.c.alias, ALIASES.c.version).where(ALIASES.c.collection_id == collection_id)
    return {row.alias: row.version for row in connection.execute(found)}


def add_member(connection: Connection, collection: Row, artifact_id: str, is_link: bool, now: float) -> int:
    """Make a version a member of a locked collection; returns its number there, the old one if it was a member."""
    found = connection.execute(
        select(MEMBERS.c.version).where(
            MEMBERS.c.collection_id == collection["id"], MEMBERS.c.artifact_id == artifact_id
        )
    ).scalar()
    if found is not None:
        return int(found)
    version = int(collection["next_version"])
    collection["next_version"] = version + 1
    connection.execute(
        insert(MEMBERS).values(
            collection_id=collection["id"], version=version, artifact_id=artifact_id, is_link=is_link, created_at=now
        )
    )
    connection.execute(
        update(COLLECTIONS).where(COLLECTIONS.c.id == collection["id"]).values(next_version=version + 1, updated_at=now)
    )
    return version


def resolved(connection: Connection, given: str) -> str | None:
    """The id of a living version, given by its own id or by that of the record that logged or linked it."""
    made = select(DEEDS.c.artifact_id).where(DEEDS.c.id == given, DEEDS.c.kind != "use")
    artifact_id = connection.execute(made).scalar() or given
    alive = select(ARTIFACTS.c.id).where(ARTIFACTS.c.id == artifact_id, ARTIFACTS.c.state == COMMITTED)
    found = connection.execute(alive).scalar()
    return None if found is None else str(found)


# -- inside -------------------------------------------------------------------------------------


def _known(connection: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = select(DEEDS.c.id).where(DEEDS.c.id.in_(ids[start : start + _AT_ONCE]))
        found.update(connection.execute(some).scalars())
    return found


def _log(connection: Connection, source: _Source, record: Record) -> None:
    path = registered(ArtifactPath(source.entity, str(record.get("project") or source.project), str(record["name"])))
    collection = locked_collection(connection, path, str(record["type"]), source.now)
    content = _content(connection, collection["id"], record)
    version, artifact_id = _again(connection, collection["id"], str(record.get("same") or ""))
    if artifact_id is None:
        version, artifact_id = _same(connection, collection["id"], content["digest"])
    if artifact_id is None:
        artifact_id = str(record["id"])[:32]
        connection.execute(insert(ARTIFACTS).values(_new_row(source, record, artifact_id, content)))
        version = add_member(connection, collection, artifact_id, False, source.now)
    else:
        _refresh(connection, source, record, artifact_id)
    kept = put_aliases(connection, collection, version, [LATEST, *map(str, record.get("aliases") or ())])
    _note(connection, source, record, artifact_id, collection["id"], version, kept)


def _content(connection: Connection, collection_id: str, record: Record) -> Row:
    """Digest, size and manifests of what is logged: an incremental record stands on the latest version."""
    own: Row = {
        "digest": str(record["digest"]),
        "manifest": str(record["manifest"]),
        "size": int(record["size"]),
        "count": int(record["count"]),
        "bases": [],
    }
    base = _newest(connection, collection_id) if record.get("incremental") else None
    if base is None:
        return own
    own["bases"] = [*base["bases"], base["manifest"]]
    own["size"] += base["size"]
    own["count"] += base["count"]
    unchanged = record.get("empty")
    chained = hashlib.sha256(f"{base['digest']}+{own['digest']}".encode()).hexdigest()
    own["digest"] = base["digest"] if unchanged else chained
    return own


def _newest(connection: Connection, collection_id: str) -> Row | None:
    found = (
        select(ARTIFACTS)
        .join(MEMBERS, MEMBERS.c.artifact_id == ARTIFACTS.c.id)
        .where(MEMBERS.c.collection_id == collection_id, ARTIFACTS.c.state == COMMITTED)
    )
    latest = current_aliases(connection, collection_id).get(LATEST)
    wanted = found.where(MEMBERS.c.version == latest) if latest is not None else found
    row = connection.execute(wanted.order_by(MEMBERS.c.version.desc()).limit(1)).mappings().first()
    return None if row is None else dict(row)


def _again(connection: Connection, collection_id: str, said: str) -> tuple[int, str | None]:
    """The version that a record says it logs again, if it is one of this collection."""
    artifact_id = resolved(connection, said) if said else None
    here = (MEMBERS.c.collection_id == collection_id) & (MEMBERS.c.artifact_id == artifact_id)
    version = connection.execute(select(MEMBERS.c.version).where(here)).scalar() if artifact_id else None
    return (-1, None) if version is None else (int(version), artifact_id)


def _same(connection: Connection, collection_id: str, digest: str) -> tuple[int, str | None]:
    """The newest version of the collection with this content."""
    row = connection.execute(
        select(MEMBERS.c.version, ARTIFACTS.c.id)
        .join(ARTIFACTS, MEMBERS.c.artifact_id == ARTIFACTS.c.id)
        .where(MEMBERS.c.collection_id == collection_id, ARTIFACTS.c.digest == digest)
        .where(ARTIFACTS.c.state == COMMITTED)
        .order_by(MEMBERS.c.version.desc())
        .limit(1)
    ).first()
    return (-1, None) if row is None else (int(row[0]), str(row[1]))


def _new_row(source: _Source, record: Record, artifact_id: str, content: Row) -> Row:
    return content | {
        "id": artifact_id,
        "type": str(record["type"]),
        "description": str(record.get("description") or ""),
        "metadata": dict(record.get("metadata") or {}),
        "tags": list(record.get("tags") or ()),
        "ttl": record.get("ttl"),
        "state": COMMITTED,
        "run_id": source.run_id,
        "step": record.get("step"),
        "created_at": float(record.get("at") or source.now),
        "updated_at": source.now,
    }


def _refresh(connection: Connection, source: _Source, record: Record, artifact_id: str) -> None:
    """What was said anew of content that is there already: description and ttl replace, metadata and tags merge."""
    row = connection.execute(select(ARTIFACTS).where(ARTIFACTS.c.id == artifact_id)).mappings().one()
    news: Row = {"updated_at": source.now}
    if record.get("description"):
        news["description"] = str(record["description"])
    if record.get("metadata"):
        news["metadata"] = row["metadata"] | dict(record["metadata"])
    if record.get("tags"):
        news["tags"] = list(dict.fromkeys([*row["tags"], *record["tags"]]))
    if record.get("ttl") is not None:
        news["ttl"] = record["ttl"]
    connection.execute(update(ARTIFACTS).where(ARTIFACTS.c.id == artifact_id).values(news))


def _use(connection: Connection, source: _Source, record: Record) -> None:
    asked = str(record.get("artifact", ""))
    made = select(DEEDS.c.artifact_id).where(DEEDS.c.id == asked, DEEDS.c.kind != "use")
    artifact_id = connection.execute(made).scalar() or asked[:32]
    _note(connection, source, record, str(artifact_id), "", None, ())


def _link(connection: Connection, source: _Source, record: Record) -> None:
    artifact_id = resolved(connection, str(record.get("artifact", "")))
    if artifact_id is None:
        return  # the version was deleted before its link was shipped
    project = str(record.get("project") or source.project)
    path = registered(ArtifactPath(str(record.get("entity") or source.entity), project, str(record["name"])))
    kind = connection.execute(select(ARTIFACTS.c.type).where(ARTIFACTS.c.id == artifact_id)).scalar_one()
    collection = locked_collection(connection, path, str(kind), source.now)
    version = add_member(connection, collection, artifact_id, True, source.now)
    kept = put_aliases(connection, collection, version, [LATEST, *map(str, record.get("aliases") or ())])
    _note(connection, source, record, artifact_id, collection["id"], version, kept)


def _note(
    connection: Connection,
    source: _Source,
    record: Record,
    artifact_id: str,
    collection_id: str,
    version: int | None,
    kept: Sequence[str],
) -> None:
    connection.execute(
        insert(DEEDS).values(
            id=str(record["id"])[:64],
            kind=str(record["do"]),
            run_id=source.run_id,
            artifact_id=artifact_id,
            collection_id=collection_id,
            version=version,
            use_as=str(record.get("use_as") or ""),
            note=f"protected: {', '.join(kept)}" if kept else "",
            at=float(record.get("at") or source.now),
        )
    )


_WORKS = {"log": _log, "use": _use, "link": _link}
