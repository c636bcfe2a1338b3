"""Writes a journal: every record is one append, so a record is in the kernel's hands before the call returns."""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from pathlib import Path
from struct import Struct
from struct import error as PackError
from typing import Any
from zlib import crc32

from tracking.errors import JournalError
from tracking.journal.locking import lock
from tracking.journal.records import FRAME, MAGIC, ROW_PREFIX, RecordType, json_record
from tracking.notices import warn_once

BACKLOG_BYTES = 16 << 20
"""How much a writer keeps in memory while the disk is full; what comes after that is dropped and counted."""
_PIECE_BYTES = 1 << 20
MAX_LAYOUTS = 4096
"""Beyond this many different sets of keys a run pays for JSON rows instead of memory."""


class JournalBusy(JournalError):
    """Another living process writes this journal."""


class Layout:
    """The columns of rows that hold the same keys with the same kinds."""

    __slots__ = ("id", "kinds", "pack")

    def __init__(self, number: int, kinds: str) -> None:
        self.id = number
        self.kinds = kinds
        self.pack = Struct(ROW_PREFIX + kinds).pack


class JournalWriter:
    """The one writer of a journal. Not thread-safe: the Run holds its own lock around every call.

    A disk that is full never raises: records wait in a bounded backlog and are tried again by later calls.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._next_layout = 0
        self._backlog: deque[bytes] = deque()
        self._backlog_bytes = 0
        self.dropped = 0
        """Records lost because the backlog was full."""

    @classmethod
    def create(cls, path: Path, run: dict[str, Any]) -> JournalWriter:
        """Start a journal with its RUN record. Raises FileExistsError, JournalBusy or another OSError."""
        writer = cls(path, _opened(path, os.O_CREAT | os.O_EXCL))
        try:
            _write_all(writer._descriptor, MAGIC + json_record(RecordType.RUN, run))
        except OSError:
            writer.abandon()
            path.unlink(missing_ok=True)
            raise
        return writer

    @classmethod
    def reopen(cls, path: Path, next_layout: int) -> JournalWriter:
        """Continue a journal whose writer has closed it. Raises JournalBusy while another process has it open."""
        writer = cls(path, _opened(path, 0))
        writer._next_layout = next_layout
        return writer

    def declare(self, keys: tuple[str, ...], kinds: str) -> Layout | None:
        """The layout of rows with these columns, declared in the journal; None when there are too many already."""
        if self._next_layout >= MAX_LAYOUTS:
            return None
        layout = Layout(self._next_layout, kinds)
        self._next_layout += 1
        self._append(json_record(RecordType.KEYS, {"layout": layout.id, "keys": keys, "kinds": kinds}), keep=True)
        return layout

    def row(self, layout: Layout, step: int, at: float, values: Any) -> bool:
        """Append a row; False when a value does not fit its column (an integer beyond 64 bits)."""
        try:
            payload = layout.pack(3, layout.id, step, at, *values)
        except PackError:
            return False
        record = FRAME.pack(len(payload), crc32(payload)) + payload
        if self._backlog:
            self._append(record)
            return True
        # The hot path: this is what every log() of numbers costs.
        try:
            written = os.write(self._descriptor, record)
        except OSError as error:
            self._hold(record, error)
            return True
        if written != len(record):
            self._hold(record[written:], None)
        return True

    def json_row(self, step: int, at: float, data: dict[str, Any]) -> None:
        """Append a row of any JSON values."""
        self._append(json_record(RecordType.JSONROW, {"step": step, "time": at, "data": data}))

    def record(self, kind: RecordType, body: Any) -> None:
        """Append any other record."""
        self._append(json_record(kind, body), keep=kind is RecordType.FINISH)

    def close(self, patience: float = 0.0) -> bool:
        """Write what waits, trying for `patience` seconds, and close; False when something is lost."""
        deadline = time.monotonic() + patience
        while not self._flush() and time.monotonic() < deadline:
            time.sleep(0.01)
        whole = not self._backlog and not self.dropped
        self.abandon()
        return whole

    def abandon(self) -> None:
        """Close without writing: what a forked child does with the journal of its parent. Twice is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        self._backlog.clear()
        if descriptor >= 0:
            os.close(descriptor)

    def _append(self, record: bytes, keep: bool = False) -> None:
        if self._backlog and not self._flush():
            self._queue(record, keep)
            return
        try:
            written = os.write(self._descriptor, record)
        except OSError as error:
            self._hold(record, error)
        else:
            if written != len(record):
                self._hold(record[written:], None)

    def _hold(self, rest: bytes, error: OSError | None) -> None:
        """Keep what the disk did not take. The rest of a record that is half written must come first, later."""
        why = os.strerror(errno.ENOSPC) if error is None else error.strerror or str(error)
        warn_once(
            f"journal:{self.path}",
            f"cannot write the journal {self.path}: {why}. Training goes on; what it logs is kept in memory "
            f"(at most {BACKLOG_BYTES >> 20} MiB) and written as soon as there is room.",
        )
        self._backlog.append(rest)
        self._backlog_bytes += len(rest)

    def _queue(self, record: bytes, keep: bool) -> None:
        # A declaration is kept whatever happens: without it, later rows could not be read.
        if not keep and self._backlog_bytes + len(record) > BACKLOG_BYTES:
            self.dropped += 1
            return
        self._backlog.append(record)
        self._backlog_bytes += len(record)

    def _flush(self) -> bool:
        """Write the backlog in pieces; True when nothing waits any more."""
        while self._backlog:
            piece = self._next_piece()
            try:
                written = os.write(self._descriptor, piece)
            except OSError:
                written = 0
            self._backlog_bytes -= written
            if written != len(piece):
                self._backlog.appendleft(piece[written:])
                return False
        if self.dropped:
            lost, self.dropped = self.dropped, 0
            self._append(json_record(RecordType.EVENT, {"kind": "dropped", "records": lost, "at": time.time()}))
        return True

    def _next_piece(self) -> bytes:
        parts = [self._backlog.popleft()]
        size = len(parts[0])
        while self._backlog and size + len(self._backlog[0]) <= _PIECE_BYTES:
            parts.append(self._backlog.popleft())
            size += len(parts[-1])
        return b"".join(parts)


def _opened(path: Path, flags: int) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | flags, 0o644)
    if not lock(descriptor):
        os.close(descriptor)
        raise JournalBusy(f"another process writes the journal {path}")
    return descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
