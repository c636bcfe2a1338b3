"""Finds files of the user's that would hide our packages from his script, and names them before a trial is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import agent
import sweeps
import tracking
from agent.errors import NamesHidden

_OURS = {"agent": agent, "sweeps": sweeps, "tracking": tracking}
_IMPORTS_TRACKING = re.compile(r"^\s*(?:import|from)\s+tracking\b", re.MULTILINE)


def check(program: Path | None, workdir: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    """Warnings about modules that hide ours in the search path of a trial's script.

    The script's own folder comes first on its path, then PYTHONPATH. Raises NamesHidden when `tracking` is hidden from
    a script that imports it: every trial of it would fail.
    """
    warnings = []
    for name, found in _hiding(_folders(program, workdir, os.environ if environ is None else environ)):
        if name == "tracking" and program is not None and _imports_tracking(program):
            raise NamesHidden(
                f"{found} hides the package `tracking` from {program}: "
                f"rename it (or move it to another folder), else no trial can import tracking"
            )
        warnings.append(f"{found} hides the package `{name}` from the trials; rename it if they import `{name}`")
    return warnings


def _folders(program: Path | None, workdir: Path, environ: Mapping[str, str]) -> list[Path]:
    first = program.parent if program is not None else workdir
    return [first, *(workdir / entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry)]


def _hiding(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for name, package in _OURS.items():
        own = Path(package.__path__[0]).resolve()
        for folder in folders:
            found = next(
                (path for path in (folder / name / "__init__.py", folder / f"{name}.py") if path.is_file()), None
            )
            if found is not None:
                if found.resolve().parent != own:
                    yield name, found
                break  # the first one on the path wins


def _imports_tracking(program: Path) -> bool:
    try:
        return bool(_IMPORTS_TRACKING.search(program.read_text(errors="replace")))
    except OSError:
        return False
