"""Images: from which data, with which pixels, and what their records say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from tests.unit.media_desk import Desk
from tracking.errors import UsageError
from tracking.media.classes import Classes
from tracking.media.image import Image

RNG = np.random.default_rng(7)
BYTES = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "blobs")


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (BYTES, (6, 8, 3)),
        (BYTES.transpose(2, 0, 1), (6, 8, 3)),
        (BYTES[..., 0], (6, 8)),
        (BYTES[..., :1], (6, 8)),
        (BYTES[None], (6, 8, 3)),
        (BYTES[None, ..., 0], (6, 8)),
        (RNG.integers(0, 256, (6, 8, 4), dtype=np.uint8), (6, 8, 4)),
        (RNG.integers(0, 256, (6, 8, 2), dtype=np.uint8), (6, 8, 2)),
        ([[0, 255], [255, 0]], (2, 2)),
    ],
)
def test_arrays_of_every_layout_become_pictures(data: Any, shape: tuple[int, ...], desk: Desk) -> None:
    found = desk.back(Image(data)).array
    assert found.shape == shape
    assert np.array_equal(np.sort(found, axis=None), np.sort(np.asarray(data), axis=None))


def test_bytes_come_back_as_they_were(desk: Desk) -> None:
    assert np.array_equal(desk.back(Image(BYTES)).array, BYTES)
    assert np.array_equal(desk.back(Image(BYTES.transpose(2, 0, 1))).array, BYTES)


def test_floats_within_0_and_1_are_stretched_and_bytes_survive_the_way_there_and_back(desk: Desk) -> None:
    assert np.array_equal(desk.back(Image(BYTES / 255)).array, BYTES)
    assert np.array_equal(desk.back(Image((BYTES / 255).astype(np.float16))).array.shape, BYTES.shape)


def test_negative_numbers_stretch_the_whole_range() -> None:
    found = Image(np.array([[-1.0, 0.0, 1.0]])).array
    assert found.tolist() == [[0, 128, 255]]


def test_numbers_beyond_1_are_cut_at_255() -> None:
    assert Image(np.array([[0.0, 128.0, 300.0]])).array.tolist() == [[0, 128, 255]]
    assert Image(np.array([[0, 128, 300]])).array.tolist() == [[0, 128, 255]]


def test_without_normalize_numbers_are_only_cut() -> None:
    assert Image(np.array([[-5.0, 1.0, 300.0]]), normalize=False).array.tolist() == [[0, 1, 255]]


def test_nan_is_black_and_infinity_white() -> None:
    found = Image(np.array([[np.nan, np.inf, -np.inf, 0.5, 1.0]])).array
    assert found.tolist() == [[0, 255, 0, 128, 255]]


def test_bools_are_black_and_white() -> None:
    assert Image(np.array([[True, False]])).array.tolist() == [[255, 0]]


def test_16_bits_of_grey_survive() -> None:
    depth = np.array([[0, 300], [65535, 7]], dtype=np.uint16)
    assert Image(depth).array.tolist() == depth.tolist()


@pytest.mark.parametrize(
    "data", [np.zeros((2, 5, 6, 3)), np.zeros((5, 6, 7)), np.zeros(5), np.zeros((0, 4)), np.array([["a"]]), {"a": 1}]
)
def test_what_is_no_picture_is_refused_with_its_shape_or_type(data: Any) -> None:
    with pytest.raises(UsageError, match=r"shape|array of|Image\(\)"):
        Image(data)


def test_the_array_may_change_after_the_image_was_made(desk: Desk) -> None:
    data = BYTES.copy()
    image = Image(data)
    data[:] = 0
    assert np.array_equal(desk.back(image).array, BYTES)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "I;16"])
def test_pil_images_of_every_mode_are_taken(mode: str) -> None:
    assert Image(PIL.Image.new(mode, (5, 4))).to_pil().size == (5, 4)


def test_a_mode_converts_and_a_file_type_is_kept(desk: Desk) -> None:
    image = Image(BYTES, mode="L", file_type="jpg")
    record = desk.log(image)
    assert (record["format"], record["path"][-4:], image.to_pil().mode) == ("jpg", ".jpg", "L")
    with pytest.raises(UsageError, match="png, jpg"):
        Image(BYTES, file_type="tiff")


def test_files_are_kept_as_they_are(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    PIL.Image.fromarray(BYTES).save(file)
    record = desk.log(Image(file, caption="mine"))
    assert desk.read(record) == file.read_bytes()
    assert (record["width"], record["height"], record["format"], record["caption"]) == (8, 6, "jpg", "mine")


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.png"
    file.write_text("hello")
    with pytest.raises(UsageError, match="no picture that Pillow can read"):
        Image(file)
    with pytest.raises(UsageError, match="no file at"):
        Image(tmp_path / "absent.png")
    with pytest.raises(UsageError, match="a folder at"):
        Image(tmp_path)
    with pytest.raises(UsageError, match="is a URL"):
        Image("https://example.org/a.png")
    with pytest.raises(UsageError, match="NUL"):
        Image("a\0.png")


def test_an_image_of_an_image_takes_its_caption_unless_it_gets_its_own(desk: Desk) -> None:
    first = Image(BYTES, caption="first", grouping=2)
    assert (Image(first).caption, Image(first, caption="second").caption, Image(first).grouping) == (
        "first",
        "second",
        2,
    )
    desk.log(first), desk.log(Image(first))
    assert len(desk.stored()) == 1


def test_the_same_image_is_stored_once(desk: Desk) -> None:
    for key in ("a", "b", "a"):
        desk.log(Image(BYTES), key)
    assert len(desk.stored()) == 1


def test_boxes_masks_and_classes_are_read_back(desk: Desk) -> None:
    corners = {"minX": np.float32(0.25), "maxX": 0.5, "minY": 0, "maxY": 1}
    box = {"position": corners, "class_id": np.int64(1), "scores": {"iou": np.float64(0.5)}, "box_caption": "car"}
    other = {"position": {"middle": [3, 4], "width": 2, "height": 2}, "domain": "pixel", "class_id": 2}
    mask = RNG.integers(0, 5, (6, 8))
    image = Image(
        BYTES,
        classes=[{"id": 1, "name": "car"}],
        boxes={"truth": {"box_data": [box, other], "class_labels": {1: "car", 2: "tree"}}},
        masks={"guess": {"mask_data": mask}},
    )
    found = desk.back(image)
    assert found.boxes["truth"].data[0]["position"] == {"minX": 0.25, "maxX": 0.5, "minY": 0, "maxY": 1}
    assert found.boxes["truth"].labels == {1: "car", 2: "tree"}
    assert np.array_equal(found.masks["guess"].array, mask)
    assert found.masks["guess"].labels[3] == "class_3"
    assert found.classes == Classes([{"id": 1, "name": "car"}])


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ({}, "position is"),
        ({"position": {"minX": 1}}, "position is"),
        ({"position": {"middle": [1], "width": 1, "height": 1}}, "position is"),
        ({"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "class_id": "car"}, "class_id"),
        ({"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "scores": {"a": "b"}}, "scores"),
        ({"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "domain": "inch"}, "domain"),
        ({"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "box_caption": 3}, "box_caption"),
        ("box", "mapping with 'position'"),
    ],
)
def test_wrong_boxes_are_named(box: Any, says: str) -> None:
    with pytest.raises(UsageError, match=rf"'truth'.*box 0.*{says}"):
        Image(BYTES, boxes={"truth": {"box_data": [box]}})


@pytest.mark.parametrize(
    "mask",
    [{}, {"mask_data": np.zeros((2, 2, 3))}, {"mask_data": np.array([[-1]])}, {"mask_data": np.array([[256]])},
     {"mask_data": np.array([[1]]), "class_labels": {"a": "b"}}, "mask"],
)  # fmt: skip
def test_wrong_masks_are_named(mask: Any) -> None:
    with pytest.raises(UsageError, match="'guess'"):
        Image(BYTES, masks={"guess": mask})


def test_a_mask_may_be_a_file(desk: Desk, tmp_path: Path) -> None:
    PIL.Image.fromarray(BYTES[..., 0]).save(tmp_path / "mask.png")
    found = desk.back(Image(BYTES, masks={"m": {"path": tmp_path / "mask.png", "class_labels": {0: "road"}}}))
    assert np.array_equal(found.masks["m"].array, BYTES[..., 0])
    assert found.masks["m"].labels == {0: "road"}
