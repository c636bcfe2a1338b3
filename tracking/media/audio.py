"""Sound: arrays of samples and files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import checked_file
from tracking.media.pixels.arrays import as_numpy

FORMATS = ("wav", "flac")
"""What arrays can be saved as."""
_MOST_CHANNELS = 32


class Audio(Media):
    """A sound. Logged, it becomes {"_type": "audio-file", "path", "sha256", "size", "sample_rate", "duration", …}."""

    type_name = "audio-file"

    def __init__(
        self,
        data_or_path: Any,
        sample_rate: int | None = None,
        caption: str | None = None,
        file_type: str = "wav",
    ) -> None:
        """Take samples (N, N×channels or channels×N; floats within -1…1 or integers), or the path of a file.

        Args:
            sample_rate: Samples per second; an array needs it.
            caption: A line below the player.
            file_type: "wav" (16 bits) or "flac" for arrays; files are kept as they are.

        Raises:
            UsageError: No sample rate, no such file, or an array that is no sound.
            ExtraMissing: Arrays need soundfile.
        """
        self.caption = None if caption is None else str(caption)
        self.sample_rate = sample_rate
        self.duration: float | None = None
        """Seconds; None when it is not known."""
        self.payload: payload.Payload
        if isinstance(data_or_path, (str, os.PathLike)):
            file = checked_file(data_or_path, "Audio()")
            self.payload = payload.of_file(file, file.suffix[1:].lower() or "wav")
        else:
            self.payload = self._encoded(data_or_path, file_type)

    def _encoded(self, data: Any, file_type: str) -> payload.Payload:
        if self.sample_rate is None:
            raise UsageError("Audio(): an array needs sample_rate, in samples per second")
        if not self.sample_rate > 0:
            raise UsageError(f"Audio(sample_rate={self.sample_rate!r}): more than 0 samples per second")
        if file_type not in FORMATS:
            raise UsageError(f"Audio(file_type={file_type!r}): it can be {' or '.join(FORMATS)}")
        if payload.silent():
            return payload.Nothing(file_type)
        rate = int(self.sample_rate)
        soundfile = require("soundfile", "media", "Audio() of an array")
        samples = _samples(data)
        self.duration = len(samples) / rate

        def write(file: BinaryIO) -> None:
            soundfile.write(file, samples, rate, format=file_type.upper(), subtype="PCM_16")

        return payload.encoded(file_type, write, samples.size * 2)

    def samples(self) -> tuple[Any, int]:
        """The sound as an array of floats (N or N×channels) and its sample rate. Raises ExtraMissing."""
        soundfile = require("soundfile", "media", "Audio.samples()")
        with self.payload.open() as file:
            data, rate = soundfile.read(file)
            return data, rate

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        record = {"_type": self.type_name, **self.payload.put(sink, f"media/audio/{key}_{step}")}
        given = {"sample_rate": self.sample_rate, "duration": self.duration, "caption": self.caption}
        return record | {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Audio:
        """The sound that a record speaks of."""
        audio = cls.__new__(cls)
        audio.caption, audio.sample_rate = record.get("caption"), record.get("sample_rate")
        audio.duration, audio.payload = record.get("duration"), payload.Stored(record, opener)
        return audio


def _samples(data: Any) -> Any:
    """The samples in a shape and a type that soundfile writes: N or N×channels, 16 or 32 bit integers or floats."""
    numpy = require("numpy", "media")
    array = as_numpy(data, "Audio()")
    while array.ndim > 1 and 1 in array.shape and array.ndim > (2 if array.size > 1 else 1):
        array = array.squeeze(array.shape.index(1))
    if array.ndim not in (1, 2) or not array.size:
        raise UsageError(f"Audio(): shape {array.shape} is no sound; it takes (N,), (N, channels) or (channels, N)")
    if array.ndim == 2 and array.shape[0] < array.shape[1] and array.shape[0] <= _MOST_CHANNELS:
        array = array.T  # channels first, as torch has it: no sound has more channels than samples
    if array.dtype in (numpy.float32, numpy.float64, numpy.int16, numpy.int32):
        return array
    if array.dtype.kind == "f":
        return array.astype(numpy.float32)
    if array.dtype == numpy.uint8:  # 8 bits are unsigned in every format
        return (array.astype(numpy.int16) - 128) << 8
    if array.dtype.kind == "b":
        raise UsageError("Audio(): an array of bools is no sound")
    fits = array.min() >= -(1 << 15) and array.max() < 1 << 15
    return array.astype(numpy.int16 if fits else numpy.int32)
