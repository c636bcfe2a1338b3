"""The tree that both a YAML file and a dict become: values with their places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from sweeps.errors import Fault, SpecInvalid
from sweeps.space.values import show

DEPTH_LIMIT = 64
SIZE_LIMIT = 1_000_000
TEXT_FAULT = "holds a character that cannot be stored (NUL or half of a surrogate pair)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. Line and column count from 1, and are 0 when the source has no text."""

    line: int = 0
    column: int = 0
    order: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """The value of a key, and the place of the key."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A scalar, a list of nodes, or a mapping of names to entries."""

    value: Any
    place: Place
    raw: str | None = None
    """The text of a scalar as written; None when the source has no text."""

    def entries(self) -> Mapping[str, Entry]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def get(self, key: str) -> Node | None:
        """The value of a key of a mapping."""
        entry = self.entries().get(key)
        return entry.node if entry else None

    def plain(self) -> Any:
        """The value as plain JSON types."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def storable(text: str) -> bool:
    """Whether the text can go to every store and every command line."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def from_plain(value: Any, source: str) -> Node:
    """The tree of a dict from Python. Raises SpecInvalid for what is no JSON."""
    return _Builder(source).node(value, "", 1)


class _Builder:
    def __init__(self, source: str) -> None:
        self._source = source
        self._orders: Iterator[int] = count()

    def node(self, value: Any, where: str, depth: int) -> Node:
        place = Place(order=next(self._orders))
        if place.order > SIZE_LIMIT:
            raise self._invalid(where, f"more than {SIZE_LIMIT:,} values")
        if depth > DEPTH_LIMIT:
            raise self._invalid(where, f"nested deeper than {DEPTH_LIMIT} levels")
        value = _native(value)
        if isinstance(value, Mapping):
            return Node(self._mapping(value, where, depth), place)
        if isinstance(value, (list, tuple, range)):
            return Node([self.node(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)], place)
        return Node(self._scalar(value, where), place)

    def _mapping(self, value: Mapping[Any, Any], where: str, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise self._invalid(where, f"keys must be strings, found {show(key, 40)} ({type(key).__name__})")
            name = str(self._scalar(key, where))
            place = Place(order=next(self._orders))
            entries[name] = Entry(place, self.node(item, f"{where}.{name}" if where else name, depth + 1))
        return entries

    def _scalar(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if not storable(value):
                raise self._invalid(where, TEXT_FAULT)
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        raise self._invalid(where, f"{type(value).__name__} is no plain value: use numbers, strings, lists and dicts")

    def _invalid(self, where: str, message: str) -> SpecInvalid:
        return SpecInvalid([Fault(message, where)], self._source)


def _native(value: Any) -> Any:
    """The Python value of a numpy scalar or array (they all have `tolist`), without importing numpy."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value


def is_finite(value: Any) -> bool:
    """Whether a scalar is anything but NaN or an infinity."""
    return not isinstance(value, float) or math.isfinite(value)
