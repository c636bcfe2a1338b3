"""`sweep artifact`: put, get, ls, verify, rm and gc without a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.desk import Run
from tracking.blobs.store import Blobs
from tracking.home import Home


@pytest.fixture
def data(run: Run) -> Path:
    """A folder of two files in the working folder."""
    folder = Path("data")
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("1")
    (folder / "sub" / "b.txt").write_text("22")
    return folder


def test_a_folder_is_put_listed_and_fetched(run: Run, data: Path) -> None:
    status, out, err = run("artifact", "put", "data", "--name", "digits/mnist", "--type", "dataset", "-a", "raw")
    assert (status, err) == (0, "")
    assert out == "digits/mnist:v0: 2 files, 3 B\n"
    (data / "a.txt").write_text("2")
    made = json.loads(run("artifact", "put", "data", "-n", "digits/mnist", "--json")[1])
    assert (made["name"], made["files"], made["aliases"]) == ("digits/mnist:v1", 2, ["latest"])
    (found,) = json.loads(run("artifact", "ls", "--json")[1])
    assert (found["name"], found["versions"], found["aliases"]) == ("mnist", 2, {"latest": 1, "raw": 0})
    assert "latest (v1)" in run("artifact", "ls")[1]
    assert [row["version"] for row in json.loads(run("artifact", "ls", "digits/mnist", "--json")[1])] == [1, 0]
    assert "raw" in run("artifact", "ls", "mnist", "-p", "digits")[1]
    assert "sub/b.txt" in run("artifact", "ls", "digits/mnist:raw")[1]
    status, out, _ = run("artifact", "get", "digits/mnist:raw", "--root", "there")
    assert (status, Path("there/a.txt").read_text()) == (0, "1")
    assert run("artifact", "get", "mnist", "-p", "digits")[0] == 0
    assert Path("artifacts/mnist:v1/a.txt").read_text() == "2"


def test_a_single_file_and_the_same_again(run: Run, data: Path) -> None:
    for _ in range(2):
        assert run("artifact", "put", "data/a.txt", "-n", "one")[1] == "uncategorized/one:v0: 1 file, 1 B\n"


def test_verify_reads_the_bytes(run: Run, data: Path) -> None:
    run("artifact", "put", "data", "-n", "mnist")
    assert "2 files as logged" in run("artifact", "verify", "mnist")[1]
    run("artifact", "get", "mnist", "-r", "there")
    Path("there/a.txt").write_text("9")
    status, _, err = run("artifact", "verify", "mnist", "--root", "there")
    assert status == 1
    assert "a.txt is not what was logged" in err
    for place in Blobs(Home.find().files).root.glob("??/*"):
        if place.read_text() == "1":
            place.chmod(0o644)
            place.write_text("9")
    status, _, err = run("artifact", "verify", "mnist")
    assert (status, "are damaged" in err) == (1, True)


def test_rm_and_gc(run: Run, data: Path) -> None:
    run("artifact", "put", "data", "-n", "mnist", "-a", "raw")
    status, _, err = run("artifact", "rm", "mnist")
    assert (status, "say which version" in err) == (1, True)
    status, _, err = run("artifact", "rm", "mnist:v0")
    assert (status, "--force" in err) == (1, True)
    assert run("artifact", "rm", "mnist:v0", "-f")[1] == "removed uncategorized/mnist:v0\n"
    assert run("artifact", "gc")[1] == "removed 0 files, 0 B; 3 files stay\n"  # they are younger than a day
    assert run("artifact", "gc", "--grace", "0", "--dry-run")[1].startswith("would remove 3 files")
    assert json.loads(run("artifact", "gc", "--grace", "0", "--json")[1])["blobs"] == 3
    assert list(Home.find().files.glob("??/*")) == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("get", "nothing"), "no artifact 'nothing'"),
        (("ls", "nothing"), "no artifact 'nothing'"),
        (("get", "a/b/c/d"), "names no artifact"),
        (("put", "train.py", "-n", "a:v1"), "numbered by the store"),
        (("put", "train.py", "-n", "bad name"), "letters, digits"),
        (("put", "train.py", "-n", "ok", "-a", "v7"), "reads as a version"),
    ],
)
def test_what_cannot_be_is_said(run: Run, argv: tuple[str, ...], said: str) -> None:
    status, _, err = run("artifact", *argv)
    assert status == 1
    assert said in err


def test_reading_makes_no_store(run: Run) -> None:
    assert run("artifact", "ls")[1].startswith("No artifacts yet")
    assert run("artifact", "ls", "--json")[1] == "[]\n"
    assert not Home.find().root.exists()
