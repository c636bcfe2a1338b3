"""The summary of a run: one value per key, the last one logged unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from tracking.live.values import Unloggable, plain
from tracking.notices import warn_once

Changed = Callable[[dict[str, Any]], None]


class Summary(MutableMapping[str, Any]):
    """What the user set, on top of what the history says. Nested values can be read and set by item or attribute."""

    def __init__(
        self,
        logged: Mapping[str, Any],
        restored: Mapping[str, Any] | None = None,
        convert: Callable[[Any, str], Any] | None = None,
    ) -> None:
        """`convert` makes the records of media: it gets a value and its key, and returns what to keep."""
        self.__dict__["_logged"] = logged  # the run's own mapping: log() keeps it up to date
        self.__dict__["_restored"] = restored if restored is not None else {}
        self.__dict__["_explicit"] = {}
        self.__dict__["_changed"] = None
        self.__dict__["_convert"] = convert

    def connect(self, changed: Changed) -> None:
        """Call `changed` with the top-level keys that the user sets, as plain JSON."""
        self.__dict__["_changed"] = changed

    def update(self, *args: Any, **more: Any) -> None:
        """Set many keys; a mapping is merged into a mapping that is there."""
        given = dict(*args, **more)
        self._store({str(key): _merged(self.get(key), value) for key, value in given.items()})

    def as_dict(self) -> dict[str, Any]:
        """A copy as plain dicts."""
        return {key: _plain_dict(self[key]) for key in self}

    def __getitem__(self, key: str) -> Any:
        for source in (self._explicit, self._logged, self._restored):
            if key in source:
                value = source[key]
                return SummarySection(self, key, value) if isinstance(value, Mapping) else value
        return self._of_parts(key)

    def _of_parts(self, key: str) -> Any:
        """`log({"a": {"b": 1}})` is recorded as "a.b", and read as summary["a"]["b"] too."""
        prefix = f"{key}."
        parts = {name[len(prefix) :]: self[name] for name in self if name.startswith(prefix)}
        if not parts:
            raise KeyError(key)
        return SummarySection(self, key, parts)

    def __setitem__(self, key: str, value: Any) -> None:
        self._store({str(key): value})

    def __delitem__(self, key: str) -> None:
        """Forget what was set by hand; what the history says shows again."""
        if key not in self._explicit:
            raise KeyError(key)
        del self._explicit[key]
        if self._changed is not None:
            self._changed({key: self._logged.get(key)})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the summary has no key {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter({**self._restored, **self._logged, **self._explicit})

    def __len__(self) -> int:
        return len({*self._restored, *self._logged, *self._explicit})

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are plain dicts."""
        return dict, (self.as_dict(),)

    def __repr__(self) -> str:
        return f"Summary({self.as_dict()!r})"

    def _store(self, given: Mapping[str, Any]) -> None:
        fresh: dict[str, Any] = {}
        for key, value in given.items():
            try:
                fresh[key] = plain(value if self._convert is None else self._convert(value, key))
            except Unloggable as error:
                warn_once(f"summary:{key}", f"summary {key} is not recorded: {error}")
        self._explicit.update(fresh)
        if fresh and self._changed is not None:
            self._changed(fresh)


class SummarySection(dict[str, Any]):
    """A mapping inside the summary; setting a key in it sets it in the summary."""

    def __init__(self, parent: Summary | SummarySection, key: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.__dict__["_parent"] = parent
        self.__dict__["_key"] = key

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return SummarySection(self, key, value) if isinstance(value, Mapping) else value

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.__dict__["_parent"][self.__dict__["_key"]] = dict(self)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.__dict__["_parent"][self.__dict__["_key"]] = dict(self)

    def update(self, *args: Any, **more: Any) -> None:
        super().update(dict(*args, **more))
        self.__dict__["_parent"][self.__dict__["_key"]] = dict(self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the summary section has no key {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new


def _plain_dict(value: Any) -> Any:
    return {key: _plain_dict(item) for key, item in value.items()} if isinstance(value, Mapping) else value
