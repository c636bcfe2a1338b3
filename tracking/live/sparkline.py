"""A curve in one line of block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 20) -> str:
    """The shape of `values` in at most `width` characters; values that are not finite are blanks.

    A longer series is cut in equal stretches, each shown by its last value, so that the end of the line is the present.
    """
    if width <= 0 or not values:
        return ""
    points = _thin(values, width)
    finite = [value for value in points if math.isfinite(value)]
    if not finite:
        return " " * len(points)
    low, high = min(finite), max(finite)
    return "".join(_bar(value, low, high) for value in points)


def _thin(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    return [values[(index + 1) * len(values) // width - 1] for index in range(width)]


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    if high == low:
        return BARS[len(BARS) // 2 - 1]
    # Halves first: high - low of huge values would overflow to infinity.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return BARS[min(len(BARS) - 1, max(0, int(share * len(BARS))))]
