"""References: what an artifact names but does not have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

import tracking
from tracking.artifacts import recording
from tracking.artifacts.artifact import Artifact
from tracking.errors import ArtifactDamaged, ArtifactError, ExtraMissing, UsageError


class Server(BaseHTTPRequestHandler):
    """Serves `pages`: path -> (ETag, bytes); /nohead answers no HEAD."""

    pages: ClassVar[dict[str, tuple[str, bytes]]] = {}

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, body: bool) -> None:
        if self.path not in self.pages or (not body and self.path == "/nohead"):
            self.send_error(404 if self.path not in self.pages else 405)
            return
        tag, data = self.pages[self.path]
        self.send_response(200)
        if tag:
            self.send_header("ETag", f'"{tag}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[str]:
    Server.pages = {"/a.csv": ("one", b"1,2"), "/nohead": ("", b"xyz")}
    with HTTPServer(("127.0.0.1", 0), Server) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_QUIET", "true")
    return tmp_path


def put(artifact: Artifact) -> Artifact:
    return recording.put(artifact, "digits")


def of_references(*uris: str, **options: Any) -> Artifact:
    artifact = tracking.Artifact("there", type="dataset")
    for uri in uris:
        artifact.add_reference(uri, **options)
    return artifact


def test_files_and_folders_are_named_and_copied_when_fetched(folder: Path) -> None:
    (folder / "data/sub").mkdir(parents=True)
    (folder / "data/a").write_text("1")
    (folder / "data/sub/b c").write_text("22")
    artifact = of_references(f"file://{folder}/data", name="in")
    assert [(entry.path, entry.size) for entry in artifact.files()] == [("in/a", 1), ("in/sub/b c", 2)]
    assert artifact.get_entry("in/a").ref_target() == f"file://{folder}/data/a"
    put(artifact).download("out")
    assert (folder / "out/in/sub/b c").read_text() == "22"
    (folder / "data/a").write_text("2")
    with pytest.raises(ArtifactDamaged, match="another content"):
        artifact.download("again")
    (folder / "data/a").unlink()
    with pytest.raises(FileNotFoundError):
        artifact.download("again")
    artifact.download("again", allow_missing_references=True)
    assert not (folder / "again/in/a").exists()
    (folder / "data/a").write_text("1")
    with pytest.raises(ArtifactError, match="more than 1 files"):
        of_references(f"file://{folder}/data", max_objects=1)


def test_without_checksum_the_uri_is_all(folder: Path) -> None:
    (folder / "a").write_text("1")
    one = of_references(f"file://{folder}/a", checksum=False)
    (folder / "a").write_text("2")
    two = of_references(f"file://{folder}/a", checksum=False)
    assert one.digest == two.digest
    put(one).download("out")
    assert (folder / "out/a").read_text() == "2"
    assert of_references("s3://bucket/key.bin", checksum=False).get_entry("key.bin").size is None


def test_web_pages_have_their_etag(server: str, folder: Path) -> None:
    artifact = put(of_references(f"{server}/a.csv", f"{server}/nohead"))
    entry = artifact.get_entry("a.csv")
    assert (entry.digest, entry.size, entry.ref) == ("one", 3, f"{server}/a.csv")
    artifact.download("out")
    assert ((folder / "out/a.csv").read_bytes(), (folder / "out/nohead").read_bytes()) == (b"1,2", b"xyz")
    Server.pages["/a.csv"] = ("two", b"1,3")
    with pytest.raises(ArtifactDamaged, match="ETag two, it was one"):
        artifact.download("again")
    del Server.pages["/a.csv"]
    with pytest.raises(FileNotFoundError, match="is gone"):
        artifact.download("again")
    with pytest.raises(ArtifactError, match="404"):
        of_references(f"{server}/nothing")


def test_fsspec_brings_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/data/a", b"1")
    memory.pipe("/bucket/data/sub/b", b"22")
    artifact = put(of_references("memory://bucket/data", name="in"))
    assert [(entry.path, entry.size) for entry in artifact.files()] == [("in/a", 1), ("in/sub/b", 2)]
    artifact.download("out")
    assert (folder / "out/in/sub/b").read_bytes() == b"22"
    memory.pipe("/bucket/data/sub/b", b"333")
    with pytest.raises(ArtifactDamaged, match="has 3 bytes now, it had 2"):
        artifact.download("again")
    with pytest.raises(ExtraMissing, match="s3fs"):
        of_references("s3://bucket/key")


def test_a_file_of_another_artifact_is_kept_once(folder: Path) -> None:
    first = tracking.Artifact("first", type="dataset")
    with first.new_file("a/b") as file:
        file.write("1")
    put(first)
    second = tracking.Artifact("second", type="dataset")
    (entry,) = second.add_reference(first.get_entry("a/b"), name="c")
    assert entry.ref is None
    put(second).download("out")
    assert (folder / "out/c").read_text() == "1"
    assert second.get_entry("c").extra["from"] == f"sweep-artifact://{first.id}/a/b"


@pytest.mark.parametrize("uri", ["data/a", "/data/a", "C:\\data", ""])
def test_what_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="is no URI"):
        of_references(uri)


def test_odd_uris_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="checksum=False"):
        of_references("gopher://x/y")
    with pytest.raises(ArtifactError, match="no such file"):
        of_references(f"file://{folder}/nothing")
    with pytest.raises(UsageError, match="file name"):
        of_references(f"file://{folder}", name="../x")
