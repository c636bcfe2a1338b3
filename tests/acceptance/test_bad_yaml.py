"""Bad sweep.yaml files given to the real command: every fault is told with its place, and nothing is made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.workshop import SWEEP

GRID = "program: train.py\nmethod: grid\nparameters:\n"
BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(10))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("method: grid\nparameters: {x: [1, 2\n", ["sweep.yaml:3:1"]),
        ("method: grid\n\tparameters: 1\n", ["sweep.yaml:2:1"]),
        (GRID + "  x: {values: [1]}\nmetod: grid\n", ["sweep.yaml:5:1", "metod", "did you mean method"]),
        (GRID + "  x: {min: 3, max: 3}\n", ["sweep.yaml:4:", "parameters.x", "min"]),
        (GRID + "  x: {min: 0.0, max: 1.0}\n", ["sweep.yaml:4:", "parameters.x", "grid"]),
        (GRID + "  x: {values: [1]}\n  x: {values: [2]}\n", ["sweep.yaml:5:3", "x"]),
        (GRID + "  x: {values: [1]}\nconstraints: [x > 0]\n", ["sweep.yaml:5:1", "constraints", "not yet supported"]),
        (GRID + "  x: {value: !!python/object/apply:os.system [exit]}\n", ["sweep.yaml:4:"]),
        (BILLION_LAUGHS, ["sweep.yaml"]),
        ("", ["sweep.yaml"]),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_nothing_is_made(
    text: str, told: list[str], tmp_path: Path, home: Path
) -> None:
    (tmp_path / "sweep.yaml").write_text(text)
    done = subprocess.run([SWEEP, "create", "sweep.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [word for word in told if word.lower() not in done.stderr.lower()] == [], done.stderr
    assert not (home / "store.db").exists()


def test_all_faults_of_a_file_are_told_at_once_in_its_order(tmp_path: Path) -> None:
    faults = "method: gird\nrun_cap: -1\nparameters:\n  lr: {min: a, max: 1}\n  n: {valus: [1]}\nseeed: 1\n"
    (tmp_path / "sweep.yaml").write_text(faults)
    done = subprocess.run([SWEEP, "check", "sweep.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    lines = [int(line.split("sweep.yaml:")[1].split(":")[0]) for line in done.stderr.splitlines() if "yaml:" in line]
    assert lines == sorted(lines)
    assert {1, 2, 4, 5, 6} <= set(lines)
