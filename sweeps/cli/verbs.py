"""The verbs of `sweep`: found through the entry-point group `sweep.commands`, described without being imported."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ENTRY_POINTS = "sweep.commands"

# The order in which people meet them; verbs that others add come last.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Create and run", ("init", "check", "create", "agent", "run")),
    ("Look", ("ls", "show", "best", "watch", "logs")),
    ("Steer", ("pause", "resume", "stop", "cancel", "delete")),
    ("Runs and files", ("runs", "export", "artifact", "sync", "restore", "import", "alerts")),
    ("Setup", ("doctor", "completion", "schema", "replay", "store")),
)
OTHERS = "More"


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb and where its click command lives ("module:attribute")."""

    name: str
    target: str

    def load(self) -> object:
        """Import the command. Raises what its module raises."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def help_line(self) -> str:
        """The first line of the module's docstring, read from the file; "" when there is none."""
        path = _source_of(self.target.partition(":")[0])
        return _first_doc_line(path) if path else ""


def find_verbs() -> dict[str, Verb]:
    """Every installed verb by name; ours win, so that no plugin changes what `ls` means."""
    found: dict[str, Verb] = {}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        ours = point.value.startswith(("sweeps.", "agent."))
        if point.name not in found or ours:
            found[point.name] = Verb(point.name, point.value)
    return found


def grouped(names: set[str]) -> list[tuple[str, list[str]]]:
    """The names under their headings, in the order of the help page; empty groups are left out."""
    known = {name for _, members in GROUPS for name in members}
    groups = [(title, [name for name in members if name in names]) for title, members in GROUPS]
    groups.append((OTHERS, sorted(names - known)))
    return [(title, members) for title, members in groups if members]


def _source_of(module: str) -> Path | None:
    """The file of a module; only its top-level package is looked up, so nothing is imported."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder, *rest)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


def _first_doc_line(path: Path) -> str:
    """Reads only the head of the file: docstrings come first."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(2048)
    except (OSError, UnicodeDecodeError):
        return ""
    for quotes in ('"""', "'''"):
        start = head.find(quotes)
        if start >= 0 and not head[:start].strip().strip("rR"):
            line = head[start + 3 :].split(quotes, 1)[0].strip().split("\n", 1)[0].strip()
            return line.removesuffix(".")
    return _parsed_doc_line(path)


def _parsed_doc_line(path: Path) -> str:
    """The slow way, for a module with comments or a licence above its docstring."""
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, SyntaxError):
        return ""
    return (text or "").split("\n", 1)[0].strip().removesuffix(".")
