"""What is said of a run as a whole: that its machine goes away, how far the store is, a line of output, a table."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracking.home import console_path, journal_path, part_id
from tracking.journal.records import RecordType

if TYPE_CHECKING:
    from tracking.live.run import Run


class RunStatus(NamedTuple):
    """How far the store follows the journal."""

    synced: bool
    """Whether everything logged so far is in the store."""
    behind_bytes: int
    """Bytes of the journal that the store does not have yet."""
    problem: str = ""
    """Why that could not be found out; then all bytes count as missing."""


def mark_preempting(run: Run) -> None:
    """Write it down at once: an end that comes without a word then counts as preempted, not as crashed."""
    run._preempting = True
    run.record(RecordType.EVENT, {"kind": "preempting", "at": time.time()})


def status(run: Run) -> RunStatus:
    """Ask the store; it takes as long as the store does. An offline run is behind by all that it has."""
    if run.disabled:
        return RunStatus(True, 0)
    written = _size(journal_path(run_dir_of(run), run.attempt, run.part))
    if run.offline:
        return RunStatus(written == 0, written)
    from tracking.errors import RunNotFound, TrackingError
    from tracking.store import open_store  # brings SQLAlchemy, which only this question needs

    try:
        store = open_store()
        try:
            record = store.run(part_id(run.id, run.part))
        finally:
            store.close()
    except RunNotFound:
        return RunStatus(False, written)
    except TrackingError as error:
        return RunStatus(False, written, str(error))
    known = record.journal_offset if record.attempt == run.attempt else 0
    return RunStatus(known >= written, max(0, written - known))


def write_logs(run: Run, text: str) -> None:
    """Append whole lines to the console file of the run, where what the process prints goes too."""
    if run.disabled:
        return
    line = text if text.endswith("\n") else f"{text}\n"
    descriptor = os.open(console_path(run_dir_of(run), run.attempt), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode("utf-8", "backslashreplace"))
    finally:
        os.close(descriptor)


def to_html(run: Run, height: int = 420, hidden: bool = False) -> str:
    """A table of what the run is and of its summary; `hidden` folds it."""
    facts = {"run": run.name, "id": run.id, "project": run.project, "step": run.step, "folder": run._run_dir or ""}
    rows = "".join(map(_row, facts.items())) + "".join(map(_row, _shown(run.summary.as_dict()).items()))
    table = f'<div style="max-height:{int(height)}px;overflow:auto"><table>{rows}</table></div>'
    state = "" if hidden else " open"
    return f"<details{state}><summary>{escape(str(run.name))}</summary>{table}</details>"


def passing_folder(run: Run) -> Path:
    """A folder for a run that keeps nothing, removed when the process ends."""
    import shutil  # only disabled runs that ask for a folder pay for these
    import tempfile
    import weakref

    folder = tempfile.mkdtemp(prefix="sweepwright-")
    weakref.finalize(run, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def run_dir_of(run: Run) -> Path:
    """The folder with the journal of a run that has one."""
    return Path(run.dir).parent


def _shown(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in sorted(summary.items()) if not isinstance(value, (list, Mapping))}


def _row(item: tuple[str, Any]) -> str:
    name, value = item
    return f"<tr><th align='left'>{escape(name)}</th><td>{escape(str(value))}</td></tr>"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
