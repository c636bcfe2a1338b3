"""`sweep store` by hand: what it prints, and that looking makes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import sweeps.store
from tests.contract.store_examples import new_sweep
from tracking.database.engine import Database


def sweep(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the real command."""
    code = "import sys; from sweeps.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, env=os.environ, check=False
    )


def test_looking_at_a_store_that_is_not_there_makes_none(home: Path) -> None:
    found = sweep("store", "info")
    assert found.returncode == 0, found.stderr
    assert f"There is no store at sqlite:///{home}/store.db yet" in found.stdout
    assert not home.exists()


def test_a_store_is_described_for_people_and_scripts(home: Path) -> None:
    store = sweeps.store.open_store()
    new_sweep(store, 3)
    store.close()
    assert "sweeps: sweeps_0001 (up to date)" in sweep("store", "info").stdout
    assert "tracking: no tables -> tracking_0002" in sweep("store", "upgrade").stdout
    found = json.loads(sweep("store", "info", "--json").stdout)
    assert found["counts"] == {"sweeps": 1, "trials": 3, "runs": 0}
    assert [version["found"] for version in found["versions"]] == ["tracking_0002", "sweeps_0001"]


def test_a_newer_store_ends_the_command_with_what_to_do() -> None:
    sweeps.store.open_store().close()
    database = Database()
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_sweeps SET version_num = 'sweeps_9999'")
    database.close()
    refused = sweep("store", "upgrade")
    assert refused.returncode == 1
    assert "pip install --upgrade sweepwright" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "newer than this program knows" in sweep("store", "info").stdout
