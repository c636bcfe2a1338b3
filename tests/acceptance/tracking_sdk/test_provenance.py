"""What is collected of real repositories and interpreters, hostile ones among them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracked import Training
from tests.acceptance.tracking_sdk.repositories import Repository
from tracking.blobs.store import Blobs
from tracking.journal.records import RecordType
from tracking.provenance import git as git_module
from tracking.provenance.collecting import Wanted, collect


class Collected:
    """What one collecting recorded."""

    def __init__(self, folder: Path, *argv: str, cwd: Path | None = None, **wanted: bool) -> None:
        self.blobs = Blobs(folder.parent / "blobs")
        self.metadata: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        options = {"packages": False, "machine": False, **wanted}
        collect(
            self._record,
            self.blobs,
            cwd=cwd or folder,
            argv=argv or ("train.py",),
            executable=sys.executable,
            wanted=Wanted(**options),
        )

    def _record(self, kind: RecordType, body: Any) -> None:
        if kind is RecordType.METADATA:
            self.metadata |= body
        elif kind is RecordType.FILE:
            self.files[body["name"]] = self.blobs.path(body["sha256"]).read_bytes()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return Repository(tmp_path / "repo")


def restored(repository: Repository, patch: bytes, folder: Path) -> Path:
    """A clone with this patch applied."""
    subprocess.run(["git", "clone", "-q", str(repository.folder), str(folder)], check=True, timeout=60)
    subprocess.run(["git", "apply", "--binary"], cwd=folder, input=patch, check=True, timeout=60)
    return folder


def test_commit_branch_remote_and_program_are_known(repository: Repository) -> None:
    repository.git("remote", "add", "origin", "https://me:token@example.org/team/code.git")
    found = Collected(repository.folder, "train.py", "--lr=0.1", "--api-key=abc")
    assert found.metadata["git"] == {
        "commit": repository.commit,
        "branch": "main",
        "remote": "https://example.org/team/code.git",
        "root": str(repository.folder),
        "dirty": False,
    }
    assert found.metadata["program"] == "train.py"
    assert found.metadata["codePath"] == "train.py"
    assert found.metadata["args"] == ["--lr=0.1", "--api-key=***"]
    assert "diff.patch" not in found.files
    assert b"abc" not in found.files["metadata.json"]
    assert b"token@" not in found.files["metadata.json"]


def test_the_patch_has_staged_unstaged_and_binary_changes(repository: Repository, tmp_path: Path) -> None:
    repository.write("data.bin", bytes(range(256)) * 4)
    repository.git("add", "data.bin")
    repository.write("new.py", "new = 1\n")
    repository.git("add", "new.py")
    repository.write("new.py", "new = 2\n")
    repository.write("train.py", "print('dirty')\n")
    found = Collected(repository.folder)
    assert found.metadata["git"]["dirty"] is True
    copy = restored(repository, found.files["diff.patch"], tmp_path / "copy")
    for name in ("train.py", "new.py", "data.bin"):
        assert (copy / name).read_bytes() == (repository.folder / name).read_bytes()


def test_the_users_own_diff_settings_change_no_patch(repository: Repository, tmp_path: Path) -> None:
    for key, value in (
        ("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("color.ui", "always"), ("diff.renames", "copies"),
        ("diff.relative", "true"), ("core.pager", "false"), ("diff.submodule", "log"),
    ):  # fmt: skip
        repository.git("config", key, value)
    (repository.folder / "sub").mkdir()
    repository.write("train.py", "print('dirty')\n")
    found = Collected(repository.folder, cwd=repository.folder / "sub")
    assert (
        restored(repository, found.files["diff.patch"], tmp_path / "copy") / "train.py"
    ).read_text() == "print('dirty')\n"


def test_a_repository_that_wants_to_run_commands_runs_none(repository: Repository, tmp_path: Path) -> None:
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-$1\ncat\n")
    evil.chmod(evil.stat().st_mode | stat.S_IXUSR)
    repository.write(".gitattributes", "*.py diff=evil filter=evil\n*.txt filter=some=thing\n")
    repository.write("a.txt", "text\n")
    repository.git("add", ".")
    repository.git("commit", "-q", "-m", "attributes")
    for key, word in (
        ("core.fsmonitor", "fsmonitor"), ("diff.external", "external"), ("diff.evil.command", "command"),
        ("diff.evil.textconv", "textconv"), ("filter.evil.clean", "clean"), ("filter.evil.smudge", "smudge"),
        ("filter.evil.process", "process"), ("core.pager", "pager"), ("core.sshCommand", "ssh"),
        ("core.alternateRefsCommand", "alternates"), ("filter.some=thing.clean", "odd"),
    ):  # fmt: skip
        repository.git("config", key, f"{evil} {word}")
    repository.git("config", "filter.evil.required", "true")
    repository.write("train.py", "print('dirty')\n")
    repository.write("a.txt", "changed\n")
    found = Collected(repository.folder)
    assert b"print('dirty')" in found.files["diff.patch"]
    assert sorted(path.name for path in tmp_path.glob("ran-*")) == []


def test_submodules_are_part_of_the_patch(repository: Repository, tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner", {"lib.py": "one\n"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.folder), "lib")
    repository.git("commit", "-q", "-m", "submodule")
    repository.write("lib/lib.py", "two\n")
    found = Collected(repository.folder)
    assert b"a/lib/lib.py" in found.files["diff.patch"]
    assert b"+two" in found.files["diff.patch"]


def test_a_patch_that_is_too_big_is_taken_without_binary_files_or_left_out(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("data.bin", os.urandom(50_000))
    repository.git("add", "data.bin")
    repository.write("train.py", "print('dirty')\n")
    monkeypatch.setattr(git_module, "MAX_PATCH", 10_000)
    monkeypatch.setattr(git_module.patch, "__defaults__", (True, 10_000))
    found = Collected(repository.folder)
    assert "without binary files" in found.metadata["git"]["patch"]
    assert b"print('dirty')" in found.files["diff.patch"]
    repository.write("train.py", "x = 1\n" * 10_000)
    found = Collected(repository.folder)
    assert "too big" in found.metadata["git"]["patch"]
    assert found.metadata["git"]["dirty"] is True
    assert "diff.patch" not in found.files


def test_a_repository_without_a_commit_has_all_of_it_in_the_patch(tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, timeout=60)
    (folder / "train.py").write_text("print(1)\n")
    subprocess.run(["git", "add", "."], cwd=folder, check=True, timeout=60)
    found = Collected(folder)
    assert found.metadata["git"]["commit"] == ""
    assert b"+print(1)" in found.files["diff.patch"]


def test_a_folder_without_git_and_a_machine_without_it_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "train.py").write_text("")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    found = Collected(folder)
    assert "git" not in found.metadata
    assert "git_problem" not in found.metadata
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "cannot be run" in Collected(folder).metadata["git_problem"]


def test_git_that_hangs_is_given_up(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git_module, "TIMEOUT_S", 0.3)
    assert "took longer" in Collected(repository.folder).metadata["git_problem"]


def test_the_repository_of_the_script_counts_and_not_that_of_the_working_folder(
    repository: Repository, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other", {"x.py": "\n"})
    found = Collected(other.folder, str(repository.folder / "train.py"), cwd=other.folder)
    assert found.metadata["git"]["commit"] == repository.commit
    assert found.metadata["codePath"] == "train.py"


def test_the_script_is_saved_only_when_wanted(repository: Repository) -> None:
    assert "code/train.py" not in Collected(repository.folder).files
    repository.write("src/deep.py", "deep\n")
    found = Collected(repository.folder, "src/deep.py", code=True)
    assert found.files["code/src/deep.py"] == b"deep\n"


def test_settings_and_variables_switch_parts_off(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = Wanted.of({"save_code": True}, {})
    assert (everything.git, everything.diff, everything.code) == (True, True, True)
    no_git = Wanted.of({"save_code": True}, {"SWEEP_DISABLE_GIT": "true"})
    assert (no_git.git, no_git.diff, no_git.code) == (False, False, True)
    no_code = Wanted.of({"save_code": True}, {"WANDB_DISABLE_CODE": "true"})
    assert (no_code.git, no_code.diff, no_code.code) == (True, False, False)
    assert "git" not in Collected(repository.folder, git=False).metadata


def test_packages_are_those_of_the_interpreter_that_trains(repository: Repository) -> None:
    lines = Collected(repository.folder, packages=True).files["requirements.txt"].decode().splitlines()
    assert any(line.startswith("psutil==") for line in lines)
    assert lines == sorted(lines, key=lambda line: line.split("=")[0].split(" ")[0].lower().replace("_", "-"))


def test_nothing_of_the_environment_is_recorded(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_DATABASE_LOGIN", "top-secret-value")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    found = Collected(repository.folder, packages=True, machine=True)
    assert "top-secret-value" not in json.dumps(found.metadata)
    assert all(b"top-secret-value" not in data for data in found.files.values())
    assert found.metadata["slurm"] == {"job_id": "4711"}
    assert found.metadata["memory"] > 1 << 20
    assert found.metadata["cpu_count_logical"] == os.cpu_count()


def test_a_plain_run_has_its_environment_and_metrics_in_the_store(
    tmp_path: Path, home: Path, repository: Repository
) -> None:
    with Training(repository.folder, home) as training:
        training.run(
            """
            import time, tracking
            with tracking.init(id="r", save_code=True) as run:
                run.log({"loss": 1.0})
                time.sleep(1.5)
            """,
            "--token",
            "very-secret",
        )
        record = training.ended("r")
        with training.store() as store:

            def complete() -> bool:
                names = {file.name for file in store.files("r")}
                return {"requirements.txt", "metadata.json", "diff.patch", "code/train.py"} <= names

            from tests.acceptance.tracked import wait_until

            wait_until("the environment is in the store", complete)
            record = store.run("r")
            keys = {info.key for info in store.keys("r")}
        assert record.metadata["git"]["commit"] == repository.commit
        assert record.metadata["args"] == ["--token", "***"]
        assert "very-secret" not in json.dumps(dict(record.metadata))
        assert {"loss", "system/memory", "system/cpu.process", "system/disk.percent"} <= keys
        for file in home.rglob("*"):
            assert not file.is_file() or b"very-secret" not in file.read_bytes(), file
