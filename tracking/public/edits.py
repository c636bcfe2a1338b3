"""Config and summary of a run as the Api gives them: mappings that may be edited, and what was edited in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracking.database.json_text import dumps, loads
from tracking.errors import UsageError
from tracking.live.values import Unloggable, plain


class Edited(dict[str, Any]):
    """A mapping with attribute access that knows how it differs, at any depth, from what is stored."""

    def __init__(self, stored: str, what: str) -> None:
        super().__init__(loads(stored))
        self.__dict__["_stored"], self.__dict__["_what"] = stored, what

    def changes(self) -> dict[str, Any]:
        """The top-level keys that are new or different, as plain JSON. Raises UsageError for what cannot be stored."""
        stored = loads(self.__dict__["_stored"])
        now = {str(key): self._plain(key, value) for key, value in self.items()}
        return {key: value for key, value in now.items() if key not in stored or dumps(stored[key]) != dumps(value)}

    def removed(self) -> tuple[str, ...]:
        """The top-level keys that were deleted."""
        return tuple(key for key in loads(self.__dict__["_stored"]) if key not in self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the {self.__dict__.get('_what', 'mapping')} has no key {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are plain dicts."""
        return dict, (dict(self),)

    def _plain(self, key: Any, value: Any) -> Any:
        try:
            return plain(value)
        except Unloggable as error:
            raise UsageError(f"{self.__dict__['_what']} {key!r} cannot be stored: {error}") from error


class EditedSummary(Edited):
    """The summary: `update()` stores it, with or without further values."""

    def __init__(self, stored: str, write: Callable[[], None]) -> None:
        super().__init__(stored, "summary")
        self.__dict__["_write"] = write

    @property
    def _json_dict(self) -> dict[str, Any]:
        """A plain copy, by the name under which W&B's own examples ask for it."""
        return dict(self)

    def update(self, *args: Any, **more: Any) -> None:
        """Set many keys (a mapping is merged into a mapping that is there) and store what has changed."""
        for key, value in dict(*args, **more).items():
            self[key] = _merged(self.get(key), value)
        self.__dict__["_write"]()


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new
