"""The config of a run: nested, read by attribute or item, with values that do not change by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from tracking.errors import ConfigLocked
from tracking.live.values import Unloggable, plain
from tracking.notices import warn_once

Changed = Callable[[dict[str, Any]], None]
_MISSING = object()
_WIDTH = 200


class ConfigSection(dict[str, Any]):
    """A mapping inside the config: a dict whose keys are attributes too. Setting a key in it sets it in the config."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.__dict__["_place"] = None

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __setattr__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.update({key: default})
        return self[key]

    def update(self, *args: Any, **more: Any) -> None:
        """Set keys by the rules of the config. Raises ConfigLocked when a value would change."""
        place = self.__dict__["_place"]
        if place is None:  # a copy that belongs to no config
            super().update(dict(*args, **more))
        else:
            config, path = place
            config.set_within(path, dict(*args, **more))
            current = config
            for name in path:
                current = current[name]
            super().update(current)

    def __delitem__(self, key: str) -> None:
        raise ConfigLocked(f"the config key {key!r} cannot be deleted: config records what the run was started with")

    def copy(self) -> dict[str, Any]:
        """A plain dict."""
        return dict(self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the config section has no key {name!r}; it has {_listed(self)}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (_unsection(self),)


class Config(MutableMapping[str, Any]):
    """Parameters of a run.

    A value may be set once; another value for it raises ConfigLocked unless `allow_val_change`. Keys that a sweep set
    stay as they are: other values for them are ignored, with one warning for each value.
    """

    def __init__(
        self, values: Mapping[str, Any] | None = None, locked: Mapping[str, Any] | None = None, frozen: bool = True
    ) -> None:
        self.__dict__["_values"] = {}
        self.__dict__["_locked"] = {}
        self.__dict__["_changed"] = None
        self.__dict__["_frozen"] = frozen
        self.__dict__["_locked"] = {key: _section(value) for key, value in (locked or {}).items()}
        self._store(values or {}, allow=True)
        self._store({key: value for key, value in self._locked.items() if key not in self._values}, allow=True)

    def connect(self, changed: Changed) -> None:
        """Call `changed` with the top-level keys that change from now on, as plain JSON."""
        self.__dict__["_changed"] = changed

    def update(self, *args: Any, allow_val_change: bool | None = None, **more: Any) -> None:
        """Set many keys; `allow_val_change=True` lets existing values change. Raises ConfigLocked."""
        from tracking.starting.config_sources import (
            as_mapping,  # yaml and argparse forms are looked at only when they come
        )

        given: dict[str, Any] = {}
        for source in args:
            given.update(as_mapping(source))
        self._store(given | more, allow=bool(allow_val_change))

    def setdefaults(self, values: Mapping[str, Any]) -> None:
        """Set the keys that are not there yet."""
        self._store({key: value for key, value in values.items() if key not in self._values}, allow=True)

    def set_within(self, path: tuple[str, ...], given: Mapping[str, Any]) -> None:
        """Set keys of the section at `path`; a key that is there keeps its value. Raises ConfigLocked."""
        changed: dict[str, Any] = self.as_dict()[path[0]]
        section = changed
        for name in path[1:]:
            section = section[name]
        for name, value in given.items():
            key = str(name)
            old = section.get(key, _MISSING)
            if old is not _MISSING and self._frozen and not _same(old, _section(value)):
                _refuse(".".join((*path, key)), old, value)
            section[key] = value
        self._store({path[0]: changed}, allow=True)

    def as_dict(self) -> dict[str, Any]:
        """A deep copy as plain dicts."""
        return {key: _unsection(value) for key, value in self._values.items()}

    def as_json(self) -> dict[str, Any]:
        """The whole config as plain JSON."""
        return {key: _jsonable(key, value) for key, value in self._values.items()}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._store({key: value}, allow=False)

    def __delitem__(self, key: str) -> None:
        raise ConfigLocked(f"the config key {key!r} cannot be deleted: config records what the run was started with")

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__.get("_values", {})[name]
        except KeyError:
            raise AttributeError(f"the config has no key {name!r}; it has {_listed(self._values)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles (a checkpoint that holds the config) are plain dicts."""
        return dict, (self.as_dict(),)

    def __repr__(self) -> str:
        return f"Config({self.as_dict()!r})"

    def _store(self, given: Mapping[str, Any], allow: bool) -> None:
        """Check all, then set all, then tell: a refused update changes nothing."""
        values: dict[str, Any] = self._values
        fresh: dict[str, Any] = {}
        for name, value in given.items():
            key = str(name)
            new = _section(self._with_locked(key, value))
            old = values.get(key, _MISSING)
            if old is not _MISSING and _same(old, new):
                continue
            if old is not _MISSING and self._frozen and not allow:
                _refuse(key, old, new)
            fresh[key] = new
        for key, new in fresh.items():
            _place(new, self, (key,))
        values.update(fresh)
        if fresh and self._changed is not None:
            self._changed({key: _jsonable(key, value) for key, value in fresh.items()})

    def _with_locked(self, key: str, value: Any) -> Any:
        """The value that a key may take: what the sweep says of it, or of a part of it, stays."""
        return _protected(key, value, self._locked[key]) if key in self._locked else value


def _protected(path: str, value: Any, locked: Any) -> Any:
    """`value` with the leaves of `locked` put back; each other value that a leaf should get is warned about once."""
    if isinstance(locked, Mapping) and isinstance(value, Mapping):
        merged = {**value}
        for key, part in locked.items():
            merged[key] = _protected(f"{path}.{key}", value[key], part) if key in value else part
        return merged
    if not _same(value, locked):
        given = _shown(value)
        warn_once(
            f"locked:{path}:{given}", f"config {path} stays {_shown(locked)}: the sweep sets it; {given} is ignored"
        )
    return locked


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _refuse(key: str, old: Any, new: Any) -> None:
    raise ConfigLocked(
        f"config {key} is {old!r} and would become {new!r}; "
        f"config.update({{{key.partition('.')[0]!r}: …}}, allow_val_change=True) changes it on purpose"
    )


def _section(value: Any) -> Any:
    """A copy whose mappings are sections and whose numbers are plain, so that later changes outside do not leak in."""
    if isinstance(value, Mapping):
        return ConfigSection({str(key): _section(item) for key, item in value.items()})
    if hasattr(value, "item") and getattr(value, "size", None) == 1:
        return _jsonable("value", value)
    return value.copy() if isinstance(value, (list, set)) else value


def _place(value: Any, config: Config, path: tuple[str, ...]) -> None:
    """Tell the sections in a value where they belong."""
    if isinstance(value, ConfigSection):
        value.__dict__["_place"] = (config, path)
        for key, part in value.items():
            _place(part, config, (*path, key))


def _unsection(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unsection(item) for key, item in value.items()}
    return [_unsection(item) for item in value] if isinstance(value, list) else value


def _same(old: Any, new: Any) -> bool:
    """Equality by what is recorded; arrays and other odd values compare by their JSON."""
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    if isinstance(old, (int, float, str, type(None))) and isinstance(new, (int, float, str, type(None))):
        return old == new
    return bool(_jsonable("", old) == _jsonable("", new))


def _jsonable(key: str, value: Any) -> Any:
    try:
        return plain(value)
    except Unloggable as error:
        warn_once(f"config:{key}", f"config {key} is recorded as text: {error}")
        return repr(type(value))


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(map(str, list(values)[:20])) or "none yet"
