"""`python -P -m tracking.shipping <run folder> <run id> <attempt>`: accompanies one run, or ships what it left."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

from tracking.errors import TrackingError
from tracking.home import journal_path
from tracking.shipping.child import DONE, READY, Companionship
from tracking.shipping.companion import Companion
from tracking.shipping.loop import Outcome
from tracking.shipping.writers import LockedWriter, ParentWriter

EXIT_OK, EXIT_PROBLEM, EXIT_LATER = 0, 1, 75
"""75 is EX_TEMPFAIL: the journal is whole and can be shipped later."""
_USAGE = "usage: python -P -m tracking.shipping <run folder> <run id> <attempt> [--part NAME] [--child] [--offline]\n"


def main(arguments: list[str]) -> int:
    """Ship; the exit status says whether all is in the store (0), may be later (75), or cannot be (1)."""
    parsed = _parsed(arguments)
    if parsed is None:
        sys.stderr.write(_USAGE)
        return 2
    options, is_child = parsed
    path = journal_path(options.run_dir, options.attempt, options.part)
    writer = _parent_writer() if is_child else LockedWriter(path, _say)
    companion = Companion(options, writer)
    try:
        outcome = companion.run()
    except TrackingError as error:
        writer.answer(f"{error}\n".encode())
        sys.stderr.write(f"{error}\n")
        return EXIT_PROBLEM
    if outcome is Outcome.GAVE_UP:
        writer.answer(b"the store stayed away; the journal is kept\n")
        return EXIT_LATER
    return EXIT_PROBLEM if companion.problem else EXIT_OK


def _parsed(arguments: list[str]) -> tuple[Companionship, bool] | None:
    """What is asked for, and whether the training process is the parent; None when it makes no sense."""
    words, flags, part = [], set(), ""
    rest = iter(arguments)
    for word in rest:
        if word == "--part":
            part = next(rest, "")
        elif word.startswith("--"):
            flags.add(word)
        else:
            words.append(word)
    if len(words) != 3 or not words[2].isdecimal() or not flags <= {"--child", "--offline"}:
        return None
    online = "--offline" not in flags
    return Companionship(Path(words[0]), words[1], int(words[2]), part, online, {}), "--child" in flags


def _say(line: bytes) -> None:
    if line not in (READY, DONE):
        sys.stderr.write(line.decode())


def _parent_writer() -> ParentWriter:
    # What the parent had open beside our three is none of our business: holding a pipe would keep its reader waiting.
    os.closerange(3, 1024)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed; the end must still be recorded
    with contextlib.suppress(OSError):
        os.nice(5)
    return ParentWriter(socket.socket(fileno=0), os.getppid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
