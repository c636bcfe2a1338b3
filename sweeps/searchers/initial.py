"""The points that the user wants tried first."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Any

from sweeps.records import Params
from sweeps.spec.model import SweepSpec


def initial_points(
    spec: SweepSpec, fill: Callable[[random.Random], Params] | None = None
) -> tuple[dict[str, Any], ...]:
    """`spec.initial` without repetitions. What a point leaves open comes from `fill`, a draw by default."""
    draw = fill or spec.space.sample
    first: dict[Hashable, dict[str, Any]] = {}
    for position, given in enumerate(spec.initial):
        drawn = draw(random.Random(f"{spec.seed}/initial/{position}"))
        point = {name: given.get(name, drawn[name]) for name in spec.space.names}
        first.setdefault(spec.space.canonical(point), point)
    return tuple(first.values())
