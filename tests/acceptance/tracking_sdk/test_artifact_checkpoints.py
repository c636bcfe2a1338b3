"""A retried trial of a real sweep finds its last checkpoint, whether it was logged or saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.workshop import Workshop, shop
from tracking.artifacts.contract import ArtifactPath
from tracking.store import open_artifacts

__all__ = ["shop"]

SCRIPT = """
import json, os, pathlib, signal, sys, tracking

run = tracking.init()
way, step = {way!r}, 0
if tracking.run.resumed:
    if way == "save":
        with tracking.restore("model.pt") as file:
            state = json.load(file)
    elif way == "model":
        state = json.loads(pathlib.Path(run.use_model("net")).read_text())
    else:
        root = run.use_artifact("net:latest").download()
        state = json.loads(pathlib.Path(root, "model.pt").read_text())
    step = state["step"] + 1
    pathlib.Path("resumed.json").write_text(json.dumps([state, run.step, run.attempt]))
while step < 6:
    run.log({{"loss": float(10 * run.attempt + step)}})
    pathlib.Path("model.pt").write_text(json.dumps({{"step": step}}))
    if way == "save":
        run.save("model.pt", policy="now")
    elif way == "model":
        run.log_model("model.pt", name="net")
    else:
        artifact = tracking.Artifact("net", type="checkpoint")
        artifact.add_file("model.pt")
        run.log_artifact(artifact, aliases=["step-%d" % step])
    if step == 3 and run.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # straight after log_artifact() or save() returned
    step += 1
"""


@pytest.mark.parametrize("way", ["artifact", "model", "save"])
def test_a_trial_that_was_killed_goes_on_after_its_checkpoint(shop: Workshop, way: str) -> None:
    shop.create(SCRIPT.format(way=way), parameters={"x": {"values": [0]}}, retry={"max": 1})
    assert shop.agent("-q").wait() == 0
    assert shop.states() == ["complete"]
    state, step, attempt = json.loads(Path(shop.folder, "resumed.json").read_text())
    assert (state, step, attempt) == ({"step": 3}, 4, 2)
    run = shop.run(0)
    assert (run.attempt, run.last_step, run.summary["loss"]) == (2, 5, 25.0)
    if way != "save":
        store = open_artifacts()
        found = store.versions(ArtifactPath("", run.project, "net"))
        used = store.used_by(run.id)
        store.close()
        assert [record.version for record in found] == [5, 4, 3, 2, 1, 0]
        assert [record.step for record in found] == [5, 4, 3, 2, 1, 0]
        assert [record.version for record in used] == [3]


def test_a_script_that_ignores_its_checkpoint_begins_anew(shop: Workshop) -> None:
    script = SCRIPT.format(way="artifact").replace("if tracking.run.resumed:", "if False:")
    shop.create(script, parameters={"x": {"values": [0]}}, retry={"max": 1})
    assert shop.agent("-q").wait() == 0
    assert shop.states() == ["complete"]
    assert shop.run(0).summary["loss"] == 25.0
