"""The command group: lazy verbs, grouped help, exit statuses, plain errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import click
import pytest

from sweeps.cli import search_path, verbs
from sweeps.cli.main import group, main
from sweeps.errors import Fault, SpecInvalid, SweepsError

InstallVerb = Callable[[Callable[[], object]], None]


@pytest.fixture
def install_verb(monkeypatch: pytest.MonkeyPatch) -> InstallVerb:
    """Makes `sweep probe` run a given function."""

    def install(action: Callable[[], object]) -> None:
        @click.command("probe")
        def probe() -> object:
            return action()

        monkeypatch.setattr(verbs.Verb, "load", lambda self: probe)
        monkeypatch.setitem(group.__dict__, "verbs", {"probe": verbs.Verb("probe", "nowhere:probe")})

    return install


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


def test_help_groups_the_verbs_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for title in ("Create and run:", "Look:", "Steer:", "Runs and files:", "Setup:"):
        assert title in text
    assert "Pause a sweep: no new trials, running ones go on" in text


def test_help_imports_no_verb_and_no_heavy_library() -> None:
    code = (
        "import sys; from sweeps.cli.main import main; main(['--help']); "
        "heavy = {'rich', 'sqlalchemy', 'yaml', 'optuna', 'numpy', 'sweeps.verbs.ls', 'agent'} & set(sys.modules); "
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wacth"]) == 2
    assert "There is no verb 'wacth'. Did you mean 'watch'?" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sweepwright ")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SweepsError("no such thing"), 1, "Error: no such thing"),
        (click.UsageError("wrong"), 2, "Error: wrong"),
        (click.ClickException("failed"), 1, "Error: failed"),
        (KeyboardInterrupt(), 130, ""),
        (PermissionError(13, "Permission denied", "/x"), 1, "Error: Permission denied: /x"),
        (RuntimeError("boo"), 1, "this is a bug in sweepwright: RuntimeError: boo"),
        (SystemExit(3), 3, ""),
    ],
)
def test_each_failure_has_its_status_and_plain_words(
    install_verb: InstallVerb, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, said: str
) -> None:
    install_verb(raising(error))
    assert main(["probe"]) == status
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("argv", [["--debug", "probe"], ["probe", "--debug"]])
def test_debug_shows_the_traceback(
    install_verb: InstallVerb, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    install_verb(raising(SweepsError("no such thing")))
    assert main(argv) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_invalid_spec_prints_every_fault(install_verb: InstallVerb, capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault("is wrong", "method", 3, 5, "use grid"), Fault("is missing", "parameters", 1, 1)]
    install_verb(raising(SpecInvalid(faults, "sweep.yaml")))
    assert main(["probe"]) == 1
    err = capsys.readouterr().err
    assert "2 faults in sweep.yaml" in err
    assert "sweep.yaml:3:5: method: is wrong (use grid)" in err
    assert "sweep.yaml:1:1: parameters: is missing" in err


@pytest.mark.parametrize("argv", [["--store", "sqlite:///x.db", "probe"], ["probe", "--store", "sqlite:///x.db"]])
def test_the_store_option_reaches_everyone_through_the_environment(
    install_verb: InstallVerb, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("SWEEP_STORE", "before")
    seen: list[str] = []
    install_verb(lambda: seen.append(os.environ["SWEEP_STORE"]))
    assert main(argv) == 0
    assert seen == ["sqlite:///x.db"]


def test_a_status_that_a_verb_returns_is_the_exit_status(install_verb: InstallVerb) -> None:
    install_verb(lambda: 7)
    assert main(["probe"]) == 7
    install_verb(lambda: {"any": "thing"})
    assert main(["probe"]) == 0


def test_a_verb_that_cannot_be_imported_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(group.__dict__, "verbs", {"probe": verbs.Verb("probe", "no_such_module_here:probe")})
    assert main(["probe"]) == 1
    assert "the verb 'probe' cannot be loaded" in capsys.readouterr().err


def test_a_plugin_cannot_replace_a_verb_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def __init__(self, name: str, value: str) -> None:
            self.name, self.value = name, value

    points = [Point("ls", "sweeps.verbs.ls:command"), Point("ls", "evil:command"), Point("extra", "evil:extra")]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    found = verbs.find_verbs()
    assert found["ls"].target == "sweeps.verbs.ls:command"
    assert verbs.grouped(set(found))[-1] == (verbs.OTHERS, ["extra"])


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('"""One line."""\n', "One line"),
        ("'''\nBelow the quotes.\n\nMore.\n'''\n", "Below the quotes"),
        ('# licence\n"""After a comment."""\n', "After a comment"),
        ("x = 1\n", ""),
        ("this is no python", ""),
    ],
)
def test_help_lines_are_read_without_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, line: str
) -> None:
    (tmp_path / "probe_plugin.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert verbs.Verb("probe", "probe_plugin:command").help_line() == line
    assert "probe_plugin" not in sys.modules


def test_user_folders_leave_the_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, installed = tmp_path / "code", tmp_path / "installed"
    for folder in (code, installed / "thing-1.0.dist-info"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(code), str(installed)]))
    path = ["", str(code), str(installed), "/elsewhere"]
    assert search_path.clean(path) == ["", str(code)]
    assert path == [str(installed), "/elsewhere"]


def test_our_own_folder_stays_on_the_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = str(Path(search_path.__file__).resolve().parents[2])
    monkeypatch.chdir(ours)
    path = [ours]
    assert search_path.clean(path) == []
