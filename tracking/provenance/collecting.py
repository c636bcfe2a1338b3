"""Collects, once and beside the training, what a run was made from: its code, packages, command line and machine."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracking import environment
from tracking.blobs.store import Blob, Blobs
from tracking.journal.records import RecordType
from tracking.provenance.git import Checkout, Git, GitFailed, checkout, patch
from tracking.provenance.masking import masked_arguments
from tracking.provenance.packages import installed
from tracking.provenance.script import Script, script_of
from tracking.provenance.surroundings import surroundings

Record = Callable[[RecordType, Any], None]
MAX_SCRIPT = 10 << 20
"""Bytes. A main script that is longer is data."""


class Wanted:
    """What may be collected: `git` (commit and the like), `diff`, `code` (the main script), `packages`, `machine`."""

    __slots__ = ("code", "diff", "git", "machine", "packages")

    def __init__(
        self,
        *,
        git: bool = True,
        diff: bool = True,
        code: bool = False,
        packages: bool = True,
        machine: bool = True,
    ) -> None:
        self.git, self.diff, self.code, self.packages, self.machine = git, diff, code, packages, machine

    @classmethod
    def of(cls, settings: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Wanted:
        """What `disable_git`, `disable_code`, `save_code`, `x_disable_meta`, and SWEEP_DISABLE_GIT, … leave."""
        no_git = bool(settings.get("disable_git")) or environment.flag(environment.DISABLE_GIT, environ)
        no_code = bool(settings.get("disable_code")) or environment.flag(environment.DISABLE_CODE, environ)
        no_facts = bool(settings.get("x_disable_meta") or settings.get("x_disable_machine_info"))
        save_code = bool(settings.get("save_code")) or environment.flag("SAVE_CODE", environ)
        return cls(
            git=not no_git,
            diff=not (no_git or no_code),
            code=save_code and not no_code,
            packages=not settings.get("x_disable_meta"),
            machine=not no_facts,
        )


def collect(
    record: Record,
    blobs: Blobs,
    *,
    cwd: str | os.PathLike[str],
    argv: Sequence[str],
    executable: str = "",
    pid: int = 0,
    started_at: float = 0.0,
    wanted: Wanted | None = None,
) -> None:
    """Record one METADATA with all that was found, and a FILE for each file that is kept. Takes seconds, never raises.

    `cwd`, `argv`, `executable` and `pid` are those of the training process; `record` must accept calls from the thread
    that this runs in (see SystemPart). Nothing of the environment is recorded, and secrets in `argv` are masked.
    """
    collection = _Collection(record, blobs, Path(cwd), list(argv), executable or sys.executable, pid or os.getpid())
    try:
        collection.run(wanted or Wanted.of({}), started_at)
    except Exception as error:  # noqa: BLE001  boundary: whatever is odd about a machine, the run goes on
        record(RecordType.METADATA, {**collection.facts, "incomplete": f"{type(error).__name__}: {error}"[:500]})


class _Collection:
    """One collecting: the facts so far, and where files go."""

    def __init__(self, record: Record, blobs: Blobs, cwd: Path, argv: list[str], executable: str, pid: int) -> None:
        self._record, self._blobs = record, blobs
        self._cwd, self._argv, self._executable, self._pid = cwd, argv, executable, pid
        self.facts: dict[str, Any] = {}

    def run(self, wanted: Wanted, started_at: float) -> None:
        script = script_of(self._argv, self._cwd, self._pid)
        self.facts |= {
            "program": script.name,
            "args": masked_arguments(self._argv)[1:],
            "executable": self._executable,
        }
        if started_at:
            self.facts["started_at"] = started_at
        if wanted.machine:
            self.facts |= surroundings(self._pid)
        found = self._ask_git(script, wanted) if wanted.git else None
        if script.file is not None:
            self.facts["codePath"] = script.below(found.root if found else self._cwd)
        # Now, not at the end: packages take the longest, and a run may be over soon.
        self._record(RecordType.METADATA, self.facts)
        if wanted.code and script.file is not None:
            self._keep_script(script, script.below(found.root if found else self._cwd))
        if wanted.packages:
            self._keep("requirements.txt", installed(self._executable), "text/plain")
        body = json.dumps(self.facts, indent=2, ensure_ascii=False, default=str) + "\n"
        self._keep("metadata.json", body.encode("utf-8", "replace"), "application/json")

    def _ask_git(self, script: Script, wanted: Wanted) -> Checkout | None:
        """The checkout around the script, else around the working folder."""
        places = [script.file.parent] if script.file is not None else []
        problem = ""
        for folder in [*places, self._cwd]:
            try:
                git = Git.of(folder)
                found = checkout(git)
            except GitFailed as error:
                problem = problem or str(error)
                continue
            self.facts["git"] = {
                "commit": found.commit,
                "branch": found.branch,
                "remote": found.remote,
                "root": str(found.root),
            }
            if wanted.diff:
                self._keep_patch(git, found.commit)
            return found
        if problem and "not a git repository" not in problem:
            self.facts["git_problem"] = problem[:300]
        return None

    def _keep_patch(self, git: Git, commit: str) -> None:
        facts = self.facts["git"]
        for binary in (True, False):
            try:
                with self._blobs.writer() as writer:
                    size = patch(git, commit, writer.write, binary)
                    if size < 0:
                        raise _TooBig
            except _TooBig:
                facts["patch"] = "left out: too big"
                facts["dirty"] = True
                continue
            except (GitFailed, OSError) as error:
                facts["patch"] = f"left out: {error}"[:300]
                return
            facts["dirty"] = size > 0
            facts.pop("patch", None)
            if size:
                if not binary:
                    facts["patch"] = "without binary files: they are too big"
                self._say_file("diff.patch", writer.blob, "text/x-diff")
            return

    def _keep_script(self, script: Script, name: str) -> None:
        assert script.file is not None
        with contextlib.suppress(OSError):
            if script.file.stat().st_size <= MAX_SCRIPT:
                self._say_file(f"code/{name}", self._blobs.put_file(script.file), "text/x-python")

    def _keep(self, name: str, data: bytes, mime: str) -> None:
        if data:
            with contextlib.suppress(OSError):
                self._say_file(name, self._blobs.put_bytes(data), mime)

    def _say_file(self, name: str, blob: Blob, mime: str) -> None:
        body = {"name": name, "sha256": blob.digest, "size": blob.size, "mime": mime, "step": None, "at": time.time()}
        self._record(RecordType.FILE, body)


class _TooBig(Exception):
    """The patch is longer than what is kept."""
