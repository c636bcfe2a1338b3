"""Finds the options that a script declares with click's decorators or as parameters of typer commands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from sweeps.starter.options import UNKNOWN, Form, Literals, Option, called, keywords, long_name, type_of

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_RANGES = {"IntRange": "int", "FloatRange": "float"}
_CLICK_TYPES = {"INT": "int", "FLOAT": "float", "STRING": "str", "BOOL": "bool", "Path": "path", "File": "path"}


def click_options(tree: ast.Module, literals: Literals) -> Iterator[Option]:
    """Every `@click.option("--name", …)` and `@click.argument("name")`."""
    for function in _functions(tree):
        for call in function.decorator_list:
            if isinstance(call, ast.Call) and called(call) in {"option", "argument"} and call.args:
                option = _click_option(call, literals)
                if option:
                    yield option


def typer_options(tree: ast.Module, literals: Literals) -> Iterator[Option]:
    """The parameters of typer commands: decorated with `@app.command()`, or given to `typer.run`."""
    if not any("typer" in name for name in _imported(tree)):
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    run = {called(call.args[0]) for call in calls if called(call) == "run" and len(call.args) == 1}
    for function in _functions(tree):
        decorated = any(called(item) in {"command", "callback"} for item in function.decorator_list)
        if decorated or function.name in run:
            yield from _parameters(function, literals)


def _click_option(call: ast.Call, literals: Literals) -> Option | None:
    flags = [flag for flag in map(literals.value, call.args) if isinstance(flag, str)]
    if not flags:
        return None
    given = keywords(call)
    default = literals.value(given["default"]) if "default" in given else None
    kind, choices, bounds = _click_type(given.get("type"), default, literals)
    name = long_name(flags)
    argument = called(call) == "argument"
    form = Form.POSITIONAL if argument else Form.VALUE if name else Form.SHORT
    if any("/" in flag for flag in flags):
        form = Form.SWITCH
    elif (
        literals.value(given.get("is_flag")) is True
        or "flag_value" in given
        or literals.value(given.get("count")) is True
    ):
        form = Form.FLAG
    elif not argument and (literals.value(given.get("multiple")) is True or "nargs" in given):
        form = Form.MANY
    return Option(
        name=name or flags[0].lstrip("-"),
        type=kind,
        default=default,
        choices=choices,
        bounds=bounds,
        form=form,
        required=literals.value(given.get("required")) is True or (argument and _takes_a_word(given, literals)),
        help=_text(literals.value(given.get("help"))),
        line=call.lineno,
    )


def _takes_a_word(given: dict[str, ast.expr], literals: Literals) -> bool:
    """Whether an argument cannot be left out."""
    optional = literals.value(given.get("required")) is False or literals.value(given.get("nargs")) == -1
    return not optional and "default" not in given


def _click_type(
    node: ast.expr | None, default: Any, literals: Literals
) -> tuple[str, tuple[Any, ...], tuple[Any, Any]]:
    """The type, the choices and the bounds that `type=` tells."""
    nothing: tuple[Any, Any] = (None, None)
    if node is None:
        return ("str" if default in (None, UNKNOWN) else type_of(default)), (), nothing
    name = called(node)
    if name == "Choice" and isinstance(node, ast.Call) and node.args:
        return "str", literals.sequence(node.args[0]), nothing
    if name in _RANGES and isinstance(node, ast.Call):
        return _RANGES[name], (), _bounds(node, literals)
    if isinstance(node, (ast.List, ast.Tuple)):
        return "str", literals.sequence(node), nothing
    return _CLICK_TYPES.get(name, name or "function"), (), nothing


def _bounds(call: ast.Call, literals: Literals) -> tuple[Any, Any]:
    given = keywords(call) | dict(zip(("min", "max"), call.args, strict=False))
    values = [literals.value(given.get(key)) for key in ("min", "max")]
    low, high = (value if isinstance(value, (int, float)) else None for value in values)
    return low, high


def _parameters(function: _Function, literals: Literals) -> Iterator[Option]:
    arguments = function.args
    names = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(names) - len(arguments.defaults))
    defaults += arguments.defaults
    pairs = [*zip(names, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    for argument, default in pairs:
        option = _typer_option(argument, default, literals)
        if option:
            yield option


def _typer_option(argument: ast.arg, default: ast.expr | None, literals: Literals) -> Option | None:
    kind, declared = _annotation(argument.annotation)
    if kind is None and default is None:
        return None
    if isinstance(default, ast.Call) and called(default) in {"Option", "Argument"}:
        declared, default = default, None
        if declared.args and not _is_flag_text(declared.args[0]):
            default = declared.args[0]
        default = keywords(declared).get("default", default)
    if isinstance(default, ast.Constant) and default.value is Ellipsis:
        default = None
    given = keywords(declared) if declared else {}
    flags = [flag for flag in map(literals.value, declared.args if declared else []) if isinstance(flag, str)]
    flags = [flag for flag in flags if flag.startswith("-")]
    value = None if default is None else literals.value(default)
    name = long_name(flags) or argument.arg.replace("_", "-")
    positional = called(declared) == "Argument" if declared else default is None
    return Option(
        name=name,
        type=_typer_type(kind, value),
        default=value,
        choices=_typer_choices(kind, literals),
        bounds=_typer_bounds(given, literals),
        form=_typer_form(kind, positional, value),
        required=default is None,
        help=_text(literals.value(given.get("help"))),
        line=argument.lineno,
    )


def _annotation(node: ast.expr | None) -> tuple[ast.expr | None, ast.Call | None]:
    """The type, and the Option or Argument call of `Annotated[float, typer.Option()]`."""
    if isinstance(node, ast.Subscript) and called(node.value) == "Annotated" and isinstance(node.slice, ast.Tuple):
        calls = [item for item in node.slice.elts[1:] if isinstance(item, ast.Call)]
        declared = next((call for call in calls if called(call) in {"Option", "Argument"}), None)
        return node.slice.elts[0], declared
    if isinstance(node, ast.Subscript) and called(node.value) == "Optional":
        return node.slice, None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return node.left, None
    return node, None


def _typer_type(kind: ast.expr | None, value: Any) -> str:
    if kind is None:
        return type_of(value)
    name = called(kind.value) if isinstance(kind, ast.Subscript) else called(kind)
    return "path" if name == "Path" else name or "str"


def _typer_choices(kind: ast.expr | None, literals: Literals) -> tuple[Any, ...]:
    if isinstance(kind, ast.Subscript) and called(kind.value) == "Literal":
        items = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        return tuple(value for value in map(literals.value, items) if value is not UNKNOWN)
    return literals.enums.get(called(kind), ()) if kind is not None else ()


def _typer_bounds(given: dict[str, ast.expr], literals: Literals) -> tuple[Any, Any]:
    low, high = (literals.value(given.get(key)) for key in ("min", "max"))
    return (None if low is UNKNOWN else low), (None if high is UNKNOWN else high)


def _typer_form(kind: ast.expr | None, positional: bool, value: Any) -> Form:
    name = called(kind.value if isinstance(kind, ast.Subscript) else kind) if kind is not None else ""
    if positional:
        return Form.POSITIONAL
    if name in {"list", "List", "tuple", "Tuple"}:
        return Form.MANY
    return Form.SWITCH if name == "bool" or isinstance(value, bool) else Form.VALUE


def _is_flag_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("-")


def _functions(tree: ast.Module) -> Iterator[_Function]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
