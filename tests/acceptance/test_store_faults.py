"""A SQLite store when the file, the disk or a neighbour fails: StoreUnavailable, nothing lost, and it works again."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sweeps.store
import tracking.store
from sweeps.records import NewSweep
from sweeps.store.contract import SweepStore
from tests.contract.store_examples import SWEEP, TTL, complete, floats, further, new_sweep, started
from tracking.database import engine
from tracking.errors import HomeUnwritable, StoreError, StoreUnavailable, StoreUrlInvalid
from tracking.store.contract import RunStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SweepStore]:
    store = sweeps.store.open_store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def runs(path: Path) -> Iterator[RunStore]:
    store = tracking.store.open_store(f"sqlite:///{path}")
    yield store
    store.close()


def move(path: Path, folder: Path) -> None:
    """Move a store with the files that SQLite keeps beside it."""
    folder.mkdir(exist_ok=True)
    for part in path.parent.glob(f"{path.name}*"):
        part.rename(folder / part.name)


def test_a_store_that_vanishes_is_not_made_anew_and_works_when_it_is_back(
    store: SweepStore, path: Path, tmp_path: Path
) -> None:
    new_sweep(store, 1)
    move(path, tmp_path / "away")
    for _ in range(2):
        for call in (store.now, store.sweeps, lambda: store.claim(SWEEP, "a", 1, TTL)):
            with pytest.raises(StoreUnavailable, match="has vanished"):
                call()
    assert not path.exists()
    move(tmp_path / "away" / path.name, path.parent)
    (trial,) = store.claim(SWEEP, "a", 1, TTL)
    assert store.finish([complete(trial)]) == []
    again = sweeps.store.open_store(f"sqlite:///{path}")
    assert again.trial(SWEEP, 0) == store.trial(SWEEP, 0)
    again.close()


def test_a_store_restored_from_a_copy_is_used_at_once(store: SweepStore, path: Path, tmp_path: Path) -> None:
    new_sweep(store)
    store.close()  # leaves one file
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    assert len(store.sweeps()) == 1
    store.create_sweep(NewSweep("late1234", {}))
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()
    with pytest.raises(StoreUnavailable):
        store.sweeps()
    copy.rename(path)
    assert [sweep.id for sweep in store.sweeps()] == [SWEEP]
    new_sweep(store, sweep_id="next1234")


def test_an_empty_file_in_place_of_the_store_is_no_store(store: SweepStore, path: Path) -> None:
    new_sweep(store)
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()
    path.touch()
    with pytest.raises(StoreUnavailable, match="lost its tables"):
        store.sweeps()


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"these are no tables\n" * 1000)
    with pytest.raises(StoreError, match=r"store\.db.*no SQLite database"):
        sweeps.store.open_store(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"these are no tables")


# -- locks --------------------------------------------------------------------------------------


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else is writing."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_lock_that_stays_is_told_in_words(store: SweepStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_sweep(store, 1)
    monkeypatch.setattr(engine, "BUSY_LIMIT", 0.2)
    with locked(path):
        with pytest.raises(StoreUnavailable, match="is busy: another process") as caught:
            store.claim(SWEEP, "a", 1, TTL)
        assert "database is locked" not in str(caught.value)
        assert store.trial(SWEEP, 0).attempt == 0  # readers do not wait
    assert len(store.claim(SWEEP, "a", 1, TTL)) == 1


def test_a_writer_waits_for_its_turn(store: SweepStore, path: Path) -> None:
    new_sweep(store, 1)
    with locked(path) as other:
        timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        timer.start()
        assert len(store.claim(SWEEP, "a", 1, TTL)) == 1
        timer.join()


def test_threads_share_an_instance(store: SweepStore) -> None:
    new_sweep(store, 200)
    claimed: list[int] = []

    def work() -> None:
        while trials := store.claim(SWEEP, "a", 3, TTL):
            claimed.extend(trial.number for trial in trials)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(range(200))


# -- disks --------------------------------------------------------------------------------------


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file of this process can grow beyond `limit` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing_that_was_stored(runs: RunStore, path: Path) -> None:
    first = started(history={"loss": floats(list(range(100)))})
    runs.apply([first])
    # Irregular steps and float noise cannot be made small.
    steps = [100 + n * n for n in range(20_000)]
    big = further(history={"loss": floats(steps, [step / 7 for step in steps])})
    with full_disk(path.with_name("store.db-wal").stat().st_size + 20_000):
        with pytest.raises(StoreUnavailable, match="disk"):
            runs.apply([big])
        assert runs.run("run00001").journal_offset == 100
    assert runs.apply([big]) == [200]
    assert list(runs.series("run00001", "loss").steps) == [*range(100), *steps]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="sweepwright-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_rights() -> Iterator[None]:
    """Files of the user are read-only for what happens inside: root becomes nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_store_is_told_in_words(open_folder: Path) -> None:
    path = open_folder / "store.db"
    first = sweeps.store.open_store(f"sqlite:///{path}")
    new_sweep(first)
    first.close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    try:
        with without_rights(), pytest.raises(StoreUnavailable, match=r"read-only|cannot be opened"):
            new_sweep(sweeps.store.open_store(f"sqlite:///{path}"), sweep_id="next1234")
    finally:
        open_folder.chmod(0o755)


def test_a_read_only_home_is_told_in_words(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o555)
    monkeypatch.setenv("SWEEP_HOME", str(home))
    with without_rights(), pytest.raises(HomeUnwritable, match="SWEEP_HOME"):
        sweeps.store.open_store()
    monkeypatch.setenv("SWEEP_STORE", f"sqlite:///{home}/deep/store.db")
    with without_rights(), pytest.raises(StoreUnavailable, match="SWEEP_STORE"):
        sweeps.store.open_store()


# -- URLs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://team.example", "not supported yet"),
        ("mysql://host/db", "postgresql://"),
        ("store.db", "sqlite:///PATH"),
        ("sqlite://", "cannot live in memory"),
        ("sqlite:///:memory:", "cannot live in memory"),
        ("postgresql://user:secret@host:port/db", "cannot be parsed"),
    ],
)
def test_a_url_of_no_store_is_told_in_words(url: str, says: str) -> None:
    with pytest.raises(StoreUrlInvalid, match=says) as caught:
        tracking.store.open_store(url)
    assert "secret" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        tracking.store.open_store("postgresql://user:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)
    assert "user@127.0.0.1:1" in str(caught.value)


def test_the_store_of_the_home_is_the_default(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for expected in (home / "store.db", tmp_path / "other" / "team.db"):
        store = sweeps.store.open_store()
        store.close()
        assert expected.is_file()
        monkeypatch.setenv("SWEEP_STORE", f"sqlite:///{tmp_path}/other/team.db")
