"""Ids and names of runs."""

from __future__ import annotations

import os
import re
from zlib import crc32

from tracking.errors import UsageError

MAX_ID = 64
_NO_PLACE = re.compile(r"[/\\#?%:\x00-\x1f]")
MAX_PLACE = 128
"""Characters of the name of a project or an entity."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHABET = _LETTERS + "0123456789"
_FORBIDDEN = re.compile(r"[/\\#?%:*\"<>|\x00-\x1f\x7f\ud800-\udfff]")
_MAX_BYTES = 200  # of a folder's name: file systems allow 255, and ours is part of longer names
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that are no files on Windows, whose disks others mount."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_QUALITIES = _words(
    "amber ample brave breezy bright brisk calm clear clever cosmic crisp daring deft earnest eager fair fancy fluent "
    "fresh gentle glad golden grand happy hardy honest humble jolly keen kind light likely lively lucid lucky mellow "
    "merry mild misty neat nimble noble patient peachy plain polished prime proud quick quiet rapid ready robust rosy "
    "rural sharp silent silver smooth snowy solid sparkling spring stellar sunny swift tidy tranquil upbeat vivid warm "
    "wise witty zesty"
)
_THINGS = _words(
    "anchor apple aspen badger beacon birch bird breeze bridge brook canyon cedar cliff cloud comet cove creek crow "
    "dawn deer delta dew dream dune eagle elm ember falcon fern field finch fjord forest fox galaxy garden glade grove "
    "harbor hawk heron hill island jay lake lark leaf lion lynx maple meadow mesa moon moss oak ocean orchid otter owl "
    "paper pebble pine planet plover pond prairie rain reef ridge river robin sea shadow shell sky smoke snow sparrow "
    "star stone storm stream sun swan thunder tide totem tree valley violet vortex wave willow wind wolf wood wren"
)


def new_id() -> str:
    """A random run id: 8 characters [a-z0-9] that begin with a letter."""
    first, *rest = os.urandom(8)
    return _LETTERS[first % len(_LETTERS)] + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in rest)


def name_for(run_id: str, number: int | None = None) -> str:
    """Two words and a number. The same id always gives the same name, so a retried trial keeps its own."""
    value = crc32(run_id.encode("utf-8", "replace"))
    value, quality = divmod(value, len(_QUALITIES))
    value, thing = divmod(value, len(_THINGS))
    return f"{_QUALITIES[quality]}-{_THINGS[thing]}-{value % 1000 if number is None else number}"


def check_place(what: str, name: str) -> str:
    """The name of a project or an entity itself. Raises UsageError for one that no path such as a/b/c could hold."""
    found = _NO_PLACE.search(name)
    if found:
        raise UsageError(f"{what} {name!r} holds {found[0]!r}; not allowed are / \\ # ? % : and control characters")
    if len(name) > MAX_PLACE or (name and name.strip(". ") == ""):
        raise UsageError(
            f"the {what} {name[:80]!r} must have at most {MAX_PLACE} characters, more than dots and spaces"
        )
    return name


def check_id(run_id: str) -> str:
    """The id itself. Raises UsageError when it cannot be the name of a run's folder."""
    found = _FORBIDDEN.search(run_id)
    if found:
        raise UsageError(
            f'run id {run_id!r} holds {found[0]!r}; not allowed are / \\ # ? % : * " < > | and control characters'
        )
    if not 0 < len(run_id) <= MAX_ID or run_id.strip(". ") == "":
        raise UsageError(f"the run id {run_id!r} must have 1 to {MAX_ID} characters, more than dots and spaces")
    if len(run_id.encode()) > _MAX_BYTES:
        raise UsageError(f"the run id {run_id!r} has {len(run_id.encode())} bytes; a folder has room for {_MAX_BYTES}")
    if _DEVICE.fullmatch(run_id) or run_id != run_id.rstrip(". "):
        raise UsageError(f"the run id {run_id!r} is no name of a folder everywhere: choose another one")
    return run_id
