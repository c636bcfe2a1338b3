"""The home folder: where the store, the files and the folders of the runs lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from tracking import environment
from tracking.errors import HomeUnwritable


class Home:
    """The layout below `$SWEEP_HOME` (default `~/.sweepwright`). Nothing is created by looking at a path."""

    __slots__ = ("root",)

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def find(cls) -> Home:
        """The home that the environment names."""
        return cls(Path(environment.read(environment.HOME) or Path.home() / ".sweepwright").expanduser().absolute())

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def files(self) -> Path:
        """The folder of blobs: `$SWEEP_FILES` (a folder that several machines share), else `files` in this home."""
        shared = environment.read(environment.FILES)
        return Path(shared).expanduser().absolute() if shared else self.root / "files"

    @property
    def store_url(self) -> str:
        """The URL of the store: `$SWEEP_STORE`, else the SQLite file of this home."""
        return environment.read(environment.STORE) or f"sqlite:///{self.root / 'store.db'}"

    def run_dir(self, run_id: str) -> Path:
        return self.runs / run_id

    def create(self) -> None:
        """Make the folder. Raises HomeUnwritable, with what to do, when it cannot be made or written."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnwritable(self._advice(error.strerror or str(error))) from error
        if not os.access(self.runs, os.W_OK | os.X_OK):
            raise HomeUnwritable(self._advice("it is not writable"))

    def _advice(self, why: str) -> str:
        return f"cannot use the home folder {self.root}: {why}. Set SWEEP_HOME to a folder that you can write."


def journal_path(run_dir: Path, attempt: int, part: str = "") -> Path:
    """The journal which one attempt of a run writes. Attempts never share a file, so a stale one harms nobody.

    `part` names what another process adds: "system" (what the machine did), "w1" … (writers of a shared run).
    """
    return run_dir / (f"attempt-{attempt}.{part}.journal" if part else f"attempt-{attempt}.journal")


def part_id(run_id: str, part: str) -> str:
    """The id under which the store keeps a part of a run: a run of its own which readers see as one with its owner."""
    return f"{run_id}:{part}" if part else run_id


def console_path(run_dir: Path, attempt: int) -> Path:
    """What one attempt printed, raw bytes of both streams (shipped to the store as `output.log`)."""
    return run_dir / f"attempt-{attempt}.log"
