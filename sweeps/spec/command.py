"""From a specification and the parameters of a trial to the command line that runs it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.errors import SweepsError
from sweeps.spec.macros import DEFAULT_COMMAND, LISTS, PATTERN, WORDS
from sweeps.spec.parts import Settings


def expand(
    spec: Settings,
    params: Mapping[str, Any],
    *,
    interpreter: str,
    param_file: str,
    environ: Mapping[str, str],
) -> list[str]:
    """The argument vector of one trial; no shell is involved.

    `params` are flat. `interpreter` is the agent's Python, `param_file` a JSON file with the nested parameters.
    A macro of many words inside an element becomes one text, quoted as a shell would read it.
    Raises SweepsError when a macro needs the program and the sweep names none, or an environment variable is missing.
    """
    if spec.command is None and spec.program is None:
        raise SweepsError(
            "the sweep names neither program nor command, so there is nothing to run: add `program: train.py`"
        )
    expansion = _Expansion(spec, params, interpreter, param_file, environ)
    command = DEFAULT_COMMAND if spec.command is None else spec.command
    argv = [word for element in command for word in expansion.words(element)]
    if not argv or not argv[0]:
        raise SweepsError("the command of the sweep is empty once its macros are expanded")
    return argv


def shell_line(argv: Sequence[str]) -> str:
    """The argument vector as one line to paste into a shell."""
    return shlex.join(argv)


class _Expansion:
    """The macros of one trial."""

    def __init__(
        self,
        spec: Settings,
        params: Mapping[str, Any],
        interpreter: str,
        param_file: str,
        environ: Mapping[str, str],
    ) -> None:
        self._spec, self._params, self._environ = spec, params, environ
        self._single = {"env": "/usr/bin/env", "interpreter": interpreter, "args_json_file": param_file}

    def words(self, element: str) -> list[str]:
        """The words that one element of the command becomes."""
        whole = PATTERN.fullmatch(element)
        if whole and whole["name"] in LISTS:
            return arguments(whole["name"], self._params)
        return [PATTERN.sub(self._text, element)]

    def _text(self, match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return self._variable(match["variable"])
        if name in LISTS:
            return shlex.join(arguments(name, self._params))
        if name == "program":
            return self._program()
        if name == "args_json":
            return json.dumps(self._spec.space.nest(self._params))
        return self._single[name] if name in WORDS else match[0]

    def _program(self) -> str:
        if self._spec.program is None:
            raise SweepsError("the command has ${program}, but the sweep names no program: add `program: train.py`")
        return self._spec.program

    def _variable(self, name: str) -> str:
        if name not in self._environ:
            raise SweepsError(f"the command has ${{envvar:{name}}}, but the environment variable {name} is not set")
        return self._environ[name]


def arguments(macro: str, params: Mapping[str, Any]) -> list[str]:
    """The words of one of the macros that list every parameter."""
    pairs = [(name, text_of(value)) for name, value in params.items()]
    match macro:
        case "args_no_equals":
            return [word for name, text in pairs for word in (f"--{name}", text)]
        case "args_no_hyphens":
            return [f"{name}={text}" for name, text in pairs]
        case "args_append_hydra":
            return [f"+{name}={text}" for name, text in pairs]
        case "args_override_hydra":
            return [f"++{name}={text}" for name, text in pairs]
        case "args_no_boolean_flags":
            flags = [(name, params[name], text) for name, text in pairs if params[name] is not False]
            return [f"--{name}" if value is True else f"--{name}={text}" for name, value, text in flags]
    return [f"--{name}={text}" for name, text in pairs]


def text_of(value: Any) -> str:
    """A value as command lines carry it: True, False and None as Python writes them, lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (list, tuple, Mapping)) else str(value)
