"""`sweep init`: the options of a script, read and never run, become a sweep.yaml that passes `sweep check`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.errors import SweepsError
from sweeps.space import Categorical, Constant, Distribution, IntUniform, LogUniform, Uniform
from sweeps.spec import SweepSpec, load_text
from sweeps.spec.model import Goal
from sweeps.starter.document import scalar, starter_document
from sweeps.starter.logged import guess_metric
from sweeps.starter.script import read_script, scan

ARGPARSE = "import argparse\np = argparse.ArgumentParser()\n"


def document(source: str) -> str:
    return starter_document(scan(ast.parse(source)), "train.py")


def spec(source: str) -> SweepSpec:
    return load_text(document(source)).spec


def argparse_spec(*arguments: str) -> SweepSpec:
    return spec(ARGPARSE + "".join(f"p.add_argument({one})\n" for one in arguments))


def proposed(argument: str) -> Distribution:
    found = argparse_spec(argument)
    return found.space.parameters[0].distribution


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("'--lr', type=float, default=0.01", LogUniform(0.0001, 1.0)),
        ("'--learning-rate', type=float", LogUniform(1e-5, 0.1)),
        ("'--weight_decay', type=float, default=0.0", LogUniform(1e-6, 0.01)),
        ("'--tau', type=float, default=0.005", LogUniform(5e-5, 0.5)),
        ("'--dropout', type=float, default=0.1", Uniform(0.0, 0.5)),
        ("'--momentum', type=float, default=0.9", Uniform(0.5, 0.999)),
        ("'--gain', type=float, default=4.0", Uniform(2.0, 8.0)),
        ("'--shift', type=float, default=-2.0", Uniform(-4.0, -1.0)),
        ("'--scale', type=float, default=0", Uniform(0.0, 1.0)),
        ("'--batch-size', '-b', type=int, default=64", Categorical((16, 32, 64, 128, 256))),
        ("'--hidden', type=int, default=100", Categorical((25, 50, 100, 200, 400))),
        ("'--layers', type=int, default=3", IntUniform(1, 6)),
        ("'--layers', default=3", IntUniform(1, 6)),
        ("'--k', type=int, default=0", IntUniform(0, 10)),
        ("'--k', type=int", IntUniform(1, 10)),
        ("'--opt', choices=['adam', 'on', 'sgd']", Categorical(("adam", "on", "sgd"))),
        ("'--depth', type=int, choices=(2, 4)", Categorical((2, 4))),
        ("'--nesterov', action='store_true'", Categorical((True, False))),
        ("'--bias', type=str2bool, default=True", Categorical((True, False))),
        ("'--width', type=int, default=2 ** 3 if True else 1, choices=[8, 16]", Categorical((8, 16))),
        ("'--width', type=int, default=4 * 16", Categorical((16, 32, 64, 128, 256))),
    ],
)
def test_an_argparse_option_becomes_a_range(argument: str, expected: Distribution) -> None:
    assert proposed(argument) == expected


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("'--seed', type=int, default=0", "a seed"),
        ("'--data-dir', default='/data'", "a path"),
        ("'--epochs', type=int, default=10", "length of the training"),
        ("'--num-workers', type=int, default=4", "about the machine"),
        ("'--log-interval', type=int, default=4", "about output"),
        ("'--verbose', action='store_true'", "about output"),
        ("'--resume', action='store_true'", "a flag of no search value"),
        ("'--sizes', type=int, nargs='+'", "several values"),
        ("'--x', type=bool, default=False", "type=bool reads"),
        ("'--bias', action=argparse.BooleanOptionalAction, default=True", "--no-bias"),
        ("'--text', default='hello'", "add `values: […]`"),
        ("'--patience', type=int, default=-1", "no range can be told"),
        ("'--when', type=parse_date", "its type parse_date"),
        ("'input'", "positional"),
        ("'-n', type=int", "no name with two hyphens"),
        ("'--a:b', type=int", "no name for a parameter"),
    ],
)
def test_an_option_of_no_search_value_is_a_comment_with_its_reason(argument: str, reason: str) -> None:
    text = document(ARGPARSE + f"p.add_argument('--lr', type=float)\np.add_argument({argument})\n")
    assert load_text(text).spec.space.names == ("lr",)
    assert reason in text.partition("# Left out:")[2]


def test_defaults_from_constants_of_the_module_are_known() -> None:
    found = spec("LR = 0.01\nKINDS = ['a', 'b']\n" + ARGPARSE + "p.add_argument('--lr', type=float, default=LR)\n"
                 "p.add_argument('--kind', choices=KINDS)\n")  # fmt: skip
    assert found.space["lr"].distribution == LogUniform(0.0001, 1.0)
    assert found.space["kind"].distribution == Categorical(("a", "b"))


def test_a_required_option_that_is_not_searched_gets_a_place_to_fill_in() -> None:
    found = argparse_spec("'--lr', type=float", "'--data', required=True")
    assert found.space["data"].distribution == Constant("CHANGE_ME")


def test_what_is_required_but_no_option_with_a_value_gets_a_command_with_places_to_fill_in() -> None:
    source = ["'--lr', type=float", "'-n', required=True", "'data-file'", "'--sizes', nargs='+', required=True"]
    found = argparse_spec(*source, "'more', nargs='*'")
    assert found.command is not None
    assert found.command[3:] == (
        "CHANGE_ME_data_file", "-n", "CHANGE_ME_n", "--sizes", "CHANGE_ME_sizes", "${args}",
    )  # fmt: skip


def test_a_place_to_fill_in_is_warned_about_until_it_is() -> None:
    text = document(ARGPARSE + "p.add_argument('--lr', type=float)\np.add_argument('data')\n")
    assert ["command[3]: still says CHANGE_ME" in warning for warning in load_text(text).warnings] == [True]
    assert load_text(text.replace('"CHANGE_ME_data"', '"mnist.csv"')).warnings == ()


def test_a_click_argument_that_may_be_left_out_needs_no_place() -> None:
    assert "CHANGE_ME_data" in document(CLICK)
    assert "CHANGE_ME" not in document(CLICK.replace('argument("data")', 'argument("data", required=False)'))
    assert "CHANGE_ME" not in document(CLICK.replace('argument("data")', 'argument("data", nargs=-1)'))
    assert "CHANGE_ME" not in document(CLICK.replace('argument("data")', 'argument("data", default="x")'))


def test_flags_bring_the_command_that_carries_them() -> None:
    assert argparse_spec("'--lr', type=float", "'--amsgrad', action='store_true'").command == (
        "${env}", "${interpreter}", "${program}", "${args_no_boolean_flags}",
    )  # fmt: skip
    assert argparse_spec("'--lr', type=float").command is None


def test_flags_are_left_out_where_other_booleans_need_a_value() -> None:
    found = argparse_spec("'--bias', type=str2bool, default=True", "'--amsgrad', action='store_true'")
    assert found.space.names == ("bias",)
    assert found.command is None


CLICK = """
import click
@click.command()
@click.option("--lr", default=0.01, show_default=True, help="Step size.")
@click.option("-b", "--batch-size", type=int, default=32)
@click.option("--opt", type=click.Choice(["adam", "sgd"]), default="adam")
@click.option("--depth", type=click.IntRange(1, 4), default=2)
@click.option("--drop", type=click.FloatRange(0, 0.3), default=0.1)
@click.option("--nesterov/--no-nesterov", default=False)
@click.option("--fast", is_flag=True)
@click.option("--tag", multiple=True)
@click.argument("data")
def main(**options): ...
"""


def test_click_options_become_ranges() -> None:
    space = spec(CLICK).space
    assert {parameter.name: parameter.distribution for parameter in space} == {
        "lr": LogUniform(0.0001, 1.0),
        "batch-size": Categorical((8, 16, 32, 64, 128)),
        "opt": Categorical(("adam", "sgd")),
        "depth": IntUniform(1, 4),
        "drop": Uniform(0.0, 0.3),
        "nesterov": Categorical((True, False)),
        "fast": Categorical((True, False)),
    }


TYPER = """
import typer
from enum import Enum
from typing import Annotated, Literal, Optional
class Opt(str, Enum):
    ADAM = "adam"
    SGD = "sgd"
app = typer.Typer()
@app.command()
def main(
    data: str,
    learning_rate: float = 0.01,
    depth: Annotated[int, typer.Option(min=1, max=3, help="Layers")] = 2,
    width: int = typer.Option(64, "--hidden-width"),
    opt: Opt = Opt.ADAM,
    act: Literal["relu", "tanh"] = "relu",
    drop: Optional[float] = None,
    amsgrad: bool = False,
    paths: list[str] = [],
): ...
"""


def test_typer_options_become_ranges() -> None:
    space = spec(TYPER).space
    assert {parameter.name: parameter.distribution for parameter in space} == {
        "learning-rate": LogUniform(0.0001, 1.0),
        "depth": IntUniform(1, 3),
        "hidden-width": Categorical((16, 32, 64, 128, 256)),
        "opt": Categorical(("adam", "sgd")),
        "act": Categorical(("relu", "tanh")),
        "drop": Uniform(0.0, 0.5),
        "amsgrad": Categorical((True, False)),
    }


def test_a_function_given_to_typer_run_is_read_and_others_are_not() -> None:
    source = "import typer\ndef other(gain: float = 2.0): ...\ndef main(lr: float = 0.1): ...\ntyper.run(main)\n"
    assert spec(source).space.names == ("lr",)


def test_the_config_of_init_serves_where_there_is_no_command_line() -> None:
    source = "import tracking\nconfig = dict(lr=0.01, layers=2, seed=1)\ntracking.init(config=config)\n"
    assert spec(source).space.names == ("lr", "layers")


def test_the_metric_is_guessed_from_what_is_logged() -> None:
    source = ARGPARSE + (
        "p.add_argument('--lr', type=float)\n"
        "run.log({'train/loss': 1, f'x{i}': 2})\nmetrics = {'epoch': 1, 'val/accuracy': 3}\nwandb.log(metrics)\n"
    )
    found = spec(source)
    assert found.method == "bayes"
    assert found.metric is not None
    assert (found.metric.name, found.metric.goal) == ("val/accuracy", Goal.MAXIMIZE)


def test_without_a_metric_the_search_is_random_and_tells_what_is_logged() -> None:
    text = document(ARGPARSE + "p.add_argument('--lr', type=float)\ntracking.log({'epoch': 1})\n")
    assert "method: random" in text
    assert "The script logs: epoch." in text


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["loss", "val_loss"], ("val_loss", "minimize")),
        (["train_acc", "test_error"], ("test_error", "minimize")),
        (["episode_reward"], ("episode_reward", "maximize")),
        (["val/f1", "val/loss"], ("val/f1", "maximize")),
        (["epoch", "step"], None),
        ([], None),
    ],
)
def test_a_metric_guess(keys: list[str], expected: Any) -> None:
    guess = guess_metric(keys)
    assert (guess and (guess.name, guess.goal)) == expected


@pytest.mark.parametrize("source", ["", "print('hello')", ARGPARSE, ARGPARSE + "p.add_argument('--seed', type=int)\n"])
def test_a_script_without_anything_to_search_is_refused(source: str) -> None:
    with pytest.raises(SweepsError, match=r"train\.py has (no option|options, but none)"):
        document(source)


def test_a_script_that_does_not_parse_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("x = 1\ndef f(:\n")
    with pytest.raises(SweepsError, match=r"train\.py:2: is no valid Python"):
        read_script(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"x = '\xff'\n", "is no Python text"), (b"\0", "is no valid Python"), (b"(" * 1000, "is no valid Python")],
)
def test_a_file_that_is_no_script_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(content)
    with pytest.raises(SweepsError, match=message):
        read_script(path)


def test_a_missing_script_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepsError, match="no such file"):
        read_script(tmp_path / "nope.py")
    with pytest.raises(SweepsError, match="is a folder"):
        read_script(tmp_path)


def test_the_script_is_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "train.py", tmp_path / "trace"
    path.write_text(f"open({str(trace)!r}, 'w')\n{ARGPARSE}p.add_argument('--lr', type=float)\n")
    assert [option.name for option in read_script(path).options] == ["lr"]
    assert not trace.exists()


def test_hostile_help_texts_stay_in_their_comment() -> None:
    source = ARGPARSE + "p.add_argument('--lr', type=float, default=0.1, help='a\\nmethod: grid\\x00\\u2028b')\n"
    assert spec(source).method == "random"


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.text(), st.none()))
def test_a_written_value_is_read_back(value: Any) -> None:
    if isinstance(value, str) and "\0" in value:
        return
    values = [value, "other"]
    found = load_text(f"method: random\nparameters: {{a: {{values: {scalar(values)}}}}}\n").spec.space["a"].distribution
    assert isinstance(found, Categorical)
    expected = pytest.approx(value, rel=1e-5, abs=1e-11) if isinstance(value, float) else value
    assert found.values[0] == expected


@given(st.text(alphabet=st.sampled_from("p.add_argument('--lr', type=float)\n=[]{}:@xdef "), max_size=60))
def test_any_source_that_parses_is_read(source: str) -> None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    scan(tree)
