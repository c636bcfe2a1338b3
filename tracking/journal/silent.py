"""A journal writer that writes nothing: of disabled runs, and of what a fork or a second process must not touch."""

from __future__ import annotations

from typing import Any

from tracking.journal.records import RecordType
from tracking.journal.writer import Layout
from tracking.notices import warn_once


class SilentWriter:
    """Takes every record and forgets it; with a reason, the first row is answered with a warning that gives it."""

    def __init__(self, reason: str = "") -> None:
        self._reason = reason

    def declare(self, keys: tuple[str, ...], kinds: str) -> Layout | None:
        self._explain()
        return Layout(0, kinds)

    def row(self, layout: Layout, step: int, at: float, values: Any) -> bool:
        return True

    def json_row(self, step: int, at: float, data: dict[str, Any]) -> None:
        self._explain()

    def record(self, kind: RecordType, body: Any) -> None:
        pass

    def close(self, patience: float = 0.0) -> bool:
        return True

    def abandon(self) -> None:
        pass

    def _explain(self) -> None:
        if self._reason:
            warn_once(f"silent:{self._reason}", self._reason)
