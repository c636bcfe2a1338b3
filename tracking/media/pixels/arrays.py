"""Arrays of any library as numpy arrays, and any numbers as pixels."""

from __future__ import annotations

import sys
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require

CHANNELS = (1, 2, 3, 4)
"""Grey, grey with alpha, RGB, RGBA."""


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of torch: a program that never imported torch has none."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and isinstance(value, tensor)


def as_numpy(value: Any, what: str) -> Any:
    """The value as a numpy array of bools, integers or floats; on the CPU, without a copy where possible.

    Takes arrays of numpy, torch, jax, TensorFlow and cupy, and nested lists. Raises UsageError for the rest.
    """
    numpy = require("numpy", "media", what)
    try:
        array = numpy.asarray(_on_cpu(value))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what}: no array can be made of {type(value).__name__}: {error}") from None
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16 and its like
        return array.astype(numpy.float32)
    raise UsageError(f"{what}: an array of {array.dtype} (of {type(value).__name__}); it takes numbers or bools")


def _on_cpu(value: Any) -> Any:
    if is_tensor(value):
        torch = sys.modules["torch"]
        tensor = value.detach()
        tensor = tensor.to_dense() if tensor.layout is not torch.strided else tensor
        tensor = tensor.float() if tensor.dtype is torch.bfloat16 or tensor.is_quantized else tensor
        return tensor.cpu().resolve_conj().resolve_neg().numpy()
    if type(value).__module__.partition(".")[0] == "cupy":
        return value.get()
    if hasattr(value, "numpy") and not hasattr(value, "__array__"):
        return value.numpy()
    return value


def as_picture(data: Any, channels_first: bool, what: str) -> Any:
    """An array of height × width (× 2, 3 or 4 channels); axes of length 1 are dropped. Raises UsageError.

    `channels_first` decides where both ends could be channels: it is torch's way, the others put them last.
    """
    shape = data.shape
    while data.ndim > 3 and data.shape[0] == 1:
        data = data[0]
    if data.ndim == 4:
        raise UsageError(f"{what}: shape {shape} is a batch; log a list: [Image(one) for one in batch]")
    if data.ndim not in (2, 3) or 0 in data.shape:
        raise UsageError(f"{what}: shape {shape} is no picture; it takes (H, W), (H, W, C) or (C, H, W)")
    if data.ndim == 2:
        return data
    first, last = data.shape[0] in CHANNELS, data.shape[-1] in CHANNELS
    if first and (channels_first or not last):
        data = data.transpose(1, 2, 0)
    elif not last:
        raise UsageError(f"{what}: shape {shape} has no axis of 1 to 4 channels, neither the first nor the last")
    return data[..., 0] if data.shape[-1] == 1 else data


def as_bytes(data: Any, normalize: bool = True) -> Any:
    """The array as uint8 pixels.

    Bytes stay as they are, bools become 0 and 255. With `normalize`, numbers within 0…1 are stretched to 0…255, an
    array with negative ones so that its range becomes 0…255, and others are cut at 0 and 255. NaN is black.
    """
    return scaled(data, *limits(data, normalize))


def limits(data: Any, normalize: bool = True) -> tuple[float, float]:
    """Which values become 0 and 255. Of a video all frames together, so that no frame is stretched by itself."""
    if data.dtype.kind == "b":
        return 0.0, 1.0
    if (data.dtype.kind == "u" and data.dtype.itemsize == 1) or not normalize or not data.size:
        return 0.0, 255.0
    lowest, highest = _range(data)
    if lowest < 0:
        return lowest, highest
    return (0.0, 1.0) if highest <= 1 else (0.0, 255.0)


def scaled(data: Any, low: float, high: float) -> Any:
    """The array as uint8, `low` becoming 0 and `high` 255."""
    numpy = sys.modules["numpy"]
    if data.dtype == numpy.uint8:
        return data
    if data.dtype.kind in "iu" and (low, high) == (0.0, 255.0):
        return data.clip(0, 255).astype(numpy.uint8)
    pixels = data.astype(numpy.float64 if data.dtype.itemsize == 8 else numpy.float32)
    with numpy.errstate(all="ignore"):
        pixels -= low
        pixels *= 255.0 / ((high - low) or 1.0)
    numpy.nan_to_num(pixels, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    numpy.rint(pixels, out=pixels)
    return pixels.clip(0, 255, out=pixels).astype(numpy.uint8)


def _range(data: Any) -> tuple[float, float]:
    numpy = sys.modules["numpy"]
    lowest, highest = data.min(), data.max()
    if data.dtype.kind == "f" and not (numpy.isfinite(lowest) and numpy.isfinite(highest)):
        finite = data[numpy.isfinite(data)]
        lowest, highest = (finite.min(), finite.max()) if finite.size else (0, 0)
    return float(lowest), float(highest)
