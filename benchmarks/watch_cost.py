"""What watch() costs a training loop on the CPU, in CPU seconds: N steps without it, and every 100 or 1000 passes.

    python benchmarks/watch_cost.py [STEPS] [ROUNDS]

Rounds are interleaved and the fastest of each counts. On a busy machine the differences drown in the noise all the
same, so the price of a hook and of a histogram is measured apart, and what it makes of a step is computed from it.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time

os.environ["SWEEP_HOME"] = tempfile.mkdtemp(prefix="sweepwright-bench-")
os.environ["SWEEP_SILENT"] = "true"

import torch  # after the home is set
from torch import nn

import tracking

WIDTH, DEPTH, BATCH = 256, 12, 64


def train(steps: int, frequency: int | None, log: str) -> float:
    """CPU seconds of the loop, with its log() of one number a step."""
    torch.manual_seed(0)
    layers = [layer for _ in range(DEPTH) for layer in (nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(WIDTH, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batch = torch.randn(BATCH, WIDTH)
    with tracking.init(mode="offline") as run:
        if frequency is not None:
            run.watch(model, log=log, log_freq=frequency)
        started = time.process_time()
        for _ in range(steps):
            optimizer.zero_grad()
            loss = model(batch).square().mean()
            loss.backward()
            optimizer.step()
            run.log({"loss": loss.item()})
        return time.process_time() - started


def main(steps: int = 1000, rounds: int = 5) -> None:
    torch.set_num_threads(1)
    cases: dict[str, tuple[int | None, str]] = {
        "without watch": (None, "gradients"),
        "gradients, log_freq 1000": (1000, "gradients"),
        "gradients, log_freq 100": (100, "gradients"),
        "all, log_freq 1000": (1000, "all"),
        "all, log_freq 100": (100, "all"),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    train(50, 10, "all")
    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(train(steps, *case))
    base = min(times["without watch"])
    values = (WIDTH * WIDTH + 3 * WIDTH) * DEPTH
    print(f"{steps} steps of a model with {4 * DEPTH + 2} parameters of {values / 1e6:.2f} M values, 1 thread")
    print(f"{'':28}{'fastest':>10}{'median':>10}{'overhead':>10}{'per step':>12}")
    for name, seconds in times.items():
        best = min(seconds)
        print(
            f"{name:28}{best:9.3f}s{statistics.median(seconds):9.3f}s{best / base - 1:10.2%}"
            f"{(best - base) / steps * 1e6:9.1f} µs"
        )
    apart(base / steps)


def apart(step: float) -> None:
    """The price of one hook that only counts, and of a pass whose histograms are recorded."""
    few = nn.ParameterList([torch.zeros(1) for _ in range(1000)])

    def seconds(rounds: int) -> float:
        """Of a backward pass through the parameters, the fastest."""
        best = float("inf")
        for _ in range(rounds):
            loss = torch.cat(list(few)).sum()
            started = time.process_time()
            loss.backward()
            best = min(best, time.process_time() - started)
        return best

    model = nn.Sequential(*[nn.Linear(WIDTH, WIDTH) for _ in range(25)])
    with tracking.init(mode="offline") as run:
        plain = seconds(300)
        run.watch(few, log_freq=1_000_000)
        hook = (seconds(300) - plain) / len(few)
        run.watch(model, log_freq=1)
        model(torch.randn(1, WIDTH)).sum().backward()
        costs = []
        for _ in range(20):
            loss = model(torch.randn(1, WIDTH)).sum()
            started = time.process_time()
            loss.backward()
            costs.append(time.process_time() - started)
        run.unwatch(model)
        for number in range(20):
            loss = model(torch.randn(1, WIDTH)).sum()
            started = time.process_time()
            loss.backward()
            costs[number] -= time.process_time() - started
    recording = statistics.median(costs)
    values = 25 * WIDTH * (WIDTH + 1) / 1e6
    print(
        f"\na hook that only counts costs {hook * 1e6:.2f} µs; to record 50 gradients, {values:.2f} M values in all, ",
        end="",
    )
    print(f"takes {recording * 1e3:.1f} ms")
    for frequency in (100, 1000):
        cost = 50 * hook + recording / frequency
        share = cost / step
        print(f"log_freq {frequency}: {cost * 1e6:.0f} µs a step, {share:.2%} of one of {step * 1e3:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
