"""What a run does with artifacts: it logs, uses and links them; each is one ARTIFACT record of its journal.

    {"do": "log", "id", "name", "type", "digest", "manifest", "size", "count", "aliases", "tags", "metadata",
     "description", "ttl", "step", "incremental", "empty", "same", "at"}
    {"do": "use", "id", "artifact", "name", "use_as", "at"}
    {"do": "link", "id", "artifact", "entity", "project", "name", "aliases", "at"}

`id` is 32 random hex digits, by which the store takes a record once; that of a "log" record becomes the id of the
version if its content is new. `artifact` is such an id, too, and `same` that of what this record logs again: its
aliases move. `manifest` is the digest of a blob (tracking.artifacts.manifest), `step` the last one that the run had
logged.
"""

from __future__ import annotations

import os
import re
import time
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tracking.artifacts import access, changing
from tracking.artifacts.artifact import Artifact
from tracking.artifacts.contract import ArtifactPath, ArtifactRecord
from tracking.artifacts.drafting import StrPath, is_full
from tracking.artifacts.manifest import digest_of
from tracking.artifacts.names import LATEST, MODEL_REGISTRY, check_aliases, check_tags, parse, registered, version_of
from tracking.artifacts.standing import plain_metadata
from tracking.errors import ArtifactError, ArtifactNotFound, UsageError
from tracking.journal.records import RecordType
from tracking.notices import warn, warn_once

if TYPE_CHECKING:
    from tracking.blobs.store import Blobs
    from tracking.live.run import Run

OWN_PATIENCE_S = 60.0
"""How long use_artifact() waits for what its own run has logged."""
RESUMED_PATIENCE_S = 5.0
"""How long it looks for what an earlier attempt of its run may have logged, whose journal is still on its way."""
_ODD = re.compile(r"[^A-Za-z0-9_.\-]+")
_OWN: weakref.WeakKeyDictionary[Run, list[Artifact]] = weakref.WeakKeyDictionary()
"""What each run of this process has logged, oldest first."""
_CONTENT = ("type", "digest", "manifest", "size", "count", "incremental", "empty")


def log_artifact(
    run: Run,
    given: Artifact | StrPath,
    name: str | None = None,
    type: str | None = None,
    aliases: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
) -> Artifact:
    """Record an artifact as an output of the run. A full disk is warned about and stops no training."""
    artifact = given if isinstance(given, Artifact) else None
    try:
        if artifact is None:
            artifact = _wrapped(run, given, name, type)  # type: ignore[arg-type]
        _log(run, artifact, check_aliases(aliases), check_tags(tags))
    except OSError as error:
        if artifact is None or not is_full(error):
            raise
        artifact.fail(str(error))
        warn(f"artifact {artifact.name} is not recorded: {error}. Make room; training goes on")
    return artifact


def use_artifact(
    run: Run,
    given: Artifact | str,
    type: str | None = None,
    aliases: Sequence[str] | None = None,
    use_as: str | None = None,
) -> Artifact:
    """An artifact as an input of the run. Raises ArtifactNotFound, UsageError, ArtifactError for another type."""
    artifact = given if isinstance(given, Artifact) else _found(run, given)
    if artifact.is_draft:
        log_artifact(run, artifact)
    if type is not None and artifact.type != type:
        raise ArtifactError(f"artifact {artifact.name} is of type {artifact.type!r}, not {type!r}")
    artifact.use_as = use_as or artifact.use_as
    record_id = artifact.record_id
    if not run.disabled:
        body = {"artifact": record_id, "name": artifact.qualified_name, "use_as": artifact.use_as or ""}
        run.record(RecordType.ARTIFACT, _body("use", body))
    if artifact.logging_run == run.id:
        run.confirm_checkpoint(artifact.own_step)
    if aliases and artifact.id is not None:
        artifact.aliases = [*artifact.aliases, *check_aliases(aliases)]
        changing.push(artifact)
    return artifact


def link_artifact(
    run: Run, artifact: Artifact, target_path: str | None = None, aliases: Sequence[str] | None = None
) -> Artifact:
    """Link an artifact into a collection; a draft is logged first. Returns it as that collection sees it."""
    target = changing.link_target(target_path or "", run.project, run.entity)
    names = check_aliases(aliases)
    if artifact.is_draft:
        log_artifact(run, artifact)
    linked = Artifact(target.name, artifact.type, artifact.description, artifact.metadata)
    linked.show(artifact)
    linked.aliases = names
    place = {"entity": target.entity, "project": target.project, "name": target.name}
    record = _body("link", {"artifact": artifact.record_id, **place, "aliases": names})
    if not run.disabled:
        run.record(RecordType.ARTIFACT, record)
    linked.await_record(record["id"], run)
    linked.place(target)
    return linked


def log_model(run: Run, path: StrPath, name: str | None = None, aliases: Sequence[str] | None = None) -> Artifact:
    """Record a file or a folder as an artifact of type "model", by default named after the run and the path."""
    return log_artifact(run, path, name, "model", aliases)


def use_model(run: Run, name: str) -> str:
    """Download a model; the path of its file, or of its folder when it has several. Raises as use_artifact does."""
    artifact = use_artifact(run, name)
    if "model" not in artifact.type and artifact.type != "checkpoint":
        raise ArtifactError(f"artifact {artifact.name} is of type {artifact.type!r}: use_model() takes models only")
    folder = artifact.download()
    entries = list(artifact.manifest)
    return os.path.join(folder, entries[0].path) if len(entries) == 1 else folder


def link_model(
    run: Run,
    path: StrPath,
    registered_model_name: str,
    name: str | None = None,
    aliases: Sequence[str] | None = None,
) -> Artifact:
    """Record a model and link it into the collection of that name in the registry "model"."""
    if not isinstance(registered_model_name, str) or "/" in registered_model_name or ":" in registered_model_name:
        raise UsageError(f"registered_model_name={registered_model_name!r}: it is a name without '/' and ':'")
    artifact = log_model(run, path, name)
    return link_artifact(run, artifact, f"{MODEL_REGISTRY}/{registered_model_name}", aliases)


def put(
    artifact: Artifact,
    project: str | None = None,
    entity: str = "",
    aliases: Iterable[str] | None = None,
    tags: Iterable[str] | None = None,
) -> Artifact:
    """Store a draft without a run, at once. Raises as log_artifact does, and StoreUnavailable."""
    from tracking import environment
    from tracking.starting.making import DEFAULT_PROJECT

    body = _first(artifact, access.home_blobs(), check_aliases(aliases), check_tags(tags))
    where = project or environment.read(environment.PROJECT) or DEFAULT_PROJECT
    with access.opened(artifact.store_url) as store:
        store.apply("", where, entity or environment.read(environment.ENTITY) or "", [body])
    artifact.await_record(body["id"], None)
    return artifact.wait()


# -- inside -------------------------------------------------------------------------------------


def _log(run: Run, artifact: Artifact, aliases: list[str], tags: list[str]) -> None:
    own = _OWN.setdefault(run, [])
    if artifact not in own:
        own.append(artifact)
    if run.disabled or run.forked:
        artifact.await_record(os.urandom(16).hex(), run)
        return
    body = _again(artifact, aliases, tags) if artifact.last_log else _first(artifact, run.blobs, aliases, tags)
    body["step"] = run.last_step
    # The bytes are there before the record that names them: killed between the two, nothing is half-made.
    run.record(RecordType.ARTIFACT, body)
    artifact.await_record(body["id"], run)
    artifact.remember(run.id, body)


def _first(artifact: Artifact, blobs: Blobs, aliases: list[str], tags: list[str]) -> dict[str, Any]:
    """The body of a "log" record, when all bytes and the manifest are in `blobs`."""
    encoded = artifact.complete_in(blobs)
    manifest = artifact.manifest
    content = {
        "type": artifact.type,
        "digest": digest_of(artifact.type, encoded),
        "manifest": blobs.put_bytes(encoded).digest,
        "size": manifest.size,
        "count": len(manifest),
        "incremental": artifact.incremental and artifact.is_draft,
        "empty": not manifest.entries and not manifest.removed,
    }
    return _logging(artifact, content, aliases, tags)


def _again(artifact: Artifact, aliases: list[str], tags: list[str]) -> dict[str, Any]:
    """The body of a record that logs once more what this process has logged: its aliases move."""
    content = {key: artifact.last_log[key] for key in _CONTENT}
    return _logging(artifact, content, aliases, tags)


def _logging(artifact: Artifact, content: dict[str, Any], aliases: list[str], tags: list[str]) -> dict[str, Any]:
    about = {
        "name": artifact.plain_name,
        "aliases": list(dict.fromkeys([*artifact.chosen_aliases(), *aliases])),
        "tags": list(dict.fromkeys([*artifact.chosen_tags(), *tags])),
        "metadata": plain_metadata(artifact.metadata),
        "description": artifact.description or "",
        "ttl": artifact.own_ttl,
        "same": artifact.record_id,
    }
    return _body("log", {**content, **about})


def _body(do: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"do": do, "id": os.urandom(16).hex(), **fields, "at": time.time()}


def _wrapped(run: Run, path: StrPath, name: str | None, kind: str | None) -> Artifact:
    """A file, a folder or a URI as an artifact of its own."""
    text = os.fspath(path)
    base = os.path.basename(text.rstrip("/\\"))
    artifact = Artifact(name or _ODD.sub("-", f"run-{run.id}-{base}")[:128], kind or "unspecified")
    if os.path.isdir(text):
        artifact.add_dir(text)
    elif os.path.isfile(text):
        artifact.add_file(text)
    elif "://" in text:
        artifact.add_reference(text)
    else:
        raise ArtifactError(f"{text!r} is neither a file, a folder nor a URI, so it cannot be logged")
    return artifact


def _found(run: Run, name: str) -> Artifact:
    path = parse(name, run.project, run.entity)
    own = [artifact for artifact in _OWN.get(run, ()) if artifact.is_at(path, run)]
    if run.offline or run.disabled:
        return _own_version(run, path, own) or _stored(run, path)
    for artifact in own:
        artifact.wait(OWN_PATIENCE_S)
    deadline = time.monotonic() + (RESUMED_PATIENCE_S if run.resumed and not own else 0.0)
    while True:
        try:
            return _stored(run, path)
        except ArtifactNotFound:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.1)


def _own_version(run: Run, path: ArtifactPath, own: list[Artifact]) -> Artifact | None:
    """What this process itself logged: the only thing that a run without a store has."""
    if own and version_of(path.alias) is None:
        fitting = own if path.alias == LATEST else [one for one in own if path.alias in one.chosen_aliases()]
        if fitting:
            return fitting[-1]
    if run.offline:
        warn_once("artifact:offline", f"offline run {run.id} looks for {path} in the store of this machine")
    return None


def _stored(run: Run, path: ArtifactPath) -> Artifact:
    with access.opened() as store:
        record: ArtifactRecord = store.find(registered(path))
    return Artifact.of(record)
