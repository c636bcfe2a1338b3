"""Tracking without a sweep: fit a line to noisy points by gradient descent and log what happens. Nothing to install."""

from __future__ import annotations

import random

import tracking


def main() -> None:
    draw = random.Random(0)
    points = [(x / 50, 3.0 * x / 50 + 1.0 + draw.gauss(0, 0.1)) for x in range(100)]
    slope, intercept = 0.0, 0.0
    with tracking.init(project="plain", config={"lr": 0.1, "steps": 200}) as run:
        for _ in range(run.config.steps):
            errors = [(slope * x + intercept - y, x) for x, y in points]
            slope -= run.config.lr * sum(2 * e * x for e, x in errors) / len(points)
            intercept -= run.config.lr * sum(2 * e for e, _ in errors) / len(points)
            run.log({"loss": sum(e * e for e, _ in errors) / len(points), "slope": slope, "intercept": intercept})
        run.summary["equation"] = f"y = {slope:.2f} x + {intercept:.2f}"
    print(f"found y = {slope:.2f} x + {intercept:.2f} (the truth is y = 3 x + 1)")


if __name__ == "__main__":
    main()
