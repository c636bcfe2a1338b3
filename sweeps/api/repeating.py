"""The command line that runs the program once more with the parameters of a trial."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sweeps.about import About
from sweeps.api.pasting import settings
from sweeps.records import SweepRecord, TrialRecord
from sweeps.spec.command import expand
from tracking.home import Home

_MARK = re.compile("\x00(\\w+)\x00")
_READS_ARGUMENTS = re.compile(
    r"\b(argv|\w*argparse|ArgumentParser|click|typer|fire|absl|docopt|hydra|tyro|getopt)\b|\$[@*1]"
)


class _Variables(Mapping[str, str]):
    """Every environment variable there could be, as a mark: values may be secrets and belong on no screen."""

    def __getitem__(self, name: str) -> str:
        return f"\x00{name}\x00"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def repeat_line(record: SweepRecord, about: About, trial: TrialRecord) -> str:
    """A line for any shell that stands here; "" when the sweep names no program.

    It uses the home and store that are used here; where the sweep has another folder, it goes there first.
    """
    spec = about.spec
    if spec.program is None and spec.command is None:
        return ""
    argv = expand(
        spec,
        trial.params,
        interpreter=sys.executable or "python",
        param_file=str(Home.find().run_dir(trial.run_id) / "params.json"),
        environ=_Variables(),
    )
    line = settings() + _config(record, about, trial) + " ".join(map(_shell_word, argv))
    folder = record.workdir
    if not folder or Path(folder).resolve() == Path.cwd().resolve():
        return line
    return f"cd {shlex.quote(folder)} && {line}"


def _config(record: SweepRecord, about: About, trial: TrialRecord) -> str:
    """The assignment that gives the parameters to a script which reads no command line, but `tracking.config`."""
    params = Home.find().run_dir(trial.run_id) / "params.json"
    try:
        text = Path(record.workdir, about.spec.program or "").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    if _READS_ARGUMENTS.search(text) or not params.is_file():
        return ""
    return f"SWEEP_CONFIG_PATHS={shlex.quote(str(params))} "


def _shell_word(word: str) -> str:
    """Quoted for a shell; marks become variables which that shell fills in."""
    pieces = _MARK.split(word)
    if len(pieces) == 1:
        return shlex.quote(word)
    quoted = (f'"${piece}"' if index % 2 else shlex.quote(piece) for index, piece in enumerate(pieces) if piece)
    return "".join(quoted)
