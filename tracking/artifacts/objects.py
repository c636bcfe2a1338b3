"""Media and tables inside an artifact: `add(obj, name)` and `get(name)`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracking.artifacts.manifest import Entry, Manifest
from tracking.artifacts.names import check_path
from tracking.blobs.store import Blob, Blobs
from tracking.errors import ArtifactNotFound, UsageError
from tracking.media.contract import Media
from tracking.media.keeping.naming import distinct_name

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact

_SUFFIXES = {
    "table-file": ".table.json",
    "incremental-table-file": ".table.json",
    "joined-table": ".joined-table.json",
}
_TYPES = (
    *("table-file", "joined-table", "image-file", "audio-file", "video-file", "html-file", "histogram"),
    *("object3D-file", "molecule-file", "plotly-file", "custom-chart", "classes"),
)


class ArtifactSink:
    """Takes the files of media that are added to an artifact."""

    def __init__(self, manifest: Manifest, blobs: Blobs) -> None:
        self._manifest, self._blobs = manifest, blobs

    def add_bytes(self, name: str, data: bytes | memoryview, mime: str = "") -> dict[str, Any]:
        return self._added(name, self._blobs.put_bytes(data))

    def add_file(self, name: str, source: str | os.PathLike[str], mime: str = "") -> dict[str, Any]:
        return self._added(name, self._blobs.put_file(source))

    def _added(self, name: str, blob: Blob) -> dict[str, Any]:
        path = distinct_name(name, blob.digest)
        self._manifest.add(Entry(path, blob.digest, blob.size), overwrite=True)
        return {"path": path, "sha256": blob.digest, "size": blob.size}


def suffixed(name: str, kind: str) -> str:
    """The name of the file that holds the record of an object: `name.table.json`, `name.image-file.json`."""
    suffix = _SUFFIXES.get(kind, f".{kind}.json")
    return name if name.endswith(suffix) else name + suffix


def add(manifest: Manifest, blobs: Blobs, obj: object, name: str, overwrite: bool) -> Entry:
    """Add a media object: its files, and a JSON file that describes it. Raises UsageError for anything else."""
    if not isinstance(obj, Media):
        raise UsageError(
            f"Artifact.add() takes media, tables and plots of tracking, not {type(obj).__name__}; files: add_file(), "
            "anything else: new_file()"
        )
    checked = check_path(name)
    path = suffixed(checked, obj.type_name)
    known = manifest.get(path)
    if known is not None and not overwrite:
        return known
    record = obj.to_record(ArtifactSink(manifest, blobs), checked, 0)
    blob = blobs.put_bytes(json.dumps(record, sort_keys=True, separators=(",", ":")).encode())
    entry = Entry(path, blob.digest, blob.size)
    manifest.add(entry, overwrite=True)
    return entry


def find(manifest: Manifest, name: str) -> Entry | None:
    """The entry of an object by the name under which it was added."""
    for kind in _TYPES:
        entry = manifest.get(suffixed(name, kind))
        if entry is not None:
            return entry
    known = manifest.get(name)
    return known if known is not None and name.endswith(".json") else None


def get(artifact: Artifact, name: str) -> Any:
    """The object that was added under this name; None when there is none. Raises ArtifactDamaged, ExtraMissing."""
    entry = find(artifact.manifest, check_path(name))
    if entry is None:
        return None
    record = json.loads(artifact.read_bytes(entry))
    if not isinstance(record, Mapping) or "_type" not in record:
        return record

    def opener(asked: Mapping[str, Any]) -> Any:
        return artifact.open_entry(_file_of(artifact, asked))

    if record["_type"] in _SUFFIXES:
        from tracking.tables.reading import read_table  # brings pyarrow

        return read_table(record, opener)
    from tracking.media.reading import from_record

    return from_record(record, opener)


def _file_of(artifact: Artifact, asked: Mapping[str, Any]) -> Entry:
    """The file that a record speaks of; the name of another object means that object's file."""
    path = str(asked.get("path", ""))
    entry = artifact.manifest.get(path) or find(artifact.manifest, path)
    if entry is None:
        raise ArtifactNotFound(f"artifact {artifact.name} has no file {path!r}")
    if entry.path.endswith(".json") and "sha256" not in asked:
        return _file_of(artifact, json.loads(artifact.read_bytes(entry)))
    return entry
