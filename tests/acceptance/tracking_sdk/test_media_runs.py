"""Media that real training processes log: what lies in the store and in the folder of files afterwards."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from tests.acceptance.tracked import Training, wait_until
from tracking.blobs.store import Blobs
from tracking.media.reading import from_record
from tracking.states import RunState

ENVIRON = {"SWEEP_SYSTEM": "off", "SWEEP_DISABLE_GIT": "true", "MPLBACKEND": "agg"}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home, dict(ENVIRON)) as prepared:
        yield prepared


def opener(record: Mapping[str, Any]) -> BinaryIO:
    return Blobs(Path(os.environ["SWEEP_HOME"]) / "files").open(record["sha256"])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_media_of_every_kind_come_back_from_the_store(training: Training) -> None:
    training.run(
        """
        import matplotlib.pyplot as plt
        import numpy as np
        import tracking as wandb
        with wandb.init(id="r") as run:
            pixels = np.arange(48, dtype="uint8").reshape(4, 4, 3)
            mask = {"mask_data": pixels[..., 0] % 3, "class_labels": {0: "road", 1: "car", 2: "tree"}}
            run.log({"image": wandb.Image(pixels, caption="first", masks={"guess": mask}), "loss": 0.5})
            run.log({"images": [wandb.Image(pixels), wandb.Image(255 - pixels)]})
            run.log({"audio": wandb.Audio(np.sin(np.arange(800)), sample_rate=800)})
            run.log({"video": wandb.Video(np.zeros((3, 3, 8, 8), "uint8"), fps=4)})
            run.log({"page": wandb.Html("<h1>hi</h1>"), "points": wandb.Object3D(np.ones((5, 3)))})
            run.log({"molecule": wandb.Molecule("ATOM\\n", file_type="pdb"), "weights": np.arange(100.0)})
            plt.plot([1, 2])
            run.log({"chart": plt, "nested": {"figure": wandb.Image(plt.gcf())}})
        """
    )
    record = training.ended()
    found = {key: from_record(value, opener) for key, value in record.summary.items() if isinstance(value, dict)}
    assert found["image"].array[0, 0].tolist() == [0, 1, 2]
    assert (found["image"].caption, found["image"].masks["guess"].labels[2]) == ("first", "tree")
    assert [image.array[0, 0].tolist() for image in found["images"]] == [[0, 1, 2], [255, 254, 253]]
    assert found["audio"].samples()[1] == 800
    assert (found["video"].format, found["video"].frames) == ("gif", 3)
    assert "<h1>hi</h1>" in found["page"].html
    assert found["points"].data() == [[1, 1, 1]] * 5
    with found["molecule"].payload.open() as file:
        assert file.read() == b"ATOM\n"
    assert sum(found["weights"].histogram) == 100
    assert found["chart"].width == found["nested.figure"].width == 640
    assert training.values("image")[0]["sha256"] == record.summary["image"]["sha256"]


def test_the_same_image_of_two_runs_is_stored_once(training: Training) -> None:
    script = """
        import sys, numpy as np, tracking
        with tracking.init(id=sys.argv[1]) as run:
            for _ in range(3):
                run.log({"image": tracking.Image(np.ones((5, 5)))})
        """
    training.run(script, "a")
    training.run(script, "b")
    first, second = (training.ended(name).summary["image"]["sha256"] for name in "ab")
    assert first == second
    assert {name for name in files(training.home / "files") if name == first} == {first}


def test_an_offline_run_keeps_its_files_in_its_own_folder(training: Training) -> None:
    training.run(
        """
        import numpy as np, tracking
        with tracking.init(id="r", mode="offline") as run:
            run.log({"image": tracking.Image(np.ones((5, 5)))})
        """
    )
    kept = [path.read_bytes()[:4] for path in (training.home / "runs" / "r" / "blobs").glob("??/*")]
    assert kept.count(b"\x89PNG") == 1  # what the companion keeps of the machine lies there, too
    assert not (training.home / "files").exists()


def test_an_image_logged_just_before_a_sigkill_is_there(training: Training) -> None:
    training.run(
        """
        import os, signal, numpy as np, tracking
        run = tracking.init(id="r")
        run.log({"image": tracking.Image(np.full((5, 5), 7, "uint8"))})
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        status=-signal.SIGKILL,
    )
    record = wait_until(
        "the image is in the store", lambda: (found := training.record()) and found.summary.get("image")
    )
    assert from_record(record, opener).array[0, 0] == 7
    assert training.ended().state is RunState.CRASHED


def test_a_disabled_run_takes_media_without_any_library_and_writes_nothing(training: Training) -> None:
    done = training.run(
        """
        import os, sys, numpy as np
        sys.modules["PIL"] = sys.modules["soundfile"] = sys.modules["imageio_ffmpeg"] = None
        import tracking
        run = tracking.init(mode="disabled")
        run.log({"image": tracking.Image(np.ones((5, 5)))})
        run.log({"video": tracking.Video(np.zeros((2, 3, 4, 4)), format="mp4")})
        run.log({"audio": tracking.Audio(np.ones(5), sample_rate=5), "histogram": tracking.Histogram([1, 2])})
        run.finish()
        """
    )
    assert done.stderr == ""
    assert not training.home.exists()


def test_without_the_extra_training_goes_on_and_the_pip_line_is_said_once(training: Training) -> None:
    done = training.run(
        """
        import sys, numpy as np, pandas
        sys.modules["PIL"] = sys.modules["pyarrow"] = None
        import tracking
        with tracking.init(id="r") as run:
            for step in range(3):
                run.log({"frame": pandas.DataFrame({"a": [1]}), "loss": step})
            try:
                tracking.Image(np.ones((5, 5)))
            except ImportError as error:
                print(error)
        """
    )
    line = "pip install 'sweepwright[media]'"
    assert line in done.stdout
    assert done.stderr.count(line) == 1
    assert training.ended().summary["loss"] == 2


def test_a_folder_of_files_that_cannot_be_written_costs_a_warning_and_no_training(training: Training) -> None:
    blocked = training.folder / "file"
    blocked.write_text("")
    done = training.run(
        """
        import numpy as np, tracking
        with tracking.init(id="r") as run:
            for step in range(5):
                run.log({"image": tracking.Image(np.ones((5, 5))), "loss": step})
        """,
        SWEEP_FILES=str(blocked / "files"),
    )
    assert done.stderr.count("image is not recorded") == 1
    record = training.ended()
    assert (record.summary["loss"], "image" in record.summary) == (4, False)


def test_hostile_names_stay_in_the_folder_of_their_run(training: Training) -> None:
    training.run(
        """
        import numpy as np, tracking
        with tracking.init(id="r") as run:
            for key in ("../../../evil", "a\\0b", "CON", "x" * 300, "größe/ü", "C:\\\\temp"):
                run.log({key: tracking.Image(np.ones((5, 5)))})
        """
    )
    summary = training.ended().summary
    paths = [value["path"] for value in summary.values() if isinstance(value, dict)]
    assert len(paths) == 6
    assert all(path.startswith("media/images/") and ".." not in path.split("/") for path in paths)
    assert not [path for path in training.folder.parent.rglob("*evil*") if training.home not in path.parents]


def test_numbers_alone_load_nothing_of_media(training: Training) -> None:
    done = training.run(
        """
        import sys, tracking
        with tracking.init(id="r") as run:
            run.log({"loss": 1.0})
        print([name for name in sys.modules if name.startswith("tracking.media") or name in ("numpy", "PIL")])
        """
    )
    assert done.stdout.strip() == "[]"


def test_watch_records_histograms_at_the_steps_of_the_loop(training: Training) -> None:
    pytest.importorskip("torch")
    training.run(
        """
        import torch, tracking
        model = torch.nn.Linear(3, 2)
        with tracking.init(id="r") as run:
            run.watch(model, log="all", log_freq=2)
            for step in range(6):
                model(torch.ones(3)).sum().backward()
                run.log({"loss": step})
        """
    )
    training.ended()
    with training.store() as store:
        series = store.series("r", "gradients/weight")
        assert list(series.steps) == [1, 3, 5]
        assert store.series("r", "parameters/bias").values[0]["_type"] == "histogram"
    assert np.isfinite(training.values("loss")).all()


def test_every_python_block_of_the_page_runs(training: Training) -> None:
    page = (Path(__file__).parents[3] / "docs" / "media.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    training.run("\n".join(blocks))
