"""Paths and open files that users give: looked at once, refused with a clear word."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tracking.errors import UsageError


def checked_file(path: str | os.PathLike[str], what: str) -> Path:
    """The file, which exists. Raises UsageError for a URL, a folder and what is not there."""
    text = os.fspath(path)
    if "://" in text[:12]:
        raise UsageError(f"{what}: {text} is a URL; download it first, or keep it in an Artifact with add_reference()")
    if "\0" in text:
        raise UsageError(f"{what}: a path has no NUL in it: {text!r}")
    file = Path(text).expanduser()
    try:
        found = file.is_file()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UsageError(f"{what}: {_short(text)}: {error.strerror}") from None
    if not found:
        raise UsageError(f"{what}: {'a folder' if file.is_dir() else 'no file'} at {file.absolute()}")
    return file.absolute()


def extension_of(name: str, allowed: Iterable[str], what: str) -> str:
    """Which of the allowed extensions a file name has. Raises UsageError that lists them."""
    lower = name.lower()
    found = max((one for one in allowed if lower.endswith(f".{one}")), key=len, default="")
    if not found:
        raise UsageError(f"{what}: {_short(name)!r} has none of the extensions {', '.join(sorted(allowed))}")
    return found


def checked_type(file_type: str | None, allowed: Iterable[str], what: str) -> str:
    """The `file_type` of data that has no name. Raises UsageError that lists what it can be."""
    extension = (file_type or "").lower().removeprefix(".")
    if extension not in allowed:
        found = f"file_type={file_type!r}" if file_type else "data without a name needs file_type"
        raise UsageError(f"{what}: {found}; it can be {', '.join(sorted(allowed))}")
    return extension


def is_open_file(value: Any) -> bool:
    return hasattr(value, "read")


def read_all(file: Any) -> bytes:
    """Everything in an open file, from its start where it can go back."""
    if hasattr(file, "seek") and (not hasattr(file, "seekable") or file.seekable()):
        file.seek(0)
    data = file.read()
    return data.encode("utf-8", "backslashreplace") if isinstance(data, str) else bytes(data)


def path_of(file: Any) -> Path | None:
    """The path of a file that is open for reading and lies on the disk."""
    name = getattr(file, "name", None)
    if isinstance(file, io.IOBase) and isinstance(name, (str, os.PathLike)) and os.path.isfile(name):
        return Path(name)
    return None


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text)} characters)"
