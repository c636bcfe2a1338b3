"""The lock that the writer of a journal holds for its whole life, so that others can see whether it lives."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_TRIES = 10
_PAUSE_S = 0.005


def lock(descriptor: int) -> bool:
    """Take the lock if it is free. File systems without locks count as free: there, two writers are not noticed."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)  # it may only be is_locked() of somebody who looks at this moment
        except OSError:
            return True
        else:
            return True
    return False


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock. The kernel frees it when the holder ends, however it ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # A shared lock, so that two who look at the same time do not take each other for a writer.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
