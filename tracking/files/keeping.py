"""Files that a run keeps: at once, whenever they change, or at its end."""

from __future__ import annotations

import mimetypes
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from tracking.errors import UsageError
from tracking.files.patterns import Pattern
from tracking.journal.records import RecordType
from tracking.notices import warn_once

if TYPE_CHECKING:
    from tracking.live.run import Run

INTERVAL_S = 10.0
"""Seconds between two looks at files of policy "live"."""
_KEEPERS: weakref.WeakKeyDictionary[Run, Keeper] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def keeper_of(run: Run) -> Keeper:
    """The keeper of a run, made when it first saves something."""
    with _lock:
        keeper = _KEEPERS.get(run)
        if keeper is None:
            keeper = _KEEPERS[run] = Keeper(run)
            run.before_end(keeper.close)
        return keeper


class Keeper:
    """Records the files of one run. A file that did not change since it was kept is not read again."""

    def __init__(self, run: Run) -> None:
        self._run = weakref.ref(run)
        self.records: dict[str, dict[str, Any]] = {}
        """What this process has kept, by name."""
        self._stamps: dict[str, tuple[int, int]] = {}
        self._live: list[Pattern] = []
        self._at_end: list[Pattern] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(self, pattern: Pattern) -> list[str]:
        """Keep what the pattern means now; the paths. A full disk is warned about."""
        with self._lock:
            return [path for name, path in pattern.files() if self._keep_one(name, path)]

    def watch(self, pattern: Pattern) -> None:
        """Keep what it means whenever that changes, and at the end."""
        with self._lock:
            self._live.append(pattern)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_again, name="tracking-save", daemon=True)
                self._thread.start()

    def keep_at_end(self, pattern: Pattern) -> None:
        """Keep what it means when the run ends."""
        self._at_end.append(pattern)

    def close(self) -> None:
        """The run ends: keep everything once more."""
        self._stop.set()
        for pattern in [*self._live, *self._at_end]:
            self.keep(pattern)

    def _look_again(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            run = self._run()
            if run is None or run.finished:
                return
            del run  # a run that nobody holds may go while this thread sleeps
            for pattern in list(self._live):
                self.keep(pattern)

    def _keep_one(self, name: str, path: str) -> bool:
        run = self._run()
        if run is None or run.forked:
            return False
        try:
            found = os.stat(path)
            stamp = (found.st_mtime_ns, found.st_size)
            if self._stamps.get(name) == stamp:
                return True
            blob = run.blobs.put_file(path)
            known = self.records.get(name)
            if known is None or known["sha256"] != blob.digest:
                self._record(run, name, blob.digest, blob.size)
            self._stamps[name] = stamp
        except OSError as error:
            warn_once(f"save:{name}", f"{path} is not kept with run {run.id}: {error.strerror or error}")
            return False
        except UsageError:  # the run ended meanwhile, in another thread
            return False
        return True

    def _record(self, run: Run, name: str, digest: str, size: int) -> None:
        body = {
            "name": name,
            "sha256": digest,
            "size": size,
            "mime": mimetypes.guess_type(name)[0] or "",
            "step": run.last_step,
            "at": time.time(),
        }
        run.record(RecordType.FILE, body)
        self.records[name] = body
