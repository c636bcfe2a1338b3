"""When two parameter values are the same value, and how one is written on a line."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any


def identity(value: Any) -> Hashable:
    """A hashable key that is equal for equal values: 1 == 1.0, but True != 1 and None != "" """
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, float)):
        return ("number", value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ("mapping", frozenset((key, identity(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(identity(item) for item in value))
    return (type(value).__name__, repr(value))


def is_number(value: Any) -> bool:
    """Whether it is an int or a float; a bool is neither."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def show(value: Any, limit: int = 60) -> str:
    """The value for people, JSON-like and cut after `limit` characters."""
    try:
        text = f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else _dump(value)
    except (OverflowError, RecursionError, TypeError, ValueError):  # an int of 5 000 digits has no text
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
