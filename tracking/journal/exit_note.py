"""The exit status of a process whose last word Python does not tell: the C library writes it while the process ends.

`raise SystemExit(n)` outside of any block of ours reaches no hook: not sys.excepthook, and atexit functions are not
told the status. So a run that ends that way leaves its end open, and the C library's own exit handlers, which do get
the status, write it as eight bytes into a file beside the journal. Whoever ships the journal reads it there.
"""

from __future__ import annotations

import os
from pathlib import Path

_SIZE = 8


def note_path(journal: Path) -> Path:
    """Where the exit status of the writer of this journal is kept."""
    return journal.with_suffix(".exit")


def arrange(journals: list[Path]) -> bool:
    """Let the exit status of this process be noted beside each journal; False where the C library cannot do that."""
    try:
        import ctypes  # seldom needed, and only when the process ends

        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  others than glibc do not hand the status to such handlers
        register, write = library.__cxa_atexit, library.eventfd_write
    except (ImportError, OSError, AttributeError):
        return False
    try:
        for journal in journals:
            # Stays open: it is written after Python is gone.
            descriptor = os.open(note_path(journal), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            if register(write, ctypes.c_void_p(descriptor), None) != 0:
                return False
    except OSError:
        return False
    return True


def noted_status(journal: Path) -> int | None:
    """The exit status that was noted beside this journal, None when there is none."""
    try:
        data = note_path(journal).read_bytes()
    except OSError:
        return None
    return int.from_bytes(data, "little") & 0xFF if len(data) == _SIZE else None
