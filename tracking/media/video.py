"""Video: arrays of frames, files and bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tracking.errors import UsageError
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import checked_file, extension_of, is_open_file, read_all
from tracking.media.pixels.arrays import as_numpy
from tracking.media.pixels.frames import Frames, encode

FORMATS = ("gif", "mp4", "webm", "ogg")


class Video(Media):
    """A moving picture, encoded frame by frame when it is made.

    Logged, it becomes {"_type": "video-file", "path", "sha256", "size", "format", "width", "height", "frames", …}.
    """

    type_name = "video-file"

    def __init__(
        self,
        data_or_path: Any,
        caption: str | None = None,
        fps: float | None = None,
        format: str | None = None,
    ) -> None:
        """Take frames (T×C×H×W, or N×T×C×H×W: N videos side by side), a path, bytes or an open file.

        Args:
            caption: A line below the player.
            fps: Frames per second of an array, 4 by default. Files keep theirs.
            format: "gif" (default for arrays), "mp4", "webm" or "ogg". Files and bytes say it themselves.

        Raises:
            UsageError: The array is no video, or the format is none of these.
            ExtraMissing: A GIF needs Pillow, the others imageio-ffmpeg.
        """
        self.caption = None if caption is None else str(caption)
        self.fps: float | None = None
        self.width: int | None = None
        self.height: int | None = None
        self.frames: int | None = None
        if format is not None and format not in FORMATS:
            raise UsageError(f"Video(format={format!r}): it can be {', '.join(FORMATS)}")
        if fps is not None and not 0 < fps <= 1000:
            raise UsageError(f"Video(fps={fps!r}): more than 0 and at most 1000 frames per second")
        self.payload: payload.Payload
        if isinstance(data_or_path, (str, os.PathLike)):
            file = checked_file(data_or_path, "Video()")
            self.payload = payload.of_file(file, extension_of(file.name, FORMATS, "Video()"))
        elif is_open_file(data_or_path) or isinstance(data_or_path, (bytes, bytearray)):
            data = read_all(data_or_path) if is_open_file(data_or_path) else bytes(data_or_path)
            self.payload = payload.of_bytes(data, format or _format_of(data))
        else:
            self.payload = self._encoded(data_or_path, format or "gif", fps or 4)

    def _encoded(self, data: Any, extension: str, fps: float) -> payload.Payload:
        self.fps = fps
        if payload.silent():
            return payload.Nothing(extension)
        frames = Frames(as_numpy(data, "Video()"), "Video()")
        self.width, self.height, self.frames = frames.width, frames.height, frames.length
        return payload.encoded_file(extension, lambda path: encode(frames, path, extension, fps))

    @property
    def format(self) -> str:
        """The extension of the file."""
        return self.payload.extension

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self.payload.put(sink, f"media/videos/{key}_{step}")
        record = {"_type": self.type_name, **file, "format": self.format}
        given = {"width": self.width, "height": self.height, "frames": self.frames, "fps": self.fps}
        given["caption"] = self.caption  # type: ignore[assignment]
        return record | {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Video:
        """The video that a record speaks of; `payload.open()` has its bytes."""
        video = cls.__new__(cls)
        video.caption, video.fps, video.frames = record.get("caption"), record.get("fps"), record.get("frames")
        video.width, video.height = record.get("width"), record.get("height")
        video.payload = payload.Stored(record, opener)
        return video


def _format_of(data: bytes) -> str:
    """What the first bytes say. Raises UsageError when they say nothing."""
    if data[:4] == b"GIF8":
        return "gif"
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"\x1aE\xdf\xa3":
        return "webm"
    if data[:4] == b"OggS":
        return "ogg"
    raise UsageError(f"Video(): these bytes do not say what they are; give format={' or '.join(map(repr, FORMATS))}")
