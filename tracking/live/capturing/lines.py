"""Turns what a program writes to a terminal into lines for a file: what was rewritten keeps its final state only."""

# Imported by the pump, whose start the first line of output waits for: nothing here is imported that is not builtin.
from __future__ import annotations

import codecs

HOLD_S = 1.0
"""Seconds that a line which was rewritten waits for being rewritten again, once the cursor has left it."""
MOST_HELD = 64
"""Lines that are held at most; the cursor of a progress display does not go further up."""
MAX_LINE = 1 << 20
"""Characters. A longer line is cut in pieces: it may be no text at all."""
_RESETS = ("\x1b[0m", "\x1b[m")


class Line:
    """A line that may still change."""

    __slots__ = ("at", "rewritten", "text")

    def __init__(self, at: float) -> None:
        self.text, self.at, self.rewritten = "", at, False


class Collapser:
    """Follows the cursor of one stream; hands out lines when nothing will change them any more.

    Carriage returns, backspaces, cursor movements and erasures are carried out, so of a progress bar its last state is
    left, also where several bars are drawn below each other. Colours stay. Bytes that are no UTF-8 pass unchanged.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._lines: list[Line] = [Line(0.0)]
        self._row = self._column = 0
        self._style = ""
        self._rest = ""
        self._moves = False

    def feed(self, data: bytes, now: float) -> bytes:
        """Take what was written at `now` (monotonic); the lines that are final."""
        text = self._rest + self._decode(data)
        self._rest = ""
        if "\r\n" in text:
            text = text.replace("\r\n", "\n")
        if _is_plain(text) and self._row == len(self._lines) - 1 and not self._moves and not self._style:
            last = self._lines[-1]
            if self._column == _width(last.text):
                return self._append(text, now)
        for token in self._tokens(text):
            self._apply(token, now)
        return self.settle(now)

    def settle(self, now: float) -> bytes:
        """The lines that have become final by waiting."""
        count = 0
        for line in self._lines[: self._row]:
            waits = (line.rewritten or self._moves) and now - line.at < HOLD_S
            if waits and self._row - count <= MOST_HELD:
                break
            count += 1
        return self._handed_out(count)

    def flush(self) -> bytes:
        """All that is left, an unfinished line included; the stream may go on."""
        rest = self._decode(b"", True) + self._rest
        self._rest = ""
        if rest:
            self._lines[-1].text += rest
        if not _shown(self._lines[-1]):
            self._lines.pop()
        text = "".join(f"{_shown(line)}\n" for line in self._lines)
        self._begin(0.0)
        return _encoded(text)

    def _append(self, text: str, now: float) -> bytes:
        """What most output is: text that is added at the end."""
        last = self._lines[-1]
        finished, newline, rest = text.rpartition("\n")
        if not newline:
            last.text, last.at = last.text + text, now
            self._column += _width(text)
            return self._cut(last)
        out = self._handed_out(self._row) if self._row else b""
        out += _encoded(f"{_shown(last)}{finished}\n")
        self._begin(now)
        self._lines[0].text = rest
        self._column = _width(rest)
        return out + self._cut(self._lines[0])

    def _cut(self, line: Line) -> bytes:
        if len(line.text) <= MAX_LINE:
            return b""
        text, line.text, self._column = line.text, "", 0
        return _encoded(text + "\n")

    def _begin(self, now: float) -> None:
        self._lines, self._row, self._column = [Line(now)], 0, 0

    def _handed_out(self, count: int) -> bytes:
        if not count:
            return b""
        lines, self._lines = self._lines[:count], self._lines[count:]
        self._row -= count
        return _encoded("".join(f"{_shown(line)}\n" for line in lines))

    def _tokens(self, text: str) -> list[str]:
        """Runs of text and control sequences; a sequence that is not complete yet waits for the rest."""
        from tracking.live.capturing import sequences  # regular expressions, which plain output never needs

        whole, self._rest = sequences.complete(text)
        return sequences.tokens(whole)

    def _apply(self, token: str, now: float) -> None:
        if token[0] == "\x1b":
            self._obey(token, now)
        elif token == "\n":
            self._down(1, now)
            self._column = 0
        elif token == "\r":
            self._return()
        elif token == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._put(token, now)

    def _obey(self, sequence: str, now: float) -> None:
        """A control sequence; those that mean nothing in a file are left out."""
        if not sequence.startswith("\x1b["):
            return
        final = sequence[-1]
        if final == "m":
            self._style += sequence
            return
        number = int(sequence[2:-1]) if sequence[2:-1].isdecimal() else None
        if final in "AF":
            self._moves = True
            self._row = max(0, self._row - (number or 1))
        elif final in "BE":
            self._down(number or 1, now)
        elif final == "C":
            self._column += min(number or 1, 1000)
        elif final == "D":
            self._column = max(0, self._column - (number or 1))
        elif final == "G":
            self._column = min((number or 1) - 1, 1000)
        elif final == "K":
            self._erase(number or 0, now)
        elif final == "J":
            self._erase(number or 0, now)
            del self._lines[self._row + 1 :]
        if final in "EF":
            self._column = 0

    def _return(self) -> None:
        self._column = 0
        if self._style.endswith(_RESETS):  # it ends the colours of what is left here, not of what comes
            self._lines[self._row].text += self._style
            self._style = ""

    def _down(self, count: int, now: float) -> None:
        line = self._lines[self._row]
        if self._style:  # colours that end behind the text, as most do
            line.text, self._style = line.text + self._style, ""
        line.at = now if self._row == len(self._lines) - 1 else line.at
        self._row += min(count, MOST_HELD)
        while self._row >= len(self._lines):
            self._lines.append(Line(now))

    def _erase(self, what: int, now: float) -> None:
        line = self._lines[self._row]
        cells = _cells(line.text)
        if what == 0:
            line.text = "".join(cells[: self._column])
        elif what == 1:
            line.text = " " * min(self._column, len(cells)) + "".join(cells[self._column :])
        else:
            line.text = ""
        line.rewritten, line.at = True, now

    def _put(self, text: str, now: float) -> None:
        line = self._lines[self._row]
        styled, self._style = self._style + text, ""
        width = _width(line.text)
        if self._column >= width:
            line.text += " " * (self._column - width) + styled
        else:
            cells = _cells(line.text)
            rest = "".join(cells[self._column + len(text) :])
            line.text = "".join(cells[: self._column]) + styled + ("" if rest in _RESETS else rest)
            line.rewritten = True
        self._column += len(text)
        line.at = now
        if len(line.text) > MAX_LINE:
            line.text, self._column = line.text[-MAX_LINE // 2 :], 0


def _is_plain(text: str) -> bool:
    """Whether only line ends control the cursor."""
    return not ("\r" in text or "\b" in text or "\x1b" in text)


def _width(text: str) -> int:
    return len(text) if "\x1b" not in text else len(_cells(text))


def _cells(text: str) -> list[str]:
    """The characters, each with the colours that begin before it."""
    if "\x1b" not in text:
        return list(text)
    from tracking.live.capturing import sequences  # as above

    return sequences.cells(text)


def _shown(line: Line) -> str:
    """What is left when bars are cleared by blanks: nothing."""
    return line.text.rstrip(" ") if line.rewritten else line.text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
