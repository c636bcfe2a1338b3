"""The folder of blobs: each content once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from tracking.blobs.copying import hash_file
from tracking.blobs.store import SMALL, Blobs
from tracking.blobs.sweeping import sweep

LARGE = os.urandom(SMALL) * 3 + b"end"
OLD = 90_000.0


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "files")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_of(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "small", "large"])
def test_a_content_is_kept_once_however_it_comes(blobs: Blobs, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "source").write_bytes(data)
    with blobs.writer() as writer:
        writer.write(data[:1])
        writer.write(data[1:])
    made = [blobs.put_bytes(data), blobs.put_file(tmp_path / "source"), writer.blob]
    assert {(blob.digest, blob.size) for blob in made} == {(sha(data), len(data))}
    assert [path.name for path in files_of(blobs)] == [sha(data)]
    assert blobs.read(sha(data)) == data
    assert hash_file(blobs.path(sha(data))) == (sha(data), len(data))


def test_progress_tells_the_bytes_of_large_files(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(LARGE)
    seen: list[int] = []
    blobs.put_file(tmp_path / "source", seen.append)
    assert sum(seen) == len(LARGE)


def test_a_writer_that_fails_leaves_nothing(blobs: Blobs) -> None:
    def fail() -> None:
        with blobs.writer() as writer:
            writer.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert files_of(blobs) == []


def test_an_emptied_blob_is_written_anew(blobs: Blobs) -> None:
    digest = blobs.put_bytes(b"content").digest
    blobs.path(digest).unlink()
    blobs.path(digest).touch()
    blobs.put_bytes(b"content")
    assert blobs.read(digest) == b"content"


def test_threads_may_store_the_same(blobs: Blobs) -> None:
    def put() -> None:
        for number in range(50):
            blobs.put_bytes(b"%d" % number)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files_of(blobs)) == 50


@pytest.mark.parametrize("digest", ["", "../x", "A" * 64, "g" * 64, "0" * 63])
def test_what_is_no_digest_names_no_file(blobs: Blobs, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.path(digest)


def test_a_blob_of_another_folder_gets_a_second_name(blobs: Blobs, tmp_path: Path) -> None:
    other = Blobs(tmp_path / "other")
    digest = other.put_bytes(b"content").digest
    for _ in range(2):
        assert blobs.take(other.path(digest), digest).size == 7
    assert blobs.path(digest).samefile(other.path(digest))


def test_a_damaged_blob_is_not_taken_over(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "bad").write_bytes(b"other")
    with pytest.raises(ValueError, match="damaged"):
        blobs.take(tmp_path / "bad", sha(b"content"))
    assert not blobs.has(sha(b"content"))


def test_a_sweep_removes_what_is_old_and_unnamed(blobs: Blobs) -> None:
    named, fresh, old = (blobs.put_bytes(data).digest for data in (b"named", b"fresh", b"old!"))
    for digest in (named, old):
        _make_old(blobs.path(digest))
    (blobs.root / "tmp" / "1-left").write_bytes(b"half")
    _make_old(blobs.root / "tmp" / "1-left", 100_000)
    (blobs.root / "tmp" / "2-now").write_bytes(b"half")
    dry = sweep(blobs, {named}, dry_run=True)
    assert (dry.blobs, dry.size, dry.unfinished, dry.kept, blobs.has(old)) == (1, 4, 1, 2, True)
    done = sweep(blobs, {named})
    assert (done.blobs, done.size, done.unfinished, done.kept) == (1, 4, 1, 2)
    assert sorted(path.name for path in files_of(blobs)) == sorted([named, fresh, "2-now"])


def test_a_blob_that_is_used_again_is_not_old(blobs: Blobs) -> None:
    digest = blobs.put_bytes(b"content").digest
    _make_old(blobs.path(digest))
    blobs.put_bytes(b"content")
    assert sweep(blobs, set()).blobs == 0
    assert blobs.has(digest)


def _make_old(path: Path, age: float = OLD) -> None:
    then = time.time() - age
    os.utime(path, (then, then))
