"""The command line of a trial: every macro, alone and inside of an element."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.errors import SweepsError
from sweeps.spec import expand, load, shell_line

PARAMS = {"a": True, "b": False, "c": 1, "d": None}
SPACE = {name: {"value": value} for name, value in PARAMS.items()}


def argv(*command: str, params: Any = None, environ: Any = None, **keys: Any) -> list[str]:
    document = {"method": "random", "parameters": SPACE, "program": "train.py"} | keys
    if command:
        document["command"] = list(command)
    spec = load(document).spec
    params = PARAMS if params is None else params
    return expand(spec, params, interpreter="/py", param_file="/run/params.json", environ=environ or {})


def test_the_default_command() -> None:
    assert argv() == ["/usr/bin/env", "/py", "train.py", "--a=True", "--b=False", "--c=1", "--d=None"]


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        ("${env}", ["/usr/bin/env"]),
        ("${interpreter}", ["/py"]),
        ("${program}", ["train.py"]),
        ("${args}", ["--a=True", "--b=False", "--c=1", "--d=None"]),
        ("${args_no_equals}", ["--a", "True", "--b", "False", "--c", "1", "--d", "None"]),
        ("${args_no_hyphens}", ["a=True", "b=False", "c=1", "d=None"]),
        ("${args_append_hydra}", ["+a=True", "+b=False", "+c=1", "+d=None"]),
        ("${args_override_hydra}", ["++a=True", "++b=False", "++c=1", "++d=None"]),
        ("${args_no_boolean_flags}", ["--a", "--c=1", "--d=None"]),
        ("${args_json}", ['{"a": true, "b": false, "c": 1, "d": null}']),
        ("${args_json_file}", ["/run/params.json"]),
    ],
)
def test_a_macro_that_is_the_whole_element(macro: str, words: list[str]) -> None:
    assert argv("x", macro) == ["x", *words]


@pytest.mark.parametrize(
    ("element", "word"),
    [
        ("--script=${program}", "--script=train.py"),
        ("--params=${args_json_file}", "--params=/run/params.json"),
        ("${program}:${program}", "train.py:train.py"),
        ("run ${program} ${args}", "run train.py --a=True --b=False --c=1 --d=None"),
        ("cfg=${args_json}", 'cfg={"a": true, "b": false, "c": 1, "d": null}'),
    ],
)
def test_a_macro_inside_of_an_element(element: str, word: str) -> None:
    assert argv("x", element) == ["x", word]


def test_many_words_inside_of_an_element_are_quoted_for_a_shell() -> None:
    assert argv("bash", "-c", "python ${args}", params={"a": "x y"}) == ["bash", "-c", "python '--a=x y'"]


@pytest.mark.parametrize("element", ["plain", "$HOME", "${HOME}", "${}", "$", "${args", "{args}", "${Args}", "a b", ""])
def test_what_is_no_macro_passes_through(element: str) -> None:
    assert argv("x", element) == ["x", element]


def test_a_value_that_looks_like_a_macro_is_not_expanded_again() -> None:
    assert argv("x", "${args}", params={"a": "${program}"}) == ["x", "--a=${program}"]
    assert argv("x", "-${args}", params={"a": "${program}"}) == ["x", "-'--a=${program}'"]


def test_environment_variables_are_replaced_anywhere() -> None:
    environ = {"HOST": "h", "EMPTY": ""}
    assert argv("x", "${envvar:HOST}", "a-${envvar:HOST}-${envvar:EMPTY}b", environ=environ) == ["x", "h", "a-h-b"]


def test_a_missing_environment_variable_is_an_error() -> None:
    with pytest.raises(SweepsError, match="environment variable NOPE is not set"):
        argv("x", "a${envvar:NOPE}")


def test_neither_program_nor_command_is_an_error() -> None:
    spec = load({"method": "random", "parameters": SPACE}).spec
    with pytest.raises(SweepsError, match="neither program nor command"):
        expand(spec, PARAMS, interpreter="/py", param_file="", environ={})


def test_the_macro_program_without_a_program_is_an_error() -> None:
    spec = load({"method": "random", "parameters": SPACE, "command": ["x", "${program}"]}).spec
    with pytest.raises(SweepsError, match="names no program"):
        expand(spec, PARAMS, interpreter="/py", param_file="", environ={})


@pytest.mark.parametrize("command", [["${args_no_boolean_flags}"], [""]])
def test_a_command_that_is_empty_in_the_end_is_an_error(command: list[str]) -> None:
    with pytest.raises(SweepsError, match="is empty"):
        argv(*command, params={"a": False})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, "a", None], '[1, "a", null]'),
        ({"k": True}, '{"k": true}'),
        (1e-05, "1e-05"),
        ("a b", "a b"),
        ("", ""),
        ("True", "True"),
    ],
)
def test_a_value_on_the_command_line(value: Any, text: str) -> None:
    assert argv("x", "${args}", params={"v": value}) == ["x", f"--v={text}"]


def test_nested_parameters_have_dotted_names_and_nested_json() -> None:
    parameters = {"opt": {"parameters": {"lr": {"value": 0.1}}}}
    found = argv("x", "${args}", "${args_json}", params={"opt.lr": 0.1}, parameters=parameters)
    assert found == ["x", "--opt.lr=0.1", '{"opt": {"lr": 0.1}}']


def test_an_argument_without_parameters_vanishes() -> None:
    assert argv("x", "${args}", params={}) == ["x"]


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1), min_size=1))
def test_the_shell_line_is_read_back_as_the_same_words(words: list[str]) -> None:
    assert shlex.split(shell_line(words)) == words


@given(st.dictionaries(st.sampled_from(["a", "b.c"]), st.none() | st.booleans() | st.integers() | st.text(max_size=5)))
def test_the_json_macro_is_read_back(params: dict[str, Any]) -> None:
    assert json.loads(argv("x", "${args_json}", params=params)[1]) == params
