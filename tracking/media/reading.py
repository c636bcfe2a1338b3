"""From the records of the history, of tables and of artifacts back to media objects."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from tracking.media.keeping.payload import Opener

_CLASSES = {
    "image-file": ("tracking.media.image", "Image"),
    "audio-file": ("tracking.media.audio", "Audio"),
    "video-file": ("tracking.media.video", "Video"),
    "html-file": ("tracking.media.html", "Html"),
    "histogram": ("tracking.media.histogram", "Histogram"),
    "object3D-file": ("tracking.media.object3d", "Object3D"),
    "molecule-file": ("tracking.media.molecule", "Molecule"),
    "plotly-file": ("tracking.media.figures", "Plotly"),
    "table-file": ("tracking.tables.table", "Table"),
    "incremental-table-file": ("tracking.tables.table", "Table"),
    "joined-table": ("tracking.tables.joined", "JoinedTable"),
    "custom-chart": ("tracking.plot.chart", "CustomChart"),
}
"""The class of every type of record; each has `from_record(record, opener)`."""
_LISTS = {"images/separated": "images", "audio": "audio", "videos": "videos", "html": "html", "object3D": "objects",
          "molecule": "molecules", "plotly": "plots"}  # fmt: skip
"""Where the records of the items lie in the record of a list."""


def is_media_record(value: Any) -> bool:
    """Whether a value of the history stands for something that `from_record` can make."""
    return isinstance(value, Mapping) and value.get("_type") in {*_CLASSES, *_LISTS}


def from_record(record: Mapping[str, Any], opener: Opener) -> Any:
    """The media object (or the list of them) that a record stands for; a record of an unknown type as it is.

    `opener` gives the open file of a mapping with "path", "sha256" and "size"; it is asked when the object is looked
    at (`to_pil()`, `html`, `samples()`, `payload.open()`), not before.
    """
    kind = record.get("_type", "")
    if kind in _LISTS:
        return [from_record(item, opener) for item in record.get(_LISTS[kind], ())]
    if kind not in _CLASSES:
        return record
    module, name = _CLASSES[kind]
    return getattr(import_module(module), name).from_record(record, opener)
