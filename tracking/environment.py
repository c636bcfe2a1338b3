"""The environment variables that tracking reads: `SWEEP_X`, else its twin `WANDB_X`.

Some of them are the handshake by which an Agent tells a child which Run, Trial and Attempt it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# Set by an agent for the trial that it starts (and only then).
RUN_ID = "RUN_ID"  # the id of the run to open
SWEEP_ID = "SWEEP_ID"  # full variable: SWEEP_SWEEP_ID
TRIAL = "TRIAL"  # the number of the trial in its sweep, from 0
ATTEMPT = "ATTEMPT"  # the fencing token: 1 for the first execution of the trial
PARAM_FILE = "PARAM_FILE"  # JSON file with the parameters as a (nested) mapping
SHIPPER = "SHIPPER"  # "agent": the agent ships the journal, so init() starts no shipper and captures no console

# Set by users.
STORE = "STORE"  # URL of the store; default: SQLite in the home folder
FILES = "FILES"  # the folder of blobs; default: `files` in the home folder
HOME = "HOME"  # the home folder; default ~/.sweepwright
PROJECT = "PROJECT"
ENTITY = "ENTITY"
NAME = "NAME"
NOTES = "NOTES"
TAGS = "TAGS"  # comma-separated
MODE = "MODE"  # online, offline or disabled
RUN_GROUP = "RUN_GROUP"
JOB_TYPE = "JOB_TYPE"
CONSOLE = "CONSOLE"  # auto, redirect (children too), wrap (sys.stdout and sys.stderr alone) or off
SILENT = "SILENT"  # "true": print nothing
QUIET = "QUIET"
RESUME = "RESUME"  # allow, never, must or auto
RESUME_FROM = "RESUME_FROM"  # "<run id>?_step=<n>"
FORK_FROM = "FORK_FROM"  # "<run id>?_step=<n>"
SAVE_CODE = "SAVE_CODE"  # "true": the main script is saved
DIR = "DIR"  # folder below which runs keep their files instead of $SWEEP_HOME/runs
CONFIG_PATHS = "CONFIG_PATHS"  # comma-separated YAML files whose values config starts with
DISABLE_GIT = "DISABLE_GIT"  # "true": neither commit nor diff are recorded
DISABLE_CODE = "DISABLE_CODE"  # "true": no code is saved
DISABLE_META = "DISABLE_META"  # "true": neither packages nor anything of the machine are recorded
SYSTEM = "SYSTEM"  # "off": no system metrics; a number: seconds between samples (15)
ALERT_SLACK = "ALERT_SLACK"  # URL of a Slack webhook for alerts
ALERT_WEBHOOK = "ALERT_WEBHOOK"  # URL that alerts are posted to
ALERT_SMTP = "ALERT_SMTP"  # smtp://user:password@host:587?to=name@example.org
ALERT_PRIVATE = "ALERT_ALLOW_PRIVATE"  # "true": alerts may go to addresses of private networks

# Ours alone: W&B uses the same name for something else, so the twin is not read.
_NO_TWIN = frozenset({FILES, HOME, STORE, SHIPPER, TRIAL, ATTEMPT, PARAM_FILE, ALERT_PRIVATE})


def read(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The value of `SWEEP_<name>`, else of `WANDB_<name>`; None when neither is set or the text is empty."""
    env = os.environ if environ is None else environ
    value = env.get(f"SWEEP_{name}")
    if not value and name not in _NO_TWIN:
        value = env.get(f"WANDB_{name}")
    return value or None


def flag(name: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the variable is set to something that means yes: 1, true, yes or on."""
    return (read(name, environ) or "").strip().lower() in {"1", "true", "yes", "on"}
