"""The examples and the README's twenty lines, run as a new user runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import sweeps
from sweeps.states import TrialState
from tests.acceptance.workshop import SWEEP, wait_for
from tracking.states import RunState
from tracking.store import open_store

ROOT = Path(__file__).parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(*command: object, cwd: Path) -> str:
    """What the command prints."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def parsed(text: str) -> Any:
    return json.loads(text)


def test_the_digits_program_runs_as_a_sweep_and_its_best_can_be_repeated(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(ROOT / "examples" / "digits", folder)
    out = run(SWEEP, "run", "sweep.yaml", "--slots", 2, "--trials", 4, cwd=folder)
    assert "Repeat the best" in out
    (listed,) = parsed(run(SWEEP, "ls", "--json", cwd=folder))
    best = parsed(run(SWEEP, "best", listed["id"], "--json", cwd=folder))
    assert best["value"] > 0.5
    command = run(SWEEP, "best", listed["id"], "--command", cwd=folder).strip()
    again = run("sh", "-c", command + " --epochs=1", cwd=folder)
    assert "epoch  0" in again


def test_the_digits_function_runs_as_a_sweep(tmp_path: Path) -> None:
    out = run(sys.executable, ROOT / "examples" / "digits" / "train_function.py", cwd=tmp_path)
    assert "best of 10 trials" in out
    sweep = sweeps.get(_only_sweep(tmp_path))
    assert len(sweep.trials()) == 10
    assert all(trial.state in {TrialState.COMPLETE, TrialState.PRUNED} for trial in sweep.trials())


def _only_sweep(folder: Path) -> str:
    (listed,) = parsed(run(SWEEP, "ls", "--json", cwd=folder))
    return str(listed["id"])


def test_the_plain_script_is_tracked_without_a_sweep(tmp_path: Path) -> None:
    assert "found y = " in run(sys.executable, ROOT / "examples" / "plain" / "train.py", cwd=tmp_path)
    store = open_store()
    wait_for(lambda: [run.state for run in store.runs(project="plain")] == [RunState.FINISHED], "the run to be shipped")
    (record,) = store.runs(project="plain")
    assert record.last_step == 199
    assert str(record.summary["equation"]).startswith("y = ")


def test_the_twenty_lines_of_the_readme_work(tmp_path: Path) -> None:
    blocks = re.findall(r"```(python|yaml)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    script = next(text for kind, text in blocks if kind == "python" and "argparse" in text)
    document = next(text for kind, text in blocks if kind == "yaml")
    library = next(text for kind, text in blocks if kind == "python" and "sweeps.create" in text)
    (tmp_path / "train.py").write_text(script)
    (tmp_path / "sweep.yaml").write_text(document)
    assert "Repeat the best" in run(SWEEP, "run", "sweep.yaml", "--slots", 2, cwd=tmp_path)
    (tmp_path / "library.py").write_text(library)
    assert "{'lr': 0." in run(sys.executable, "library.py", cwd=tmp_path)
