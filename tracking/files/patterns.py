"""Which files a glob means, and under which names a run keeps them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator

from tracking.artifacts.names import check_path
from tracking.errors import UsageError
from tracking.notices import warn_once

StrPath = str | os.PathLike[str]


class Pattern:
    """A glob and the folder below which the names of its files begin."""

    __slots__ = ("base", "text")

    def __init__(self, text: str, base: str) -> None:
        self.text, self.base = text, base

    def files(self) -> Iterator[tuple[str, str]]:
        """(name, path) of each file that is there now; a folder means all files in it. What cannot be named is
        warned about."""
        seen: set[str] = set()
        for found in sorted(glob.glob(self.text, recursive=True)):
            for path in _files_at(found):
                if path in seen:
                    continue
                seen.add(path)
                try:
                    yield check_path(os.path.relpath(path, self.base)), path
                except UsageError as error:
                    warn_once(f"save:{path}", f"save() leaves {path} out: {error}")


def pattern_of(given: StrPath, base: StrPath | None) -> Pattern:
    """Read the arguments of save(). Raises UsageError for a pattern that leads above its base."""
    text = os.fsdecode(given)
    if not text:
        raise UsageError("save(''): name files, such as save('checkpoints/*.pt')")
    folder = os.fsdecode(base) if base is not None else _fixed_parent(text) if os.path.isabs(text) else "."
    inner = os.path.relpath(text, folder)
    if inner.split(os.sep)[0] == ".." or ".." in text.split(os.sep):
        raise UsageError(f"save({text!r}): the files must lie below {folder!r}; base_path names another folder")
    return Pattern(text, folder)


def _files_at(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
    elif os.path.isdir(path):
        for folder, inner, names in os.walk(path):
            inner.sort()
            yield from (full for name in sorted(names) if os.path.isfile(full := os.path.join(folder, name)))


def _fixed_parent(text: str) -> str:
    """The lowest folder that has no wildcard in it."""
    folder = os.path.dirname(text)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder
