"""Encoding of frames one by one: nothing but the frame at hand is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media.pixels.arrays import CHANNELS, limits, scaled

_CODECS = {"mp4": "libx264", "webm": "libvpx-vp9", "ogg": "libtheora"}
_EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
"""The codecs halve the colours, so both sides must be even: a line is added, nothing is resized."""


class Frames:
    """Frames of one size, from an array of T×C×H×W or N×T×C×H×W (N videos side by side)."""

    def __init__(self, data: Any, what: str) -> None:
        """Raises UsageError for another shape."""
        if data.ndim not in (4, 5) or 0 in data.shape:
            raise UsageError(f"{what}: shape {data.shape} is no video; it takes (T, C, H, W) or (N, T, C, H, W)")
        data = data if data.ndim == 5 else data[None]
        if data.shape[2] not in CHANNELS:
            if data.shape[-1] not in CHANNELS:
                raise UsageError(f"{what}: shape {data.shape[1:]} has no axis of 1 to 4 channels after the frames")
            data = data.transpose(0, 1, 4, 2, 3)
        self._data = data
        self._limits = limits(data)
        count, self.length, _, self._height, self._width = data.shape
        # As W&B lays them out: the next power of two, twice as many columns as rows or as many of both.
        places = 1 << (count - 1).bit_length()
        self._rows = 1 << ((count.bit_length() - 1) // 2)
        self._columns = places // self._rows

    @property
    def height(self) -> int:
        return int(self._rows * self._height)

    @property
    def width(self) -> int:
        return int(self._columns * self._width)

    def __iter__(self) -> Iterator[Any]:
        """Frames of height × width × 3, uint8."""
        numpy = require("numpy", "media")
        for moment in range(self.length):
            frame = numpy.zeros((self.height, self.width, 3), numpy.uint8)
            for number, video in enumerate(self._data):
                row, column = divmod(number, self._columns)
                top, left = row * self._height, column * self._width
                pixels = scaled(video[moment], *self._limits).transpose(1, 2, 0)
                frame[top : top + self._height, left : left + self._width] = _rgb(pixels)
            yield frame


def encode(frames: Frames, path: Path, extension: str, fps: float) -> None:
    """Write the frames as a video file. Raises OSError (the disk, or the encoder), ExtraMissing."""
    if extension == "gif":
        _encode_gif(frames, path, fps)
        return
    ffmpeg = require("imageio_ffmpeg", "media", f"Video(format={extension!r})")
    writer = ffmpeg.write_frames(
        str(path),
        (frames.width, frames.height),
        fps=fps,
        codec=_CODECS[extension],
        macro_block_size=1,
        output_params=["-vf", _EVEN, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"],
        ffmpeg_log_level="error",
    )
    writer.send(None)
    try:
        for frame in frames:
            writer.send(frame)
    finally:
        writer.close()


def _encode_gif(frames: Iterable[Any], path: Path, fps: float) -> None:
    """A GIF written frame by frame: Pillow's own way collects all of them first."""
    pillow, gif = require("PIL.Image", "media", "Video(format='gif')"), require("PIL.GifImagePlugin", "media")
    duration = max(round(1000 / fps), 10)
    with path.open("wb") as file:
        for number, pixels in enumerate(frames):
            frame = pillow.fromarray(pixels).quantize(256, dither=pillow.Dither.NONE)
            if number == 0:
                file.writelines(gif.getheader(frame, info={"loop": 0, "duration": duration})[0])
            pieces = gif.getdata(frame, duration=duration, include_color_table=True)
            file.writelines(pieces)
            pieces.clear()  # Pillow keeps the list in a cycle, which the collector finds late
        file.write(b";")


def _rgb(pixels: Any) -> Any:
    """Grey is repeated, alpha left out."""
    return pixels[..., :3] if pixels.shape[-1] > 2 else pixels[..., :1]
