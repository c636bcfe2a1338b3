"""Images: arrays, PIL images, figures and files, with captions, classes, boxes and masks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media import figures
from tracking.media.classes import Classes
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import checked_file
from tracking.media.pixels.arrays import as_bytes, as_numpy, as_picture, is_tensor
from tracking.media.pixels.overlays import Boxes, Mask
from tracking.notices import warn_once

FORMATS = ("png", "jpg", "jpeg", "bmp", "webp")
"""What arrays and PIL images can be saved as."""
_PILLOW_NAMES = {"jpg": "JPEG"}
_PNG_MODES = frozenset(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"))
_NO_ALPHA = frozenset(("jpg", "jpeg", "bmp"))


class Image(Media):
    """A picture. It is encoded when it is made, so the array may change afterwards.

    Logged, it becomes {"_type": "image-file", "path", "sha256", "size", "format", "width", "height", …}.
    """

    type_name = "image-file"

    def __init__(
        self,
        data_or_path: Any,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: Classes | Sequence[Mapping[str, Any]] | None = None,
        boxes: Mapping[str, Mapping[str, Any]] | None = None,
        masks: Mapping[str, Mapping[str, Any]] | None = None,
        file_type: str | None = None,
        normalize: bool = True,
    ) -> None:
        """Take an array (H×W, H×W×C, C×H×W), a PIL image, a matplotlib figure, a path or another Image.

        Args:
            mode: The mode of PIL to convert to, such as "L", "RGB" or "RGBA"; by default what the data says.
            caption: A line below the picture.
            grouping: The number of a group in which viewers show images together.
            classes: Names of class numbers, for boxes and masks.
            boxes: {name: {"box_data": [box, …], "class_labels"}}; a box is {"position", "domain", "class_id", "scores",
                "box_caption"}.
            masks: {name: {"mask_data": array of height × width, or "path", "class_labels"}}.
            file_type: "png" (default), "jpg", "bmp" or "webp"; files are kept as they are.
            normalize: Stretch numbers within 0…1, and ranges with negative numbers, to 0…255.

        Raises:
            UsageError: The data is no picture, or a box or a mask is wrong; the text names it.
            ExtraMissing: Pillow or numpy is needed and absent.
        """
        self.caption = None if caption is None else str(caption)
        self.grouping = grouping
        self.width: int | None = None
        self.height: int | None = None
        self.payload = self._taken(data_or_path, mode, file_type, normalize)
        self.classes = classes if isinstance(classes, Classes) or classes is None else Classes(classes)
        self.boxes = {name: Boxes(value, name) for name, value in _named(boxes, "boxes").items()}
        self.masks = {name: Mask(value, name) for name, value in _named(masks, "masks").items()}

    def _taken(self, data: Any, mode: str | None, file_type: str | None, normalize: bool) -> payload.Payload:
        if isinstance(data, Image):
            self.caption = data.caption if self.caption is None else self.caption
            self.grouping = data.grouping if self.grouping is None else self.grouping
            self.width, self.height = data.width, data.height
            return data.payload
        if isinstance(data, (str, os.PathLike)):
            return self._taken_file(data)
        extension = _checked_type(file_type)
        if payload.silent():
            return payload.Nothing(extension)
        if figures.is_matplotlib(data):
            return self._taken_figure(data, extension)
        return self._taken_picture(_picture(data, mode, normalize), mode, extension)

    def _taken_file(self, path: str | os.PathLike[str]) -> payload.Payload:
        file = checked_file(path, "Image()")
        self.width, self.height = _size_of_file(file)
        return payload.of_file(file, file.suffix[1:].lower() or "png")

    def _taken_figure(self, drawn: Any, extension: str) -> payload.Payload:
        figure = figures.figure_of(drawn)
        self.width, self.height = (int(side) for side in figure.canvas.get_width_height(physical=True))
        pixels = self.width * self.height * 4
        return payload.encoded(extension, lambda file: figures.save(figure, file, extension), pixels)

    def _taken_picture(self, picture: Any, mode: str | None, extension: str) -> payload.Payload:
        if mode is not None and picture.mode != mode:
            picture = picture.convert(mode)
        if extension in _NO_ALPHA and picture.mode in ("LA", "RGBA", "P", "I;16"):
            if picture.mode in ("LA", "RGBA"):
                warn_once(
                    f"image:{extension}", f"Image(): {extension} has no transparency; the alpha channel is left out"
                )
            picture = picture.convert("L" if picture.mode == "LA" else "RGB")
        elif picture.mode not in _PNG_MODES:
            picture = picture.convert("RGB")
        self.width, self.height = picture.size
        name = _PILLOW_NAMES.get(extension, extension.upper())

        def save(file: BinaryIO) -> None:
            picture.save(file, format=name, **_OPTIONS.get(extension, {}))

        return payload.encoded(extension, save, self.width * self.height * len(picture.getbands()))

    @property
    def format(self) -> str:
        """The extension of the file: "png" for arrays unless `file_type` says otherwise."""
        return self.payload.extension

    def to_pil(self) -> Any:
        """The picture as a PIL image, read from its encoded form."""
        pillow = require("PIL.Image", "media", "Image.to_pil()")
        with self.payload.open() as file:
            picture = pillow.open(file)
            picture.load()
            return picture

    @property
    def image(self) -> Any:
        """The same as `to_pil()`."""
        return self.to_pil()

    @property
    def array(self) -> Any:
        """The picture as a numpy array of height × width (× channels), uint8."""
        return require("numpy", "media", "Image.array").array(self.to_pil())

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self.payload.put(sink, f"media/images/{key}_{step}")
        record: dict[str, Any] = {"_type": self.type_name, **file, "format": self.format}
        given = {"width": self.width, "height": self.height, "caption": self.caption, "grouping": self.grouping}
        record |= {name: value for name, value in given.items() if value is not None}
        if self.classes is not None:
            record["classes"] = self.classes.to_json()
        if self.boxes:
            record["boxes"] = {name: boxes.to_record(sink, f"{key}/{name}", step) for name, boxes in self.boxes.items()}
        if self.masks:
            record["masks"] = {name: mask.to_record(sink, f"{key}/{name}", step) for name, mask in self.masks.items()}
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Image:
        """The image that a record of the history or of a table speaks of; its file is opened when it is looked at."""
        image = cls.__new__(cls)
        image.caption, image.grouping = record.get("caption"), record.get("grouping")
        image.width, image.height = record.get("width"), record.get("height")
        image.payload = payload.Stored(record, opener)
        image.classes = Classes(record["classes"]) if record.get("classes") else None
        boxes, masks = record.get("boxes") or {}, record.get("masks") or {}
        image.boxes = {name: Boxes.from_record(value, opener, name) for name, value in boxes.items()}
        image.masks = {name: Mask.from_record(value, opener) for name, value in masks.items()}
        return image

    def __repr__(self) -> str:
        return f"Image({self.width}×{self.height} {self.format}{f', {self.caption!r}' if self.caption else ''})"


_OPTIONS: dict[str, dict[str, Any]] = {"png": {"compress_level": 4}, "jpg": {"quality": 90}, "jpeg": {"quality": 90}}


def _picture(data: Any, mode: str | None, normalize: bool) -> Any:
    """A PIL image of whatever holds pixels."""
    pillow = require("PIL.Image", "media", "Image()")
    if isinstance(data, pillow.Image):
        if data.mode not in ("F", "I"):
            return data
        data = _numbers_of(data)
    pixels = as_picture(as_numpy(data, "Image()"), is_tensor(data), "Image()")
    if pixels.ndim == 2 and pixels.dtype == "uint16" and mode is None and pixels.max() > 255:
        return pillow.fromarray(pixels)  # 16 bits of grey, such as a depth image, survive in a PNG
    return pillow.fromarray(require("numpy", "media").ascontiguousarray(as_bytes(pixels, normalize)))


def _numbers_of(picture: Any) -> Any:
    """The numbers of a picture that has no bytes: 32 bits, of which 16 are enough for most."""
    numpy = require("numpy", "media", "Image()")
    numbers = numpy.asarray(picture)
    fits = picture.mode == "I" and numbers.min(initial=0) >= 0 and numbers.max(initial=0) < 1 << 16
    return numbers.astype(numpy.uint16) if fits else numbers


def _size_of_file(file: Path) -> tuple[int | None, int | None]:
    """Width and height from the head of a file; unknown without Pillow, and of drawings."""
    try:
        pillow = require("PIL.Image", "media")
    except ImportError:
        return None, None
    if file.suffix.lower() == ".svg":
        return None, None
    try:
        with pillow.open(file) as picture:
            width, height = picture.size
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"Image(): {file} is no picture that Pillow can read: {error}") from None
    return width, height


def _checked_type(file_type: str | None) -> str:
    extension = (file_type or "png").lower().removeprefix(".")
    if extension not in FORMATS:
        raise UsageError(f"Image(file_type={file_type!r}): it can be {', '.join(FORMATS)}")
    return extension


def _named(given: Any, what: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(f"Image({what}=…) is a mapping of names to {what}, not {type(given).__name__}")
    return given
