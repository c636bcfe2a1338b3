"""Counting the values of arrays and tensors in bins of equal width; tensors where they are."""

from __future__ import annotations

import sys
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media.pixels.arrays import as_numpy, is_tensor

_PART = 1 << 20
"""Values of a tensor that are counted at a time."""


def counted(values: Any, num_bins: int) -> tuple[list[Any], list[float]]:
    """Counts and edges of the finite values, without a finite one one empty bin range 0…1. Raises UsageError."""
    if is_tensor(values):
        found = counted_tensor(values, num_bins)
        return ([0] * num_bins, _edges(0.0, 1.0, num_bins)) if found is None else read_back(found)
    numpy = require("numpy", "media", "Histogram()")
    array = as_numpy(list(values) if isinstance(values, (set, frozenset, range)) else values, "Histogram()").ravel()
    if array.dtype.kind == "f" and not numpy.isfinite(array).all():
        array = array[numpy.isfinite(array)]
    if array.dtype.kind == "b" or array.dtype == numpy.float16:
        array = array.astype(numpy.float32)  # halves overflow at the edges
    try:
        counts, edges = numpy.histogram(array, bins=num_bins)
    except (TypeError, ValueError) as error:  # a range that floats cannot divide
        raise UsageError(f"Histogram(): {error}") from None
    return counts.tolist(), edges.tolist()


class Binned:
    """Counts of a tensor that may still be on its device, and the range that they divide."""

    __slots__ = ("counts", "high", "low")

    def __init__(self, counts: Any, low: float, high: float) -> None:
        self.counts, self.low, self.high = counts, low, high


def counted_tensor(tensor: Any, num_bins: int) -> Binned | None:
    """The bins of a torch tensor, counted on its device; None when it has no finite value.

    Handles halves, integers, complex numbers (their size), sparse tensors (their zeros are counted), NaN and infinity.
    """
    torch = sys.modules["torch"]
    flat, zeros = _values_of(torch, tensor.detach())
    flat, low, high = _finite(torch, flat)
    if not flat.numel() and not zeros:
        return None
    if zeros:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        # One bin holds all, as W&B has it; a width of nothing is no range.
        return Binned(torch.tensor([flat.numel() + zeros]), low, high)
    if high / 2 - low / 2 > torch.finfo(flat.dtype).max / 2:  # the width must be a number
        counts = _counts(torch, flat * 0.25, num_bins, low * 0.25, high * 0.25)
    else:
        counts = _counts(torch, flat, num_bins, low, high)
    if zeros:
        counts[min(int((0.0 - low) / (high - low) * num_bins), num_bins - 1)] += zeros
    return Binned(counts, low, high)


def read_back(binned: Binned) -> tuple[list[Any], list[float]]:
    """Counts (whole numbers) and edges of one tensor."""
    counts = [int(count) for count in binned.counts.tolist()]
    return counts, _edges(binned.low, binned.high, len(counts))


def _values_of(torch: Any, tensor: Any) -> tuple[Any, int]:
    """All values in one row, as floats that histc takes, and how many zeros a sparse tensor leaves out."""
    zeros = 0
    if tensor.layout is torch.sparse_coo:
        whole = tensor.numel()
        tensor = tensor.coalesce().values()
        zeros = whole - tensor.numel()
    elif tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.is_complex():
        tensor = tensor.abs()
    if tensor.device.type not in ("cpu", "cuda", "xpu"):
        tensor = tensor.cpu()  # where histc may be missing
    flat = tensor.reshape(-1)
    return flat if flat.dtype in (torch.float32, torch.float64) else flat.float(), zeros


def _finite(torch: Any, flat: Any) -> tuple[Any, float, float]:
    """The finite values with the lowest and the highest: one pass and one wait for the device, seldom two."""
    if not flat.numel():
        return flat, 0.0, 0.0
    low, high = torch.stack(torch.aminmax(flat)).tolist()
    if low - low == 0 and high - high == 0:  # both finite: NaN wins every comparison of aminmax
        return flat, low, high
    flat = flat[torch.isfinite(flat)]
    if not flat.numel():
        return flat, 0.0, 0.0
    low, high = torch.stack(torch.aminmax(flat)).tolist()
    return flat, low, high


def _counts(torch: Any, flat: Any, num_bins: int, low: float, high: float) -> Any:
    """Counts of finite values, part by part: a part bounds the memory, and histc is exact up to 2**24."""
    counts = torch.zeros(num_bins, dtype=torch.int64, device=flat.device)
    count = _by_histc if flat.device.type != "cpu" else _by_index
    for start in range(0, flat.numel(), _PART):
        counts += count(torch, flat[start : start + _PART], num_bins, low, high)
    return counts


def _by_index(torch: Any, flat: Any, num_bins: int, low: float, high: float) -> Any:
    """On the CPU, counting indices is four times as fast as histc."""
    if num_bins / (high - low) > 1e30:  # a range so narrow that the factor is beyond float32
        flat = flat.double()
    index = (flat - low).mul_(num_bins / (high - low)).to(torch.int32).clamp_(0, num_bins - 1)
    return torch.bincount(index, minlength=num_bins)


def _by_histc(torch: Any, flat: Any, num_bins: int, low: float, high: float) -> Any:
    try:
        return torch.histc(flat, bins=num_bins, min=low, max=high).long()
    except RuntimeError:  # no such kernel on this device, or only deterministic ones are allowed
        return _by_index(torch, flat.cpu(), num_bins, low, high).to(flat.device)


def _edges(low: float, high: float, num_bins: int) -> list[float]:
    width = high / num_bins - low / num_bins  # high - low may be beyond what a float holds
    return [low + width * number for number in range(num_bins)] + [high]
