"""Reads a training script: its options, and what it logs. The script is parsed, never run."""

from __future__ import annotations

import ast
import tokenize
from dataclasses import dataclass
from pathlib import Path

from sweeps.errors import SweepsError
from sweeps.starter.argparse_reader import argparse_options
from sweeps.starter.click_reader import click_options, typer_options
from sweeps.starter.logged import config_options, logged_keys
from sweeps.starter.options import Literals, Option

_LARGEST = 5_000_000


@dataclass(frozen=True, slots=True)
class Script:
    """What a starter sweep needs to know of a script."""

    options: tuple[Option, ...]
    logged: tuple[str, ...]
    from_command_line: bool
    """Whether the options come from the command line rather than from `init(config=…)`."""


def read_script(path: Path) -> Script:
    """Raises SweepsError when the file cannot be read or is no Python, with the line."""
    try:
        tree = ast.parse(_source(path), filename=str(path))
    except SyntaxError as error:
        text = f": {error.text.strip()}" if error.text else ""
        raise SweepsError(f"{path}:{error.lineno or 0}: is no valid Python, {error.msg}{text}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SweepsError(f"{path}: is no valid Python: {error}") from None
    return scan(tree)


def scan(tree: ast.Module) -> Script:
    """The options and logged keys of a parsed module."""
    literals = Literals(tree)
    found = [*argparse_options(tree, literals), *click_options(tree, literals), *typer_options(tree, literals)]
    from_command_line = bool(found)
    found = found or list(config_options(tree, literals))
    first: dict[str, Option] = {}
    for option in sorted(found, key=lambda option: option.line):
        first.setdefault(option.name, option)
    return Script(tuple(first.values()), tuple(logged_keys(tree, literals)), from_command_line)


def _source(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise SweepsError(f"{path}: is larger than {_LARGEST // 1_000_000} MB, which no script is")
        with tokenize.open(path) as file:  # honours the script's own encoding line
            return file.read()
    except FileNotFoundError:
        raise SweepsError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise SweepsError(f"{path}: is a folder, not a script") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise SweepsError(f"{path}: is no Python text: {error}") from None
    except OSError as error:
        raise SweepsError(f"{path}: cannot be read: {error.strerror or error}") from None
