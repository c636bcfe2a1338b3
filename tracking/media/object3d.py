"""Things in space: clouds of points with boxes and vectors, and files of models."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from tracking.errors import UsageError
from tracking.extras import require
from tracking.live.values import Unloggable, plain
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import (
    checked_file,
    checked_type,
    extension_of,
    is_open_file,
    path_of,
    read_all,
)
from tracking.media.pixels.arrays import as_numpy
from tracking.notices import warn_once

FORMATS = ("obj", "gltf", "glb", "babylon", "stl", "pts.json")
_SCENES = ("lidar/beta",)
_PIECE = 8192
"""Points that are turned into JSON at a time."""


class Object3D(Media):
    """Points, a scene or a model. Logged, it becomes {"_type": "object3D-file", "path", "sha256", "size"}."""

    type_name = "object3D-file"

    def __init__(self, data_or_path: Any, caption: str | None = None, file_type: str | None = None) -> None:
        """Take points, a scene, the path of a model or an open file.

        Points are an array of n×3 (x y z), n×4 (and a category, 1…14) or n×6 (and red, green, blue). A scene is
        {"type": "lidar/beta", "points", "boxes", "vectors"}. Files are obj, gltf, glb, babylon, stl and pts.json;
        an open file without a name needs `file_type`.

        Raises:
            UsageError: It is none of these.
        """
        self.caption = None if caption is None else str(caption)
        self.payload = _taken(data_or_path, file_type)

    @classmethod
    def from_file(cls, data_or_path: Any, file_type: str | None = None) -> Object3D:
        """From a path, or from an open file together with its type."""
        return cls(data_or_path, file_type=file_type)

    @classmethod
    def from_numpy(cls, data: Any) -> Object3D:
        """From an array of n×3, n×4 or n×6."""
        return cls(as_numpy(data, "Object3D.from_numpy()"))

    @classmethod
    def from_point_cloud(
        cls,
        points: Sequence[Any],
        boxes: Sequence[Mapping[str, Any]],
        vectors: Sequence[Mapping[str, Any]] | None = None,
        point_cloud_type: str = "lidar/beta",
    ) -> Object3D:
        """From points, boxes ({"corners": 8 points, "label", "color", "score"}) and vectors ({"start", "end"})."""
        return cls({"type": point_cloud_type, "points": points, "boxes": boxes, "vectors": vectors or []})

    def data(self) -> Any:
        """The content of a `pts.json`: a list of points, or a scene. Raises UsageError for a model."""
        if self.payload.extension != "pts.json":
            raise UsageError(
                f"Object3D.data(): a {self.payload.extension} file; only clouds of points can be read back"
            )
        with self.payload.open() as file:
            return json.load(file)

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        record = {"_type": self.type_name, **self.payload.put(sink, f"media/object3D/{key}_{step}")}
        return record | ({"caption": self.caption} if self.caption is not None else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Object3D:
        """The object that a record speaks of."""
        thing = cls.__new__(cls)
        thing.caption, thing.payload = record.get("caption"), payload.Stored(record, opener)
        return thing


def _taken(data: Any, file_type: str | None) -> payload.Payload:
    if is_open_file(data) and (path := path_of(data)) is not None:
        data = path
    if isinstance(data, (str, os.PathLike)):
        file = checked_file(data, "Object3D()")
        return payload.of_file(file, extension_of(file.name, FORMATS, "Object3D()"))
    if is_open_file(data):
        return payload.of_bytes(read_all(data), checked_type(file_type, FORMATS, "Object3D()"))
    if payload.silent():
        return payload.Nothing("pts.json")
    if isinstance(data, Mapping):
        return _scene(data)
    points = _points(data)
    return payload.encoded("pts.json", lambda file: _write(file, _json_points(points)), points.size * 10)


def _scene(scene: Mapping[str, Any]) -> payload.Payload:
    if scene.get("type") not in _SCENES:
        raise UsageError(f"Object3D(): a scene of type {scene.get('type')!r}; it can be {_SCENES[0]!r}")
    points = _points(scene["points"]) if _some(scene.get("points")) else None
    parts = {name: _boxes_or_vectors(scene.get(name), name) for name in ("boxes", "vectors")}

    def pieces() -> Iterator[str]:
        yield f'{{"type": {json.dumps(scene["type"])}, "points": '
        yield from _json_points(points) if points is not None else ["[]"]
        yield "".join(f', "{name}": {json.dumps(part)}' for name, part in parts.items()) + "}"

    expected = (0 if points is None else points.size * 10) + 1000 * sum(map(len, parts.values()))
    return payload.encoded("pts.json", lambda file: _write(file, pieces()), expected)


def _some(value: Any) -> bool:
    return value is not None and len(value) > 0


def _boxes_or_vectors(value: Any, what: str) -> list[Any]:
    try:
        items = [plain(item) for item in ([] if value is None else value)]
    except (TypeError, Unloggable) as error:
        raise UsageError(f"Object3D(): {what}: {error}") from None
    for number, item in enumerate(items):
        needed = {"corners"} if what == "boxes" else {"start", "end"}
        if not isinstance(item, dict) or not needed <= item.keys():
            raise UsageError(f"Object3D(): {what}[{number}] is a mapping with {' and '.join(sorted(needed))}")
        if what == "boxes" and len(item["corners"]) != 8:
            raise UsageError(f"Object3D(): boxes[{number}] has {len(item['corners'])} corners; a box has 8")
    return items


def _points(data: Any) -> Any:
    """The points as an array; those with NaN or infinity are left out, for no viewer can place them."""
    numpy = require("numpy", "media")
    array = as_numpy(data, "Object3D()")
    if array.ndim != 2 or array.shape[1] not in (3, 4, 6):
        raise UsageError(
            f"Object3D(): shape {array.shape}; points are n×3 (x y z), n×4 (and a category, 1…14) or n×6 (and r g b)"
        )
    if array.dtype.kind == "f" and not (whole := numpy.isfinite(array).all(axis=1)).all():
        warn_once("object3d:finite", f"Object3D(): {int((~whole).sum())} points with NaN or infinity are left out")
        array = array[whole]
    return array


def _json_points(points: Any) -> Iterator[str]:
    yield "["
    for start in range(0, len(points), _PIECE):
        yield (", " if start else "") + json.dumps(points[start : start + _PIECE].tolist())[1:-1]
    yield "]"


def _write(file: BinaryIO, pieces: Iterable[str]) -> None:
    for piece in pieces:
        file.write(piece.encode())
