"""A sink that keeps files in memory, for the tests of tables and charts."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO


class MemorySink:
    """Takes files as an artifact does; with a run, as a run does."""

    def __init__(self, run: Any = None) -> None:
        self.files: dict[str, bytes] = {}
        self.names: list[str] = []
        if run is not None:
            self.run = run

    def add_bytes(self, name: str, data: bytes | memoryview, mime: str = "") -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = bytes(data)
        self.names.append(name)
        return {"path": name, "sha256": digest, "size": len(data)}

    def add_file(self, name: str, source: str | os.PathLike[str], mime: str = "") -> dict[str, Any]:
        return self.add_bytes(name, Path(source).read_bytes(), mime)

    def open(self, record: Mapping[str, Any]) -> BinaryIO:
        return io.BytesIO(self.files[record["sha256"]])


class SomeRun:
    """A run that a sink says it works for."""

    def __init__(self, resumed: bool = False, **summary: Any) -> None:
        self.resumed = resumed
        self.summary = summary
