"""What an agent tells people: the events of its sweep, once however many agents there are, and its trials' alerts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracking_sdk.post_office import Hooks
from tests.acceptance.workshop import SLOW, SWEEP, Workshop, shop, wait_for
from tracking.store import open_store

__all__ = ["shop"]

FALLING = "import tracking\nrun = tracking.init()\nx = run.config['x']\nrun.log({'loss': 3.0 - float(x)})\n"
FAILING = (
    "import tracking\nrun = tracking.init()\nif run.config['x'] < 2: raise ValueError('bad x')\nrun.log({'loss': 1})\n"
)
HOOK_PATH = "/S3CRET"


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    hooks = Hooks()
    yield hooks
    hooks.close()


@pytest.fixture(autouse=True)
def alerts_file(home: Path, hooks: Hooks) -> Path:
    return write_setup(home, hooks, "{}")


def write_setup(home: Path, hooks: Hooks, events: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "alerts.yaml"
    channel = f"{{type: webhook, url: '{hooks.url}{HOOK_PATH}', allow_private: true}}"
    path.write_text(f"channels: [{channel}]\nevents: {events}\n")
    path.chmod(0o600)
    return path


def titles(hooks: Hooks) -> list[str]:
    return [body["title"] for body in hooks.bodies]


def test_the_end_of_a_sweep_and_a_new_best_are_told(shop: Workshop, hooks: Hooks) -> None:
    sweep = shop.create(FALLING, name="digits", project="p")
    assert shop.agent().wait() == 0
    assert titles(hooks) == ["New best in sweep digits", "Sweep digits finished"]
    best, finished = hooks.bodies
    assert best["text"].startswith("Trial 1: loss = 2 (before: 3)")
    assert (best["project"], best["sweep"], best["run"]) == ("p", f"digits ({sweep})", f"{sweep}-1")
    assert finished["text"].startswith("3 complete\nBest: trial 2, loss = 1")


def test_only_the_first_failure_is_told(shop: Workshop, hooks: Hooks) -> None:
    shop.create(FAILING)
    shop.agent().wait()
    first, *_ = hooks.bodies
    assert first["title"].startswith("First failure in sweep ")
    assert (first["level"], first["text"]) == ("WARN", "Trial 0: exit status 1: ValueError: bad x")
    assert sum(title.startswith("First failure") for title in titles(hooks)) == 1


def test_two_agents_tell_each_event_once(shop: Workshop, hooks: Hooks) -> None:
    shop.create(FAILING, parameters={"x": {"values": [0, 1, 0.5, 1.5, 2, 3, 4, 5]}})
    agents = [shop.agent("--slots", "2") for _ in range(2)]
    for agent in agents:
        agent.wait()
    found = titles(hooks)
    assert sum(title.startswith("First failure") for title in found) == 1
    assert sum(title.endswith("finished") for title in found) == 1


def test_events_can_be_switched_off(shop: Workshop, home: Path, hooks: Hooks) -> None:
    write_setup(home, hooks, "{finished: false, new_best: false}")
    shop.create(FALLING)
    shop.agent().wait()
    assert not hooks.posted


def test_a_trial_that_has_stalled_is_told_once(shop: Workshop, home: Path, hooks: Hooks) -> None:
    write_setup(home, hooks, "{finished: false, stalled: 2s}")
    shop.create(SLOW, parameters={"x": {"value": 1}})
    agent = shop.agent()
    wait_for(lambda: hooks.posted, "the alert")
    assert titles(hooks)[0].startswith("Trial 0 of sweep ")
    assert "logged nothing for" in hooks.bodies[0]["text"]
    shop.open_gate()
    agent.wait()
    assert len(hooks.posted) == 1


def test_an_event_is_no_notice_for_who_looks_at_the_sweep(shop: Workshop) -> None:
    sweep = shop.create(FALLING)
    shop.agent().wait()
    assert any(notice.is_event for notice in shop.notices())
    done = subprocess.run([SWEEP, "show", sweep, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["notices"] == []


def test_an_alert_of_a_trial_is_sent_by_the_agent(shop: Workshop, hooks: Hooks, home: Path) -> None:
    write_setup(home, hooks, "{finished: false, new_best: false}")
    sweep = shop.create(
        "import tracking\nrun = tracking.init()\nrun.alert('Look', f'x={run.config.x}')\nrun.log({'loss': 1.0})\n",
        parameters={"x": {"value": 7}},
    )
    shop.agent().wait()
    assert [(body["title"], body["text"], body["sweep"]) for body in hooks.bodies] == [("Look", "x=7", sweep)]


def test_a_setup_that_is_refused_is_told_and_stops_nothing(shop: Workshop, alerts_file: Path, hooks: Hooks) -> None:
    alerts_file.chmod(0o644)
    shop.create(FALLING)
    agent = shop.agent()
    assert agent.wait() == 0
    assert "chmod 600" in agent.err
    assert HOOK_PATH not in agent.err + agent.out
    assert not hooks.posted
    assert shop.states() == ["complete"] * 3


def test_a_long_trial_has_the_metrics_of_its_machine_and_its_environment(shop: Workshop) -> None:
    sweep = shop.create(SLOW, parameters={"x": {"value": 1}})
    agent = shop.agent()

    def keys() -> list[str]:
        store = open_store()
        try:
            return [info.key for info in store.keys(f"{sweep}-0")]
        finally:
            store.close()

    wait_for(lambda: "system/cpu" in keys(), "the machine is watched")
    shop.open_gate()
    assert agent.wait() == 0
    store = open_store()
    try:
        metadata: dict[str, Any] = dict(store.run(f"{sweep}-0").metadata)
        files = [file.name for file in store.files(f"{sweep}-0")]
        (part,) = store.parts(f"{sweep}-0")
    finally:
        store.close()
    assert metadata["program"].endswith("train.py")
    assert "requirements.txt" in files
    assert part.state.value == "finished"
