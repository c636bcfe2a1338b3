"""Artifacts when things go wrong: kills, full disks, damaged bytes, hostile names and links."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import tracking
from tests.acceptance.tracked import Training, wait_until
from tracking.artifacts import recording
from tracking.artifacts.artifact import Artifact
from tracking.artifacts.collecting import collect
from tracking.artifacts.contract import ArtifactPath
from tracking.artifacts.fetching import Folder
from tracking.blobs.copying import hash_file
from tracking.blobs.store import Blobs
from tracking.errors import ArtifactDamaged, ArtifactError, ArtifactNotReady
from tracking.home import Home
from tracking.store import open_artifacts

OLD = 10 * 86_400.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("SYSTEM", "off"), ("CONSOLE", "off"), ("QUIET", "true"), ("DISABLE_GIT", "true")):
        monkeypatch.setenv(f"SWEEP_{name}", value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(**contents: str) -> Artifact:
    artifact = tracking.Artifact("data", type="dataset")
    for name, text in contents.items():
        with artifact.new_file(name) as file:
            file.write(text)
    return recording.put(artifact, "digits")


def blobs() -> Blobs:
    return Blobs(Home.find().files)


def script(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])


def all_blobs_are_whole() -> bool:
    root = Home.find().files
    return all(hash_file(path)[0] == path.name for path in root.glob("??/*"))


def make_old(root: Path) -> None:
    then = time.time() - OLD
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def test_a_put_that_is_killed_leaves_nothing_half_made(folder: Path, home: Path) -> None:
    Path("big").write_bytes(os.urandom(1 << 20) * 96)
    put(a="1")
    code = """
        import tracking
        from tracking.artifacts import recording
        artifact = tracking.Artifact("data", type="dataset")
        artifact.add_file("big")
        recording.put(artifact, "digits")
    """
    for pause in (0.0, 0.02, 0.05):
        process = script(code)
        wait_until("it writes", lambda: any((home / "files" / "tmp").iterdir()))
        time.sleep(pause)
        process.kill()
        process.wait()
        assert all_blobs_are_whole()
        with closing(open_artifacts()) as store:
            assert len(store.versions(ArtifactPath("", "digits", "data"))) <= 2
    make_old(home / "files" / "tmp")
    collect()
    assert list((home / "files" / "tmp").iterdir()) == []
    process = script(code)
    assert process.wait() == 0
    with closing(open_artifacts()) as store:
        found = store.find(ArtifactPath("", "digits", "data"))
    Artifact.of(found).download("out")
    assert Path("out/big").stat().st_size == 96 << 20


def test_a_download_that_is_killed_leaves_whole_files_and_goes_on(folder: Path) -> None:
    artifact = tracking.Artifact("data", type="dataset")
    for number in range(6):
        with artifact.new_file(f"file{number}", mode="wb") as file:
            file.write(bytes([number]) * (32 << 20))
    recording.put(artifact, "digits")
    process = script("""
        from contextlib import closing
        from tracking.artifacts.artifact import Artifact
        from tracking.artifacts.contract import ArtifactPath
        from tracking.store import open_artifacts
        with closing(open_artifacts()) as store:
            found = store.find(ArtifactPath("", "digits", "data"))
        Artifact.of(found).download("out")
    """)
    wait_until("some are there", lambda: list(Path().glob("out/file*")) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = sorted(Path("out").iterdir())
    assert all(path.name.startswith("file") and path.stat().st_size == 32 << 20 for path in there)
    before = {path: path.stat().st_mtime_ns for path in there}
    artifact.download("out")
    artifact.verify("out")
    assert {path: path.stat().st_mtime_ns for path in there} == before


def test_damaged_bytes_are_never_handed_out(folder: Path) -> None:
    artifact = put(a="right", b="fine")
    digest = artifact.get_entry("a").digest
    place = blobs().path(digest)
    place.chmod(0o644)
    place.write_text("wrong")
    with pytest.raises(ArtifactDamaged, match="not what was logged as 'a'"):
        artifact.download("out")
    assert not Path("out/a").exists()
    place.unlink()
    with pytest.raises(ArtifactDamaged, match="SWEEP_FILES"):
        artifact.download("out")


def test_a_link_in_the_target_folder_leads_nowhere(folder: Path) -> None:
    artifact = tracking.Artifact("data", type="dataset")
    for name in ("sub/a", "b"):
        with artifact.new_file(name) as file:
            file.write("new")
    recording.put(artifact, "digits")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "b").write_text("mine")
    Path("out").mkdir()
    Path("out/sub").symlink_to(outside)
    Path("out/b").symlink_to(outside / "b")
    with pytest.raises(ArtifactError, match="leads out of"):
        artifact.download("out")
    assert [path.name for path in outside.iterdir()] == ["b"]
    Path("out/sub").unlink()
    artifact.download("out")
    assert (outside / "b").read_text() == "mine"
    assert not Path("out/b").is_symlink()
    assert Path("out/b").read_text() == "new"


def test_a_manifest_with_hostile_names_is_refused(folder: Path) -> None:
    digest = blobs().put_bytes(b"x").digest
    manifest = json.dumps({"../../evil": {"digest": digest, "size": 1}}).encode()
    body = {"do": "log", "id": "a" * 32, "name": "data", "type": "dataset", "digest": "0" * 64, "size": 1, "count": 1}
    with closing(open_artifacts()) as store:
        store.apply("", "digits", "", [body | {"manifest": blobs().put_bytes(manifest).digest}])
        found = store.find(ArtifactPath("", "digits", "data"))
    with pytest.raises(ArtifactDamaged, match="leads upwards"):
        Artifact.of(found).download("out/deep/er")
    assert not Path("evil").exists()


def test_a_folder_stands_where_a_file_should_be(folder: Path) -> None:
    artifact = put(a="1")
    Path("out/a").mkdir(parents=True)
    with pytest.raises(ArtifactError, match="is a folder"):
        artifact.download("out")
    Path("other").mkdir()
    Path("other/x").write_text("a file")
    with pytest.raises(ArtifactError, match="but is a file"):
        Folder("other").place("x/y")


def test_a_full_disk_stops_no_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.pt").write_text("weights")
    put_file = Blobs.put_file

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with tracking.init(mode="offline", project="digits") as run:
        monkeypatch.setattr(Blobs, "put_file", full)
        artifact = tracking.Artifact("model", type="model")
        artifact.add_file("model.pt")
        run.log_artifact(artifact)
        assert run.save("model.pt") == []
        run.log({"loss": 1.0})
        with pytest.raises(ArtifactNotReady, match="No space left"):
            artifact.wait()
        monkeypatch.setattr(Blobs, "put_file", put_file)
        run.log_artifact(artifact)
        assert artifact.wait().state == "PENDING"
    said = capsys.readouterr().err
    assert "is not recorded" in said
    assert "training goes on" in said


def test_gc_spares_what_anything_names(folder: Path, home: Path) -> None:
    kept = put(a="kept")
    gone = put(a="gone")
    with Training(folder, home) as training:
        training.run(
            """
            import pathlib, tracking
            run = tracking.init(id="r", project="digits", mode="offline")
            pathlib.Path("saved").write_text("saved")
            run.save("saved", policy="now")
            """
        )
        training.run(
            """
            import pathlib, tracking
            run = tracking.init(id="s", project="digits")
            pathlib.Path("kept").write_text("of a run")
            run.save("kept", policy="now")
            run.log_artifact("kept", name="of-run", type="dataset")
            """
        )
        training.ended("s")
    gone.delete(delete_aliases=True)
    make_old(home / "files")
    dry = collect(dry_run=True)
    assert (dry.swept.blobs, blobs().has(gone.get_entry("a").digest)) == (2, True)
    fresh = blobs().put_bytes(b"about to be named")
    done = collect()
    assert (done.swept.blobs, done.swept.size) == (2, dry.swept.size)
    assert blobs().has(fresh.digest)
    kept.download("out")
    with closing(open_artifacts()) as store:
        Artifact.of(store.find(ArtifactPath("", "digits", "of-run"))).download("of-run")
    assert Path("of-run/kept").read_text() == "of a run"


def test_gc_removes_what_has_expired(folder: Path, home: Path) -> None:
    artifact = put(a="old")
    put(a="new")
    artifact.ttl = timedelta(milliseconds=1)
    artifact.save()
    make_old(home / "files")
    assert [str(record.path) for record in collect(dry_run=True).expired] == ["digits/data:v0"]
    done = collect()
    assert (len(done.expired), done.swept.blobs) == (1, 2)
    with closing(open_artifacts()) as store:
        assert [record.version for record in store.versions(ArtifactPath("", "digits", "data"))] == [1]


def test_a_damaged_or_foreign_journal_disturbs_no_gc(folder: Path, home: Path) -> None:
    kept = put(a="kept")
    (home / "runs" / "x").mkdir(parents=True)
    (home / "runs" / "x" / "attempt-1.journal").write_bytes(b"no journal at all")
    make_old(home / "files")
    assert collect().swept.blobs == 0
    kept.download("out")


def test_two_processes_put_the_same_folder_at_once(folder: Path) -> None:
    root = Path("many")
    root.mkdir()
    for number in range(300):
        (root / f"{number}").write_text(f"{number % 50}")
    code = """
        import tracking
        from tracking.artifacts import recording
        artifact = tracking.Artifact("data", type="dataset")
        artifact.add_dir("many")
        recording.put(artifact, "digits")
    """
    processes = [script(code) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    with closing(open_artifacts()) as store:
        (found,) = store.versions(ArtifactPath("", "digits", "data"))
    assert found.count == 300
    assert len(list(Home.find().files.glob("??/*"))) == 51
