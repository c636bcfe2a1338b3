"""What a filter means: a small tree over fields of a run, which a store turns into SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scalar = str | int | float | bool | None
Kind = Literal["text", "either", "number", "time", "tags", "config", "summary"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a run.

    kind: "text" (an empty text counts as missing), "either" (id or display name), "number", "time" (Unix seconds),
    "tags" (a list of texts: a condition holds when it holds for one of them), or JSON below "config" or "summary".
    """

    name: str
    """As the user wrote it."""
    kind: Kind
    column: str = ""
    """The attribute of a RunRow; "" for JSON. "duration" is the time from the start to the end, or to now."""
    paths: tuple[tuple[str, ...], ...] = ()
    """For JSON: where the value may be, names from the outside in. The first that is present counts."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`value` is a scalar of the type of the field; against another type nothing is greater, less or equal.

    Equal to None: missing or null. Equal to NaN: NaN. True and False equal themselves only, and have no order.
    """

    field: Field
    op: Literal["eq", "gt", "gte", "lt", "lte"]
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of the values."""

    field: Field
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """Present, be it as null."""

    field: Field


@dataclass(frozen=True, slots=True)
class Matches:
    """A text in which a regular expression of Python's finds something."""

    field: Field
    pattern: str


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold; a missing field fulfils the negation of every comparison with a value."""

    part: Condition


@dataclass(frozen=True, slots=True)
class AllHold:
    """Every one holds; so does none at all."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class OneHolds:
    """At least one holds."""

    parts: tuple[Condition, ...]


Condition = Compare | OneOf | Exists | Matches | Not | AllHold | OneHolds


@dataclass(frozen=True, slots=True)
class Order:
    """Ascending or descending; numbers before texts, and last of all, either way, what is missing or NaN."""

    field: Field
    descending: bool = False
