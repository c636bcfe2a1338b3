"""What `sweep doctor` looks at: versions, who owns our import names, home, store, disk, extras. It changes nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from sweeps.api.pasting import without_password
from sweeps.cli.search_path import is_install
from sweeps.cli.stores import Stores, sqlite_path
from tracking.errors import SweepError
from tracking.home import Home

DISTRIBUTION = "sweepwright"
NAMES = ("sweeps", "agent", "tracking")
_LIBRARIES = ("alembic", "click", "optuna", "psutil", "pyyaml", "rich", "sqlalchemy")
_HIDEABLE = {
    "our": NAMES,
    "the library": ("alembic", "click", "optuna", "psutil", "rich", "sqlalchemy", "yaml"),
    "Python's own": tuple(sys.stdlib_module_names - {"this", "antigravity"}),
}
_EXTRAS = {"postgres": "psycopg", "pandas": "pandas", "ray": "ray"}
_OUR_HOME = Path(__file__).resolve().parents[2]
_LOW, _SCARCE = 100 << 20, 1 << 30  # bytes
_SKEW = 30.0  # seconds


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` is what to do about it."""

    topic: str
    level: Level
    text: str
    advice: str = ""


def examine() -> list[Finding]:
    """All findings, in the order in which one would repair things."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (versions, owners, shadows, home, disk, store, extras)
    return [finding for check in checks for finding in check()]


def versions() -> Iterator[Finding]:
    """Of Python, of ours and of what we stand on."""
    python = ".".join(map(str, sys.version_info[:3]))
    ours = _version(DISTRIBUTION)
    if ours is None:
        yield Finding("install", Level.BROKEN, f"{DISTRIBUTION} is not installed", f"pip install {DISTRIBUTION}")
    else:
        yield Finding("install", Level.OK, f"{DISTRIBUTION} {ours}, Python {python} ({sys.executable})")
    found = {name: _version(name) for name in _LIBRARIES}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        yield Finding("libraries", Level.BROKEN, f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    present = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    yield Finding("libraries", Level.OK, present)


def owners() -> Iterator[Finding]:
    """Other distributions that bring packages of our names overwrite files of ours."""
    owned = metadata.packages_distributions()
    for name in NAMES:
        foreign = sorted(set(owned.get(name, [])) - {DISTRIBUTION})
        origin = _origin(name)
        if foreign:
            repair = f"pip uninstall {' '.join(foreign)} && pip install --force-reinstall --no-deps {DISTRIBUTION}"
            yield Finding("names", Level.BROKEN, f"`{name}` also belongs to {', '.join(foreign)}", repair)
        elif origin is None or origin.parent.parent != _OUR_HOME:
            yield Finding(
                "names",
                Level.BROKEN,
                f"`import {name}` finds {origin or 'nothing'}",
                "remove or rename what hides ours",
            )
        else:
            yield Finding("names", Level.OK, f"`{name}` is ours ({origin.parent})")


def shadows() -> Iterator[Finding]:
    """Files of the user that would hide other modules in a training process; the command itself does not see them."""
    folders = [Path.cwd(), *(Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)]
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        if is_install(str(folder)):
            continue
        for whose, names in _HIDEABLE.items():
            for name in sorted(names):
                for path in (folder / f"{name}.py", folder / name / "__init__.py"):
                    if path.is_file():
                        text = f"{path} hides {whose} `{name}` from programs started there"
                        yield Finding("shadow", Level.WARNING, text, "rename it")


def home() -> Iterator[Finding]:
    """Whether the home folder can be written; it is not made for the sake of looking."""
    root = Home.find().root
    standing = _nearest_existing(root)
    writable = standing.is_dir() and _can_make_folders(standing)
    if writable and standing == root:
        yield Finding("home", Level.OK, f"{root} is writable")
    elif writable:
        yield Finding("home", Level.OK, f"{root} is not there yet; the first sweep makes it")
    else:
        text = f"{root} cannot be written" if standing == root else f"{root} cannot be made: {standing} is not writable"
        yield Finding("home", Level.BROKEN, text, "set SWEEP_HOME to a folder that you can write")


def disk() -> Iterator[Finding]:
    """Room for the store and the runs."""
    place = _nearest_existing(Home.find().root)
    usage = shutil.disk_usage(place)
    if not usage.total:  # no real disk, such as /proc: the check of the home has said so
        return
    free = usage.free
    text = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free < _LOW:
        yield Finding("disk", Level.BROKEN, text, "make room, or set SWEEP_HOME to another disk")
    else:
        yield Finding("disk", Level.WARNING if free < _SCARCE else Level.OK, text)


def store() -> Iterator[Finding]:
    """Whether the store answers and has a schema that we know."""
    url = Home.find().store_url
    shown = without_password(url)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        yield Finding("store", Level.OK, f"{shown} is not there yet; the first sweep makes it")
        return
    try:
        with Stores() as stores:
            skew = stores.sweeps.now() - time.time()
            count = len(stores.sweeps.sweeps())
            stores.runs.now()
    except (SweepError, OSError, ImportError) as error:
        yield Finding("store", Level.BROKEN, f"{shown}: {error}", "check SWEEP_STORE")
        return
    yield Finding("store", Level.OK, f"{shown} answers, {count} sweep{'' if count == 1 else 's'}")
    if abs(skew) > _SKEW:
        yield Finding("store", Level.WARNING, f"its clock differs from ours by {skew:.0f} s", "set the clocks by NTP")


def extras() -> Iterator[Finding]:
    """Optional parts; a missing one is no fault."""
    for extra, module in _EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(
                "extra", Level.OK, f"{extra}: not installed", f"pip install '{DISTRIBUTION}[{extra}]' if you need it"
            )
        else:
            yield Finding("extra", Level.OK, f"{extra}: {module} {_version(module) or 'is there'}")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _origin(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _can_make_folders(folder: Path) -> bool:
    """Tried, because permissions do not tell it: root may write everywhere, and /proc takes no folder from anybody."""
    try:
        Path(tempfile.mkdtemp(prefix=".sweep-doctor-", dir=folder)).rmdir()
    except OSError:
        return False
    return True


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
