"""Gathers the rows of a stretch of journal into columns: one part of consecutive points for each key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from operator import le, lt
from struct import Struct
from typing import Any

from tracking.store.contract import SeriesPart

_KINDS = {"d": "float", "q": "int", "?": "json"}
_INT64 = 1 << 63
_EXACT = 1 << 53  # beyond it, a float cannot hold every integer
TIMESTAMP = "_timestamp"


class RowLayout:
    """The columns that rows of one layout have, and their size in bytes."""

    __slots__ = ("keys", "kinds", "size", "unpacker")

    def __init__(self, keys: tuple[str, ...], kinds: str, unpacker: Struct) -> None:
        self.keys = keys
        self.kinds = [_KINDS[letter] for letter in kinds]
        self.unpacker = unpacker
        self.size = unpacker.size


class _Rows:
    """The rows of one layout: their payloads, and the place of each in the order of all rows."""

    __slots__ = ("order", "payloads")

    def __init__(self) -> None:
        self.payloads: list[memoryview] = []
        self.order: list[int] = []


class Columns:
    """Rows in, columns out.

    Rows of one layout are unpacked together in C, which is where the speed comes from. Most keys appear in one layout
    only, so their column is the layout's column; the others are merged in the order of the rows.
    """

    def __init__(self) -> None:
        self.last_step: int | None = None
        self.last_time: float | None = None
        self.times: list[float] = []
        """When the rows were logged, once `parts()` was called."""
        self._rows: dict[RowLayout, _Rows] = {}
        self._loose: dict[str, list[tuple[int, int, Any]]] = {}
        self._steps: list[int] = []
        self._times: list[float] = []
        self._gone: set[int] = set()

    def add(self, layout: RowLayout, step: int, at: float, payload: memoryview) -> None:
        """Take a row of numbers."""
        rows = self._rows.get(layout)
        if rows is None:
            rows = self._rows[layout] = _Rows()
        rows.payloads.append(payload)
        rows.order.append(len(self._steps))
        self._steps.append(step)
        self._times.append(at)

    def add_loose(self, step: int, at: float, data: dict[str, Any]) -> None:
        """Take a row of any values."""
        order = len(self._steps)
        self._steps.append(step)
        self._times.append(at)
        for key, value in data.items():
            self._loose.setdefault(key, []).append((order, step, value))

    def rewind(self, step: int) -> None:
        """Forget the rows at steps >= `step` that came so far."""
        for layout, rows in list(self._rows.items()):
            stay = [place for place, order in enumerate(rows.order) if self._steps[order] < step]
            rows.payloads = [rows.payloads[place] for place in stay]
            rows.order = [rows.order[place] for place in stay]
            if not stay:
                del self._rows[layout]
        self._loose = {
            key: left for key, points in self._loose.items() if (left := [point for point in points if point[1] < step])
        }
        for order, known in enumerate(self._steps):
            if known >= step:
                self._gone.add(order)

    def parts(self) -> dict[str, SeriesPart]:
        """The points of each key, `_timestamp` among them, steps strictly ascending."""
        steps, times = self._steps, self._times
        if self._gone:
            stay = [order for order in range(len(steps)) if order not in self._gone]
            steps, times = [steps[order] for order in stay], [times[order] for order in stay]
        if not steps:
            return {}
        self.last_step, self.last_time, self.times = max(steps), times[-1], times
        sources = self._sources()
        parts = {key: _joined(found, self._loose.get(key, ())) for key, found in sources.items()}
        parts |= {key: _joined((), points) for key, points in self._loose.items() if key not in sources}
        parts[TIMESTAMP] = _part("float", steps, times)
        return parts

    def _sources(self) -> dict[str, list[_Source]]:
        """For each key the columns of the layouts that have it."""
        sources: dict[str, list[_Source]] = {}
        for layout, rows in self._rows.items():
            table = layout.unpacker.iter_unpack(b"".join(rows.payloads))
            _, _, steps, _, *values = map(list, zip(*table, strict=True))
            for key, kind, column in zip(layout.keys, layout.kinds, values, strict=True):
                sources.setdefault(key, []).append(_Source(kind, rows.order, steps, column))
        return sources


class _Source:
    """One column of one layout."""

    __slots__ = ("kind", "order", "steps", "values")

    def __init__(self, kind: str, order: list[int], steps: list[int], values: list[Any]) -> None:
        self.kind, self.order, self.steps, self.values = kind, order, steps, values


def _joined(sources: Sequence[_Source], loose: Iterable[tuple[int, int, Any]]) -> SeriesPart:
    loose = list(loose)
    if len(sources) == 1 and not loose:
        only = sources[0]
        return _part(only.kind, only.steps, only.values)
    points = [*loose]
    for source in sources:
        points += zip(source.order, source.steps, source.values, strict=True)
    points.sort(key=_order)
    values = [value for _, _, value in points]
    kind = _common_kind({source.kind for source in sources} | {_kind_of(value) for _, _, value in loose}, values)
    return _part(kind, [step for _, step, _ in points], [float(v) for v in values] if kind == "float" else values)


def _order(point: tuple[int, int, Any]) -> int:
    return point[0]


def _kind_of(value: Any) -> str:
    if type(value) is float:
        return "float"
    return "int" if type(value) is int and -_INT64 <= value < _INT64 else "json"


def _common_kind(kinds: set[str], values: list[Any]) -> str:
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {"float", "int"} and all(type(value) is float or abs(value) <= _EXACT for value in values):
        return "float"
    return "json"


def _part(kind: str, steps: list[int], values: list[Any]) -> SeriesPart:
    """A part of these points; of points at the same step the last one stays."""
    if all(map(lt, steps, islice(steps, 1, None))):
        return SeriesPart(kind, steps, values)
    merged = dict(zip(steps, values, strict=True))
    ordered = sorted(merged)
    return SeriesPart(kind, ordered, [merged[step] for step in ordered])


def elapsed(before: float, times: list[float]) -> float:
    """Seconds from `before` to the last of these times. A clock that is set back stands still for that moment."""
    if times[0] >= before and all(map(le, times, islice(times, 1, None))):
        return times[-1] - before
    return sum(max(0.0, after - earlier) for earlier, after in pairwise([before, *times]))
