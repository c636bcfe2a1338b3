"""Training scripts with the real libraries, each in a process of its own with a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training

QUIET = {
    "OMP_NUM_THREADS": "1",
    "KERAS_BACKEND": "torch",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "SWEEP_SYSTEM": "off",
    "SWEEP_DISABLE_GIT": "true",
}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    """Runs scripts and looks at what the store has of them."""
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home, dict(QUIET)) as prepared:
        yield prepared
