"""Brings back what a run was made from: its commit and patch in a working tree of their own, config, saved code."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tracking.blobs.store import Blobs
from tracking.errors import RestoreFailed
from tracking.provenance.git import Git, GitFailed
from tracking.provenance.masking import MASK
from tracking.store.contract import FileRecord, RunRecord

FOLDER = "sweep-restore"
"""Below the restored code: config.json, requirements.txt and the patch."""
_TIMEOUT_S = 600.0
_KEPT = ("requirements.txt", "diff.patch", "metadata.json")
_CODE = "code/"


@dataclass(slots=True)
class Restored:
    """What was brought back, for who prints it."""

    folder: Path
    branch: str = ""
    commit: str = ""
    patched: bool = False
    command: str = ""
    """The shell line that runs the program again, "" when there is none to run."""
    notes: list[str] = field(default_factory=list)
    """What the user should know: things that are missing or differ."""


def restore(
    run: RunRecord, files: Sequence[FileRecord], blobs: Blobs, folder: Path, here: Path, use_git: bool = True
) -> Restored:
    """Make `folder` hold the code of the run. `here` is where its repository is looked for first.

    Only `folder` and a new branch are made; no working tree that exists is touched. Raises RestoreFailed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RestoreFailed(f"{folder} exists already and is not empty: name another folder with --dir")
    restored = Restored(folder)
    git = run.metadata.get("git")
    commit = str(git.get("commit") or "") if isinstance(git, Mapping) else ""
    if use_git and commit:
        _check_out(run, files, blobs, restored, here, dict(git or {}), commit)
    else:
        restored.notes.append("without git: only saved code is restored" if not use_git else _why_no_git(run))
        _make(folder)
    _write_saved_code(files, blobs, restored)
    _write_kept(run, files, blobs, folder / FOLDER)
    restored.command = command_line(run, restored)
    return restored


def command_line(run: RunRecord, restored: Restored) -> str:
    """What to type in a shell to run the program again, from where it was started."""
    argv = _argv(run)
    if not argv or argv[0] in ("", "-c", "-", "-m"):
        restored.notes.append("the program is in no file (it was typed, or given with -c), so there is none to run")
        return ""
    git = run.metadata.get("git")
    root = Path(str(git.get("root") or "")) if isinstance(git, Mapping) and git.get("root") else None
    cwd = Path(str(run.metadata.get("cwd") or "."))
    place, program = restored.folder, argv[0]
    if root is not None and cwd.is_relative_to(root) and (restored.folder / cwd.relative_to(root)).is_dir():
        place = restored.folder / cwd.relative_to(root)
    path = Path(os.path.normpath(cwd / program))
    if root is not None and path.is_relative_to(root):
        program = os.path.relpath(restored.folder / path.relative_to(root), place)
    elif not (place / program).exists() and (restored.folder / path.name).exists():
        program = os.path.relpath(restored.folder / path.name, place)
    if any(MASK in word for word in argv):
        restored.notes.append(f"{MASK} stands for a secret, which is not recorded: put it in")
    if not (place / program).exists():
        restored.notes.append(
            f"{program} is not here: it was not in git and not saved; init(save_code=True) saves the main script"
        )
    words = ["python", program, *argv[1:]]
    settings = ""
    if run.trial is not None:  # a script that reads its parameters from tracking.config
        settings = f"SWEEP_CONFIG_PATHS={shlex.quote(str(restored.folder / FOLDER / 'config.json'))} "
    return f"cd {shlex.quote(str(place))} && {settings}{shlex.join(words)}"


def _check_out(
    run: RunRecord,
    files: Sequence[FileRecord],
    blobs: Blobs,
    restored: Restored,
    here: Path,
    git: Mapping[str, Any],
    commit: str,
) -> None:
    repository = _repository(run.id, here, git, commit)
    restored.commit, restored.branch = commit, _free_branch(repository, f"restore/{run.id}")
    _make(restored.folder.parent)
    _run(repository, "worktree", "add", "--quiet", "-b", restored.branch, str(restored.folder), commit)
    record = next((file for file in files if file.name == "diff.patch"), None)
    if record is None:
        if git.get("dirty"):
            why = git.get("patch") or "it was not recorded"
            restored.notes.append(f"the code had changes beside the commit which are missing here: {why}")
        return
    if not blobs.has(record.digest):
        restored.notes.append(f"the patch is not on this machine (blob {record.digest[:12]} of {blobs.root})")
        return
    try:
        _run(restored.folder, "apply", "--whitespace=nowarn", "--binary", str(blobs.path(record.digest)))
        restored.patched = True
    except RestoreFailed as error:
        restored.notes.append(f"the patch does not apply ({error}); it lies in {FOLDER}/diff.patch")
    if git.get("patch"):
        restored.notes.append(f"the patch is not complete: {git['patch']}")


def _repository(run_id: str, here: Path, git: Mapping[str, Any], commit: str) -> Path:
    """A repository on this machine that has the commit: around `here`, else where the run had it."""
    seen: list[Path] = []
    for folder in (here, Path(str(git.get("root") or ""))):
        if not folder.is_absolute() or not folder.is_dir():
            continue
        try:
            found = Git.of(folder)
            seen.append(found.folder)
            found.output("cat-file", "-e", f"{commit}^{{commit}}")
        except GitFailed:
            continue
        return found.folder
    remote = str(git.get("remote") or "")
    if not seen:
        clone = f"git clone {shlex.quote(remote)}" if remote else "get a copy of it"
        raise RestoreFailed(
            f"the repository of run {run_id} is not here: {clone}, and call `sweep restore {run_id}` inside of it; "
            "--no-git restores saved code alone"
        )
    places = " and ".join(map(str, seen))
    branch = f" (branch {git['branch']})" if git.get("branch") else ""
    raise RestoreFailed(
        f"{places} does not have the commit {commit[:12]} of run {run_id}{branch}: "
        f"fetch it from {remote or 'where it was made'}, or it was never pushed; --no-git restores saved code alone"
    )


def _free_branch(repository: Path, wanted: str) -> str:
    git = Git(repository)
    taken = set(git.text("for-each-ref", "--format=%(refname:short)", "refs/heads/restore").split())
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _run(folder: Path, *arguments: str) -> None:
    """git as the user has it set up, filters included; no hooks, no questions."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environ["GIT_TERMINAL_PROMPT"] = "0"
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RestoreFailed(f"git {arguments[0]}: {error}") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise RestoreFailed(f"git {arguments[0]}: {lines[-1]}")


def _write_saved_code(files: Sequence[FileRecord], blobs: Blobs, restored: Restored) -> None:
    """Files that the run saved: those that the checkout lacks go to their place, others beside the config."""
    for file in files:
        if not file.name.startswith(_CODE):
            continue
        relative = PurePosixPath(file.name[len(_CODE) :])
        if relative.is_absolute() or ".." in relative.parts or not blobs.has(file.digest):
            restored.notes.append(f"the saved file {file.name} is not on this machine")
            continue
        data = blobs.path(file.digest).read_bytes()
        target = restored.folder / relative
        if not target.resolve().is_relative_to(restored.folder.resolve()):
            continue  # a link in the checkout leads out of it
        if target.exists():
            if target.is_file() and target.read_bytes() == data:
                continue
            target = restored.folder / FOLDER / _CODE / relative
            restored.notes.append(
                f"{relative} differs from what the run saved, which lies in {FOLDER}/{_CODE}{relative}"
            )
        _make(target.parent)
        target.write_bytes(data)


def _write_kept(run: RunRecord, files: Sequence[FileRecord], blobs: Blobs, folder: Path) -> None:
    _make(folder)
    config = json.dumps(dict(run.config), indent=2, ensure_ascii=False, default=str) + "\n"
    (folder / "config.json").write_text(config, encoding="utf-8")
    for file in files:
        if file.name in _KEPT and blobs.has(file.digest):
            shutil.copyfile(blobs.path(file.digest), folder / file.name)
    with contextlib.suppress(OSError):  # so that `git status` of the worktree shows the patch and nothing else
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _argv(run: RunRecord) -> list[str]:
    program, arguments = run.metadata.get("program"), run.metadata.get("args")
    if isinstance(program, str) and isinstance(arguments, Sequence):
        return [program, *map(str, arguments)]
    argv = run.metadata.get("argv")
    return [str(word) for word in argv] if isinstance(argv, Sequence) and not isinstance(argv, str) else []


def _why_no_git(run: RunRecord) -> str:
    problem = run.metadata.get("git_problem")
    return f"no commit is recorded for this run{f' ({problem})' if problem else ''}: only saved code is restored"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RestoreFailed(f"cannot make {folder}: {error.strerror or error}") from None
