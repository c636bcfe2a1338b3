"""Small parts of the agent: failure limits, slots, hidden names, the wording of notices, the reach of the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import agent.guard
from agent.attempts.limits import FailureLimits
from agent.attempts.slots import Slots
from agent.attempts.watching import never_logged
from agent.errors import NamesHidden, SlotsInvalid
from agent.shadows import check
from agent.upkeep.reach import Reach
from tracking.errors import StoreUnavailable


def test_three_early_failures_are_enough() -> None:
    limits = FailureLimits()
    assert [bool(limits.fail(10.0)) for _ in range(3)] == [False, False, True]


def test_later_it_takes_five_without_any_success() -> None:
    limits = FailureLimits()
    assert [bool(limits.fail(100.0)) for _ in range(5)] == [False] * 4 + [True]
    limits = FailureLimits()
    limits.succeed()
    assert not any(limits.fail(100.0) for _ in range(50))


def test_early_failures_among_more_successes_are_no_reason_to_end() -> None:
    limits = FailureLimits()
    for _ in range(10):
        limits.succeed()
    assert not any(limits.fail(1.0) for _ in range(9))
    assert limits.fail(1.0)


def test_failing_functions_end_their_agent_only_before_any_success() -> None:
    limits = FailureLimits.from_environment(environ={}, functions=True)
    assert [bool(limits.fail(0.0)) for _ in range(5)] == [False] * 4 + [True]
    limits = FailureLimits.from_environment(environ={}, functions=True)
    limits.succeed()
    assert not any(limits.fail(0.0) for _ in range(100))


def test_failures_in_a_row_count_anew_after_a_success() -> None:
    limits = FailureLimits(initial=0, consecutive=2)
    assert not limits.fail(1.0)
    limits.succeed()
    assert not limits.fail(1.0)
    assert limits.fail(1.0) == "2 trials in a row failed"


def test_the_limit_comes_from_the_environment() -> None:
    assert FailureLimits.from_environment(environ={}).initial == 5
    assert FailureLimits.from_environment(environ={"WANDB_AGENT_MAX_INITIAL_FAILURES": "7"}).initial == 7
    off = FailureLimits.from_environment(environ={"SWEEP_AGENT_MAX_INITIAL_FAILURES": "0"})
    assert not any(off.fail(0.0) for _ in range(100))
    raised = FailureLimits.from_environment(environ={"SWEEP_AGENT_MAX_INITIAL_FAILURES": "7"})
    assert [bool(raised.fail(0.0)) for _ in range(7)] == [False] * 6 + [True]
    with pytest.raises(SlotsInvalid, match="SWEEP_AGENT_MAX_INITIAL_FAILURES='many'"):
        FailureLimits.from_environment(environ={"SWEEP_AGENT_MAX_INITIAL_FAILURES": "many"})


def test_only_very_short_trials_are_taken_ahead_of_need() -> None:
    slots = Slots(2, ahead=True)
    assert (slots.free, slots.ahead) == (2, 0)
    slots.note_pace(5.0)
    assert (slots.free, slots.ahead) == (2, 0)
    short = Slots(2, ahead=True)
    short.note_pace(0.002)
    assert short.free == 2
    assert 8 < short.ahead <= 64
    programs = Slots(2)
    programs.note_pace(0.002)
    assert (programs.free, programs.ahead) == (2, 0)


@pytest.mark.parametrize(
    ("metric", "logged", "text"),
    [
        (
            "val_loss",
            ["val/loss", "epoch"],
            "val_loss was never logged; did you mean val/loss? logged: epoch, val/loss",
        ),
        ("Accuracy", ["accuracy"], "Accuracy was never logged; did you mean accuracy? logged: accuracy"),
        ("acuracy", ["accuracy", "loss"], "acuracy was never logged; did you mean accuracy? logged: accuracy, loss"),
        ("f1", ["loss"], "f1 was never logged; logged: loss"),
        ("f1", [], "f1 was never logged (nothing was logged at all)"),
    ],
)
def test_a_metric_never_logged_names_the_nearest_key(metric: str, logged: list[str], text: str) -> None:
    assert never_logged(metric, logged) == text


def test_a_module_that_hides_tracking_from_a_script_that_needs_it_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import tracking\n")
    (tmp_path / "tracking.py").write_text("")
    with pytest.raises(NamesHidden, match=r"tracking\.py hides the package `tracking` from .*train\.py"):
        check(script, tmp_path, {})


def test_hidden_names_that_a_script_does_not_need_are_warnings(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("print(1)\n")
    (tmp_path / "tracking.py").write_text("")
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "__init__.py").write_text("")
    warnings = check(script, tmp_path, {})
    assert [f"{tmp_path}/{name}" in warning for name, warning in zip(("agent/", "tracking.py"), warnings, strict=True)]


def test_pythonpath_is_looked_through_and_our_own_folder_is_no_offender(tmp_path: Path) -> None:
    (tmp_path / "sweeps.py").write_text("")
    ours = Path(agent.guard.__file__).parent.parent
    assert check(None, ours, {}) == []
    assert len(check(None, ours.parent, {"PYTHONPATH": str(tmp_path)})) == 1
    assert check(None, ours.parent, {"PYTHONPATH": f"{ours}:{tmp_path}"}) == []


def test_the_store_s_absence_is_told_once_and_its_return_once() -> None:
    said: list[str] = []
    reach = Reach(said.append)
    reach.found()
    for _ in range(5):
        reach.lost(StoreUnavailable("gone"))
    assert 0 < reach.patience <= 5
    reach.found()
    reach.found()
    assert ["away" in line for line in said] == [True, False]


def test_the_guard_starts_as_a_module_where_an_agent_py_lies_about(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("raise SystemExit('the wrong agent')")
    code = (
        "import socket, subprocess, sys\n"
        "ours, theirs = socket.socketpair()\n"
        "guard = subprocess.Popen([sys.executable, '-P', '-m', 'agent.guard', str(theirs.fileno()), '1'],"
        " pass_fds=[theirs.fileno()])\n"
        'theirs.close(); ours.sendall(b\'{"do": "end"}\\n\'); sys.exit(guard.wait(20))\n'
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_guard_needs_the_standard_library_only() -> None:
    code = f"import runpy, sys; runpy.run_path({agent.guard.__file__!r}, run_name='x'); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"agent", "sweeps", "tracking", "subprocess", "dataclasses"} & set(eval(done.stdout))
