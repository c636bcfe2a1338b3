"""run.save() and run.restore(): files that a run keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.acceptance.tracked import Training, wait_until
from tracking.errors import UsageError
from tracking.files import keeping
from tracking.live.run import Run
from tracking.store import open_store


@pytest.fixture(autouse=True)
def training(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Training]:
    for name, value in (("SYSTEM", "off"), ("CONSOLE", "off"), ("QUIET", "true"), ("DISABLE_GIT", "true")):
        monkeypatch.setenv(f"SWEEP_{name}", value)
    monkeypatch.setenv("SWEEP_DISABLE_CODE", "true")
    monkeypatch.chdir(tmp_path)
    with Training(tmp_path, home) as training:
        yield training
        tracking.finish()


def start(**options: Any) -> Run:
    return tracking.init(**{"project": "digits", "id": "r", **options})


def stored(names: set[str], run_id: str = "r") -> dict[str, Any]:
    """The files of these names in the store, once they are there."""

    def look() -> Any:
        with closing(open_store()) as store:
            found = {file.name: file for file in store.files(run_id)}
        return found if names <= set(found) else None

    found: dict[str, Any] = wait_until(f"{names} are in the store", look)
    return found


def test_globs_name_files_below_their_base(training: Training) -> None:
    for name in ("a.txt", "data/b.txt", "data/deep/c.txt", "data/d.bin"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    with start() as run:
        run.log({"loss": 1})
        assert run.save("a.txt", policy="now") == ["a.txt"]
        assert run.save("data/*.txt", policy="now") == ["data/b.txt"]
        assert run.save("data/deep/*", base_path="data", policy="now") == ["data/deep/c.txt"]
        assert run.save(Path("data/d.bin").absolute(), policy="end") == [str(Path("data/d.bin").absolute())]
        assert run.save("data", policy="now") == ["data/b.txt", "data/d.bin", "data/deep/c.txt"]
        Path("data/d.bin").write_text("at the very end")
    found = stored({"a.txt", "data/b.txt", "deep/c.txt", "d.bin", "data/d.bin", "data/deep/c.txt"})
    assert (found["d.bin"].size, found["data/d.bin"].size, found["a.txt"].step) == (15, 10, 0)


def test_live_files_follow_their_changes(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "INTERVAL_S", 0.05)
    with start() as run:
        assert run.save("ckpt-*.pt") == []
        Path("ckpt-1.pt").write_text("one")
        stored({"ckpt-1.pt"})
        Path("ckpt-1.pt").write_text("one more")
        wait_until("it changes", lambda: stored({"ckpt-1.pt"})["ckpt-1.pt"].size == 8)
        Path("ckpt-2.pt").write_text("last")
    assert stored({"ckpt-2.pt"})["ckpt-2.pt"].size == 4


def test_what_cannot_be_saved_is_refused(training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    with start(mode="offline") as run:
        for glob, base in (("../x", None), ("/etc/hosts", "/usr"), ("", None)):
            with pytest.raises(UsageError, match="save"):
                run.save(glob, base_path=base)
        with pytest.raises(UsageError, match="live, now, end"):
            run.save("x", policy="often")
        assert run.save("s3://bucket/key") == []
        assert "add_reference" in capsys.readouterr().err
        os.mkfifo("pipe")
        assert run.save("pipe", policy="now") == []


def test_a_file_comes_back_in_a_later_run(training: Training) -> None:
    Path("model.pt").write_text("weights")
    with start() as run:
        run.save("model.pt", policy="now")
        with run.restore("model.pt") or pytest.fail("it is not there") as file:
            assert (file.read(), file.name) == ("weights", os.path.join(os.path.realpath(run.dir), "model.pt"))
        assert run.restore("nothing.pt") is None
        with pytest.raises(UsageError, match="leads upwards"):
            run.restore("../model.pt")
    stored({"model.pt"})
    with start(id="other") as run:
        with run.restore("model.pt", run_path="digits/r", root="there") or pytest.fail("not there") as file:
            assert file.read() == "weights"
        Path("there/model.pt").write_text("mine")
        with run.restore("model.pt", run_path="digits/r", root="there") or pytest.fail("not there") as file:
            assert file.read() == "mine"
        with run.restore("model.pt", run_path="r", root="there", replace=True) or pytest.fail("gone") as file:
            assert file.read() == "weights"


def test_an_offline_run_restores_what_it_kept_itself(training: Training) -> None:
    Path("model.pt").write_text("weights")
    with start(mode="offline") as run:
        run.save("model.pt", policy="now")
    Path("model.pt").unlink()
    with start(mode="offline", resume="allow") as run, run.restore("model.pt") or pytest.fail("gone") as file:
        assert file.read() == "weights"
