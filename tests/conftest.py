"""What every test has: a home folder of its own and an environment without the user's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $SWEEP_HOME below tmp_path; every other SWEEP_* and WANDB_* variable is removed."""
    for name in os.environ:
        if name.startswith(("SWEEP_", "WANDB_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("SWEEP_HOME", str(folder))
    return folder
