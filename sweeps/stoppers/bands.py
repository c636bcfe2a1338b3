"""The numbers of values at which hyperband compares trials: its bands."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Bands:
    """Ascending band sizes, possibly without end: they are made only as far as trials get."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._coming: Iterator[int] = iter(sizes)
        self._known: list[int] = []

    def at(self, length: int) -> int | None:
        """The largest band which is at most `length`; None while the first is not reached."""
        while not self._known or self._known[-1] <= length:
            following = next(self._coming, None)
            if following is None:
                break
            self._known.append(following)
        position = bisect_right(self._known, length)
        return self._known[position - 1] if position else None

    def first(self, count: int) -> list[int]:
        """The first `count` bands, or all where there are fewer."""
        while len(self._known) < count:
            following = next(self._coming, None)
            if following is None:
                break
            self._known.append(following)
        return self._known[:count]


def bands_from_max(max_iter: float, s: int, eta: float) -> Bands:
    """`s` divisions of `max_iter` by `eta`, down to 1: (27, 2, 3) gives 3, 9. `max_iter` itself is no band."""
    sizes: set[int] = set()
    size = float(max_iter)
    for _ in range(s):
        size /= eta
        if size < 1:
            break
        sizes.add(int(size))
    return Bands(sorted(sizes))


def bands_from_min(min_iter: float, eta: float) -> Bands:
    """int(min_iter * eta**i) for i = 0, 1, … without end: (3, 3) gives 3, 9, 27, 81, …"""
    return Bands(_growing(min_iter, eta))


def _growing(start: float, factor: float) -> Iterator[int]:
    last = 0
    for power in itertools.count():
        try:
            size = int(start * factor**power)
        except OverflowError:  # no trial gets as far as 1e308 values
            return
        if size > last:  # a factor close to 1 gives the same size several times
            yield size
            last = size
