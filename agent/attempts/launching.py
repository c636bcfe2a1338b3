"""Makes a Launch of a trial: its run folder, parameter file, environment and command line."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from agent import shadows
from agent.errors import CannotLaunch
from agent.executors.contract import Launch
from agent.guard import why_not
from sweeps.errors import SweepsError
from sweeps.records import SweepRecord, TrialRecord
from sweeps.spec.command import expand
from sweeps.spec.macros import DEFAULT_COMMAND, LISTS
from sweeps.spec.model import SweepSpec
from tracking import environment
from tracking.home import Home, console_path


class Launcher:
    """Launches of one sweep on this machine. `check` comes first; `function` sweeps need no program."""

    def __init__(self, sweep: SweepRecord, spec: SweepSpec, home: Home, *, function: bool) -> None:
        self._sweep = sweep
        self._spec = spec
        self._home = home
        self._function = function
        self.workdir = self._find_workdir()
        self._common = self._common_environment()

    def check(self) -> list[str]:
        """Find what would make every trial fail on this machine, before one is taken; returns warnings.

        Raises CannotLaunch (no program, it is no file, a variable of the command is not set), NamesHidden,
        HomeUnwritable.
        """
        self._home.create()
        if self._function:
            return []
        if not self._spec.command and not self._spec.program:
            raise CannotLaunch(
                "the sweep names no program: add `program:` to its yaml, "
                "or create it and run it with a function: sweeps.agent(id, function=…)"
            )
        program = self._check_program()
        self._check_command()
        warnings = []
        if self._sweep.workdir and self.workdir != Path(self._sweep.workdir):
            warnings.append(
                f"the sweep's folder {self._sweep.workdir} is not usable here; trials run in {self.workdir}"
            )
        return warnings + shadows.check(program, self.workdir)

    def launch(self, trial: TrialRecord, slot: int) -> Launch:
        """Write the parameter file and say how to start the trial. Raises CannotLaunch."""
        run_dir = self._home.run_dir(trial.run_id)
        params = self._spec.space.nest(trial.params)
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            param_file = run_dir / "params.json"
            if not self._function:
                param_file.write_text(json.dumps(params, indent=1))
        except OSError as error:
            raise CannotLaunch(
                f"cannot start trial {trial.number}: writing {run_dir} failed: {error.strerror or error}"
            ) from error
        env = self._environment(trial, param_file)
        return Launch(
            run_id=trial.run_id,
            sweep_id=trial.sweep_id,
            number=trial.number,
            attempt=trial.attempt,
            params=params,
            run_dir=run_dir,
            environment=env,
            argv=() if self._function else self._argv(trial, param_file, env),
            workdir=self.workdir,
            console=console_path(run_dir, trial.attempt),
            slot=slot,
        )

    def _find_workdir(self) -> Path:
        """The folder where the sweep was created; on a machine without it the folder of the agent."""
        here = Path.cwd()
        created = Path(self._sweep.workdir) if self._sweep.workdir else here
        program = self._spec.program
        if not created.is_dir():
            return here
        if program and not (created / program).exists() and (here / program).is_file():
            return here
        return created

    def _check_program(self) -> Path | None:
        name = self._spec.program
        if not name or not any("${program}" in element for element in self._spec.command or DEFAULT_COMMAND):
            return None
        program = self.workdir / name
        if program.is_dir():
            raise CannotLaunch(f"program {name!r} is a directory, not a file: {program}")
        if not program.exists():
            raise CannotLaunch(
                f"program {name!r} does not exist in {self.workdir} (the folder where the sweep was created); "
                f"start the agent on a machine, or from a folder, that has it"
            )
        if not os.access(program, os.R_OK):
            raise CannotLaunch(f"program {program} may not be read by this user")
        return program

    def _check_command(self) -> None:
        """Make the command line of some trial, and find what it starts as the guard will: seen from the work folder."""
        handshake = (environment.RUN_ID, environment.TRIAL, environment.ATTEMPT, environment.PARAM_FILE)
        known = {**os.environ, **self._common, **{f"SWEEP_{name}": "" for name in handshake}}
        params = self._spec.space.sample(random.Random(0))
        try:
            argv = expand(self._spec, params, interpreter=sys.executable, param_file="params.json", environ=known)
        except SweepsError as error:
            raise CannotLaunch(f"no trial can be started here: {error}") from error
        first = (self._spec.command or DEFAULT_COMMAND)[0]
        if not any(f"${{{macro}}}" in first for macro in (*LISTS, "args_json", "args_json_file")):
            self._check_executable(argv[0])

    def _check_executable(self, name: str) -> None:
        target = self.workdir / name
        wanted = str(target) if "/" in name else name
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        if shutil.which(wanted, path=os.pathsep.join(str(self.workdir / folder) for folder in folders)):
            return
        if target.is_dir():
            wanted = str(target)
        error = OSError(errno.EACCES if target.exists() else errno.ENOENT, "")
        raise CannotLaunch(f"no trial can be started here: {why_not(wanted, error)}")

    def _common_environment(self) -> dict[str, str]:
        common = {
            "SWEEP_HOME": str(self._home.root),
            "SWEEP_SWEEP_ID": self._sweep.id,
            "SWEEP_SHIPPER": "agent",
            "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED", "1"),  # so that `sweep logs -f` shows lines at once
        }
        for name, value in (("PROJECT", self._sweep.project), ("ENTITY", self._sweep.entity)):
            if value:
                common[f"SWEEP_{name}"] = value
        return common

    def _environment(self, trial: TrialRecord, param_file: Path) -> dict[str, str]:
        return {
            **self._common,
            f"SWEEP_{environment.RUN_ID}": trial.run_id,
            f"SWEEP_{environment.TRIAL}": str(trial.number),
            f"SWEEP_{environment.ATTEMPT}": str(trial.attempt),
            f"SWEEP_{environment.PARAM_FILE}": str(param_file),
        }

    def _argv(self, trial: TrialRecord, param_file: Path, env: Mapping[str, str]) -> list[str]:
        try:
            return expand(
                self._spec,
                trial.params,
                interpreter=sys.executable,
                param_file=str(param_file),
                environ={**os.environ, **env},
            )
        except SweepsError as error:
            raise CannotLaunch(f"cannot start trial {trial.number}: {error}") from error
