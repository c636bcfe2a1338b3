"""A stand-in for a run that keeps files: blobs in a folder, records in a list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tracking.blobs.store import Blobs
from tracking.journal.records import RecordType
from tracking.media import reading
from tracking.media.conversion import converted


class Desk:
    """What media need of a Run."""

    disabled = False

    def __init__(self, folder: Path) -> None:
        self.blobs = Blobs(folder)
        self.step = 3
        self.records: list[tuple[RecordType, dict[str, Any]]] = []

    def record(self, kind: RecordType, body: dict[str, Any]) -> None:
        self.records.append((kind, body))

    def log(self, value: Any, key: str = "key") -> Any:
        """The record that stands for a value in the history."""
        return converted(value, self, key, self.step)  # type: ignore[arg-type]

    def back(self, value: Any, key: str = "key") -> Any:
        """A value logged and read again."""
        return reading.from_record(self.log(value, key), self.open)

    def open(self, record: Mapping[str, Any]) -> BinaryIO:
        return self.blobs.open(record["sha256"])

    def read(self, record: Mapping[str, Any]) -> bytes:
        with self.open(record) as file:
            return file.read()

    def stored(self) -> list[Path]:
        return [path for path in self.blobs.root.rglob("*") if path.is_file()]
