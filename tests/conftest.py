"""What every test has: a home folder of its own and an environment without the user's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Nothing timed is a test: a busy machine must fail none. CI tries the same examples every time.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $SWEEP_HOME below tmp_path; every other SWEEP_* and WANDB_* variable is removed."""
    for name in os.environ:
        if name.startswith(("SWEEP_", "WANDB_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("SWEEP_HOME", str(folder))
    return folder
