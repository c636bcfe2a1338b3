"""The terminal under a live view: what people type, ^C included, must not be written into what is redrawn."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_FLAGS = 3  # the place of the local flags in what tcgetattr returns


@contextmanager
def without_echo() -> Iterator[None]:
    """A block in which the terminal shows no keys. Nothing happens without a terminal or in the background."""
    before = None
    if _is_ours():
        with suppress(termios.error):
            before = termios.tcgetattr(sys.stdin)
            changed = [*before]
            changed[_FLAGS] = before[_FLAGS] & ~termios.ECHO
            termios.tcsetattr(sys.stdin, termios.TCSANOW, changed)
    try:
        yield
    finally:
        if before is not None and _is_ours():
            with suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def _is_ours() -> bool:
    """Whether this process may set the terminal: one in the background would be stopped for it."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False
