"""What is sent: an alert with the place it comes from, and the templates that put it into words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracking.alerts.levels import AlertLevel

FIELDS = ("title", "text", "level", "run", "project", "sweep", "host")
"""What a template may name in braces; one that does not apply is the empty text."""
_FIELD = re.compile(r"\{([A-Za-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """One alert on its way to people."""

    title: str
    text: str = ""
    level: AlertLevel = AlertLevel.INFO
    run: str = ""
    """Its name and id."""
    project: str = ""
    sweep: str = ""
    host: str = ""

    def field(self, name: str) -> str:
        return str(getattr(self, name))

    @property
    def place(self) -> str:
        """Where it comes from, in words: `run brave-owl (k3j2…) · project digits · host box7`."""
        parts = [f"{name} {value}" for name in FIELDS[3:] if (value := self.field(name))]
        return " · ".join(parts)


def render(template: Any, message: Message) -> Any:
    """The template with each `{field}` replaced in every text of it; mappings and lists keep their form."""
    if isinstance(template, str):
        return _FIELD.sub(lambda found: _value(found, message), template)
    if isinstance(template, dict):
        return {str(render(key, message)): render(value, message) for key, value in template.items()}
    if isinstance(template, list):
        return [render(value, message) for value in template]
    return template


def unknown_fields(template: Any) -> list[str]:
    """What is wrong with a template: each name in braces that is no field, with the nearest one."""
    found = []
    for text in _texts(template):
        for name in _FIELD.findall(text):
            if name not in FIELDS:
                near = difflib.get_close_matches(name, FIELDS, n=1)
                hint = f"; did you mean {{{near[0]}}}?" if near else ""
                found.append(f"{{{name}}} is none of {', '.join(f'{{{known}}}' for known in FIELDS)}{hint}")
    return found


def _value(found: re.Match[str], message: Message) -> str:
    return message.field(found[1]) if found[1] in FIELDS else found[0]


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for key, value in template.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)
