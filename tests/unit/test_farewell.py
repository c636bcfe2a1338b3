"""What a run says when it starts and ends: at a terminal, in a pipe, in a notebook, and when it is to be quiet."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import tracking
from tracking import notices
from tracking.home import journal_path
from tracking.live import farewell, outline
from tracking.live.run import Run
from tracking.starting.endings import Ending
from tracking.states import RunState


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """An offline run without companion and capture that has logged a little."""
    monkeypatch.setattr("tracking.starting.plain.accompany", lambda *args, **options: None)
    farewell._said.clear()
    notices.hush()
    made = tracking.init(mode="offline", project="demo", name="happy-fox", id="fox00001")
    yield made
    made.finish()
    notices.hush()


def log_some(run: Run, steps: int = 100) -> None:
    for step in range(steps):
        run.log({"loss": 1 / (step + 1), "acc": step / steps})


def said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_the_first_line_has_name_id_and_place(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    farewell.greet(run)
    text = said(capsys)
    assert text.count("\n") == 1
    for word in ("happy-fox", "(fox00001)", "project demo", "offline", str(run._run_dir)):
        assert word in text


def test_it_is_said_once_however_often_it_is_asked_for(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    farewell.greet(run)
    capsys.readouterr()
    farewell.greet(run)
    assert said(capsys) == ""
    farewell.bid(run, Ending())
    assert "finished at step 0" in said(capsys)
    farewell.bid(run, Ending())
    assert said(capsys) == ""


def test_the_end_has_a_sparkline_and_the_summary_of_each_metric(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    log_some(run)
    run.summary["note"] = "good\nluck"
    capsys.readouterr()
    farewell.bid(run, Ending(RunState.FAILED, 1, "ValueError: boo"))
    lines = said(capsys).splitlines()
    assert "happy-fox (fox00001) failed (ValueError: boo) at step 100" in lines[0]
    assert "sweep sync" in lines[0]
    found = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert found["acc"] == ["▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███", "0.99"]
    assert found["loss"][1] == "0.01"
    assert found["note"] == ["good", "luck"]


def test_at_a_terminal_it_is_a_table_in_colours(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_some(run)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    farewell.bid(run, Ending())
    assert "\x1b[" in terminal.getvalue()
    assert "▁" in terminal.getvalue()
    assert "[red]" not in terminal.getvalue()


def test_many_metrics_are_cut_and_it_says_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.log({f"metric_{number:03}": number for number in range(50)})
    capsys.readouterr()
    farewell.bid(run, Ending())
    lines = said(capsys).splitlines()
    assert len(lines) == 1 + farewell.MOST_METRICS + 1
    assert lines[-1].strip() == "… and 30 more"


@pytest.mark.parametrize("name", ["SWEEP_QUIET", "WANDB_QUIET", "SWEEP_SILENT", "WANDB_SILENT"])
def test_quiet_settings_silence_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, "true")
    farewell._said.clear()
    capsys.readouterr()
    farewell.greet(run)
    farewell.bid(run, Ending())
    assert said(capsys) == ""


def test_a_problem_is_told_to_the_quiet_and_not_to_the_silent(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    monkeypatch.setenv("SWEEP_QUIET", "true")
    farewell.bid(run, Ending(), "the store is away")
    assert "the store is away" in said(capsys)
    monkeypatch.setenv("SWEEP_SILENT", "true")
    farewell.bid(run, Ending(), "the store is away")
    assert said(capsys) == ""


def test_a_trial_says_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    run._start.sweep_id = "abcd1234"
    farewell._said.clear()
    farewell.greet(run)
    farewell.bid(run, Ending(), "a problem that the agent tells")
    assert said(capsys) == ""
    run._start.sweep_id = ""


def notebook(monkeypatch: pytest.MonkeyPatch, *, kernel: bool) -> list[Any]:
    """A stand-in for IPython: what was displayed."""
    shown: list[Any] = []
    shell = SimpleNamespace(kernel=object()) if kernel else SimpleNamespace()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    display.display = lambda data, raw: shown.append(data)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


def test_a_notebook_shows_it_once_and_nothing_on_stderr(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = notebook(monkeypatch, kernel=True)
    run.log({"<b>": 1.5})
    farewell._said.clear()
    capsys.readouterr()
    for _ in range(2):
        farewell.greet(run)
        farewell.bid(run, Ending())
    assert said(capsys) == ""
    assert len(shown) == 2
    assert "happy-fox" in shown[0]["text/plain"]
    assert "&lt;b&gt;" in shown[1]["text/html"]
    assert "1.5" in shown[1]["text/html"]


def test_ipython_at_a_terminal_is_a_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = notebook(monkeypatch, kernel=False)
    capsys.readouterr()
    farewell.bid(run, Ending())
    assert "finished" in said(capsys)
    assert shown == []


def test_a_notebook_whose_front_end_has_gone_ends_no_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook(monkeypatch, kernel=True)

    def broken(data: Any, raw: bool) -> None:
        raise RuntimeError("no channel")

    monkeypatch.setattr(sys.modules["IPython.display"], "display", broken)
    farewell.bid(run, Ending())
    assert "no channel" in said(capsys)


def test_a_stream_without_block_characters_gets_none(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_some(run)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stderr", stream)
    farewell.bid(run, Ending())
    text = stream.buffer.getvalue().decode("latin-1")  # type: ignore[attr-defined]
    assert "0.99" in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:secret@db.example/sweeps", "postgresql://ann@db.example/sweeps"),
        ("postgresql://ann@db.example/sweeps?password=secret", "postgresql://ann@db.example/sweeps"),
        ("postgresql://ann:a@b@db/sweeps", "postgresql://ann@db/sweeps"),
        ("sqlite:////tmp/a@b/store.db", "sqlite:////tmp/a@b/store.db"),
    ],
)
def test_the_store_is_shown_without_a_password(monkeypatch: pytest.MonkeyPatch, url: str, shown: str) -> None:
    monkeypatch.setenv("SWEEP_STORE", url)
    assert farewell.store_shown() == shown


def test_aggregates_show_the_best_value(run: Run) -> None:
    run.define_metric("loss", summary="min,mean,best", goal="minimize")
    log_some(run)
    lines, more = farewell.summary_lines(run)
    assert [line.value for line in lines] == ["0.99", "0.01"]
    assert more == 0


# -- the outline of a journal ---------------------------------------------------------------------


def journal_of(run: Run) -> Path:
    assert run._run_dir is not None
    return journal_path(run._run_dir, run.attempt)


def test_a_long_journal_is_read_in_stretches(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "WHOLE_BYTES", 300_000)
    for step in range(20_000):
        run.log({"wave": math.sin(step / 2000), "step": step} | ({"note": "x"} if step % 100 == 0 else {}))
    found = outline.outline(journal_of(run))
    assert found["step"] == sorted(found["step"])
    assert found["step"][-1] > 19_900
    assert 50 < len(found["wave"]) < 1000
    assert min(found["wave"]) < -0.9
    assert max(found["wave"]) > 0.9


def test_a_journal_that_is_damaged_or_gone_has_no_outline(run: Run, tmp_path: Path) -> None:
    assert outline.outline(tmp_path / "gone") == {}
    log_some(run)
    data = bytearray(journal_of(run).read_bytes())
    (tmp_path / "torn").write_bytes(data[:-7])
    assert len(outline.outline(tmp_path / "torn")["loss"]) == 99
    for place in range(8, len(data), 97):
        broken = bytes(data[:place]) + b"\xff" + bytes(data[place + 1 :])
        (tmp_path / "broken").write_bytes(broken)
        assert outline.outline(tmp_path / "broken") is not None
