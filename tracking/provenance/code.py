"""log_code(): the source files below a folder as an artifact of type "code"."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking import environment
from tracking.errors import UsageError
from tracking.notices import warn

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact

_SKIPPED = frozenset(("wandb", "sweepwright", "node_modules", "__pycache__", "site-packages"))
"""Folders that hold no code of the user's; hidden ones and virtual environments hold none either."""
_NAME_LENGTH = 100


def log_code(
    run: Any,
    root: str | None = ".",
    name: str | None = None,
    include_fn: Callable[..., bool] | None = None,
    exclude_fn: Callable[..., bool] | None = None,
) -> Artifact | None:
    """Record the files for which `include_fn` (default: those that end in .py) says yes and `exclude_fn` does not.

    Both get the absolute path of a file, and the absolute root as well when they take two arguments. `root` None means
    the working folder. Hidden folders, virtual environments, `wandb`, `node_modules` and caches are never looked into,
    links to folders not followed. The default name is source-<project>-<program>. Returns None when no file fits, for a
    disabled run, and under SWEEP_DISABLE_CODE. Raises UsageError when `root` is no folder.
    """
    if run.disabled:
        return None
    if environment.flag(environment.DISABLE_CODE) or run.settings.disable_code:
        warn("log_code() records nothing: SWEEP_DISABLE_CODE is set")
        return None
    folder = Path(os.path.abspath(root if root is not None else "."))
    if not folder.is_dir():
        raise UsageError(f"log_code(root={os.fspath(root or '.')!r}): {folder} is no folder")
    includes = _fitted(include_fn, folder) if include_fn is not None else _is_python
    excludes = _fitted(exclude_fn, folder) if exclude_fn is not None else None
    paths = [path for path in files_below(folder) if includes(path) and not (excludes and excludes(path))]
    if not paths:
        warn(f"log_code(): no file below {folder} fits, so there is nothing to record")
        return None
    from tracking.artifacts.artifact import Artifact  # only who records artifacts loads them

    artifact = Artifact(name or _default_name(run.project), type="code")
    for path in paths:
        artifact.add_file(path, name=Path(path).relative_to(folder).as_posix())
    recorded: Artifact = run.log_artifact(artifact)
    return recorded


def files_below(folder: Path) -> Iterator[str]:
    """The absolute paths of regular files that may be code, in a fixed order."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _may_hold_code(place, name))
        for name in sorted(files):
            path = os.path.join(place, name)
            if os.path.isfile(path):
                yield path


def _may_hold_code(place: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED:
        return False
    return not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))


def _is_python(path: str) -> bool:
    return path.endswith(".py")


def _fitted(function: Callable[..., bool], root: Path) -> Callable[[str], bool]:
    """The user's function as one of a path alone."""
    import inspect  # slow to import, and most calls bring no function

    try:
        inspect.signature(function).bind("path", "root")
    except TypeError:
        return lambda path: bool(function(path))
    except ValueError:  # built-in functions may have no signature
        return lambda path: bool(function(path))
    return lambda path: bool(function(path, str(root)))


def _default_name(project: str) -> str:
    program = os.path.basename(sys.argv[0] if sys.argv else "") or "interactive"
    text = f"source-{project}-{program}"
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in text)[:_NAME_LENGTH]
