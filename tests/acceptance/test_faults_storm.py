"""Grids under fire: agents are killed at random, and still every point is complete exactly once."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from contextlib import closing

import pytest

from sweeps.states import TrialState
from tests.acceptance.workshop import Workshop, wait_for
from tests.acceptance.workshop import shop as shop
from tracking.store import open_store as open_run_store

SCRIPT = """
import os, time, tracking
run = tracking.init()
tracking.log({"loss": run.config["x"] + run.config["y"] / 1000})
time.sleep(0.05)
# One line per process that came to its end, whatever the agents believe.
fd = os.open("ends.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(fd, f"{run.config['x']} {run.config['y']}\\n".encode())
"""


def storm(shop: Workshop, xs: int, ys: int, agents: int, kills: int, seconds: float) -> None:
    shop.create(SCRIPT, parameters={"x": {"values": list(range(xs))}, "y": {"values": list(range(ys))}})
    rng = random.Random(7)
    fleet = [shop.agent("--quiet", lease=3) for _ in range(agents)]
    points = xs * ys
    killed = []
    for kill in range(kills):
        mark = points * (kill + 1) // (kills + 2)
        wait_for(lambda mark=mark: shop.count(TrialState.COMPLETE) >= mark, f"{mark} trials", seconds)  # type: ignore[misc]
        victim = rng.choice([agent for agent in fleet if agent not in killed])
        victim.send(signal.SIGKILL)
        killed.append(victim)
        fleet.append(shop.agent("--quiet", lease=3))
    began = time.monotonic()
    for agent in fleet:
        if agent not in killed:
            assert agent.wait(max(10.0, seconds - (time.monotonic() - began))) == 0, agent.err
            assert agent.err == ""
    _check(shop, xs, ys, kills)


def _check(shop: Workshop, xs: int, ys: int, kills: int) -> None:
    trials = shop.trials()
    assert Counter(trial.state for trial in trials) == {TrialState.COMPLETE: xs * ys}
    assert sorted((trial.params["x"], trial.params["y"]) for trial in trials) == [
        (x, y) for x in range(xs) for y in range(ys)
    ]
    assert sorted(trial.finish_seq or 0 for trial in trials) == list(range(1, xs * ys + 1))
    assert all(trial.value == trial.params["x"] + trial.params["y"] / 1000 for trial in trials)
    assert sum(trial.lost for trial in trials) <= kills
    with closing(open_run_store()) as store:
        runs = store.runs(sweep_id=shop.sweep_id)
        assert Counter(run.state for run in runs) == {"finished": xs * ys}
        assert all(info.count == 1 for run in runs for info in store.keys(run.id) if info.key == "loss")
    ends = Counter((shop.folder / "ends.txt").read_text().splitlines())
    assert len(ends) == xs * ys
    assert sum(ends.values()) - len(ends) <= kills  # only what an agent had running when it was killed ran twice
    assert shop.sweep_state() == "finished"
    assert shop.running_pids() == []


def test_a_grid_survives_two_killed_agents(shop: Workshop) -> None:
    storm(shop, 6, 10, agents=4, kills=2, seconds=90)


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_a_thousand_points_survive_three_killed_agents(shop: Workshop) -> None:
    storm(shop, 25, 40, agents=8, kills=3, seconds=600)
