"""The contract of everything that is logged as files: media, tables and plots."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol


class Sink(Protocol):
    """Who takes the files of a value: a run while it logs, an artifact to which it is added, a table that holds it."""

    def add_bytes(self, name: str, data: bytes | memoryview, mime: str = "") -> dict[str, Any]:
        """Keep these bytes as a file named `name` (slashes make folders, without its digest).

        Returns {"path", "sha256", "size"}: `path` is the name under which readers find the file; it is made safe and
        unique by a part of the digest.
        """

    def add_file(self, name: str, source: str | os.PathLike[str], mime: str = "") -> dict[str, Any]:
        """The same for a file that exists; it is streamed, not loaded."""


class Media(ABC):
    """A value whose data lies in files. `_type` in its record says which class reads it back."""

    type_name: ClassVar[str]
    """Such as "image-file", as W&B names it."""

    @abstractmethod
    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        """Put the files into `sink` and return the JSON value that stands for them in the history:
        {"_type": type_name, "path", "sha256", "size", …}. `key` and `step` only serve to name the files."""
