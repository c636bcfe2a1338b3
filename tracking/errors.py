"""Every error that the tracking floor raises on purpose.

SweepError                      base of all errors of the three floors
└── TrackingError
    ├── UsageError              a call with wrong arguments, or before init()
    ├── ConfigLocked            a change of a config value that is not allowed
    ├── HomeUnwritable          $SWEEP_HOME cannot be created or written
    ├── JournalError            a journal that cannot be read or written
    │   └── JournalCorrupt      the bytes are not a journal of ours
    ├── RunNotFound             no run has this id
    ├── StaleAttempt            a newer attempt owns the run: this writer is refused
    └── StoreError              the store
        ├── StoreUnavailable    it cannot be reached now: trying again may help
        ├── StoreTooNew         its schema is newer than this program
        ├── StoreOutdated       its schema is older and is not upgraded by itself
        └── StoreUrlInvalid     the URL names no store that we know
IllegalMove                     a state change that the transition table forbids
"""

from __future__ import annotations


class SweepError(Exception):
    """Base of every error that is raised on purpose; its text is for the user."""


class TrackingError(SweepError):
    """Base of the errors of the tracking floor."""


class UsageError(TrackingError):
    """A call with arguments that make no sense, or a call before `init()`."""


class ConfigLocked(TrackingError):
    """A config value may not be changed: set `allow_val_change=True` to force it."""


class HomeUnwritable(TrackingError):
    """The home folder cannot be created or written."""


class JournalError(TrackingError):
    """A journal cannot be read or written."""


class JournalCorrupt(JournalError):
    """The bytes are not a journal that this version can read."""


class RunNotFound(TrackingError):
    """No run has this id."""


class StoreError(TrackingError):
    """Base of what can go wrong with a store."""


class StoreUnavailable(StoreError):
    """The store cannot be reached now; the same call may work later."""


class StoreTooNew(StoreError):
    """The schema of the store is newer than this program."""


class StoreOutdated(StoreError):
    """The schema of the store is older than this program and waits for `sweep store upgrade`."""


class StoreUrlInvalid(StoreError):
    """The URL names no store that this program knows."""


class IllegalMove(SweepError):
    """A move between two states that the transition table does not have."""

    def __init__(self, what: str, source: str, target: str, allowed: tuple[str, ...]) -> None:
        ways = ", ".join(allowed) or "nothing: it is final"
        super().__init__(f"{what} is {source} and cannot become {target}; allowed from there: {ways}")
        self.what, self.source, self.target = what, source, target
