"""Every error that the agent floor raises on purpose.

tracking.errors.SweepError
└── AgentError                  base of all errors of this floor
    ├── CannotLaunch            this machine cannot start the trials of the sweep: nothing is burnt, others may try
    ├── NamesHidden             a file of the user's hides a package that his script needs
    ├── TooManyFailures         the failure limits of the agent were reached
    └── SlotsInvalid            a number of slots or of trials that makes no sense
"""

from __future__ import annotations

from tracking.errors import SweepError


class AgentError(SweepError):
    """Base of the errors of the agent floor."""


class CannotLaunch(AgentError):
    """This machine cannot start a trial of the sweep; the text says why. The trial went back to waiting."""


class NamesHidden(AgentError):
    """A file of the user's hides a package that his script needs; the text names the file."""


class TooManyFailures(AgentError):
    """So many trials failed that the agent gave up; the text carries the tail of the last log and its path."""


class SlotsInvalid(AgentError):
    """A number of slots or of trials that makes no sense."""
