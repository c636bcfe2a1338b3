"""Opens the stores for a verb, and knows without opening whether there is anything to read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType

import sweeps.store
import tracking.store
from sweeps.errors import SweepNotFound
from sweeps.store.contract import SweepStore
from tracking.home import Home
from tracking.store.contract import RunStore

_SQLITE = "sqlite:///"


class Stores:
    """Both stores of one URL; each is opened when it is first used and closed at the end of the `with` block."""

    @cached_property
    def sweeps(self) -> SweepStore:
        return sweeps.store.open_store()  # the database is loaded here, not when a verb is

    @cached_property
    def runs(self) -> RunStore:
        return tracking.store.open_store()

    def __enter__(self) -> Stores:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in ("sweeps", "runs"):
            store = self.__dict__.pop(name, None)
            if store is not None:
                store.close()


def store_is_missing() -> bool:
    """Whether the store is a SQLite file that nobody has made yet: reading verbs must not make it."""
    path = sqlite_path(Home.find().store_url)
    return path is not None and not path.exists()


def existing_stores(wanted: str) -> Stores:
    """The stores for a verb about the sweep `wanted`. Raises SweepNotFound on a machine without a store."""
    if store_is_missing():
        raise SweepNotFound(
            f"no sweep has the id {wanted!r}: there are no sweeps in {Home.find().store_url} yet; "
            "make one with: sweep create sweep.yaml"
        )
    return Stores()


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other stores."""
    if not url.startswith(_SQLITE):
        return None
    return Path(url.removeprefix(_SQLITE).partition("?")[0])
