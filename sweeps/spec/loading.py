"""From what the user gives (a path or a dict) to a checked specification with its text and its warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeps.errors import Fault, SpecInvalid
from sweeps.spec.model import SweepSpec, new_seed
from sweeps.spec.parser import parse
from sweeps.spec.report import Report
from sweeps.spec.source.node import Node, from_plain
from sweeps.spec.source.yaml_source import compose, read

_DUMPER: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Loaded:
    """A checked specification and where it came from."""

    spec: SweepSpec
    text: str
    """The YAML as the user wrote it; for a dict, the same as YAML."""
    source: str
    """The path, or "sweep" for a dict."""
    warnings: tuple[str, ...] = ()
    """What is allowed but most likely not meant: one line each, with its place."""


def load(source: str | Path | Mapping[str, Any]) -> Loaded:
    """Read and check a specification: the path of a YAML file, or a mapping.

    Raises SpecInvalid with every fault there is, also for a file that is not there. A seed is drawn when none is named.
    """
    if isinstance(source, Mapping):
        report = Report("sweep")
        spec = _spec(from_plain(source, report.source), report)
        text = yaml.dump(dict(spec.document), Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
        return Loaded(spec, text, report.source, report.warnings)
    if not isinstance(source, (str, Path)):
        fault = Fault(f"must be a path or a dict, found {type(source).__name__}")
        raise SpecInvalid([fault])
    if isinstance(source, str) and "\n" in source:
        raise SpecInvalid([Fault("is a text, not a path", hint="sweeps.spec.load_text reads YAML from a string")])
    path = Path(source).expanduser()
    return load_text(read(path), str(path))


def load_text(text: str, source: str = "sweep.yaml") -> Loaded:
    """Check a specification from YAML text; `source` is the name for its messages. Raises SpecInvalid."""
    report = Report(source)
    spec = _spec(compose(text, report), report)
    return Loaded(spec, text, source, report.warnings)


def _spec(root: Node, report: Report) -> SweepSpec:
    return SweepSpec.from_settings(parse(root, report, new_seed()))
