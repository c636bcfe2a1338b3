"""Names of classes, for the boxes and masks of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracking.errors import UsageError


class Classes:
    """Ids and names: `Classes([{"id": 0, "name": "road"}, {"id": 1, "name": "tree"}])`."""

    def __init__(self, class_set: Iterable[Mapping[str, Any]]) -> None:
        """Raises UsageError for anything without an id and a name."""
        self.class_set: list[dict[str, Any]] = [_checked(item) for item in class_set]

    @property
    def labels(self) -> dict[Any, str]:
        """The names by id."""
        return {item["id"]: item["name"] for item in self.class_set}

    def to_json(self) -> list[dict[str, Any]]:
        return [dict(item) for item in self.class_set]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classes) and other.class_set == self.class_set

    __hash__ = None  # type: ignore[assignment]


def checked_labels(labels: Any, where: str) -> dict[int, str]:
    """Class labels as {number: name}. Raises UsageError."""
    if not isinstance(labels, Mapping):
        raise UsageError(f"{where}: class_labels are a mapping of numbers to names, not {type(labels).__name__}")
    try:
        return {int(number): str(name) for number, name in labels.items()}
    except (TypeError, ValueError):
        raise UsageError(f"{where}: class_labels are a mapping of numbers to names, not {labels!r}") from None


def _checked(item: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(item, Mapping) or not {"id", "name"} <= item.keys():
        raise UsageError(f"Classes(): every class is a mapping with 'id' and 'name', not {item!r}")
    return {"id": item["id"], "name": str(item["name"])}
