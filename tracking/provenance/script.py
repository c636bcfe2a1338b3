"""Finds the program that a run executes: a script, a module, or a notebook."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracking import environment

_LAUNCHERS = ("ipykernel_launcher.py", "colab_kernel_launcher.py")
_NOTEBOOK = (b"SWEEP_NOTEBOOK_NAME", b"WANDB_NOTEBOOK_NAME", b"JPY_SESSION_NAME")
"""Variables that name the notebook: two for users, one that the Jupyter server sets."""


@dataclass(frozen=True, slots=True)
class Script:
    """The program of a run."""

    name: str
    """As it was called, such as `train.py` or `-c`."""
    file: Path | None
    """Where it lies, absolute; None for code that is in no file."""

    def below(self, root: Path | None) -> str:
        """Its path from `root`, or its bare name when it lies elsewhere; "" without a file."""
        if self.file is None:
            return ""
        real = Path(os.path.realpath(self.file))
        if root is not None and real.is_relative_to(os.path.realpath(root)):
            return real.relative_to(os.path.realpath(root)).as_posix()
        return self.file.name


def script_of(argv: Sequence[str], cwd: Path, pid: int) -> Script:
    """The program that these arguments started in this folder."""
    called = argv[0] if argv else ""
    if os.path.basename(called) in _LAUNCHERS:
        called = _notebook(pid)
    if called in ("", "-", "-c", "-m"):
        return Script(called, None)
    path = Path(os.path.abspath(cwd / called))
    return Script(called, path if path.is_file() else None)


def _notebook(pid: int) -> str:
    """The notebook of a kernel, "" when nothing says which it is."""
    named = environment.read("NOTEBOOK_NAME")
    if named:
        return named
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    for wanted in _NOTEBOOK:
        for entry in entries:
            name, _, value = entry.partition(b"=")
            if name == wanted and value:
                return os.fsdecode(value)
    return ""
