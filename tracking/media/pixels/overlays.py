"""Boxes and masks that lie over an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from numbers import Real
from typing import Any, cast

from tracking.errors import UsageError
from tracking.extras import require
from tracking.live.values import Unloggable, plain
from tracking.media.classes import checked_labels
from tracking.media.contract import Sink
from tracking.media.keeping import payload
from tracking.media.pixels.arrays import as_numpy

_CORNERS = ("minX", "maxX", "minY", "maxY")


class Boxes:
    """Boxes of one kind ("predictions"): `box_data`, a list of boxes, and `class_labels`."""

    type_name = "boxes2D"

    def __init__(self, value: Mapping[str, Any], name: str) -> None:
        """Raises UsageError that names the box."""
        where = f"Image(boxes={{{name!r}: …}})"
        if not isinstance(value, Mapping) or not isinstance(data := _listed(value.get("box_data")), list):
            raise UsageError(f"{where}: boxes are {{'box_data': [box, …], 'class_labels': {{number: name}}}}")
        self.data = [_checked_box(box, f"{where}: box {number}") for number, box in enumerate(data)]
        self.labels = _labels(value, {box["class_id"] for box in self.data if "class_id" in box}, where)
        self._payload = payload.of_text(
            json.dumps({"box_data": self.data, "class_labels": self.labels}), "boxes2D.json"
        )

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self._payload.put(sink, f"media/metadata/boxes2D/{key}_{step}")
        return {"_type": self.type_name, **file, "count": len(self.data), "class_labels": _json_keys(self.labels)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener, name: str) -> Boxes:
        with opener(record) as file:
            return cls(json.load(file), name)


class Mask:
    """A class number (0…255) for every pixel: `mask_data`, an array, or `path`, an image of it; and `class_labels`."""

    type_name = "mask"

    def __init__(self, value: Mapping[str, Any], name: str) -> None:
        """Raises UsageError that says what is wrong with the mask."""
        self.labels: dict[int, str]
        self._payload: payload.Payload
        where = f"Image(masks={{{name!r}: …}})"
        if isinstance(value, Mapping) and value.get("mask_data") is not None:
            self._from_data(value, where)
        elif isinstance(value, Mapping) and "path" in value:
            self._payload = payload.of_file(value["path"], "png")
            self.labels = checked_labels(value.get("class_labels", {}), where)
        else:
            raise UsageError(f"{where}: a mask is {{'mask_data': array, 'class_labels': …}} or {{'path': file, …}}")

    def _from_data(self, value: Mapping[str, Any], where: str) -> None:
        if payload.silent():
            self._payload, self.labels = payload.Nothing("png"), {}
            return
        data = as_numpy(value["mask_data"], where)
        while data.ndim > 2 and 1 in data.shape:
            data = data.squeeze(data.shape.index(1))
        if data.ndim != 2 or not data.size:
            raise UsageError(f"{where}: mask_data has shape {data.shape}; it is an array of height × width")
        if not (data.min() >= 0 and data.max() <= 255):
            raise UsageError(f"{where}: mask_data holds {data.min()}…{data.max()}; class numbers are 0…255")
        numpy, pillow = require("numpy", "media"), require("PIL.Image", "media", where)
        picture = pillow.fromarray(data.astype(numpy.uint8))
        self.labels = _labels(value, set(numpy.unique(data).astype(int).tolist()), where)
        self._payload = payload.encoded("png", lambda file: picture.save(file, format="PNG"), data.size)

    @property
    def array(self) -> Any:
        """The class numbers as a numpy array of uint8, height × width."""
        with self._payload.open() as file:
            return require("numpy", "media").array(require("PIL.Image", "media").open(file).convert("L"))

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self._payload.put(sink, f"media/images/mask/{key}_{step}")
        return {"_type": self.type_name, **file, "class_labels": _json_keys(self.labels)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Mask:
        mask = cls.__new__(cls)
        mask.labels = checked_labels(record.get("class_labels", {}), "mask")
        mask._payload = payload.Stored(record, opener)
        return mask


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def _labels(value: Mapping[str, Any], numbers: set[int], where: str) -> dict[int, str]:
    if value.get("class_labels") is not None:
        return checked_labels(value["class_labels"], where)
    return {number: f"class_{number}" for number in sorted(numbers)}


def _json_keys(labels: Mapping[int, str]) -> dict[str, str]:
    return {str(number): name for number, name in labels.items()}


def _checked_box(box: Any, where: str) -> dict[str, Any]:
    if not isinstance(box, Mapping):
        raise UsageError(f"{where} is {type(box).__name__}; a box is a mapping with 'position'")
    try:
        found = cast("dict[str, Any]", plain(box))  # numpy and torch numbers become numbers
    except Unloggable as error:
        raise UsageError(f"{where}: {error}") from None
    _check_position(found.get("position"), where)
    if "class_id" in found:
        if isinstance(found["class_id"], float) and found["class_id"].is_integer():
            found["class_id"] = int(found["class_id"])
        if not isinstance(found["class_id"], int):
            raise UsageError(f"{where}: class_id is a whole number, not {found['class_id']!r}")
    scores = found.get("scores") or {}
    if not isinstance(scores, dict) or not all(isinstance(score, Real) for score in scores.values()):
        raise UsageError(f"{where}: scores are a mapping of names to numbers, not {scores!r}")
    if found.get("box_caption") is not None and not isinstance(found["box_caption"], str):
        raise UsageError(f"{where}: box_caption is a text, not {found['box_caption']!r}")
    if found.get("domain") not in (None, "pixel"):
        raise UsageError(f"{where}: domain is 'pixel', or left out for fractions of the image, not {found['domain']!r}")
    return found


def _check_position(position: Any, where: str) -> None:
    """Corners, or the middle with width and height."""
    if isinstance(position, Mapping):
        if all(isinstance(position.get(name), Real) for name in _CORNERS):
            return
        middle = position.get("middle")
        pair = isinstance(middle, list) and len(middle) == 2 and all(isinstance(number, Real) for number in middle)
        if pair and all(isinstance(position.get(name), Real) for name in ("width", "height")):
            return
    raise UsageError(
        f"{where}: position is {{minX, maxX, minY, maxY}} or {{middle: [x, y], width, height}}, all numbers, "
        f"not {position!r}"
    )
