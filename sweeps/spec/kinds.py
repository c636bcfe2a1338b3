"""The kinds of values that a key may have; each checks a node and describes itself as JSON Schema."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sweeps.space.values import is_number
from sweeps.spec.report import Report, found, join, nearest
from sweeps.spec.source.node import Node, is_finite

INVALID: Final = object()
"""What `check` returns for a value whose fault it has reported."""

EXACT = 2**62
"""Whole numbers beyond this do not fit into the columns, JSON readers and ranges that meet them."""
Schema = dict[str, Any]


class Kind(ABC):
    """One kind of value."""

    @abstractmethod
    def check(self, node: Node, where: str, report: Report) -> Any:
        """The value as plain types with defaults filled in, or INVALID after a fault was reported."""

    @abstractmethod
    def schema(self) -> Schema:
        """The same rule as JSON Schema."""


@dataclass(frozen=True)
class Text(Kind):
    """A string that is not empty."""

    what: str = "a text"

    def check(self, node: Node, where: str, report: Report) -> Any:
        if isinstance(node.value, str) and node.value.strip():
            return node.value
        scalar = node.raw and not isinstance(node.value, (str, dict, list)) and node.value is not None
        hint = f'put it in quotes: "{node.raw}"' if scalar else ""
        report.fault(node.place, where, f"must be {self.what}, {_seen(node)}", hint)
        return INVALID

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"\S"}


@dataclass(frozen=True)
class AnyText(Text):
    """A string, which may be empty."""

    def check(self, node: Node, where: str, report: Report) -> Any:
        return node.value if isinstance(node.value, str) else super().check(node, where, report)

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True)
class Boolean(Kind):
    """true or false."""

    def check(self, node: Node, where: str, report: Report) -> Any:
        if isinstance(node.value, bool):
            return node.value
        report.fault(node.place, where, f"must be true or false, {found(node)}")
        return INVALID

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number; 3.0 is one, as it is to JSON Schema."""

    at_least: int = -EXACT
    at_most: int = EXACT

    def check(self, node: Node, where: str, report: Report) -> Any:
        value = node.value
        if not is_number(value) or not is_finite(value) or value != int(value):
            report.fault(node.place, where, f"must be a whole number, {found(node)}", _unquote(node))
            return INVALID
        if value < self.at_least:
            report.fault(node.place, where, f"must be at least {self.at_least}, {found(node)}")
            return INVALID
        if value > self.at_most:
            report.fault(node.place, where, f"must be at most {self.at_most}, {found(node)}")
            return INVALID
        return int(value)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.at_least, "maximum": self.at_most}


@dataclass(frozen=True)
class Number(Kind):
    """A finite number; whole ones stay ints."""

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def check(self, node: Node, where: str, report: Report) -> Any:
        value = node.value
        if not is_number(value):
            report.fault(node.place, where, f"must be a number, {found(node)}", _unquote(node))
            return INVALID
        if abs(value) > 1e308 or not is_finite(value):
            report.fault(node.place, where, f"must be a finite number, {found(node)}")
            return INVALID
        if self.above is not None and value <= self.above:
            report.fault(node.place, where, f"must be greater than {self.above:g}, {found(node)}")
            return INVALID
        if self.at_least is not None and value < self.at_least:
            report.fault(node.place, where, f"must be at least {self.at_least:g}, {found(node)}")
            return INVALID
        if self.at_most is not None and value > self.at_most:
            report.fault(node.place, where, f"must be at most {self.at_most:g}, {found(node)}")
            return INVALID
        return value if abs(value) <= EXACT else float(value)

    def schema(self) -> Schema:
        limits = {"exclusiveMinimum": self.above, "minimum": self.at_least, "maximum": self.at_most}
        return {"type": "number"} | {key: limit for key, limit in limits.items() if limit is not None}


@dataclass(frozen=True)
class Choice(Kind):
    """One of some names. `refused` maps names that are known but not to be had to the reason and what to do."""

    names: Sequence[str]
    refused: Mapping[str, str] = field(default_factory=dict)
    also_false: bool = False
    """Whether the boolean false stands for the name "false"."""

    def check(self, node: Node, where: str, report: Report) -> Any:
        value = node.value
        if self.also_false and value is False:
            return "false"
        if isinstance(value, str) and value in self.names:
            return value
        if isinstance(value, str) and value in self.refused:
            report.fault(node.place, where, self.refused[value], f"allowed: {', '.join(self.names)}")
            return INVALID
        hint = nearest(value, self.names) if isinstance(value, str) else f"allowed: {', '.join(self.names)}"
        report.fault(node.place, where, f"{_quoted(node)} is not allowed here", hint)
        return INVALID

    def schema(self) -> Schema:
        return {"enum": [*self.names, *([False] if self.also_false else [])]}


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of values of one kind."""

    kind: Kind
    at_least: int = 1
    hint: str = ""

    def check(self, node: Node, where: str, report: Report) -> Any:
        if not isinstance(node.value, list):
            report.fault(node.place, where, f"must be a list, {found(node)}", self.hint)
            return INVALID
        if len(node.value) < self.at_least:
            need = "must not be empty" if self.at_least == 1 else f"must have at least {self.at_least} items"
            report.fault(node.place, where, need, self.hint)
            return INVALID
        items = [self.kind.check(item, join(where, i), report) for i, item in enumerate(node.value)]
        return INVALID if any(item is INVALID for item in items) else items

    def schema(self) -> Schema:
        return {"type": "array", "items": self.kind.schema(), "minItems": self.at_least}


@dataclass(frozen=True)
class Word(Kind):
    """A string or a number as written: an element of a command line."""

    def check(self, node: Node, where: str, report: Report) -> Any:
        if isinstance(node.value, str):
            return node.value
        if is_number(node.value):
            return node.raw if node.raw is not None else str(node.value)
        report.fault(node.place, where, f"must be a string, {found(node)}", f'put it in quotes: "{node.raw or "…"}"')
        return INVALID

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}


@dataclass(frozen=True)
class Anything(Kind):
    """Any YAML value, nested ones too, that JSON can hold."""

    def check(self, node: Node, where: str, report: Report) -> Any:
        return node.plain() if self._holds(node, where, report) else INVALID

    def schema(self) -> Schema:
        return {}

    def _holds(self, node: Node, where: str, report: Report) -> bool:
        if isinstance(node.value, dict):
            checks = [self._holds(entry.node, join(where, key), report) for key, entry in node.value.items()]
            return all(checks)
        if isinstance(node.value, list):
            checks = [self._holds(item, join(where, i), report) for i, item in enumerate(node.value)]
            return all(checks)
        if isinstance(node.value, int) and abs(node.value) > 10**300:
            report.fault(node.place, where, "is too large a number", "put it in quotes")
            return False
        if is_finite(node.value):
            return True
        text = "nan" if math.isnan(node.value) else "inf" if node.value > 0 else "-inf"
        report.fault(node.place, where, f"{text} cannot be stored as a number", f'write "{text}": float() reads it')
        return False


@dataclass(frozen=True)
class Key:
    """One key of a mapping."""

    kind: Kind
    about: str
    required: bool = False
    default: Any = None
    """For people and the schema; None when there is none."""


@dataclass(frozen=True)
class Record(Kind):
    """A mapping with known keys. `refused` maps keys that are known but not to be had to the reason and what to do."""

    what: str
    keys: Mapping[str, Key]
    refused: Mapping[str, str] = field(default_factory=dict)
    example: str = ""

    def check(self, node: Node, where: str, report: Report) -> Any:
        """A dict of the keys whose values are valid, or INVALID for anything but a mapping."""
        if not isinstance(node.value, dict):
            report.fault(node.place, where, f"must be {self.what}, {found(node)}", self.example)
            return INVALID
        self._refuse_unknown(node, where, report)
        for name, key in self.keys.items():
            if key.required and name not in node.value:
                hint = f"add `{name}: …`, {key.about}"
                report.fault(node.place, where, f"the key {name} is missing", hint)
        return self._values(node, where, report)

    def schema(self) -> Schema:
        properties = {name: _described(key) for name, key in self.keys.items()}
        required = [name for name, key in self.keys.items() if key.required]
        return {"type": "object", "properties": properties, "additionalProperties": False} | (
            {"required": required} if required else {}
        )

    def _refuse_unknown(self, node: Node, where: str, report: Report) -> None:
        for name, entry in node.entries().items():
            if name in self.keys:
                continue
            if name in self.refused:
                report.fault(entry.place, join(where, name), self.refused[name])
            else:
                report.fault(entry.place, join(where, name), "unknown key", nearest(name, self.keys))

    def _values(self, node: Node, where: str, report: Report) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, entry in node.entries().items():
            if name in self.keys:
                value = self.keys[name].kind.check(entry.node, join(where, name), report)
                if value is not INVALID:
                    values[name] = value
        return values


def _described(key: Key) -> Schema:
    schema = key.kind.schema() | {"description": key.about}
    return schema if key.default is None else schema | {"default": key.default}


def _quoted(node: Node) -> str:
    return f'"{node.value[:60]}"' if isinstance(node.value, str) else found(node).removeprefix("found ")


def _seen(node: Node) -> str:
    return "found an empty text" if node.value == "" else found(node)


_NUMERIC = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def _unquote(node: Node) -> str:
    return "remove the quotes" if isinstance(node.value, str) and _NUMERIC.fullmatch(node.value) else ""
