"""`sweep sync` among the trials of sweeps: agents ship those, and an open sweep needs their folders."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.workshop import LOSS, SLOW, SWEEP, Workshop, shop

__all__ = ["shop"]


def sync(*argv: str) -> str:
    done = subprocess.run([SWEEP, "sync", *argv], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def folders(shop: Workshop) -> list[str]:
    return sorted(path.name for path in (Path(os.environ["SWEEP_HOME"]) / "runs").iterdir())


def test_a_running_trial_is_its_agents(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"value": 1}})
    agent = shop.agent()
    shop.wait_running(1)
    assert "skipped, an agent drives trial 0 of sweep" in sync("--live")
    shop.open_gate()
    assert agent.wait() == 0
    assert shop.states() == ["complete"]
    assert shop.trials()[0].value == 1.0


def test_the_trials_of_a_sweep_are_cleaned_when_it_is_over(shop: Workshop) -> None:
    sweep = shop.create(LOSS)
    assert shop.agent("--count", "2").wait() == 0
    assert f"folder kept: its sweep {sweep} is running" in sync("--clean")
    assert len(folders(shop)) == 2
    assert shop.agent().wait() == 0
    assert shop.sweep_state() == "finished"
    assert "3 folders removed" in sync("--clean")
    assert folders(shop) == []
    assert shop.run(0).summary["loss"] == 0.0


@pytest.mark.parametrize("words", [("--clean",), ()])
def test_a_sweep_whose_trials_are_all_there_has_nothing_to_ship(shop: Workshop, words: tuple[str, ...]) -> None:
    shop.create(LOSS)
    shop.agent().wait()
    assert "3 in the store already" in sync(*words)
