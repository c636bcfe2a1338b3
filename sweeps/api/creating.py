"""From a checked specification to a sweep in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sweeps.ids import new_id
from sweeps.records import NewSweep, SweepRecord
from sweeps.spec import Loaded
from sweeps.store.contract import SweepStore
from tracking import environment

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Labels:
    """What the caller says about the sweep; None leaves it to the document, then to the environment."""

    project: str | None = None
    entity: str | None = None
    name: str | None = None


def create_sweep(store: SweepStore, loaded: Loaded, labels: Labels | None = None) -> SweepRecord:
    """Store a new sweep in state RUNNING. Its folder is remembered: relative programs are seen from there."""
    said, spec = labels or Labels(), loaded.spec
    for last in (*[False] * (_TRIES - 1), True):
        new = NewSweep(
            id=new_id(),
            document=spec.document,
            source=loaded.text,
            project=said.project or spec.project or environment.read(environment.PROJECT) or "",
            entity=said.entity or spec.entity or environment.read(environment.ENTITY) or "",
            name=said.name or spec.name or "",
            description=spec.description or "",
            workdir=str(folder_of(loaded)),
        )
        try:
            return store.create_sweep(new)
        except ValueError:  # the id is taken
            if last:
                raise
    raise AssertionError("unreachable")


def folder_of(loaded: Loaded) -> Path:
    """The folder in which the trials run: the working folder, or the YAML's when only that one has the program."""
    here, program = Path.cwd(), loaded.spec.program
    if program is None or Path(program).is_file():
        return here
    beside = Path(loaded.source).expanduser().parent.absolute()  # for a mapping this is the working folder
    return beside.resolve() if (beside / program).is_file() else here


def folder_note(loaded: Loaded) -> str:
    """What to tell when the trials do not run in the working folder; else ""."""
    folder = folder_of(loaded)
    return "" if folder == Path.cwd() else f"{loaded.spec.program} lies beside the YAML, so trials run in {folder}"


def program_warning(loaded: Loaded) -> str:
    """Why `sweep agent` could not run this sweep as it stands; "" when nothing is in the way."""
    spec = loaded.spec
    if spec.program is None and spec.command is None:
        return "the sweep names no program, so only `sweeps.agent(id, function=…)` can run it"
    if spec.program is not None and not (folder_of(loaded) / spec.program).is_file():
        return f"program {spec.program!r} is no file in {Path.cwd()}; agents look for it there"
    return ""
