"""Real programs at a terminal: they see a terminal, and the person sees what they print, unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.tracked import end_shippers, wait_until
from tests.acceptance.tracking_sdk.terminals import Terminal
from tests.acceptance.tracking_sdk.test_console import QUIET
from tracking.home import Home, console_path
from tracking.journal.locking import is_locked


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, home: Path) -> object:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    yield
    end_shippers(home)


def kept(run_id: str = "r") -> str:
    path = console_path(Home.find().run_dir(run_id), 1)
    wait_until("the pump has ended", lambda: not is_locked(path))
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def test_a_program_and_its_children_see_a_terminal_of_the_right_size(tmp_path: Path) -> None:
    code = """
        import os, subprocess, sys, tracking
        with tracking.init(id="r", mode="offline"):
            print("python", sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size(1).columns)
            subprocess.run(["sh", "-c", "test -t 1 && test -t 2 && echo child sees one"])
        print("after", sys.stdout.isatty())
        """
    with Terminal(tmp_path, code, columns=77) as terminal:
        shown = terminal.read_all()
    assert shown == b"python True True 77\r\nchild sees one\r\nafter True\r\n"
    assert kept() == "python True True 77\nchild sees one\n"


def test_the_terminal_shows_every_byte_unchanged(tmp_path: Path) -> None:
    code = r"""
        import sys, tracking
        run = tracking.init(id="r", mode="offline")
        for n in range(30):
            sys.stderr.write(f"\r\x1b[32m{n}%\x1b[0m"); sys.stderr.flush()
        sys.stdout.write("\n\ttab \x1b[1mbold\x1b[0m \x07 é\n")
        run.finish()
        """
    bars = "".join(f"\r\x1b[32m{n}%\x1b[0m" for n in range(30))
    with Terminal(tmp_path, code) as terminal:
        shown = terminal.read_all()
    assert shown.decode() == bars + "\r\n\ttab \x1b[1mbold\x1b[0m \x07 é\r\n"
    assert kept().startswith("\x1b[32m29%\x1b[0m\n\ttab \x1b[1mbold\x1b[0m")


def test_the_size_of_the_window_is_followed(tmp_path: Path) -> None:
    code = """
        import os, time, tracking
        with tracking.init(id="r", mode="offline"):
            print("ready", flush=True)
            while os.get_terminal_size(1).columns != 55:
                time.sleep(0.02)
            print("followed")
        """
    with Terminal(tmp_path, code) as terminal:
        terminal.read_until(b"ready")
        terminal.resize(55)
        terminal.read_until(b"followed")


def test_a_question_on_the_terminal_is_shown_and_its_answer_read(tmp_path: Path) -> None:
    code = """
        import tracking
        with tracking.init(id="r", mode="offline"):
            print("hello", input("your name? "))
        """
    with Terminal(tmp_path, code) as terminal:
        terminal.read_until(b"your name? ")
        terminal.type("Ada\n")
        terminal.read_until(b"hello Ada")
    assert "hello Ada\n" in kept()


def test_a_debugger_works(tmp_path: Path) -> None:
    code = """
        import tracking
        with tracking.init(id="r", mode="offline"):
            number = 41
            breakpoint()
            print("went on with", number)
        """
    with Terminal(tmp_path, code) as terminal:
        terminal.read_until(b"(Pdb)")
        terminal.type("number + 1\n")
        terminal.read_until(b"42")
        terminal.type("c\n")
        terminal.read_until(b"went on with 41")


def test_everything_is_shown_before_the_program_has_ended(tmp_path: Path) -> None:
    """The prompt of the shell must come after the last line."""
    code = """
        import os, tracking
        tracking.init(id="r", mode="offline")
        for number in range(3000):
            print("line", number)
        """
    with Terminal(tmp_path, code) as terminal:
        shown = terminal.read_all()
    assert shown.decode() == "".join(f"line {number}\r\n" for number in range(3000))
    assert kept() == shown.decode().replace("\r\n", "\n")


def test_two_runs_one_after_the_other_in_one_program(tmp_path: Path) -> None:
    code = """
        import tracking
        for name in "ab":
            with tracking.init(id=name, mode="offline"):
                print("in", name)
            print("between")
        """
    with Terminal(tmp_path, code) as terminal:
        shown = terminal.read_all()
    assert shown == b"in a\r\nbetween\r\nin b\r\nbetween\r\n"
    assert (kept("a"), kept("b")) == ("in a\n", "in b\n")
