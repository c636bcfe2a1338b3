"""Finds the options that a script declares with argparse's `add_argument`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from sweeps.starter.options import UNKNOWN, Form, Literals, Option, called, keywords, long_name, type_of

_FLAGS = {"store_true", "store_false", "store_const", "count"}
_SILENT = {"help", "version"}


def argparse_options(tree: ast.Module, literals: Literals) -> Iterator[Option]:
    """Every `….add_argument("--name", …)`, in the order of the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            option = _option(node, literals)
            if option:
                yield option


def _option(call: ast.Call, literals: Literals) -> Option | None:
    flags = [flag for flag in map(literals.value, call.args) if isinstance(flag, str)]
    given = keywords(call)
    action = literals.value(given.get("action"))
    if not flags or action in _SILENT:
        return None
    default = literals.value(given["default"]) if "default" in given else None
    positional = not flags[0].startswith("-")
    name = flags[0] if positional else long_name(flags) or flags[0].lstrip("-")
    short_only = not positional and not long_name(flags)
    return Option(
        name=name,
        type=_type(given.get("type"), default),
        default=default,
        choices=literals.sequence(given.get("choices")),
        form=Form.POSITIONAL if positional else Form.SHORT if short_only else _form(given, action),
        required=literals.value(given.get("required")) is True or (positional and _takes_a_word(given, literals)),
        help=_text(literals.value(given.get("help"))),
        line=call.lineno,
    )


def _takes_a_word(given: dict[str, ast.expr], literals: Literals) -> bool:
    """Whether a positional argument cannot be left out."""
    return "nargs" not in given or literals.value(given["nargs"]) not in ("?", "*")


def _form(given: dict[str, ast.expr], action: Any) -> Form:
    if "nargs" in given or action in {"append", "extend"}:
        return Form.MANY
    if action in _FLAGS:
        return Form.FLAG
    if "action" in given and called(given["action"]) == "BooleanOptionalAction":
        return Form.SWITCH
    return Form.VALUE


def _type(node: ast.expr | None, default: Any) -> str:
    if node is not None:
        return called(node) or "function"
    return "str" if default is None or default is UNKNOWN else type_of(default)


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
