"""Runs scripts under a pseudo-terminal, as a person at a terminal does."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path

from tests.acceptance.tracked import DEADLINE_S


class Terminal:
    """A terminal of a given size with one program in it, whose standard streams it is."""

    def __init__(self, folder: Path, code: str, columns: int = 100, **environ: str) -> None:
        script = folder / "train.py"
        script.write_text(textwrap.dedent(code))
        self._screen, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=folder,
            env={**os.environ, **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        with self.process:
            self.process.kill()
        os.close(self._screen)

    def resize(self, columns: int, rows: int = 30) -> None:
        termios.tcsetwinsize(self._screen, (rows, columns))

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def read_until(self, text: bytes) -> bytes:
        """Everything shown so far, once `text` is in it."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} was never shown; shown was {self.shown!r}"
            self._read(0.1)
        return self.shown

    def read_all(self) -> bytes:
        """Everything shown, once nobody can write to the terminal any more."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and self._read(0.2):
            pass
        self.process.wait(DEADLINE_S)
        return self.shown

    def _read(self, seconds: float) -> bool:
        """Read what comes within this time; False when nobody has the terminal any more."""
        readable, _, _ = select.select([self._screen], [], [], seconds)
        with contextlib.suppress(OSError):
            if not readable or (data := os.read(self._screen, 65536)) is None:
                return True
            self.shown += data
            return bool(data)
        return False
