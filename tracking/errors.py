"""Every error that the tracking floor raises on purpose.

SweepError                      base of all errors of the three floors
└── TrackingError
    ├── UsageError              a call with wrong arguments, or before init()
    │   └── TableError          a row, cell or column that does not fit its table (a TypeError and a ValueError too)
    ├── ConfigLocked            a change of a config value that is not allowed
    ├── ExtraMissing            an optional library is not installed
    ├── HomeUnwritable          $SWEEP_HOME cannot be created or written
    ├── ArtifactError           an artifact
    │   ├── ArtifactNotFound    no artifact, version, alias or file has this name
    │   ├── ArtifactRefused     a change that its state does not allow
    │   │   └── AliasProtected  an alias that only `force` moves
    │   ├── ArtifactNotReady    it is not in the store (yet)
    │   └── ArtifactDamaged     bytes that are not what their digest says, or are gone
    ├── JournalError            a journal that cannot be read or written
    │   └── JournalCorrupt      the bytes are not a journal of ours
    ├── RunNotFound             no run has this id
    ├── RestoreFailed           the code of a run cannot be brought back here
    ├── FileMissing             a run has no file of this name
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


class TableError(UsageError, TypeError, ValueError):
    """A row, cell or column that does not fit its table. Scripts written for W&B catch TypeError or ValueError."""


class ConfigLocked(TrackingError):
    """A config value may not be changed: set `allow_val_change=True` to force it."""


class ExtraMissing(TrackingError, ImportError):
    """An optional library is not installed; the text has the `pip install` line."""


class HomeUnwritable(TrackingError):
    """The home folder cannot be created or written."""


class ArtifactError(TrackingError, ValueError):
    """Something is wrong with an artifact. Scripts written for W&B catch ValueError."""


class ArtifactNotFound(ArtifactError, KeyError):
    """No artifact, version, alias or file in it has this name."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # a KeyError would show it in quotes


class ArtifactRefused(ArtifactError):
    """A change that the state of the artifact does not allow."""


class AliasProtected(ArtifactRefused):
    """The alias is protected in its registry: only `force=True` moves it."""


class ArtifactNotReady(ArtifactError, TimeoutError):
    """The artifact was not logged, or what was logged is not in the store yet."""


class ArtifactDamaged(ArtifactError):
    """Bytes of an artifact are missing, or are not what their digest says."""


class JournalError(TrackingError):
    """A journal cannot be read or written."""


class JournalCorrupt(JournalError):
    """The bytes are not a journal that this version can read."""


class RunNotFound(TrackingError):
    """No run has this id."""


class FileMissing(TrackingError, FileNotFoundError):
    """A run has no file of this name."""


class RestoreFailed(TrackingError):
    """The code of a run cannot be brought back here; the text says what to do."""


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
