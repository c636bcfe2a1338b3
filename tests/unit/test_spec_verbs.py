"""The verbs `check`, `init` and `schema`: what they print, what they refuse, and that `check` writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from sweeps.errors import SpecInvalid, SweepsError
from sweeps.verbs.check import command as check
from sweeps.verbs.init import command as init
from sweeps.verbs.schema import command as schema

GRID = "method: grid\nprogram: train.py\nparameters:\n  a: {values: [1, 2]}\n  b: {min: 1, max: 600}\n"
BAYES = """\
method: bayes
program: train.py
seed: 3
metric: {name: loss, target: 0.1}
early_terminate: {type: hyperband, min_iter: 2}
run_cap: 20
parameters:
  opt: {parameters: {lr: {distribution: log_uniform_values, min: 1e-4, max: 1}}}
"""
SCRIPT = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.01)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Path("train.py").write_text(SCRIPT)
    return work


def run_check(text: str, *flags: str) -> Result:
    Path("sweep.yaml").write_text(text)
    return CliRunner().invoke(check, ["sweep.yaml", *flags])


def test_check_shows_space_size_and_command_lines_of_a_grid() -> None:
    result = run_check(GRID)
    assert result.exit_code == 0
    assert "grid over 2 parameters" in result.stdout
    assert "Grid size: 1 200 points" in result.stdout
    lines = [line for line in result.stdout.splitlines() if "train.py --" in line]
    assert [line.partition("train.py ")[2] for line in lines] == ["--a=1 --b=1", "--a=1 --b=2", "--a=1 --b=3"]
    assert result.stderr == ""


def test_check_shows_metric_bands_target_and_nested_names() -> None:
    result = run_check(BAYES)
    assert "minimize loss, at most 20 trials" in result.stdout
    assert "judged after 2, 6, 18, 54, 162, 486, …" in result.stdout
    assert "Ends when loss reaches 0.1" in result.stdout
    assert result.stdout.count("--opt.lr=") == 3


def test_check_gives_json() -> None:
    found = json.loads(run_check(BAYES, "--json").stdout)
    assert found["valid"] is True
    assert found["seed"] == 3
    assert found["bands"][:2] == [2, 6]
    assert found["parameters"][0]["name"] == "opt.lr"
    assert len(found["commands"]) == 3


def test_check_writes_nothing_not_even_the_home(tmp_path: Path, folder: Path) -> None:
    run_check(GRID)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["sweep.yaml", "train.py", "work"]


def test_check_warns_of_a_program_that_is_not_there() -> None:
    result = run_check(GRID.replace("train.py", "nope.py"))
    assert result.exit_code == 0
    assert "nope.py" in result.stderr


def test_check_of_a_function_sweep_shows_points() -> None:
    result = run_check(GRID.replace("program: train.py\n", ""))
    assert result.exit_code == 0
    assert '{"a": 1, "b": 1}' in result.stdout


def test_check_warns_of_a_missing_environment_variable() -> None:
    result = run_check(GRID + 'command: ["${envvar:SWEEPWRIGHT_NOPE}", "${program}"]\n')
    assert result.exit_code == 0
    assert "SWEEPWRIGHT_NOPE is not set" in result.stderr


def test_check_refuses_with_every_fault() -> None:
    result = run_check(GRID + "run_cap: 0\nfoo: 1\n")
    assert isinstance(result.exception, SpecInvalid)
    assert len(result.exception.faults) == 2


def test_check_gives_faults_as_json_too() -> None:
    result = run_check(GRID + "run_cap: 0\n", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["valid"] is False
    assert (found["faults"][0]["where"], found["faults"][0]["line"]) == ("run_cap", 6)


def test_check_of_a_space_smaller_than_the_samples() -> None:
    result = run_check("method: random\nprogram: train.py\nparameters: {a: {value: 1}}\n")
    assert result.exit_code == 0
    assert result.stdout.count("--a=1") == 1


def test_init_writes_a_file_that_passes_check() -> None:
    result = CliRunner().invoke(init, ["train.py"])
    assert result.exit_code == 0
    assert "sweep check sweep.yaml" in result.stdout
    assert CliRunner().invoke(check, ["sweep.yaml"]).exit_code == 0


def test_init_names_the_file_that_it_writes_and_what_is_left_to_fill_in() -> None:
    Path("train.py").write_text(SCRIPT + "p.add_argument('data')\n")
    result = CliRunner().invoke(init, ["train.py", "-o", "a1.yaml"])
    assert "`sweep check a1.yaml`" in Path("a1.yaml").read_text().splitlines()[0]
    assert "fill in: CHANGE_ME_data" in result.stdout
    checked = CliRunner().invoke(check, ["a1.yaml"])
    assert checked.exit_code == 0
    assert "command[3]: still says CHANGE_ME" in checked.stderr


def test_check_warns_of_a_parameter_that_still_says_change_me() -> None:
    result = run_check(GRID.replace("a: {values: [1, 2]}", "a: {value: CHANGE_ME}"))
    assert "sweep.yaml:4:3: parameters.a: still says CHANGE_ME" in result.stderr


@pytest.mark.parametrize(
    ("distribution", "shown"),
    [
        ("{distribution: q_beta, q: 0.1}", "non-uniform"),
        ("{distribution: q_log_uniform, min: 0, max: 3}", "non-uniform"),
        ("{values: [1, 2], probabilities: [0.2, 0.8]}", "weighted"),
        ("{distribution: normal}", "continuous"),
    ],
)
def test_check_says_why_a_parameter_has_no_place_on_a_grid(distribution: str, shown: str) -> None:
    result = run_check(f"method: random\nprogram: train.py\nparameters: {{a: {distribution}}}\n")
    words = [word for word in ("non-uniform", "weighted", "continuous") if word in result.stdout]
    assert words == [shown]


def test_init_refuses_to_overwrite_without_force() -> None:
    Path("sweep.yaml").write_text("mine")
    result = CliRunner().invoke(init, ["train.py"])
    assert isinstance(result.exception, SweepsError)
    assert "--force" in str(result.exception)
    assert Path("sweep.yaml").read_text() == "mine"
    assert CliRunner().invoke(init, ["train.py", "--force"]).exit_code == 0
    assert "lr:" in Path("sweep.yaml").read_text()


def test_init_prints_instead_of_writing() -> None:
    result = CliRunner().invoke(init, ["train.py", "--print"])
    assert "log_uniform_values" in result.stdout
    assert not Path("sweep.yaml").exists()


def test_init_of_a_broken_script_leaves_nothing_behind() -> None:
    Path("train.py").write_text("def f(:\n")
    result = CliRunner().invoke(init, ["train.py"])
    assert isinstance(result.exception, SweepsError)
    assert "train.py:1" in str(result.exception)
    assert not Path("sweep.yaml").exists()


def test_schema_prints_a_valid_schema() -> None:
    result = CliRunner().invoke(schema, [])
    Draft202012Validator.check_schema(json.loads(result.stdout))
