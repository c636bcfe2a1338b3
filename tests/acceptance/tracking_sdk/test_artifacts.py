"""Artifacts of real runs: logged, shipped, found, fetched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.acceptance.tracked import Training
from tracking.artifacts.contract import ArtifactPath, CollectionChange
from tracking.artifacts.lifetime import ArtifactTTL
from tracking.errors import (
    AliasProtected,
    ArtifactDamaged,
    ArtifactError,
    ArtifactNotFound,
    ArtifactNotReady,
    ArtifactRefused,
    UsageError,
)
from tracking.live.run import Run
from tracking.store import open_artifacts


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in (("SYSTEM", "off"), ("CONSOLE", "off"), ("QUIET", "true"), ("DISABLE_GIT", "true")):
        monkeypatch.setenv(f"SWEEP_{name}", value)
    monkeypatch.chdir(tmp_path)
    with Training(tmp_path, home):
        yield tmp_path
        tracking.finish()


def start(**options: Any) -> Run:
    return tracking.init(project="digits", **options)


def files(root: str | Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text() for path in sorted(Path(root).rglob("*")) if path.is_file()
    }


def folder_of(**contents: str) -> Path:
    root = Path("data")
    for name, text in contents.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def draft(name: str = "data", **contents: str) -> tracking.Artifact:
    artifact = tracking.Artifact(name, type="dataset")
    for path, text in contents.items():
        with artifact.new_file(path.replace("__", "/")) as file:
            file.write(text)
    return artifact


def test_a_model_is_logged_found_and_fetched(folder: Path) -> None:
    Path("model.pt").write_text("weights")
    with start() as run:
        run.log({"loss": 1.0})
        artifact = tracking.Artifact("model", type="model", description="mine", metadata={"acc": 0.9})
        entry = artifact.add_file("model.pt")
        assert (entry.path, entry.size, artifact.get_added_local_path_name("model.pt")) == ("model.pt", 7, "model.pt")
        Path("model.pt").write_text("other weights")  # after add_file the file is the script's own again
        assert artifact.is_draft
        assert run.log_artifact(artifact) is artifact
        run.log_artifact(artifact, aliases=["latest", "best"])
        artifact.wait()
        assert (artifact.name, artifact.version, artifact.aliases) == ("model:v0", "v0", ["best", "latest"])
        assert (artifact.qualified_name, artifact.state, artifact.history_step) == ("digits/model:v0", "COMMITTED", 0)
        found = run.use_artifact("digits/model:best", type="model")
        assert (found.id, found.digest, found.size, len(found)) == (artifact.id, artifact.digest, 7, 1)
        assert (found.description, found.metadata) == ("mine", {"acc": 0.9})
        root = found.download()
        assert root == os.path.join(".", "artifacts", "model:v0")
        assert files(root) == {"model.pt": "weights"}
        assert found.file() == os.path.join(root, "model.pt")
        found.verify()
        assert run.use_model("model") == os.path.join(root, "model.pt")
        run_id = run.id
    with_api = tracking.Api().artifact("digits/model:v0")
    assert with_api.logged_by().id == run_id
    assert [one.id for one in with_api.used_by()] == [run_id]


def test_a_folder_and_its_parts(folder: Path) -> None:
    root = folder_of(a="1", sub__b="2", sub__deep__c="3")
    with start() as run:
        artifact = tracking.Artifact("data", type="dataset")
        artifact.add_dir(root)
        artifact.add_dir(root / "sub", name="again")
        artifact.remove("again/deep")
        with pytest.raises(FileNotFoundError):
            artifact.remove("nothing")
        run.log_artifact(artifact).wait()
        everything = {"a": "1", "again/b": "2", "sub/b": "2", "sub/deep/c": "3"}
        assert files(artifact.download("all")) == everything
        assert files(artifact.download("some", path_prefix="sub/")) == {"sub/b": "2", "sub/deep/c": "3"}
        assert [entry.path for entry in artifact.files()] == list(artifact) == sorted(everything)
        assert "sub/b" in artifact
        assert artifact.get_entry("sub/b").download("one") == os.path.join("one", "sub/b")
        with pytest.raises(KeyError, match="has no file 'nope'"):
            artifact.get_entry("nope")
        with pytest.raises(ArtifactError, match="4 files"):
            artifact.file()


def test_changed_files_need_a_word(folder: Path) -> None:
    root = folder_of(a="1")
    artifact = tracking.Artifact("data", type="dataset")
    artifact.add_dir(root)
    folder_of(a="2")
    with pytest.raises(ValueError, match="merge=True"):
        artifact.add_dir(root)
    artifact.add_dir(root, merge=True)
    with pytest.raises(ValueError, match="mode='w'"), artifact.new_file("a"):
        pass
    with artifact.new_file("a", mode="wb") as file:
        file.write(b"3")
    with pytest.raises(ZeroDivisionError), artifact.new_file("b"):
        raise ZeroDivisionError
    assert list(artifact) == ["a"]


def test_an_immutable_file_that_changes_is_refused(folder: Path) -> None:
    Path("big").write_text("1")
    with start() as run:
        artifact = tracking.Artifact("data", type="dataset")
        artifact.add_file("big", policy="immutable")
        Path("big").write_text("2")
        with pytest.raises(ArtifactError, match="has changed since it was added"):
            run.log_artifact(artifact)
        with pytest.raises(UsageError, match="'mutable' or 'immutable'"):
            artifact.add_file("big", policy="often")  # type: ignore[arg-type]


def test_the_same_content_is_the_same_version(folder: Path) -> None:
    with start() as run:
        assert run.log_artifact(draft(a="1")).wait().version == "v0"
        assert run.log_artifact(draft(a="2")).wait().version == "v1"
        assert run.log_artifact(draft(a="1"), aliases=["first"]).wait().version == "v0"
        assert run.use_artifact("data:latest").version == "v0"


def test_an_incremental_artifact_goes_on_from_the_latest(folder: Path) -> None:
    with start() as run:
        run.log_artifact(draft(a="1", b="1", c="1"))
        more = tracking.Artifact("data", type="dataset", incremental=True)
        with more.new_file("b") as file:
            file.write("2")
        more.remove("c")
        run.log_artifact(more)
        assert files(more.download()) == {"a": "1", "b": "2"}
        assert (more.version, len(more), more.size) == ("v1", 2, 2)
        again = run.use_artifact("data:v1").new_draft()
        with again.new_file("d") as file:
            file.write("4")
        run.log_artifact(again).wait()
        assert (again.version, files(again.download())) == ("v2", {"a": "1", "b": "2", "d": "4"})


def test_what_is_logged_stays_as_it_is(folder: Path) -> None:
    with start() as run:
        artifact = run.log_artifact(draft(a="1"))
        for change in (lambda: artifact.add_file("x"), lambda: artifact.remove("a"), lambda: artifact.add_dir(".")):
            with pytest.raises(ArtifactError, match="new_draft"):
                change()


def test_aliases_tags_and_words_are_changed_by_save(folder: Path) -> None:
    with start() as run:
        artifact = run.log_artifact(draft(a="1"), aliases=["old"], tags=["t"]).wait()
        artifact.aliases.append("new")
        artifact.aliases.remove("old")
        artifact.tags, artifact.description, artifact.metadata["k"] = ["u"], "words", (1, 2)
        artifact.ttl = timedelta(days=2)
        artifact.save()
        found = tracking.Api().artifact("digits/data:new")
        assert (found.aliases, found.tags, found.description) == (["latest", "new"], ["u"], "words")
        assert (found.metadata, found.ttl) == ({"k": [1, 2]}, timedelta(days=2))
        found.ttl = ArtifactTTL.INHERIT
        found.save()
        assert found.ttl is None
        with pytest.raises(ArtifactNotFound):
            run.use_artifact("data:old")
        with pytest.raises(UsageError, match="timedelta"):
            found.ttl = 5  # type: ignore[assignment]


def test_a_link_is_a_member_of_a_registry(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with start() as run:
        run.log_artifact(draft(a="1"))
        artifact = run.log_artifact(draft(a="2"))
        linked = run.link_artifact(artifact, "wandb-registry-models/best", aliases=["prod"]).wait()
        assert (linked.qualified_name, linked.source_name) == ("registry-models/best:v0", "data:v1")
        assert (linked.is_link, linked.aliases) == (True, ["latest", "prod"])
        assert files(run.use_artifact("registry-models/best:prod").download()) == {"a": "2"}
        assert [one.name for one in artifact.linked_artifacts] == ["best:v0"]
        assert linked.source_artifact.name == "data:v1"
        with closing(open_artifacts()) as store:
            store.update_collection(ArtifactPath("", "registry-models", "best"), CollectionChange(protected=["prod"]))
        with pytest.raises(AliasProtected):
            run.use_artifact("data:v0").link("registry-models/best", ["prod"])
        moved = run.use_artifact("data:v0").link("registry-models/best", ["prod"], force=True)
        assert (moved.version, moved.aliases) == ("v1", ["latest", "prod"])
        refused = run.link_artifact(artifact, "registry-models/best", aliases=["prod", "new"]).wait()
        assert (refused.version, refused.aliases) == ("v0", ["latest", "new"])
        assert "alias prod of registry-models/best is protected" in capsys.readouterr().err
        linked.unlink()
        with pytest.raises(ArtifactRefused):
            artifact.unlink()
        model = run.link_model(__file__, "classifier", aliases=["ok"]).wait()
        assert model.qualified_name == "registry-model/classifier:v0"


def test_deleting_needs_a_word_about_aliases(folder: Path) -> None:
    with start() as run:
        run.log_artifact(draft(a="1"))
        artifact = run.log_artifact(draft(a="2"), aliases=["best"]).wait()
        with pytest.raises(ArtifactRefused, match="delete_aliases=True"):
            artifact.delete()
        artifact.delete(delete_aliases=True)
        assert artifact.state == "DELETED"
        assert run.use_artifact("data").version == "v0"


def test_wait_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(ArtifactNotReady, match="is a draft"):
        draft(a="1").wait()
    with pytest.raises(ArtifactNotReady, match="is a draft"):
        draft(a="1").download()
    with start(mode="offline") as run:
        artifact = run.log_artifact(draft(a="1"))
        assert artifact.wait().version is None
        assert files(run.use_artifact("data").download()) == {"a": "1"}
        with pytest.raises(ArtifactNotFound):
            run.use_artifact("other")


def test_a_disabled_run_keeps_nothing_but_goes_on(folder: Path, home: Path) -> None:
    Path("x").write_text("1")
    with start(mode="disabled") as run:
        artifact = draft(a="1")
        artifact.add_file("x")
        run.log_artifact(artifact, aliases=["best"]).wait()
        assert files(run.use_artifact("data:latest").download()) == {"a": "1", "x": "1"}
        run.save("x")
        assert run.log_artifact("x", name="y", type="model").version is None
        assert run.use_model("y").endswith("x")
    assert not (home / "files").exists()


def test_files_folders_and_uris_are_wrapped(folder: Path) -> None:
    root = folder_of(a="1", b="2")
    with start(id="r1") as run:
        by_path = run.log_artifact(root)
        assert (by_path.type, by_path.wait().name) == ("unspecified", "run-r1-data:v0")
        assert run.log_model(root / "a", "net").wait().type == "model"
        link = run.log_artifact(f"file://{root.absolute()}/b", name="there", type="dataset")
        assert files(link.download()) == {"b": "2"}
        with pytest.raises(ValueError, match="neither a file"):
            run.log_artifact("nowhere")


def test_runs_without_run_put_too(folder: Path) -> None:
    artifact = draft(a="1")
    artifact.save(project="digits")
    assert artifact.qualified_name == "digits/data:v0"
    assert artifact.logged_by() is None
    with closing(open_artifacts()) as store:
        assert [record.name for record in store.collections()] == ["data"]


def test_checkout_leaves_nothing_else(folder: Path) -> None:
    with start() as run:
        artifact = run.log_artifact(draft(a="1", sub__b="2")).wait()
        artifact.download("there")
        Path("there/extra").write_text("x")
        Path("there/old/deep").mkdir(parents=True)
        Path("there/a").write_text("changed")
        with pytest.raises(ArtifactDamaged, match="is no file of artifact"):
            artifact.verify("there")
        artifact.checkout("there")
        assert files("there") == {"a": "1", "sub/b": "2"}
        assert not Path("there/old").exists()
        artifact.verify("there")
        Path("there/a").write_text("2")
        with pytest.raises(ValueError, match="not what was logged"):
            artifact.verify("there")
        for place in (".", "/", os.path.expanduser("~")):
            with pytest.raises(UsageError, match="name another folder"):
                artifact.checkout(place)


def test_media_and_tables_come_back(folder: Path) -> None:
    with start() as run:
        artifact = tracking.Artifact("things", type="results")
        table = tracking.Table(columns=["x", "y"], data=[[1, "a"], [2, "b"]])
        artifact.add(table, "scores")
        artifact["page"] = tracking.Html("<b>hello</b>", inject=False)
        with pytest.raises(UsageError, match="not dict"):
            artifact.add({"a": 1}, "plain")
        run.log_artifact(artifact).wait()
        found = run.use_artifact("things:latest")
        assert [list(row) for _, row in found.get("scores").iterrows()] == [[1, "a"], [2, "b"]]
        assert "hello" in found["page"].html
        assert found.get("nothing") is None
        assert found.get_entry("scores").path == "scores.table.json"
