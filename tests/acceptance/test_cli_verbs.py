"""The verbs over a real store: what they print, their JSON, their exit statuses, and that looking makes nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.desk import SPEC, Run, create, told
from tracking.states import RunState
from tracking.store import open_store as open_run_store
from tracking.store.contract import RunBatch, RunEnd, RunStart

READING = [["ls"], ["ls", "--json"], ["doctor"], ["doctor", "--json"], ["completion", "bash"]]
MISSING = [["show"], ["best"], ["watch"], ["logs"], ["pause"], ["resume"], ["stop"], ["cancel"], ["delete", "--yes"]]


@pytest.mark.parametrize("argv", READING, ids=" ".join)
def test_looking_on_a_fresh_machine_makes_nothing(run: Run, home: Path, argv: list[str]) -> None:
    assert run(*argv)[0] == 0
    assert not home.exists()


@pytest.mark.parametrize("argv", MISSING, ids=" ".join)
def test_without_a_store_an_id_is_unknown_and_nothing_is_made(run: Run, home: Path, argv: list[str]) -> None:
    status, _, err = run(*argv, "abc")
    assert status == 1
    assert "sweep create sweep.yaml" in err
    assert not home.exists()


def test_no_sweeps_yet_is_friendly(run: Run) -> None:
    assert "No sweeps yet" in run("ls")[1]
    assert run("ls", "--json")[1].strip() == "[]"


def test_create_prints_the_id_and_the_line_that_runs_it(run: Run) -> None:
    status, out, err = run("create", "sweep.yaml", "--project", "p", "--entity", "e", "--name", "n")
    made = json.loads(run("ls", "--json")[1])[0]
    assert (status, err) == (0, "")
    assert f"sweep agent {made['id']}" in out
    assert (made["project"], made["entity"], made["name"]) == ("p", "e", "n")


def test_trials_run_beside_the_yaml_when_only_there_the_program_is(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path.cwd()
    monkeypatch.chdir(tmp_path)
    status, out, err = run("create", "work/sweep.yaml", "--json")
    assert (status, err) == (0, f"note: train.py lies beside the YAML, so trials run in {folder}\n")
    assert json.loads(run("show", json.loads(out)["id"], "--json")[1])["workdir"] == str(folder)
    (tmp_path / "train.py").write_text("")
    status, out, err = run("create", "work/sweep.yaml", "--json")
    assert (status, err) == (0, "")
    assert json.loads(run("show", json.loads(out)["id"], "--json")[1])["workdir"] == str(tmp_path)


def test_hints_can_be_pasted_into_a_fresh_terminal(run: Run, home: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'other.db'}"
    out = run("create", "sweep.yaml", "--store", store)[1]
    assert f"Run it with: SWEEP_HOME={home} SWEEP_STORE={store} sweep agent " in out


def test_create_warns_when_the_program_is_not_there(run: Run) -> None:
    Path("train.py").unlink()
    status, _, err = run("create", "sweep.yaml")
    assert status == 0
    assert "program 'train.py' is no file" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [("method: [", "sweep.yaml:"), ("method: bogus\nparamters: {}\n", "3 faults"), (None, "sweep.yaml")],
)
def test_a_faulty_file_is_refused_and_leaves_nothing(run: Run, home: Path, text: str | None, said: str) -> None:
    Path("sweep.yaml").unlink()
    if text is not None:
        Path("sweep.yaml").write_text(text)
    status, out, err = run("create", "sweep.yaml")
    assert (status, out) == (1, "")
    assert said in err
    assert "Traceback" not in err
    assert not home.exists()


def test_ls_shows_progress_and_best(run: Run) -> None:
    sweep = told(run, [0.5, 0.25])
    out = run("ls")[1]
    for word in (sweep.id, "running", "2/4", "0.25", "loss", "digits [red]"):
        assert word in out
    assert run("ls", "--project", "other")[1].startswith("No sweeps yet in project 'other'")


def test_show_has_configuration_best_and_trials(run: Run) -> None:
    sweep = told(run, [0.5, None, 0.25])
    status, out, _ = run("show", sweep.id[:6])
    assert status == 0
    for word in ("# a comment of the user", "3/4", "0.25  trial 2", "boo [/b]", "2 complete", "1 failed"):
        assert word in out


def test_show_as_json_has_stable_keys(run: Run) -> None:
    sweep = told(run, [0.5, None])
    shown = json.loads(run("show", sweep.id, "--json")[1])
    assert list(shown) == [
        *("id", "name", "project", "entity", "state", "reason", "method", "metric", "budget", "trials", "done", "best"),
        *("created_at", "finished_at", "description", "workdir", "seed", "config", "notices", "trial_list"),
    ]
    assert shown["trials"] == {"waiting": 0, "running": 0, "complete": 1, "pruned": 0, "failed": 1, "canceled": 0}
    assert shown["seed"] == 3
    assert shown["trial_list"][1]["value"] is None
    assert shown["trial_list"][1]["reason"] == "boo [/b]"


def test_show_cuts_long_tables_unless_told_otherwise(run: Run) -> None:
    Path("sweep.yaml").write_text(SPEC.replace("run_cap: 4", "run_cap: 30"))
    sweep = told(run, [float(number) for number in range(25)])
    assert "more: --all" in run("show", sweep.id)[1]
    assert "more: --all" not in run("show", sweep.id, "--all")[1]


def test_best_prints_parameters_and_a_line_that_a_shell_reads(run: Run) -> None:
    sweep = told(run, [0.5, 0.25])
    best: Any = sweep.best()
    assert "loss = 0.25" in run("best", sweep.id)[1]
    assert yaml.safe_load(run("best", sweep.id, "--yaml")[1]) == best.params
    assert json.loads(run("best", sweep.id, "--json")[1])["config"] == best.params
    line = run("best", sweep.id, "--command")[1]
    assert f"train.py --opt.lr={best.params['opt']['lr']}" in line
    assert line.count("\n") == 1


def test_the_line_that_repeats_the_best_shows_no_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hush")
    Path("sweep.yaml").write_text(SPEC + 'command: [python, "${program}", "--key=${envvar:API_TOKEN}", "${args}"]\n')
    sweep = told(run, [0.5])
    line = run("best", sweep.id, "--command")[1]
    assert "hush" not in line
    assert '--key="$API_TOKEN"' in line


def test_no_best_trial_is_an_error_that_says_why(run: Run) -> None:
    status, _, err = run("best", told(run, [None]).id)
    assert status == 1
    assert "1 trial has ended, none with a finite value of 'loss'" in err
    assert "no trial has ended" in run("best", create(run).id)[2]


def test_json_is_json_also_when_there_is_nothing(run: Run) -> None:
    sweep = create(run)
    assert run("best", sweep.id, "--json")[:2] == (0, "null\n")
    trial = sweep.ask()
    open_run_store().delete_runs([trial.run_id])
    status, out, _ = run("logs", trial.run_id, "--json")
    assert (status, json.loads(out)) == (
        0,
        {"run_id": trial.run_id, "attempt": 1, "state": "running", "text": ""},
    )
    assert json.loads(run("replay", sweep.id, "--json")[1])["equal"] is True
    assert json.loads(run("watch", sweep.id, "--json")[1])["best"] is None


def test_best_from_another_folder_goes_back_first(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep, folder = told(run, [0.5]), Path.cwd()
    monkeypatch.chdir(tmp_path)
    line = run("best", sweep.id, "--command")[1]
    assert line.startswith(f"cd {folder} && SWEEP_HOME={tmp_path / 'home'} ")
    (folder / "train.py").write_text("import os; print(os.getcwd(), os.environ['SWEEP_HOME'])")
    pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True)
    assert pasted.stdout.split() == [str(folder), str(tmp_path / "home")]
    for verb in (["best", sweep.id], ["show", sweep.id]):
        assert "cd " in run(*verb)[1]


def test_show_ends_with_the_line_that_repeats_the_best(run: Run) -> None:
    sweep = told(run, [0.5])
    assert run("best", sweep.id, "--command")[1].strip() in " ".join(
        run("show", sweep.id)[1].replace("\\\n", "").split()
    )


def test_what_is_piped_has_no_trailing_blanks_and_one_width(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = told(run, [0.5, None])
    monkeypatch.delenv("COLUMNS")
    for verb in (["show", sweep.id], ["best", sweep.id], ["ls"], ["watch", sweep.id, "--once"]):
        lines = run(*verb)[1].splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
        assert max(len(line) for line in lines) <= 120 or verb[0] == "best"


def test_watch_prints_once_or_until_the_end(run: Run) -> None:
    sweep = told(run, [0.5, 0.25])
    assert "2/4" in run("watch", sweep.id, "--once")[1]
    assert json.loads(run("watch", sweep.id, "--json")[1])["done"] == 2
    sweep.stop()
    status, out, _ = run("watch", sweep.id)
    assert status == 0
    assert "2/4 done · best 0.25 (trial 1) · finished" in out
    assert "Repeat the best" in out


def test_the_right_id_under_a_wrong_project_is_named(run: Run) -> None:
    sweep = create(run, "--project", "p", "--entity", "ent")
    status, _, err = run("show", f"ent/wrong/{sweep.id}")
    assert status == 1
    assert f"Did you mean ent/p/{sweep.id}?" in err


def test_a_wrong_id_names_the_nearest(run: Run) -> None:
    sweep = create(run)
    wrong = sweep.id[:-1] + ("a" if sweep.id[-1] != "a" else "b")
    status, _, err = run("show", wrong)
    assert status == 1
    assert sweep.id in err


def log_to(run_id: str, text: bytes, *, attempt: int = 1, end: RunState | None = RunState.FINISHED) -> None:
    store = open_run_store()
    start = RunStart(id=run_id, project="p")
    batch = RunBatch(run_id, attempt, 0, 1, start=start, console=text, end=RunEnd(end) if end else None)
    store.apply([batch])
    store.close()


def test_logs_print_what_a_run_printed(run: Run) -> None:
    create(run)
    log_to("plain123", b"one\ntwo\n\xffthree\n")
    assert run("logs", "plain123", "--tail", "2")[1].startswith("two\n")
    assert json.loads(run("logs", "pla", "--json")[1])["text"] == "one\ntwo\n\ufffdthree\n"
    status, _, err = run("logs", "plain124")
    assert status == 1
    assert "Did you mean 'plain123'?" in err


def test_logs_of_a_trial_are_found_by_sweep_and_number(run: Run) -> None:
    sweep = told(run, [0.5])
    status, _, err = run("logs", f"{sweep.id[:6]}-0")
    assert status == 0
    assert err == f"{sweep.id}-0 printed nothing\n"
    status, _, err = run("logs", f"{sweep.id}-9")
    assert status == 1
    assert "its trials are 0 to 0" in err


def test_following_ends_with_the_run(run: Run) -> None:
    create(run)
    log_to("plain123", b"one\n")
    assert run("logs", "-f", "plain123")[:2] == (0, "one\n")
    assert run("logs", "-f", "--json", "plain123")[0] == 2


def test_the_doctor_finds_what_is_broken(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("tracking.py").write_text("")
    found = json.loads(run("doctor", "--json")[1])
    assert any(item["topic"] == "shadow" and "tracking.py" in item["text"] for item in found)
    assert {item["level"] for item in found} <= {"ok", "warning"}
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path / "file" / "home"))
    status, out, _ = run("doctor")
    assert status == 1
    assert "FAIL" in out


def test_the_doctor_names_files_that_hide_libraries_and_python(run: Run) -> None:
    for name in ("queue", "click"):
        Path(f"{name}.py").write_text("")
    found = json.loads(run("doctor", "--json")[1])
    assert {Path(item["text"].split()[0]).name for item in found if item["topic"] == "shadow"} == {
        "queue.py",
        "click.py",
    }


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_the_doctor_tries_whether_the_home_can_be_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_HOME", "/proc/nope")
    found = json.loads(run("doctor", "--json")[1])
    assert [item["level"] for item in found if item["topic"] == "home"] == ["broken"]


def test_the_doctor_shows_no_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_STORE", "postgresql://me:hush@127.0.0.1:1/none")
    status, out, _ = run("doctor")
    assert status == 1
    assert "hush" not in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    status, out, _ = run("completion", shell)
    assert status == 0
    assert "_SWEEP_COMPLETE" in out


def test_ids_are_completed_from_the_store(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = told(run, [0.5])
    monkeypatch.setenv("_SWEEP_COMPLETE", "bash_complete")
    for words, wanted in (
        (f"sweep show {sweep.id[:3]}", sweep.id),
        (f"sweep logs {sweep.id}-", f"{sweep.id}-0"),
        ("sweep pau", "pause"),
        ("sweep best --com", "--command"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        status, out, err = run()
        assert (status, err) == (0, "")
        assert wanted in out
