"""A desk for tests of the verbs: a sweep.yaml, and sweeps made from it whose trials were told."""

from __future__ import annotations

import json
from collections.abc import Callable

import sweeps

SPEC = """\
# a comment of the user
name: digits [red]
method: random
program: train.py
metric: {name: loss, goal: minimize}
run_cap: 4
seed: 3
parameters:
  opt: {parameters: {lr: {min: 0.0, max: 1.0}}}
  act: {values: ["it's", relu]}
"""

Run = Callable[..., tuple[int, str, str]]


def create(run: Run, *options: str) -> sweeps.Sweep:
    status, out, err = run("create", "sweep.yaml", "--json", *options)
    assert status == 0, err
    return sweeps.get(json.loads(out)["id"])


def told(run: Run, values: list[float | None]) -> sweeps.Sweep:
    """A sweep whose trials have ended with these values, None for a failed one."""
    sweep = create(run)
    for value in values:
        trial = sweep.ask()
        sweep.tell(trial, value, state="failed" if value is None else None, reason="boo [/b]" if value is None else "")
    return sweep
