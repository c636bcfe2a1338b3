"""Reads the values of one mapping of alerts.yaml and says where a wrong one stands."""

from __future__ import annotations

import difflib
import json
import os
import re
from typing import Any

from tracking.alerts.levels import AlertLevel, level_of
from tracking.alerts.message import unknown_fields
from tracking.errors import UsageError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Fields:
    """A mapping and its place. Refusals never show a value that may be secret."""

    def __init__(self, values: Any, place: str) -> None:
        if not isinstance(values, dict):
            raise UsageError(f"{place} must be a mapping, not a {type(values).__name__}")
        self.values: dict[str, Any] = dict(values)
        self.place = place

    def value(self, key: str, default: Any = None) -> Any:
        found = self.values.get(key)
        return default if found is None else found

    def text(self, key: str, default: str | None = None) -> str:
        """A text with its `${VARIABLES}` replaced."""
        found = self.value(key, default)
        if found is None or isinstance(found, dict | list | bool):
            raise UsageError(f"{self.place} needs a text for {key!r}")
        return self.expanded(str(found), key)

    def expanded(self, text: str, key: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            value = os.environ.get(match[1])
            if value is None:
                raise UsageError(f"{self.place}.{key} names the variable {match[1]}, which is not set")
            return value

        return _VARIABLE.sub(replaced, text)

    def flag(self, key: str, default: bool = False) -> bool:
        found = self.value(key, default)
        if not isinstance(found, bool):
            raise UsageError(f"{self.place}.{key} must be true or false")
        return found

    def port(self, key: str) -> int:
        """0 when there is none."""
        found = self.value(key, 0)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 65536:
            raise UsageError(f"{self.place}.{key} must be a number from 1 to 65535")
        return found

    def level(self, key: str, default: AlertLevel) -> AlertLevel:
        try:
            return level_of(self.value(key, default))
        except UsageError as error:
            raise UsageError(f"{self.place}.{key}: {error}") from None

    def mapping(self, key: str) -> dict[str, Any]:
        found = self.value(key, {})
        if not isinstance(found, dict):
            raise UsageError(f"{self.place}.{key} must be a mapping, not a {type(found).__name__}")
        return found

    def items(self, key: str) -> list[Any]:
        found = self.value(key, [])
        if not isinstance(found, list):
            raise UsageError(f"{self.place}.{key} must be a list, not a {type(found).__name__}")
        return found

    def template(self, key: str) -> Any:
        """A template whose fields all exist; None when there is none."""
        found = self.value(key)
        wrong = unknown_fields(found)
        if wrong:
            raise UsageError(f"{self.place}.{key}: {wrong[0]}")
        return found

    def json_template(self, key: str) -> Any:
        """Like `template`; a text is read as JSON."""
        found = self.template(key)
        if not isinstance(found, str):
            return found
        try:
            return json.loads(found)
        except ValueError as error:
            raise UsageError(f"{self.place}.{key} is no JSON: {error}") from None

    def done(self, *known: str) -> None:
        """Refuse keys that mean nothing."""
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"
                raise UsageError(f"{self.place} does not know {key!r}{hint}")
