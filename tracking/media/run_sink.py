"""The sink of a run: a file becomes a blob, and a FILE record in the journal says that the run has it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tracking.journal.records import RecordType
from tracking.media.keeping.naming import distinct_name

if TYPE_CHECKING:
    from tracking.blobs.store import Blob
    from tracking.live.run import Run


class RunSink:
    """Takes the files of media while their run logs them."""

    def __init__(self, run: Run, step: int | None = None) -> None:
        """`step` is what the FILE records say; by default the current one of the run."""
        self.run = run
        self._step = run.step if step is None else step

    def add_bytes(self, name: str, data: bytes | memoryview, mime: str = "") -> dict[str, Any]:
        """Keep bytes. Raises OSError when the disk does not take them; nothing is recorded then."""
        return self._recorded(name, self.run.blobs.put_bytes(data), mime)

    def add_file(self, name: str, source: str | os.PathLike[str], mime: str = "") -> dict[str, Any]:
        """Keep a copy of a file, streamed. Raises OSError."""
        return self._recorded(name, self.run.blobs.put_file(source), mime)

    def _recorded(self, name: str, blob: Blob, mime: str) -> dict[str, Any]:
        path = distinct_name(name, blob.digest)
        said = {"sha256": blob.digest, "size": blob.size}
        # The blob is there before the record that names it: a crash between the two leaves only bytes for `gc`.
        self.run.record(RecordType.FILE, {"name": path, **said, "mime": mime, "step": self._step, "at": time.time()})
        return {"path": path, **said}
