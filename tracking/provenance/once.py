"""Collects the environment of many runs of one agent: what is slow and the same for all of them only once."""

from __future__ import annotations

import threading
import time
from typing import Any

from tracking.blobs.store import Blobs
from tracking.journal.records import RecordType
from tracking.provenance.collecting import Record, Wanted, collect

REQUIREMENTS = "requirements.txt"


class CollectOnce:
    """Called as `collect` is. The list of packages is made for the first run of an interpreter, the others share it.

    Commit and diff are looked up each time: people edit their script while an agent runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packages: dict[str, dict[str, Any]] = {}

    def __call__(
        self, record: Record, blobs: Blobs, *, executable: str = "", wanted: Wanted | None = None, **rest: Any
    ) -> None:
        wants = wanted or Wanted.of({})
        with self._lock:  # the second waits for what the first finds, instead of looking as well
            known = self._packages.get(executable)
            if known is None:
                collect(self._remembering(record, executable), blobs, executable=executable, wanted=wants, **rest)
                return
        if wants.packages:
            record(RecordType.FILE, {**known, "at": time.time()})
        less = Wanted(git=wants.git, diff=wants.diff, code=wants.code, packages=False, machine=wants.machine)
        collect(record, blobs, executable=executable, wanted=less, **rest)

    def _remembering(self, record: Record, executable: str) -> Record:
        def remember(kind: RecordType, body: Any) -> None:
            if kind is RecordType.FILE and body["name"] == REQUIREMENTS:
                self._packages[executable] = dict(body)
            record(kind, body)

        return remember
