"""What the command's own process may import: no user code from the working folder or PYTHONPATH."""

from __future__ import annotations

# Nothing but these two, which Python has loaded anyway: until the path is clean, every import may find a user's file.
import os
import sys

# A folder that holds our own packages must stay, however it came onto the path (an editable install, a checkout).
_OUR_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_PYTHON = (_OUR_HOME, sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(os.__file__)))


def clean(path: list[str] | None = None) -> list[str]:
    """Take the working folder and PYTHONPATH out of `path` (default `sys.path`), in place; returns what was dropped.

    A user's own `tracking.py` or `queue.py` would otherwise hide ours or Python's. Folders of PYTHONPATH with installed
    distributions in them stay, because some clusters install everything that way. Children see PYTHONPATH unchanged.
    """
    entries = sys.path if path is None else path
    suspects = {_resolved(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    suspects.add(_resolved(""))
    dropped = [entry for entry in entries if _resolved(entry) in suspects and not is_install(_resolved(entry))]
    entries[:] = [entry for entry in entries if entry not in dropped]
    return dropped


def is_install(folder: str) -> bool:
    """Whether things are installed in this folder, so that it stays on the path: by pip, with Python, or by us."""
    if folder in _PYTHON:
        return True
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(folder))
    except OSError:  # no folder: a zip file, or nothing at all
        return False


def _resolved(entry: str) -> str:
    try:
        return os.path.realpath(entry or ".")
    except OSError:  # the working folder was deleted
        return entry or "."
