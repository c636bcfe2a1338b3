"""Builds the tree from YAML events without recursion: anchors, merge keys, duplicate keys, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sweeps.errors import Fault, SpecInvalid
from sweeps.space.values import show
from sweeps.spec.report import Report
from sweeps.spec.source.node import DEPTH_LIMIT, TEXT_FAULT, Entry, Node, Place, storable
from sweeps.spec.source.scalars import as_tagged, resolve

_ALIAS_LIMIT = 100_000
_COLLECTION_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:omap"})
_SCALAR_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str"))


@dataclass
class _Open:
    """A list or mapping that has not ended."""

    items: Any
    place: Place
    anchor: str | None
    key: Node | None = None
    size: int = 1
    depth: int = 1
    merges: list[tuple[Place, Node]] = field(default_factory=list)


class Composer:
    """Fed with what stands in the file, in order; `root` is the tree in the end."""

    def __init__(self, report: Report) -> None:
        self.root: Node | None = None
        self._report = report
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}  # name -> node, size and depth of its tree
        self._copied = 0

    def scalar(self, text: str, tag: str | None, plain: bool, anchor: str | None, line: int, column: int) -> None:
        """A scalar; `plain` when it has neither quotes nor a tag."""
        place = Place(line, column)
        if not storable(text):
            self._report.fault(place, "", f"the text {TEXT_FAULT}")
        node = Node(self._value(text, tag, plain, place), place, text)
        self._remember(anchor, node, 1, 1)
        self._add(node, 1, 1)

    def alias(self, name: str, line: int, column: int) -> None:
        """A reference to an anchor. The tree is shared, but what it would be as text is limited."""
        if name not in self._anchors:
            inside = any(frame.anchor == name for frame in self._stack)
            message = (
                f"*{name} stands inside of its own anchor" if inside else f"the anchor &{name} is not defined above"
            )
            raise self.refused(line, column, message)
        node, size, depth = self._anchors[name]
        self._copied += size
        if self._copied > _ALIAS_LIMIT:
            raise self.refused(line, column, f"aliases repeat more than {_ALIAS_LIMIT:,} values")
        self._add(node, size, depth)

    def start(self, items: Any, tag: str | None, anchor: str | None, line: int, column: int) -> None:
        """A list or a mapping begins."""
        if len(self._stack) >= DEPTH_LIMIT:
            raise self.refused(line, column, f"nested deeper than {DEPTH_LIMIT} levels")
        if tag not in _COLLECTION_TAGS:
            self._report.fault(Place(line, column), "", f"the tag {_short(tag)} is not allowed", "plain YAML only")
        self._stack.append(_Open(items, Place(line, column), anchor))

    def end(self) -> None:
        """The innermost list or mapping ends."""
        frame = self._stack.pop()
        for place, merged in frame.merges:
            self._merge(frame, place, merged)
        node = Node(frame.items, frame.place)
        if len(self._stack) + frame.depth > DEPTH_LIMIT:  # aliases in aliases are deeper than the text
            raise self.refused(frame.place.line, frame.place.column, f"nested deeper than {DEPTH_LIMIT} levels")
        self._remember(frame.anchor, node, frame.size, frame.depth)
        self._add(node, frame.size, frame.depth)

    def refused(self, line: int, column: int, message: str) -> SpecInvalid:
        """A fault after which there is nothing to go on with."""
        return SpecInvalid([Fault(message, "", line, column)], self._report.source)

    def _value(self, text: str, tag: str | None, plain: bool, place: Place) -> Any:
        if plain and tag is None:
            return resolve(text)
        if tag is None or tag == "!":
            return text
        if tag not in _SCALAR_TAGS:
            self._report.fault(place, "", f"the tag {_short(tag)} is not allowed", "plain YAML only")
            return text
        try:
            return as_tagged(tag, text)
        except ValueError:
            self._report.fault(place, "", f"{show(text, 40)} is no {tag.rpartition(':')[2]}")
            return text

    def _remember(self, anchor: str | None, node: Node, size: int, depth: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size, depth)

    def _add(self, node: Node, size: int, depth: int) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        frame.size += size
        frame.depth = max(frame.depth, depth + 1)
        if isinstance(frame.items, list):
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._entry(frame, key, node)

    def _entry(self, frame: _Open, key: Node, node: Node) -> None:
        if key.raw == "<<" and isinstance(node.value, (dict, list)):
            frame.merges.append((key.place, node))
            return
        name = key.value
        if not isinstance(name, str):
            shown = "a list or mapping" if isinstance(name, (dict, list)) else key.raw or "nothing"
            hint = f'put it in quotes: "{key.raw}"' if key.raw else ""
            self._report.fault(key.place, "", f"keys must be strings, found {shown}", hint)
        elif name in frame.items:
            first = frame.items[name].place
            message = f"the key {show(name, 40)} stands here a second time; first in line {first.line}"
            self._report.fault(key.place, "", message, "keep one of them")
        else:
            frame.items[name] = Entry(key.place, node)

    def _merge(self, frame: _Open, place: Place, merged: Node) -> None:
        """`<<: *defaults` or a list of them: keys that are there already win, and so do earlier ones of the list."""
        for source in merged.value if isinstance(merged.value, list) else [merged]:
            if not isinstance(source.value, dict):
                self._report.fault(place, "", "<< merges mappings only", "such as `<<: *defaults`")
                continue
            self._copied += len(source.value)
            if self._copied > _ALIAS_LIMIT:
                raise self.refused(place.line, place.column, f"aliases repeat more than {_ALIAS_LIMIT:,} values")
            for name, entry in source.value.items():
                frame.items.setdefault(name, entry)


def _short(tag: str | None) -> str:
    return (tag or "").replace("tag:yaml.org,2002:", "!!")[:60]
