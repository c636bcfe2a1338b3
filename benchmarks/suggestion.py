"""Milliseconds per suggestion at 100, 1 000 and 5 000 finished trials, for every method, and for a searcher built anew.

python benchmarks/suggestion.py
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.searchers import make_searcher
from sweeps.searchers.contract import Observation
from sweeps.spec.model import SweepSpec
from sweeps.states import TrialState

COUNTS = (100, 1_000, 5_000)
TARGET = 50.0
REPEATS = 25
CONTINUOUS = {
    "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
    "decay": {"distribution": "log_uniform_values", "min": 1e-6, "max": 1e-2},
    "momentum": {"min": 0.0, "max": 1.0},
    "dropout": {"distribution": "q_uniform", "min": 0.0, "max": 0.5, "q": 0.05},
    "noise": {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
}
DISCRETE = {
    "width": {"min": 8, "max": 512},
    "depth": {"min": 1, "max": 12},
    "batch": {"values": [16, 32, 64, 128, 256]},
    "act": {"values": ["relu", "tanh", "gelu", None]},
}
SPACES: Mapping[str, Mapping[str, Any]] = {
    "grid": DISCRETE,
    "random": {**CONTINUOUS, **DISCRETE},
    "bayes": {**CONTINUOUS, **DISCRETE},
}


def spec_of(method: str) -> SweepSpec:
    return SweepSpec.from_document(
        {"method": method, "seed": 7, "metric": {"name": "loss"}, "parameters": SPACES[method]}
    )


def loss(params: Mapping[str, Any]) -> float:
    """Smooth in the learning rate and the width, the rest does not matter."""
    rate, width = float(params.get("lr", 1e-3)), int(params["width"])
    return (math.log10(rate) + 3) ** 2 + (width / 512 - 0.6) ** 2


def history(spec: SweepSpec, count: int) -> list[Observation]:
    """Finished trials as a long sweep leaves them: a few failed, a third pruned, more and more near the optimum."""
    rng, told = random.Random(1), []
    for number in range(count):
        params = spec.space.sample(rng)
        kind = rng.random()
        state = TrialState.FAILED if kind < 0.03 else TrialState.PRUNED if kind < 0.33 else TrialState.COMPLETE
        value = None if state is TrialState.FAILED else loss(params)
        told.append(Observation(number, params, state, value, rng.choice([3, 9, 27]), number + 1))
    return told


def measure(method: str, count: int) -> tuple[float, float]:
    """Median milliseconds of a suggestion with the trial before it told, and of building the searcher."""
    spec = spec_of(method)
    told = history(spec, count)
    started = time.perf_counter()
    searcher = make_searcher(spec)
    searcher.tell(told)
    built = (time.perf_counter() - started) * 1000
    searcher.ask(count)  # the first one imports the model
    times = []
    for number in range(count, count + REPEATS):
        started = time.perf_counter()
        params = searcher.ask(number).params
        searcher.tell([Observation(number, params, TrialState.RUNNING)])
        times.append((time.perf_counter() - started) * 1000)
        searcher.tell([Observation(number, params, TrialState.COMPLETE, loss(params), 27, number + 1)])
    return statistics.median(times), built


def row(cells: Sequence[str]) -> str:
    return f"{cells[0]:<8} {cells[1]:>8} {cells[2]:>16} {cells[3]:>12} {cells[4]:>18}"


def main() -> None:
    print(row(["method", "trials", "ms/suggestion", "target", "ms to build anew"]))
    for method in SPACES:
        for count in COUNTS:
            suggestion, built = measure(method, count)
            target = f"<= {TARGET:.0f}" if count == 1_000 else "sublinear" if count > 1_000 else ""
            print(row([method, str(count), f"{suggestion:.3f}", target, f"{built:.1f}"]))


if __name__ == "__main__":
    main()
