"""Fixtures of the acceptance tests: the command line in a working folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.cli.main import main
from tests.acceptance.desk import SPEC, Run


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line in a working folder with a sweep.yaml; gives status, stdout, stderr."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "sweep.yaml").write_text(SPEC)
    (folder / "train.py").write_text("")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*argv: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(argv)
        return status, *capfd.readouterr()

    return call
