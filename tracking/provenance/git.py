"""Asks git about the code of a run, in a way that waits for nobody and lets no repository run commands."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking.provenance.masking import without_credentials

TIMEOUT_S = 10.0
DIFF_TIMEOUT_S = 60.0
MAX_PATCH = 50 << 20
"""Bytes. A patch that is longer is taken without binary files; one that is still longer is not kept."""
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PIECE = 1 << 16
_MOST_SUBMODULES = 32
_KEPT = (
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
)
_SAFE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "submodule.recurse=false",
)
_DIFF = (
    "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-relative", "--full-index",
    "--ignore-submodules=dirty", "--submodule=short",
)  # fmt: skip


class GitFailed(Exception):
    """git is absent, refuses, or takes too long; the text is its first line on stderr."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The working tree that holds the code of a run."""

    root: Path
    commit: str
    """"" before the first commit."""
    branch: str
    """"" when HEAD is detached."""
    remote: str
    """URL without credentials, "" when there is none."""


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder. Every call raises GitFailed."""

    folder: Path
    filters: tuple[str, ...] = field(default=())
    """Filters that the repository itself defines: they would run commands, so they are switched off."""

    @classmethod
    def of(cls, folder: Path) -> Git:
        """git at the root of the working tree around `folder`."""
        root = Path(cls(folder).text("rev-parse", "--show-toplevel"))
        return cls(root, _own_filters(cls(root)))

    def text(self, *arguments: str) -> str:
        """What this command prints, without the newline at the end."""
        return os.fsdecode(self.output(*arguments)).rstrip("\n")

    def output(self, *arguments: str) -> bytes:
        """What this command prints, all of it."""
        try:
            done = subprocess.run(
                self._command(arguments),
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitFailed(f"git {arguments[0]} took longer than {TIMEOUT_S:g} s") from None
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error.strerror or error}") from None
        if done.returncode != 0:
            raise GitFailed(_first_line(done.stderr) or f"git {arguments[0]} ended with status {done.returncode}")
        return done.stdout

    def stream(self, arguments: Sequence[str], write: Callable[[bytes], Any], room: int) -> int:
        """Hand on what this command prints, piece by piece; its size in bytes, -1 when it is more than `room`."""
        try:
            process = subprocess.Popen(
                self._command(arguments),
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error.strerror or error}") from None
        limit = threading.Timer(DIFF_TIMEOUT_S, process.kill)
        limit.start()
        size = 0
        with process:
            try:
                assert process.stdout is not None
                while piece := process.stdout.read(_PIECE):
                    size += len(piece)
                    if size > room:
                        return -1
                    write(piece)
            finally:
                limit.cancel()
                if size > room:
                    process.kill()
        if process.returncode not in (0, 1):
            raise GitFailed(f"git {arguments[0]} ended with status {process.returncode}")
        return size

    def _command(self, arguments: Sequence[str]) -> list[str]:
        options = [word for setting in _SAFE for word in ("-c", setting)]
        return ["git", "--no-pager", "--no-optional-locks", *options, *arguments]

    def _environment(self) -> dict[str, str]:
        # GIT_DIR and its like would name another repository: a run may be started by a hook.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _KEPT}
        kept |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_ATTR_NOSYSTEM": "1"}
        settings: list[tuple[str, str]] = []
        for name in self.filters:
            settings += [(f"{name}.{part}", "") for part in ("clean", "smudge", "process")]
            settings.append((f"{name}.required", "false"))
        kept["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (key, value) in enumerate(settings):
            kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return kept


def checkout(git: Git) -> Checkout:
    """What is checked out there. Raises GitFailed."""
    branch = _or_empty(git, "symbolic-ref", "--short", "-q", "HEAD")
    upstream = _or_empty(git, "config", "--get", f"branch.{branch}.remote") if branch else ""
    remote = _or_empty(git, "config", "--get", f"remote.{upstream or 'origin'}.url")
    return Checkout(
        root=git.folder,
        commit=_or_empty(git, "rev-parse", "--verify", "-q", "HEAD^{commit}"),
        branch=branch,
        remote=without_credentials(remote),
    )


def patch(git: Git, commit: str, write: Callable[[bytes], Any], binary: bool = True, room: int = MAX_PATCH) -> int:
    """Write all that differs from the commit, staged or not, those of submodules included; its size, -1: too big.

    Untracked files are not part of it. Raises GitFailed.
    """
    size = _diff(git, commit, "", write, binary, room)
    if size < 0:
        return -1
    for path in submodules(git):
        try:
            inner = Git.of(git.folder / path)
            if inner.folder == git.folder:
                continue  # not checked out
            more = _diff(inner, _or_empty(inner, "rev-parse", "HEAD"), f"{path}/", write, binary, room - size)
        except GitFailed:
            continue
        if more < 0:
            return -1
        size += more
    return size


def submodules(git: Git) -> list[str]:
    """The paths of submodules, from the root."""
    entries = git.output("ls-files", "-s", "-z").split(b"\0")
    paths = [os.fsdecode(entry.partition(b"\t")[2]) for entry in entries if entry.startswith(b"160000 ")]
    return paths[:_MOST_SUBMODULES]


def _diff(git: Git, commit: str, prefix: str, write: Callable[[bytes], Any], binary: bool, room: int) -> int:
    places = (f"--src-prefix=a/{prefix}", f"--dst-prefix=b/{prefix}")
    kind = ("--binary",) if binary else ()
    return git.stream([*_DIFF, *kind, *places, commit or _EMPTY_TREE, "--"], write, room)


def _own_filters(git: Git) -> tuple[str, ...]:
    """The filters that are defined inside the repository: as "filter.NAME"."""
    try:
        lines = git.output("config", "--show-scope", "--null", "--name-only", "--get-regexp", r"^filter\.")
    except GitFailed:
        return ()  # there is none: then git fails
    words = os.fsdecode(lines).split("\0")
    own = {key.rpartition(".")[0] for scope, key in zip(words[::2], words[1::2], strict=False) if scope in _INSIDE}
    return tuple(sorted(own))


_INSIDE = ("local", "worktree")


def _or_empty(git: Git, *arguments: str) -> str:
    try:
        return git.text(*arguments)
    except GitFailed:
        return ""


def _first_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else ""
