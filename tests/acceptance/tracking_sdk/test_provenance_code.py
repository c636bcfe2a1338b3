"""log_code(): which files it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.acceptance.tracked import end_shippers
from tracking.errors import UsageError
from tracking.live.run import Run


@pytest.fixture
def code(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with code, and a great deal that is none."""
    folder = tmp_path / "code"
    for name in (
        "train.py", "lib/model.py", "lib/deep/net.py", "conf.yaml", "notes.txt", ".hidden/x.py", ".git/hook.py",
        "venv/lib/y.py", "wandb/z.py", "node_modules/a.py", "__pycache__/b.py", "env3/c.py",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    for name in ("venv", "env3"):
        (folder / name / "pyvenv.cfg").touch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWEEP_CONSOLE", "off")
    monkeypatch.setenv("SWEEP_SILENT", "true")
    monkeypatch.setenv("SWEEP_SYSTEM", "off")
    yield folder
    if tracking.run is not None:
        tracking.finish()
    end_shippers(home)


@pytest.fixture
def run(code: Path) -> Run:
    return tracking.init(id="r", project="digits", mode="offline")


def names(artifact: tracking.Artifact | None) -> list[str]:
    assert artifact is not None
    return sorted(artifact.manifest.entries)


def test_python_files_are_taken_and_what_is_no_code_of_the_users_is_not(run: Run) -> None:
    artifact = run.log_code()
    assert names(artifact) == ["lib/deep/net.py", "lib/model.py", "train.py"]
    assert artifact is not None
    assert artifact.type == "code"
    assert artifact.name.startswith("source-digits-")


def test_functions_choose_files_by_path_or_by_path_and_root(run: Run, code: Path) -> None:
    seen: list[tuple[str, str]] = []

    def include(path: str, root: str) -> bool:
        seen.append((path, root))
        return path.endswith((".py", ".yaml"))

    artifact = run.log_code(".", include_fn=include, exclude_fn=lambda path: "deep" in path, name="mine")
    assert names(artifact) == ["conf.yaml", "lib/model.py", "train.py"]
    assert {root for _, root in seen} == {str(code)}
    assert all(path.startswith(str(code)) for path, _ in seen)


def test_a_folder_without_code_a_disabled_run_and_the_switch_give_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    assert run.log_code(str(tmp_path / "empty")) is None
    monkeypatch.setenv("SWEEP_DISABLE_CODE", "true")
    assert run.log_code() is None
    monkeypatch.delenv("SWEEP_DISABLE_CODE")
    run.finish()
    with tracking.init(mode="disabled") as nothing:
        assert nothing.log_code() is None


def test_a_root_that_is_no_folder_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        run.log_code("nowhere")
