"""Looks for the last checkpoint that earlier attempts of a trial left, so that the next one may go on from it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from tracking.errors import RunNotFound, SweepError
from tracking.home import journal_path
from tracking.journal.reader import read_stretch
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, ROW_HEAD, RecordType

MODEL_TYPES = frozenset(("model", "checkpoint"))
"""Types of artifacts that are checkpoints."""
_MEDIA = "media/"
_TOLD = frozenset((RecordType.FILE, RecordType.ARTIFACT, RecordType.REWIND, RecordType.JSONROW))
_PIECE = 4 << 20


class Checkpoint:
    """What a trial left to go on from; `step` is the last row that it includes, None when it came before any row."""

    __slots__ = ("step",)

    def __init__(self, step: int | None) -> None:
        self.step = step


def last_checkpoint(run_dir: Path, run_id: str, attempt: int) -> Checkpoint | None:
    """The last checkpoint of the attempts before this one: by their journals, else by the store."""
    local = False
    for number in range(attempt - 1, 0, -1):
        path = journal_path(run_dir, number)
        if not path.exists():
            continue
        local = True
        found, rewound = _in_journal(path)
        if found is not None or rewound:
            return found
    return None if local else _in_store(run_id)


def _in_journal(path: Path) -> tuple[Checkpoint | None, bool]:
    """The last checkpoint in a journal, and whether the attempt had thrown away what was before it."""
    found: Checkpoint | None = None
    rewound, step = False, None
    for kind, body in _records(path):
        if kind == RecordType.ROW:
            step = body
        elif kind == RecordType.JSONROW:
            step = body["step"]
        elif kind == RecordType.REWIND:
            found, rewound, step = None, body["step"] == 0, None
        elif _is_checkpoint(kind, body):
            said = body.get("step")
            found = Checkpoint(step if said is None else int(said))
    return found, rewound


def _records(path: Path) -> Any:
    """(type, JSON body) of the records that matter, (ROW, step) for rows; ends where the journal is damaged."""
    offset = 0
    while data := read_stretch(path, offset, _PIECE).data:
        position = len(MAGIC) if offset == 0 else 0
        while position + FRAME.size < len(data):
            length, _ = FRAME.unpack_from(data, position)
            end = position + FRAME.size + length
            if not 0 < length <= MAX_PAYLOAD or end > len(data):
                break
            kind = data[position + FRAME.size]
            if kind == RecordType.ROW:
                yield kind, ROW_HEAD.unpack_from(data, position)[4]
            elif kind in _TOLD:
                yield kind, json.loads(data[position + FRAME.size + 1 : end])
            position = end
        if position == 0:
            return
        offset += position


def _is_checkpoint(kind: int, body: dict[str, Any]) -> bool:
    if kind == RecordType.FILE:
        return not str(body.get("name", "")).startswith(_MEDIA)
    return kind == RecordType.ARTIFACT and body.get("do") == "log" and body.get("type") in MODEL_TYPES


def _in_store(run_id: str) -> Checkpoint | None:
    """What an attempt on another machine left; None also when the store cannot tell."""
    from tracking.store import open_artifacts, open_store  # bring SQLAlchemy, which a trial that stays never needs

    with contextlib.suppress(SweepError), contextlib.closing(open_artifacts()) as artifacts:
        models = [record for record in artifacts.logged_by(run_id) if record.type in MODEL_TYPES]
        if models:
            return Checkpoint(max((record.step for record in models if record.step is not None), default=None))
    with contextlib.suppress(RunNotFound, SweepError), contextlib.closing(open_store()) as store:
        files = [file for file in store.files(run_id) if not file.name.startswith((_MEDIA, "code/"))]
        kept = [file.step for file in files if file.step is not None]
        if kept:
            return Checkpoint(max(kept))
    return None
