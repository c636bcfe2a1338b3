"""What a model-based searcher asks of its model, and how the model's heavy libraries are loaded."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Protocol, cast

from sweeps.searchers.axes import Axis, Coordinates
from sweeps.searchers.experience import Experience

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Engine(Protocol):
    """Finds the most promising coordinates."""

    def propose(self, number: int, experiences: Sequence[Experience], seed: int) -> Coordinates:
        """Coordinates for trial `number` from what ended and running trials gave. The same arguments give the same."""


def load_engine(axes: Sequence[Axis]) -> Engine:
    """TPE over `axes`. numpy is told to use one thread: its arrays are small here, and the cores belong to the trials.

    The variables are put back afterwards, or every trial that this process starts would inherit them.
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        module = importlib.import_module("sweeps.searchers.tpe")
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    return cast(Engine, module.Tpe(axes))
