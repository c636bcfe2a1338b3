"""What the command's own process may import: no user code from the working folder or PYTHONPATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# A folder that holds our own packages must stay, however it came onto the path (an editable install, a checkout).
_OUR_HOME = Path(__file__).resolve().parents[2]


def clean(path: list[str] | None = None) -> list[str]:
    """Take the working folder and PYTHONPATH out of `path` (default `sys.path`), in place; returns what was dropped.

    A user's own `tracking.py` or `agent.py` would otherwise hide ours. Folders of PYTHONPATH with installed
    distributions in them stay, because some clusters install everything that way. Children see PYTHONPATH unchanged.
    """
    entries = sys.path if path is None else path
    suspects = {_resolved(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    suspects.add(_resolved(""))
    dropped = [entry for entry in entries if _resolved(entry) in suspects and not _is_install(_resolved(entry))]
    entries[:] = [entry for entry in entries if entry not in dropped]
    return dropped


def _resolved(entry: str) -> Path:
    try:
        return Path(entry or ".").resolve()
    except OSError:  # the working folder was deleted
        return Path(entry or ".")


def _is_install(folder: Path) -> bool:
    if folder == _OUR_HOME or folder in {Path(sys.prefix), Path(sys.base_prefix)}:
        return True
    return next(folder.glob("*.dist-info"), None) is not None
