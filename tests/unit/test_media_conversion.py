"""What logged values become, what is stored of them, and what happens when that does not work."""

from __future__ import annotations

import copy
import errno
import pickle
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from tests.unit.media_desk import Desk
from tracking import context
from tracking.errors import ExtraMissing
from tracking.journal.records import RecordType
from tracking.live.values import Unloggable, plain
from tracking.media import conversion, reading
from tracking.media.audio import Audio
from tracking.media.classes import Classes
from tracking.media.html import Html
from tracking.media.image import Image
from tracking.media.keeping import payload
from tracking.media.molecule import Molecule
from tracking.media.object3d import Object3D
from tracking.media.video import Video

RNG = np.random.default_rng(7)
BYTES = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "blobs")


def test_a_file_is_recorded_after_its_blob_is_there(desk: Desk) -> None:
    record = desk.log(Image(BYTES), "train/img")
    [(kind, file)] = desk.records
    assert kind is RecordType.FILE
    assert file["name"] == record["path"] == f"media/images/train/img_3_{record['sha256'][:20]}.png"
    assert (file["sha256"], file["size"], file["mime"], file["step"]) == (
        record["sha256"],
        record["size"],
        "image/png",
        3,
    )
    assert desk.blobs.has(record["sha256"])


def test_lists_of_images_are_one_record(desk: Desk) -> None:
    images = [Image(BYTES, caption="a"), Image(BYTES[::-1]), PIL.Image.fromarray(BYTES)]
    record = desk.log(images)
    assert (record["_type"], record["count"], record["captions"]) == ("images/separated", 3, ["a", "", ""])
    assert (record["width"], record["height"], record["format"]) == (8, 6, "png")
    assert len(record["filenames"]) == len(record["sha256"]) == 3
    assert [np.array_equal(image.array, BYTES) for image in desk.back(images)] == [True, False, True]


@pytest.mark.parametrize(
    ("make", "kind", "many"),
    [
        (lambda: Audio(np.zeros(10), 10), "audio", "audio"),
        (lambda: Video(np.zeros((2, 1, 4, 4))), "videos", "videos"),
        (lambda: Html("a"), "html", "html"),
        (lambda: Object3D(np.zeros((1, 3))), "object3D", "objects"),
        (lambda: Molecule("a\n", file_type="pdb"), "molecule", "molecules"),
    ],
)
def test_lists_of_the_other_media_are_one_record(make: Any, kind: str, many: str, desk: Desk) -> None:
    record = desk.log((make(), make()))
    assert (record["_type"], record["count"], len(record[many])) == (kind, 2, 2)
    assert [type(one) for one in reading.from_record(record, desk.open)] == [type(make())] * 2


def test_mixed_lists_are_lists_of_records(desk: Desk) -> None:
    record = desk.log([Image(BYTES), Html("a"), 3])
    assert [one["_type"] if isinstance(one, dict) else one for one in record] == ["image-file", "html-file", 3]


def test_long_arrays_become_histograms_and_short_ones_stay(desk: Desk) -> None:
    record = desk.log(np.arange(1000.0))
    assert (record["_type"], len(record["values"]), sum(record["values"])) == ("histogram", 32, 1000)
    assert desk.log(np.arange(32)) == list(range(32))
    for other in (np.array(["a"] * 50), np.float64(3), [1] * 100, "text", None, object()):
        assert not conversion.is_rich(other)
        assert desk.log(other) == plain(other)


def test_a_data_frame_becomes_a_table(desk: Desk) -> None:
    pandas = pytest.importorskip("pandas")
    assert desk.log(pandas.DataFrame({"a": [1, 2]}))["_type"] == "table-file"


def test_records_of_unknown_types_are_left_as_they_are(desk: Desk) -> None:
    assert reading.from_record({"_type": "hologram"}, desk.open) == {"_type": "hologram"}
    assert not reading.is_media_record({"_type": "hologram"})
    assert reading.is_media_record(desk.log(Image(BYTES)))


def test_what_was_read_can_be_logged_again(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    record = other.log(desk.back(Image(BYTES, caption="a")))
    assert (record["caption"], np.array_equal(other.back(Image(BYTES)).array, BYTES)) == ("a", True)


def test_a_full_disk_makes_a_value_unloggable_and_records_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(data: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(desk.blobs, "put_bytes", full)
    with pytest.raises(Unloggable, match="No space left"):
        desk.log(Image(BYTES))
    assert desk.records == []


def test_a_full_temporary_folder_costs_memory_and_a_video(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(payload, "IN_MEMORY", 0)
    monkeypatch.setattr(payload, "_temporary", full)
    assert np.array_equal(desk.back(Image(BYTES)).array, BYTES)
    with pytest.raises(Unloggable, match="No space left"):
        desk.log(Video(np.zeros((2, 1, 4, 4))))


def test_a_file_that_is_gone_when_it_is_logged_is_unloggable(desk: Desk, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("a")
    html = Html(page, inject=False)
    page.unlink()
    with pytest.raises(Unloggable, match=r"page\.html"):
        desk.log(html)


def test_foreign_code_that_fails_is_unloggable(desk: Desk) -> None:
    class Figure:
        __module__ = "plotly.odd"

        def to_plotly_json(self) -> None: ...

        def to_json(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(Unloggable, match="ZeroDivisionError"):
        desk.log(Figure())


@pytest.mark.parametrize(
    ("module", "make"),
    [
        ("PIL", lambda: Image(BYTES)),
        ("soundfile", lambda: Audio(np.zeros(4), 8)),
        ("imageio_ffmpeg", lambda: Video(np.zeros((2, 1, 4, 4)), format="mp4")),
        ("numpy", lambda: Object3D([[1, 2, 3]])),
    ],
)
def test_without_the_extra_the_pip_line_is_named(module: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing, match=r"pip install 'sweepwright\[media\]'"):
        make()


def test_without_rdkit_its_pip_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ExtraMissing, match="pip install rdkit"):
        Molecule.from_smiles("CC")


def test_a_disabled_run_needs_nothing_and_writes_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIL", "soundfile", "imageio_ffmpeg"):
        for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
            monkeypatch.setitem(sys.modules, loaded, None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    desk.disabled = True  # type: ignore[misc]
    monkeypatch.setattr(context, "current_run", lambda: desk)
    for medium in (
        Image(BYTES, masks={"m": {"mask_data": BYTES[..., 0]}}),
        Audio(np.zeros(4), 8),
        Html("a"),
        Video(np.zeros((2, 1, 4, 4)), format="mp4"),
        Object3D([[1, 2, 3]]),
        Molecule("a\n", file_type="pdb"),
    ):
        assert medium.payload.open().read() == b""  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(context, "current_run", lambda: None)
    with pytest.raises(Unloggable, match="disabled run"):
        desk.log(medium)


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_a_copy_or_what_another_process_gets_lives_longer_than_the_original(
    limit: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "IN_MEMORY", limit)
    image = Image(BYTES, caption="a")
    twin, sent = copy.deepcopy(image), pickle.loads(pickle.dumps(image))
    del image
    assert [np.array_equal(desk.back(one).array, BYTES) for one in (twin, sent)] == [True, True]


def test_large_data_is_encoded_into_a_temporary_file_which_goes_with_its_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = Image(RNG.integers(0, 256, (2000, 2000, 3), dtype=np.uint8))
    assert len(list(tmp_path.iterdir())) == 1
    del image
    assert list(tmp_path.iterdir()) == []


def test_many_small_images_move_to_the_disk_when_they_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(payload, "ALL_IN_MEMORY", payload._held + 10_000)
    images = [Image(RNG.integers(0, 256, (30, 30, 3), dtype=np.uint8)) for _ in range(10)]
    on_disk = len(list(tmp_path.iterdir()))
    assert 5 <= on_disk < 10
    del images
    assert list(tmp_path.iterdir()) == []


def test_a_large_image_is_never_in_memory_twice(desk: Desk) -> None:
    data = RNG.integers(0, 256, (3000, 3000, 3), dtype=np.uint8)
    Image(BYTES)  # what is imported on first use
    desk.log(Html("a"))
    tracemalloc.start()
    desk.log(Image(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < data.nbytes / 2, f"{peak} bytes for an image of {data.nbytes}"


def test_a_video_holds_one_frame_at_a_time() -> None:
    frames = RNG.integers(0, 256, (30, 3, 200, 200), dtype=np.uint8)
    for extension in ("gif", "mp4"):
        Video(frames[:1], format=extension)
        tracemalloc.start()
        video = Video(frames, format=extension)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert video.frames == 30
        assert peak < 5 * frames[0].nbytes, f"{extension}: {peak} bytes for a frame of {frames[0].nbytes}"


def test_classes_need_ids_and_names() -> None:
    assert Classes([{"id": 1, "name": "a"}]).labels == {1: "a"}
    with pytest.raises(Exception, match="'id' and 'name'"):
        Classes([{"id": 1}])
