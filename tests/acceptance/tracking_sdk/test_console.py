"""Real programs that print: everything reaches where it went before, and the console file of the run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, wait_until
from tracking.home import Home, console_path
from tracking.journal.locking import is_locked

QUIET = {"SWEEP_SILENT": "true", "SWEEP_SYSTEM": "off", "SWEEP_DISABLE_META": "true", "SWEEP_DISABLE_GIT": "true"}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home, environ=dict(QUIET)) as training:
        yield training


def log_path(run_id: str = "r") -> Path:
    return console_path(Home.find().run_dir(run_id), 1)


def kept(run_id: str = "r") -> str:
    """The console file, once its pump has ended."""
    path = log_path(run_id)
    wait_until("the pump has ended", lambda: not is_locked(path))
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def run_joined(training: Training, code: str) -> subprocess.CompletedProcess[str]:
    """Run a script whose two streams are one pipe."""
    script = training.folder / "train.py"
    script.write_text(textwrap.dedent(code))
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=training.folder,
        env={**os.environ, **QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )


def pumps(path: Path) -> list[int]:
    """The pids of the processes that write this console file."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(path) in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return sorted(found)


def test_children_and_libraries_are_captured_and_the_order_is_kept(training: Training) -> None:
    done = run_joined(
        training,
        """
        import os, subprocess, sys, tracking
        run = tracking.init(id="r", mode="offline")
        print("one", flush=True)
        subprocess.run(["sh", "-c", "echo two; echo three >&2"])
        os.write(1, b"four\\n")
        print("five", file=sys.stderr, flush=True)
        if os.fork() == 0:
            print("six", flush=True)
            os._exit(0)
        os.wait()
        run.finish()
        print("after")
        """,
    )
    assert done.stdout == "one\ntwo\nthree\nfour\nfive\nsix\nafter\n"
    assert kept() == "one\ntwo\nthree\nfour\nfive\nsix\n"


def test_the_two_streams_stay_apart_where_they_were_apart(training: Training) -> None:
    done = training.run(
        """
        import sys, subprocess, tracking
        with tracking.init(id="r", mode="offline"):
            print("out")
            print("err", file=sys.stderr)
            subprocess.run(["sh", "-c", "echo child; echo child error >&2"])
        """
    )
    assert sorted(done.stdout.splitlines()) == ["child", "out"]
    assert sorted(done.stderr.splitlines()) == ["child error", "err"]
    assert sorted(kept().splitlines()) == ["child", "child error", "err", "out"]


def test_what_was_printed_before_a_sigkill_is_in_the_file_and_in_the_store(training: Training) -> None:
    process = training.start(
        """
        import os, signal, subprocess, sys, tracking
        run = tracking.init(id="r")
        for number in range(5000):
            print("line", number)
        sys.stdout.flush()
        subprocess.run(["echo", "from a child"])
        print("the last one without an end", end="", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -signal.SIGKILL
    text = kept()
    assert text == out + "\n"
    assert text.count("line ") == 5000
    assert text.endswith("from a child\nthe last one without an end\n")
    training.ended("r")
    with training.store() as store:
        assert store.console("r", limit=1 << 24).decode() == text


def test_nothing_is_lost_at_sys_exit_and_by_an_exception(training: Training) -> None:
    done = training.run(
        """
        import sys, tracking
        tracking.init(id="r", mode="offline")
        print("last words")
        sys.exit(3)
        """,
        status=3,
    )
    assert done.stdout == "last words\n"
    assert kept() == "last words\n"
    done = training.run(
        """
        import tracking
        tracking.init(id="e", mode="offline")
        print("before")
        raise RuntimeError("the reason")
        """,
        status=1,
    )
    assert done.stdout == "before\n"
    assert done.stderr.endswith("RuntimeError: the reason\n")
    assert "before\n" in kept("e")
    assert "RuntimeError: the reason\n" in kept("e")


def test_an_exception_that_leaves_the_block_of_a_run_is_in_its_file_and_on_the_terminal_once(
    training: Training,
) -> None:
    done = training.run(
        """
        import tracking
        with tracking.init(id="r", mode="offline"):
            print("before")
            raise RuntimeError("the reason")
        """,
        status=1,
    )
    assert done.stderr.count("RuntimeError: the reason") == 1
    assert kept().count("RuntimeError: the reason") == 1


def test_a_child_that_keeps_the_streams_open_holds_up_neither_finish_nor_the_end(training: Training) -> None:
    process = training.start(
        """
        import subprocess, time, tracking
        run = tracking.init(id="r", mode="offline")
        child = subprocess.Popen(["sh", "-c", "echo early; exec sleep 30"])
        time.sleep(0.3)
        began = time.monotonic()
        run.finish()
        print("finish took", time.monotonic() - began, child.pid, flush=True)
        """
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "early\n"
    words = process.stdout.readline().split()
    assert process.wait(DEADLINE_S) == 0
    os.kill(int(words[-1]), signal.SIGTERM)
    assert float(words[2]) < 1.5
    assert kept() == "early\n"


def test_what_a_child_prints_after_the_end_of_the_run_is_still_shown(training: Training) -> None:
    done = training.run(
        """
        import subprocess, tracking
        run = tracking.init(id="r", mode="offline")
        child = subprocess.Popen(["sh", "-c", "sleep 0.5; echo late"])
        print("early", flush=True)
        run.finish()
        """
    )
    assert done.stdout == "early\nlate\n"


def test_output_works_when_stdout_is_closed_or_a_file(training: Training) -> None:
    code = """
        import os, sys, tracking
        run = tracking.init(id=sys.argv[1], mode="offline")
        if sys.stdout is not None:
            print("to stdout", flush=True)
        print("to stderr", file=sys.stderr)
        run.finish()
        if sys.stdout is not None:
            print("after")
        """
    script = training.folder / "train.py"
    script.write_text(textwrap.dedent(code))
    line = f"{sys.executable} {script} closed >&-; {sys.executable} {script} file > out.txt"
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=training.folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert done.stderr == "to stderr\nto stderr\n"
    assert (training.folder / "out.txt").read_text() == "to stdout\nafter\n"
    assert kept("closed") == "to stderr\n"
    assert sorted(kept("file").splitlines()) == ["to stderr", "to stdout"]


def test_a_reader_that_leaves_is_noticed_as_it_was_without_us(training: Training) -> None:
    script = training.folder / "train.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time, tracking
            run = tracking.init(id="r", mode="offline")
            try:
                for number in range(10**7):
                    print("line", number)
            except BrokenPipeError:
                sys.stderr.write("noticed\\n")
            """
        )
    )
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} {script} | head -2"],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.stdout == "line 0\nline 1\n"
    assert "noticed" in done.stderr


def test_progress_bars_are_collapsed_in_the_file_and_untouched_on_the_terminal(training: Training) -> None:
    done = training.run(
        """
        import sys, tracking
        with tracking.init(id="r", mode="offline"):
            for number in range(101):
                sys.stderr.write(f"\\r{number}%|{'#' * (number // 10):10}|")
                sys.stderr.flush()
            sys.stderr.write("\\n")
        """
    )
    assert done.stderr.count("%|") == 101
    assert kept() == "100%|##########|\n"


def test_a_pump_that_is_killed_has_a_successor(training: Training) -> None:
    process = training.start(
        """
        import sys, tracking
        run = tracking.init(id="r", mode="offline")
        print("one", flush=True)
        sys.stderr.write("ready\\n"); sys.stderr.flush()
        while not __import__("os").path.exists("go"):
            __import__("time").sleep(0.02)
        for number in range(2000):
            print("line", number)
        run.finish()
        """
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    found = wait_until("both pumps run", lambda: len(found := pumps(log_path())) == 2 and found)
    os.kill(found[-1], signal.SIGKILL)
    wait_until("it is replaced", lambda: len(now := pumps(log_path())) == 2 and found[-1] not in now)
    (training.folder / "go").touch()
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, err
    assert out == "one\n" + "".join(f"line {number}\n" for number in range(2000))
    assert kept().endswith("line 1999\n")


def test_the_trace_of_a_crash_is_kept(training: Training) -> None:
    process = training.start(
        """
        import ctypes, faulthandler, tracking
        faulthandler.enable()
        tracking.init(id="r", mode="offline")
        ctypes.string_at(0)
        """
    )
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in err
    assert "Segmentation fault" in kept()


def test_wrap_sees_python_alone_and_off_sees_nothing(training: Training) -> None:
    code = """
        import subprocess, sys, tracking
        with tracking.init(id=sys.argv[1], mode="offline"):
            print("from python")
            print("error", file=sys.stderr)
            subprocess.run(["echo", "from a child"])
        """
    training.run(code, "w", SWEEP_CONSOLE="wrap")
    assert kept("w") == "from python\nerror\n"
    training.run(code, "o", SWEEP_CONSOLE="off")
    assert not log_path("o").exists()


@pytest.mark.parametrize("way", ["fd", "sys", "no"])
def test_the_capture_of_pytest_gets_what_it_got_before(training: Training, way: str) -> None:
    (training.folder / "test_inner.py").write_text(
        textwrap.dedent(
            """
            import subprocess, tracking
            def test_it(capfd):
                run = tracking.init(id="r", mode="offline")
                print("from python")
                subprocess.run(["echo", "from a child"])
                run.finish()
                out = capfd.readouterr().out
                assert "from python" in out and "from a child" in out

            def test_that_prints(request):
                with tracking.init(id="s", mode="offline"):
                    print("seen by nobody else")
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--capture={way}", "test_inner.py"],
        cwd=training.folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from python\n" in kept()
    assert kept("s").count("seen by nobody else\n") == 1


def test_a_stream_without_a_descriptor_is_captured_too(training: Training) -> None:
    """As in notebooks, where sys.stdout is an object that sends text to a browser."""
    training.run(
        """
        import io, sys, tracking
        sys.stdout = io.StringIO()
        run = tracking.init(id="r", mode="offline")
        print("to the browser")
        shown = sys.stdout.getvalue()
        run.finish()
        assert shown == "to the browser\\n"
        """
    )
    assert kept() == "to the browser\n"


def test_runs_that_overlap_each_have_what_was_printed_during_them(training: Training) -> None:
    done = training.run(
        """
        import tracking
        a = tracking.init(id="a", mode="offline")
        print("a", flush=True)
        b = tracking.init(id="b", mode="offline", reinit="create_new")
        print("both", flush=True)
        a.finish()
        print("b", flush=True)
        b.finish()
        print("none", flush=True)
        """
    )
    assert done.stdout == "a\nboth\nb\nnone\n"
    assert kept("a").startswith("a\nboth\n")
    assert kept("b") == "both\nb\n"


def test_many_threads_and_children_print_without_losing_a_line(training: Training) -> None:
    done = training.run(
        """
        import subprocess, sys, threading, tracking
        run = tracking.init(id="r", mode="offline")
        def shout(name):
            for number in range(500):
                sys.stdout.write(f"{name} {number}\\n")
        threads = [threading.Thread(target=shout, args=(f"thread{n}",)) for n in range(4)]
        child = subprocess.Popen([sys.executable, "-uc", "for n in range(500): print('child', n)"])
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        child.wait()
        run.finish()
        """
    )
    assert sorted(done.stdout.splitlines()) == sorted(kept().splitlines())
    assert len(done.stdout.splitlines()) == 2500
