"""`run.save()` and `run.restore()`: files that a run keeps beside its history, and brings back."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from tracking.errors import UsageError
from tracking.files.keeping import keeper_of
from tracking.files.patterns import Pattern, StrPath, pattern_of
from tracking.files.restoring import bring_back
from tracking.notices import warn_once

if TYPE_CHECKING:
    from tracking.live.run import Run

POLICIES = ("live", "now", "end")


def save(
    run: Run, glob_str: StrPath | None = None, base_path: StrPath | None = None, policy: str = "live"
) -> list[str]:
    """Keep the files that a glob means; the paths of those that are there.

    A name in the run is the path below `base_path` (default: the working folder; of an absolute glob its folder).
    `policy` is "now", "live" (now, and again whenever they change) or "end" (when the run ends). Without a glob
    everything in `run.dir` is kept. Raises UsageError.
    """
    if policy not in POLICIES:
        raise UsageError(f"save(policy={policy!r}): it is one of {', '.join(POLICIES)}")
    if glob_str is not None and "://" in os.fsdecode(glob_str):
        warn_once("save:uri", f"save({glob_str!r}): what lies elsewhere is not kept; Artifact.add_reference() names it")
        return []
    pattern = Pattern(os.path.join(run.dir, "*"), run.dir) if glob_str is None else pattern_of(glob_str, base_path)
    if run.disabled or run.forked:
        return []
    keeper = keeper_of(run)
    if policy == "end":
        keeper.keep_at_end(pattern)
        return [path for _, path in pattern.files()]
    kept = keeper.keep(pattern)
    if policy == "live":
        keeper.watch(pattern)
    if not kept:
        warn_once(f"save:{pattern.text}", f"save({pattern.text!r}): there is no such file (yet)")
    return kept


def restore(
    run: Run, name: str, run_path: str | None = None, replace: bool = False, root: str | None = None
) -> IO[str] | None:
    """Bring a saved file of this run, or of the run `[[entity/]project/]id`, below `root` (default: `run.dir`).

    Returns it open for reading text; its path is `.name`. None when the run has no such file. A file that is there
    already stays unless `replace`; in `run.dir` the saved one always wins. Raises UsageError for a bad name,
    ArtifactDamaged when the bytes are not on this machine.
    """
    path = bring_back(run, name, run_path, replace, root)
    return None if path is None else open(path, encoding="utf-8", errors="surrogateescape")
