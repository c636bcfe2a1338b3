"""Alerts from the script to the people: sent by the companion, once, and never by the training process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, shippers, wait_until
from tests.acceptance.tracking_sdk.post_office import Hooks
from tracking.alerts.sending import Sender
from tracking.home import Home
from tracking.store.contract import AlertRecord, AlertState

RAISE = """
import tracking as wandb
run = wandb.init(id="r", name="owl", project="digits")
wandb.alert(title="Low", text="accuracy 0.1", level=wandb.AlertLevel.WARN)
wandb.alert(title="Low", text="accuracy 0.2")
run.alert("High", wait_duration=0)
run.alert("High", wait_duration=0)
"""


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


@pytest.fixture
def hooks(training: Training) -> Iterator[Hooks]:
    hooks = Hooks()
    training.environ |= {"SWEEP_ALERT_WEBHOOK": f"{hooks.url}/S3CRET", "SWEEP_ALERT_ALLOW_PRIVATE": "1"}
    yield hooks
    hooks.close()


def alerts(training: Training) -> list[AlertRecord]:
    with training.store() as store:
        return store.alerts("r")


def settled(training: Training, count: int) -> list[AlertRecord]:
    """The alerts, once none of them waits."""

    def look() -> list[AlertRecord]:
        found = alerts(training)
        return found if len(found) == count and all(one.sent is not AlertState.WAITING for one in found) else []

    found: list[AlertRecord] = wait_until("all alerts are settled", look)
    return found


def test_alerts_are_sent_once_and_repeated_ones_held_back(training: Training, hooks: Hooks) -> None:
    done = training.run(RAISE)
    found = settled(training, 4)
    assert [(one.title, one.sent.value) for one in found] == [
        ("Low", "sent"),
        ("Low", "held"),
        ("High", "sent"),
        ("High", "sent"),
    ]
    assert [(body["title"], body["level"]) for body in hooks.bodies] == [
        ("Low", "WARN"),
        ("High", "INFO"),
        ("High", "INFO"),
    ]
    assert {(body["run"], body["project"]) for body in hooks.bodies} == {("owl (r)", "digits")}
    assert "alert WARN: Low: accuracy 0.1" in done.stderr


def test_nothing_secret_is_left_anywhere(training: Training, hooks: Hooks) -> None:
    hooks.answers["/S3CRET"] = (404, {})
    training.run(RAISE)
    assert {one.sent for one in settled(training, 4)} == {AlertState.FAILED}
    wait_until("the companion has ended", lambda: not shippers(training.home))
    assert all("S3CRET" not in one.reason and "404" in one.reason for one in alerts(training))
    for path in training.home.rglob("*"):
        if path.is_file():
            assert b"S3CRET" not in path.read_bytes(), path


def test_a_hook_that_is_busy_is_tried_again(training: Training, hooks: Hooks) -> None:
    hooks.answers["/S3CRET"] = [(503, {}), (500, {})]
    training.run("import tracking\nrun = tracking.init(id='r')\nrun.alert('x')")
    (found,) = settled(training, 1)
    assert found.sent is AlertState.SENT
    assert len(hooks.posted) == 3


def test_an_open_file_of_secrets_sends_nothing_and_says_so(training: Training, hooks: Hooks) -> None:
    path = Home.find().root / "alerts.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"channels: [{{type: webhook, url: '{hooks.url}/S3CRET', allow_private: true}}]")
    path.chmod(0o644)
    training.run("import tracking\nrun = tracking.init(id='r')\nrun.alert('x')")
    (found,) = settled(training, 1)
    assert found.sent is AlertState.FAILED
    assert "chmod 600" in found.reason
    assert not hooks.posted


def test_without_a_channel_alerts_are_stored(training: Training) -> None:
    training.run("import tracking\nrun = tracking.init(id='r')\nrun.alert('x')")
    (found,) = settled(training, 1)
    assert (found.sent, found.reason) == (AlertState.HELD, "no channel is set up")


def test_an_alert_right_before_a_kill_is_sent(training: Training, hooks: Hooks) -> None:
    training.run(
        """
        import os, signal, tracking
        run = tracking.init(id="r")
        run.alert("last words")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        status=-signal.SIGKILL,
    )
    assert settled(training, 1)[0].sent is AlertState.SENT
    assert [body["title"] for body in hooks.bodies] == ["last words"]


def test_a_companion_that_was_killed_leaves_its_alerts_to_the_next(training: Training, hooks: Hooks) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1})
        while not os.path.exists("go"): time.sleep(0.01)
        run.alert("after the kill")
        run.finish()
        """
    )
    wait_until("the first row is shipped", lambda: (found := training.record()) and found.last_step == 0)
    (pid,) = shippers(training.home)
    os.kill(pid, signal.SIGKILL)
    (training.folder / "go").touch()
    process.communicate(timeout=DEADLINE_S)
    assert settled(training, 1)[0].sent is AlertState.SENT
    assert [body["title"] for body in hooks.bodies] == ["after the kill"]


def test_many_senders_at_once_send_each_alert_once(
    training: Training, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The run is stored by a companion without channels that is stopped before it settles the alerts: sync has no
    # companion, so it leaves them waiting for these senders.
    training.run(
        """
        import tracking
        run = tracking.init(id="r", mode="offline")
        for n in range(20): run.alert(f"alert {n}")
        """
    )
    for name, value in training.environ.items():
        monkeypatch.setenv(name, value)
    from tracking.shipping.company import open_shipper, ship_to_end

    with training.store() as store:
        ship_to_end([open_shipper(store, training.home / "runs" / "r", "r", 1)], store)
        senders = [Sender(store, print) for _ in range(6)]
        barrier = threading.Barrier(len(senders))

        def begin(sender: Sender) -> None:
            barrier.wait()
            sender.look("r")

        threads = [threading.Thread(target=begin, args=(sender,)) for sender in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(sender.close(30) for sender in senders)
    assert sorted(body["title"] for body in hooks.bodies) == sorted(f"alert {n}" for n in range(20))
    assert {one.sent for one in alerts(training)} == {AlertState.SENT}
