"""`sweep restore` on runs of real repositories."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.desk import Run
from tests.acceptance.tracked import Training, wait_until
from tests.acceptance.tracking_sdk.repositories import Repository

SCRIPT = """
import sys, tracking
with tracking.init(id="r", save_code=True, config={"lr": 0.1, "name": "a b"}) as run:
    print("args", sys.argv[1:])
    run.log({"loss": 1.0})
"""


@pytest.fixture
def repository(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a dirty script, of which the run "r" was made."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("SWEEP_SYSTEM", "off")
    repository = Repository(tmp_path / "repo", {"train.py": "print('committed')\n", "lib.py": "x = 1\n"})
    with Training(repository.folder, home) as training:
        training.run(SCRIPT, "--epochs", "3 4", "--token=abc")
        with training.store() as store:
            training.ended("r")
            wait_until("the files are in the store", lambda: "metadata.json" in {one.name for one in store.files("r")})
    return repository


def test_commit_and_patch_are_restored_beside_the_working_tree(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("lib.py", "work in progress\n")
    before = repository.git("status", "--porcelain")
    monkeypatch.chdir(repository.folder)
    target = tmp_path / "again"
    status, out, err = run("restore", "r", "--dir", str(target))
    assert status == 0, err
    assert "tracking.init" in (target / "train.py").read_text()
    assert (target / "lib.py").read_text() == "x = 1\n"
    assert json.loads((target / "sweep-restore/config.json").read_text()) == {"lr": 0.1, "name": "a b"}
    assert "psutil==" in (target / "sweep-restore/requirements.txt").read_text()
    assert repository.git("status", "--porcelain") == before
    assert repository.git("rev-parse", "restore/r") == repository.commit
    assert f"cd {target} && python train.py --epochs '3 4' '--token=***'" in out
    assert "stands for a secret" in err
    assert (
        subprocess.run(["git", "status", "--porcelain"], cwd=target, capture_output=True, text=True).stdout
        == " M train.py\n"
    )


def test_a_second_restore_takes_another_branch_and_never_a_folder_in_use(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.folder)
    assert run("restore", "r", "--dir", str(tmp_path / "one"))[0] == 0
    status, _, err = run("restore", "r", "--dir", str(tmp_path / "one"))
    assert status == 1
    assert "not empty" in err
    status, out, _ = run("restore", "r", "--dir", str(tmp_path / "two"))
    assert status == 0
    assert "restore/r-2" in out


def test_outside_of_the_repository_its_old_place_is_used_or_the_clone_line_given(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    status, out, _ = run("restore", "r")
    assert status == 0
    assert "restored-r" in out
    repository.git("worktree", "prune")
    repository.folder.rename(tmp_path / "moved")
    status, _, err = run("restore", "r", "--dir", str(tmp_path / "two"))
    assert status == 1
    assert "the repository of run r is not here" in err
    assert "--no-git" in err
    assert not (tmp_path / "two").exists()


def test_a_commit_that_this_repository_does_not_have_is_named(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository.commit
    repository.folder.rename(tmp_path / "moved")
    other = Repository(tmp_path / "other", {"y.py": "\n"})
    monkeypatch.chdir(other.folder)
    status, _, err = run("restore", "r", "--dir", str(tmp_path / "two"))
    assert status == 1
    assert commit[:12] in err
    assert "never pushed" in err


def test_without_git_the_saved_script_is_restored(repository: Repository, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "plain"
    status, out, err = run("restore", "r", "--no-git", "--dir", str(target))
    assert status == 0, err
    assert "tracking.init" in (target / "train.py").read_text()
    assert not (target / ".git").exists()
    assert f"cd {target} && python train.py" in out


def test_an_unknown_run_is_an_error(repository: Repository, run: Run) -> None:
    status, _, err = run("restore", "nothing")
    assert status == 1
    assert "nothing" in err
