"""What an agent in a terminal tells at any time: on standard error, or above the live view while there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from agent.cli import printing
from agent.interrupts import write_error


class Messages:
    """Lines from the agent's thread and from signal handlers, which must not be written into a live view."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._has_view = False

    def warn(self, line: str) -> None:
        """A line for people, from any thread."""
        if self._has_view:
            self._lines.put(line)
        else:
            printing.err(line)

    def tell(self, line: str) -> None:
        """The same from a signal handler."""
        if self._has_view:
            self._lines.put(line)  # a SimpleQueue's put may interrupt its own get
        else:
            write_error(line)

    @contextmanager
    def shown_by_view(self) -> Iterator[SimpleQueue[str]]:
        """A block in which a view takes the lines from the queue; what it has not taken is written afterwards."""
        self._has_view = True
        try:
            yield self._lines
        finally:
            self._has_view = False
            with suppress(Empty):
                while True:
                    printing.err(self._lines.get_nowait())
