"""What a script's command line offers: one Option per flag, whichever library declares it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

UNKNOWN: Final = object()
"""A default that only running the script would tell."""


class Form(StrEnum):
    """How a value is given on the command line."""

    VALUE = "value"  # --lr=0.01
    FLAG = "flag"  # --nesterov: there or not
    SWITCH = "switch"  # --bias / --no-bias
    POSITIONAL = "positional"
    SHORT = "short"  # -n 3, without a long name
    MANY = "many"  # several words


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be set from outside."""

    name: str
    """As it stands after the two hyphens."""
    type: str = "str"
    """float, int, str, bool, or the name of something else that reads the text."""
    default: Any = None
    choices: tuple[Any, ...] = ()
    bounds: tuple[Any, Any] = (None, None)
    """Smallest and largest value that the script itself allows."""
    form: Form = Form.VALUE
    required: bool = False
    help: str = ""
    line: int = 0


class Literals:
    """Evaluates the constants of a module without running it."""

    def __init__(self, tree: ast.Module) -> None:
        self._constants: dict[str, Any] = {}
        self._members = dict(_enums(tree))
        self._mappings: dict[str, ast.expr] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_mapping(node.value):
                self._mappings[node.targets[0].id] = node.value
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._keep(name, value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._keep(name, value)

    def _keep(self, name: str, value: ast.expr) -> None:
        found = self.value(value)
        if found is not UNKNOWN:
            self._constants[name] = found

    @property
    def enums(self) -> Mapping[str, tuple[Any, ...]]:
        """The values of every Enum of the module."""
        return {name: tuple(members.values()) for name, members in self._members.items()}

    def mapping(self, node: ast.expr | None) -> dict[str, ast.expr]:
        """The names and values of `{…}` or `dict(…)`, or of a variable that holds one."""
        if isinstance(node, ast.Name):
            node = self._mappings.get(node.id)
        if isinstance(node, ast.Dict):
            pairs = [(self.value(key), value) for key, value in zip(node.keys, node.values, strict=True)]
            return {name: value for name, value in pairs if isinstance(name, str)}
        return keywords(node) if isinstance(node, ast.Call) and _is_mapping(node) else {}

    def value(self, node: ast.expr | None) -> Any:
        """The value of a literal or of a constant of the module; UNKNOWN for anything else."""
        if node is None:
            return UNKNOWN
        match node:
            case ast.Name(id=name):
                return self._constants.get(name, UNKNOWN)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                values = [self.value(item) for item in items]
                return UNKNOWN if any(value is UNKNOWN for value in values) else values
            case ast.Attribute(value=ast.Name(id=name), attr=member) if name in self._members:
                return self._members[name].get(member, UNKNOWN)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=name), attr=member), attr="value"):
                return self._members.get(name, {}).get(member, UNKNOWN)
        return _literal(node)

    def sequence(self, node: ast.expr | None) -> tuple[Any, ...]:
        """The items of a literal list, tuple, set or mapping, or the values of an Enum; () when they are not known."""
        if isinstance(node, ast.Name) and node.id in self.enums:
            return self.enums[node.id]
        if isinstance(node, ast.Call) and node.args:  # list(CHOICES), sorted(CHOICES)
            return self.sequence(node.args[0])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
            return self.sequence(node.func.value)
        found = self.value(node)
        return tuple(found) if isinstance(found, (list, tuple, dict)) else ()


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _product(node)


def _product(node: ast.expr) -> Any:
    """`64 * 4` and `1 / 3`, as people write defaults."""
    if not isinstance(node, ast.BinOp):
        return UNKNOWN
    left, right = _literal(node.left), _literal(node.right)
    if not all(isinstance(side, (int, float)) and abs(side) < 1e9 for side in (left, right)):
        return UNKNOWN
    if isinstance(node.op, ast.Mult):
        return left * right
    return left / right if isinstance(node.op, ast.Div) and right else UNKNOWN


def _is_mapping(node: ast.expr) -> bool:
    return isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and called(node) == "dict" and not node.args)


def _enums(tree: ast.Module) -> Iterator[tuple[str, dict[str, Any]]]:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in statement.bases):
            members = [item for item in statement.body if isinstance(item, ast.Assign)]
            values = {called(item.targets[0]): _literal(item.value) for item in members}
            yield statement.name, {name: value for name, value in values.items() if value is not UNKNOWN}


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """The keyword arguments of a call."""
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def called(node: ast.expr) -> str:
    """The last part of what is called or named: `click.option` is `option`."""
    if isinstance(node, ast.Call):
        return called(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def type_of(value: Any) -> str:
    """The type name that a default suggests."""
    return type(value).__name__ if isinstance(value, (bool, int, float)) else "str"


def long_name(flags: list[str]) -> str:
    """The name after the two hyphens; "" when there are short flags only."""
    longs = [flag.split("/")[0].strip() for flag in flags if flag.startswith("--")]
    return longs[0][2:] if longs else ""
