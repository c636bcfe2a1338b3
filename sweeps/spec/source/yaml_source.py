"""From the bytes of a YAML file to a tree with places; every refusal says line and column."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sweeps.errors import Fault, SpecInvalid
from sweeps.spec.report import Report, nearest
from sweeps.spec.source.composer import Composer
from sweeps.spec.source.node import Node

MAX_BYTES = 1_000_000
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> str:
    """The text of a specification file. Raises SpecInvalid when it cannot be one."""
    source = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refused(source, "no such file", _neighbours(path)) from None
    except IsADirectoryError:
        raise _refused(source, "is a folder, not a file", f"try {path / 'sweep.yaml'}") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refused(source, f"cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise _refused(source, f"is larger than {MAX_BYTES // 1_000_000} MB, which no sweep needs")
    return _decode(data, source)


def compose(text: str, report: Report) -> Node:
    """The tree of a YAML text. Raises SpecInvalid for malformed text; duplicate keys and the like go to the report."""
    if len(text) > MAX_BYTES:
        raise _refused(report.source, f"is larger than {MAX_BYTES // 1_000_000} MB, which no sweep needs")
    composer = Composer(report)
    try:
        _feed(composer, yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, text, report.source) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _refused(report.source, f"is no text that YAML allows: {_first_line(error)}") from None
    if composer.root is None:
        raise _refused(report.source, "is empty", "start with `sweep init train.py`, or see docs/sweep-yaml.md")
    return composer.root


def _feed(composer: Composer, events: Iterable[Event]) -> None:
    documents = 0
    for event in events:
        mark = event.start_mark
        assert mark is not None, "parsers give every event its place"
        line, column = mark.line + 1, mark.column + 1
        match event:
            case DocumentStartEvent():
                documents += 1
                if documents > 1:
                    raise composer.refused(line, column, "a second document starts here; a sweep is one document")
            case AliasEvent():
                composer.alias(event.anchor or "", line, column)
            case ScalarEvent():
                composer.scalar(event.value, event.tag, event.implicit[0], event.anchor, line, column)
            case SequenceStartEvent():
                composer.start([], event.tag, event.anchor, line, column)
            case MappingStartEvent():
                composer.start({}, event.tag, event.anchor, line, column)
            case SequenceEndEvent() | MappingEndEvent():
                composer.end()


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        fault = Fault("is not UTF-8 text", "", line, column, "save the file with the encoding UTF-8")
        raise SpecInvalid([fault], source) from None


def _malformed(error: yaml.MarkedYAMLError, text: str, source: str) -> SpecInvalid:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    problem = (error.problem or str(error)).strip()
    context = f" ({error.context.strip()})" if error.context else ""
    advice = _advice(problem + context, here)
    return SpecInvalid([Fault(f"malformed YAML: {problem}{context}", "", line, column, advice)], source)


def _advice(problem: str, here: str) -> str:
    indentation = here[: len(here) - len(here.lstrip())]
    if "\t" in indentation or "'\\t'" in problem or "tab" in problem:
        return "YAML allows no tabs in the indentation: use spaces"
    if "${" in here and ("[" in here or "{" in here):
        return 'inside […] put macros in quotes: ["${env}", "${program}"]'
    if "mapping values" in problem:
        return "a text with ': ' in it needs quotes; else the indentation is wrong, or the line above lacks its colon"
    if "':'" in problem:
        return "a key is followed by a colon and a space: `min: 0.1`"
    if "an alias" in problem or "an anchor" in problem:
        return "a text that starts with * or & needs quotes"
    if "cannot start any token" in problem:
        return "a text that starts with a special character needs quotes"
    if "expected <block end>" in problem or "did not find expected" in problem:
        return "keys of one mapping start in the same column; every [ { and quote has its end"
    return ""


def _refused(source: str, message: str, hint: str = "") -> SpecInvalid:
    return SpecInvalid([Fault(message, hint=hint)], source)


def _neighbours(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in {".yaml", ".yml"})
    except OSError:
        return f"the folder {path.parent} is not there"
    return nearest(path.name, names).replace("allowed:", "there are:") if names else "no YAML file is in that folder"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
