"""The URL of a store: which databases are known, and what to say about one that is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tracking.errors import StoreUrlInvalid
from tracking.home import Home

_KNOWN = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A URL that was checked. `path` is set for SQLite, `text` is what SQLAlchemy gets for PostgreSQL."""

    text: str
    path: Path | None = None

    @property
    def shown(self) -> str:
        """The URL for messages: a password is left out."""
        parts = urlsplit(self.text)
        if self.path is not None or "@" not in parts.netloc:
            return self.text
        login, _, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login.partition(':')[0]}@{host}"))


def parse(url: str | None = None) -> StoreUrl:
    """Check a URL; None means the store of the home folder (`$SWEEP_STORE`, else `store.db` in it).

    Raises StoreUrlInvalid, which tells the known forms, and HomeUnwritable for a home that cannot be made.
    """
    if url is None:
        home = Home.find()
        url = home.store_url
        if url == f"sqlite:///{home.root / 'store.db'}":
            home.create()
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise StoreUrlInvalid(f"{url!r} is no store URL; a store is {_KNOWN}.")
    if scheme == "sqlite":
        return _sqlite(url, rest)
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"}:
        return StoreUrl(f"postgresql+psycopg://{rest}")
    if scheme in {"http", "https"}:
        raise StoreUrlInvalid(f"a server store is not supported yet ({scheme}://…); use {_KNOWN}.")
    raise StoreUrlInvalid(f"no store is known for {scheme}://; use {_KNOWN}.")


def _sqlite(url: str, rest: str) -> StoreUrl:
    if not rest.startswith("/") or rest in {"/", "/:memory:"}:
        raise StoreUrlInvalid(
            f"{url!r} names no file. Use sqlite:///store.db (relative) or sqlite:////home/me/store.db (absolute): "
            "several processes share a store, so it cannot live in memory."
        )
    path = Path(rest[1:].partition("?")[0]).expanduser().absolute()
    return StoreUrl(f"sqlite:///{path}", path)
