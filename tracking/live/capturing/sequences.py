"""Terminal control sequences: where they begin and end in a text."""

# Imported by the pump when it first meets one: see lines.py.
from __future__ import annotations

import re

_LONGEST = 4096
"""Characters that an unfinished sequence may have; what is longer is no sequence."""

_TOKEN = re.compile(
    r"\n|\r|\x08"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and other strings: titles, links
    r"|\x1b[ -/]*[0-~]"
    r"|\x1b"
    r"|[^\n\r\x08\x1b]+"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_CELL = re.compile(r"(?:\x1b\[[0-9;:]*m)*(?:[^\x1b]|\Z)", re.DOTALL)


def complete(text: str) -> tuple[str, str]:
    """The text up to a sequence that is cut off at its end, and that beginning of a sequence."""
    found = _UNFINISHED.search(text, max(0, len(text) - _LONGEST))
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def tokens(text: str) -> list[str]:
    """The text in pieces, each a control sequence, a control character or a run of characters."""
    return _TOKEN.findall(text)


def cells(text: str) -> list[str]:
    """The characters of a text whose only sequences are colours; colours at the end are a cell of their own."""
    return [cell for cell in _CELL.findall(text) if cell]
