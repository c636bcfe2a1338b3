"""The built wheel, installed in a fresh venv and used from another folder, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = "Scripts" if sys.platform == "win32" else "bin"

SCRIPT = """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
with tracking.init() as run:
    run.log({"loss": (parser.parse_args().x - 3) ** 2})
"""
SWEEP = """
program: train.py
method: grid
metric: {name: loss, goal: minimize}
parameters: {x: {values: [1, 2, 3, 4]}}
"""


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """What the command prints; a failure shows both streams."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SWEEP_", "WANDB_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept | variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.timeout(400)
def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"agent", "sweeps", "tracking"}
    ours = [path for top in ("agent", "sweeps", "tracking") for path in (ROOT / top).rglob("*.py")]
    assert {path.relative_to(ROOT).as_posix() for path in ours} <= set(names)
    assert any(name.endswith("entry_points.txt") for name in names)


@pytest.mark.timeout(400)
def test_a_sweep_runs_from_the_installed_wheel_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python, sweep = tmp_path / "venv" / BIN / "python", tmp_path / "venv" / BIN / "sweep"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.py").write_text(SCRIPT)
    (work / "sweep.yaml").write_text(SWEEP)
    home = str(tmp_path / "home")
    assert "sweep" in run(sweep, "--help", cwd=work, SWEEP_HOME=home)
    run(sweep, "run", "sweep.yaml", cwd=work, SWEEP_HOME=home)
    (listed,) = json.loads(run(sweep, "ls", "--json", cwd=work, SWEEP_HOME=home))
    best = json.loads(run(sweep, "best", listed["id"], "--json", cwd=work, SWEEP_HOME=home))
    assert best["params"] == {"x": 3}
