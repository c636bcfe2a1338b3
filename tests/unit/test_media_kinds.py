"""Sound, video, pages, histograms, things in space, molecules and figures: what they take and what is kept."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from tests.unit.media_desk import Desk
from tracking.errors import UsageError
from tracking.media.audio import Audio
from tracking.media.histogram import Histogram
from tracking.media.html import Html
from tracking.media.molecule import Molecule
from tracking.media.object3d import Object3D
from tracking.media.video import Video

RNG = np.random.default_rng(7)
TONE = np.sin(np.linspace(0, 300, 4000))
FRAMES = RNG.integers(0, 256, (5, 3, 10, 14), dtype=np.uint8)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "blobs")


# Audio


@pytest.mark.parametrize("file_type", ["wav", "flac"])
def test_samples_come_back_with_their_rate(file_type: str, desk: Desk) -> None:
    record = desk.log(Audio(TONE, 8000, "tone", file_type=file_type))
    assert (record["_type"], record["sample_rate"], record["duration"]) == ("audio-file", 8000, 0.5)
    samples, rate = desk.back(Audio(TONE, 8000)).samples()
    assert (rate, samples.shape) == (8000, (4000,))
    assert np.abs(samples - TONE).max() < 1e-4


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (np.stack([TONE, TONE], 1), (4000, 2)),
        (np.stack([TONE, TONE]), (4000, 2)),
        (TONE[None], (4000,)),
        (TONE.astype(np.float16), (4000,)),
        ((TONE * 30000).astype(np.int16), (4000,)),
        ((TONE * 30000).astype(np.int64), (4000,)),
        ((TONE * 100 + 128).astype(np.uint8), (4000,)),
        (list(TONE), (4000,)),
    ],
)
def test_samples_of_every_layout_and_type_are_taken(data: Any, shape: tuple[int, ...]) -> None:
    found, _ = Audio(data, 8000).samples()
    assert found.squeeze().shape == shape
    assert abs(float(found.max())) > 0.5


def test_wrong_sounds_are_refused(tmp_path: Path) -> None:
    for arguments in ((TONE,), (TONE, 0), (np.zeros((2, 3, 4)), 8000), (np.zeros(0), 8000), (TONE > 0, 8000)):
        with pytest.raises(UsageError, match=r"Audio\("):
            Audio(*arguments)
    with pytest.raises(UsageError, match="no file at"):
        Audio(tmp_path / "absent.wav")


# Video


@pytest.mark.parametrize("extension", ["gif", "mp4", "webm", "ogg"])
def test_frames_are_encoded_in_every_format(extension: str, desk: Desk) -> None:
    record = desk.log(Video(FRAMES, fps=5, format=extension, caption="clip"))
    assert (record["_type"], record["format"], record["frames"], record["fps"]) == ("video-file", extension, 5, 5)
    assert (record["width"], record["height"], record["caption"]) == (14, 10, "clip")
    head = {"gif": b"GIF89a", "mp4": b"ftyp", "webm": b"\x1aE\xdf\xa3", "ogg": b"OggS"}[extension]
    assert head in desk.read(record)[:16]


def test_a_gif_shows_its_frames_in_order_and_forever(desk: Desk) -> None:
    shades = np.full((4, 3, 6, 6), 10, np.uint8) * np.arange(1, 5, dtype=np.uint8)[:, None, None, None]
    with PIL.Image.open(io.BytesIO(desk.read(desk.log(Video(shades, fps=10))))) as picture:
        assert (picture.n_frames, picture.info["loop"], picture.info["duration"]) == (4, 0, 100)
        seen = []
        for number in range(4):
            picture.seek(number)
            seen.append(picture.convert("RGB").getpixel((3, 3))[0])
    assert seen == [10, 20, 30, 40]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # imageio_ffmpeg leaves pipes to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_mp4_of_odd_sides_is_not_resized(desk: Desk) -> None:
    import imageio_ffmpeg

    record = desk.log(Video(FRAMES[..., :13], format="mp4"))
    count, _ = imageio_ffmpeg.count_frames_and_secs(str(desk.blobs.path(record["sha256"])))
    reader = imageio_ffmpeg.read_frames(str(desk.blobs.path(record["sha256"])))
    meta = next(reader)
    reader.close()
    assert (count, meta["source_size"]) == (5, (14, 10))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((3, 4, 3, 5, 6), (24, 5)),
        ((4, 4, 3, 5, 6), (12, 10)),
        ((1, 4, 3, 5, 6), (6, 5)),
        ((4, 1, 5, 6), (6, 5)),
        ((4, 4, 5, 6), (6, 5)),
        ((4, 5, 6, 3), (6, 5)),
    ],
)
def test_several_videos_lie_side_by_side(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    video = Video(RNG.random(shape))
    assert ((video.width, video.height), video.frames) == (size, 4)


def test_the_same_frames_give_the_same_file(desk: Desk) -> None:
    for extension in ("gif", "mp4", "gif", "mp4"):
        desk.log(Video(FRAMES, format=extension))
    assert len(desk.stored()) == 2


def test_bytes_say_what_they_are(desk: Desk, tmp_path: Path) -> None:
    data = desk.read(desk.log(Video(FRAMES)))
    assert (Video(io.BytesIO(data)).format, Video(data).format) == ("gif", "gif")
    assert Video(io.BytesIO(b"???"), format="mp4").format == "mp4"
    (tmp_path / "clip.gif").write_bytes(data)
    assert desk.read(desk.log(Video(tmp_path / "clip.gif"))) == data
    for wrong in (b"???", tmp_path / "clip.avi", FRAMES[0], np.zeros((2, 7, 7, 7))):
        with pytest.raises(UsageError, match=r"Video\(\)"):
            Video(wrong)
    with pytest.raises(UsageError, match="gif, mp4, webm, ogg"):
        Video(FRAMES, format="avi")
    with pytest.raises(UsageError, match="frames per second"):
        Video(FRAMES, fps=0)


# Html


def test_pages_get_a_style_unless_they_come_as_they_are(desk: Desk, tmp_path: Path) -> None:
    assert desk.back(Html("<p>ü</p>", inject=False)).html == "<p>ü</p>"
    assert desk.back(Html("<p>hi</p>")).html.endswith("</style><p>hi</p>")
    assert Html("<html><HEAD><title>t</title></HEAD>").html.startswith("<html><HEAD><base")
    assert Html("<html><body>").html.startswith("<html><head><base")
    page = tmp_path / "page.html"
    page.write_text("<b>file</b>")
    assert Html(str(page), inject=False).html == Html(page, inject=False).html == "<b>file</b>"
    assert Html(str(page), inject=False, data_is_not_path=True).html == str(page)
    assert Html(io.StringIO("<i>open</i>"), inject=False).html == Html(io.BytesIO(b"<i>open</i>"), inject=False).html
    with pytest.raises(UsageError, match="not int"):
        Html(3)


# Histogram


def test_a_histogram_lies_in_the_history(desk: Desk) -> None:
    record = desk.log(Histogram([1, 2, 3, 3], num_bins=2))
    assert record == {"_type": "histogram", "values": [1, 3], "bins": [1.0, 2.0, 3.0]}
    assert (desk.stored(), desk.records) == ([], [])
    assert desk.back(Histogram([1, 2, 3, 3], num_bins=2)).histogram == [1, 3]


def test_histograms_count_as_numpy_does_and_leave_out_what_is_not_finite() -> None:
    data = RNG.normal(size=1000)
    counts, edges = np.histogram(data, bins=64)
    found = Histogram(np.concatenate([data, [np.nan, np.inf, -np.inf]]))
    assert (found.histogram, found.bins) == (counts.tolist(), edges.tolist())
    assert Histogram(np_histogram=(counts, edges)).bins == edges.tolist()
    assert sum(Histogram([]).histogram) == sum(Histogram([float("nan")]).histogram) == 0
    assert sum(Histogram({1, 2}).histogram) == sum(Histogram(np.array([True, False])).histogram) == 2
    assert sum(Histogram(np.full(5, 60000, np.float16)).histogram) == 5


@pytest.mark.parametrize(
    "wrong",
    [{}, {"sequence": [1], "num_bins": 513}, {"sequence": [1], "num_bins": 0}, {"np_histogram": ([1], [1])},
     {"np_histogram": [1]}, {"np_histogram": ([1] * 513, [1] * 514)}, {"sequence": ["a", "b"]}],
)  # fmt: skip
def test_wrong_histograms_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"Histogram\("):
        Histogram(**wrong)


# Object3D


@pytest.mark.parametrize("columns", [3, 4, 6])
def test_points_come_back(columns: int, desk: Desk) -> None:
    points = RNG.random((9000, columns)).astype(np.float32)
    record = desk.log(Object3D(points, caption="cloud"))
    assert (record["_type"], record["path"][-9:], record["caption"]) == ("object3D-file", ".pts.json", "cloud")
    assert np.allclose(desk.back(Object3D.from_numpy(points)).data(), points)


def test_points_that_are_not_finite_are_left_out() -> None:
    assert Object3D(np.array([[1.0, 2, 3], [np.nan, 0, 0], [0, np.inf, 0]])).data() == [[1, 2, 3]]


def test_scenes_have_points_boxes_and_vectors(desk: Desk) -> None:
    box = {"corners": np.zeros((8, 3)), "label": "car", "color": (255, 0, 0), "score": np.float32(0.5)}
    vector = {"start": (0, 0, 0), "end": [1, 2, 3]}
    for boxes in ([box], np.array([box])):
        scene = desk.back(
            Object3D({"type": "lidar/beta", "points": np.ones((2, 3)), "boxes": boxes, "vectors": [vector]})
        )
        found = scene.data()
        assert (found["type"], found["points"], len(found["boxes"][0]["corners"])) == ("lidar/beta", [[1, 1, 1]] * 2, 8)
        assert (found["boxes"][0]["score"], found["vectors"]) == (0.5, [{"start": [0, 0, 0], "end": [1, 2, 3]}])
    assert Object3D.from_point_cloud([[1, 2, 3]], [box], [vector]).data() == found | {"points": [[1, 2, 3]]}
    assert Object3D({"type": "lidar/beta"}).data() == {"type": "lidar/beta", "points": [], "boxes": [], "vectors": []}


def test_models_are_kept_as_they_are(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "ship.OBJ").write_text("v 0 0 0")
    assert desk.read(desk.log(Object3D(tmp_path / "ship.OBJ"))) == b"v 0 0 0"
    with (tmp_path / "ship.OBJ").open() as file:
        assert desk.read(desk.log(Object3D(file))) == b"v 0 0 0"
    assert desk.read(desk.log(Object3D.from_file(io.StringIO("solid"), "stl"))) == b"solid"


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((2, 5)), np.zeros(3), {"type": "mesh"}, {"type": "lidar/beta", "boxes": [{"label": "a"}]},
     {"type": "lidar/beta", "boxes": [{"corners": [1]}]}, io.StringIO("?"), "absent.obj", "ship.doc", 3, None],
)  # fmt: skip
def test_wrong_things_in_space_are_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="Object3D"):
        Object3D(wrong)


# Molecule


def test_molecules_are_files_texts_and_open_files(desk: Desk, tmp_path: Path) -> None:
    text = "ATOM      1  N   MET A   1\nEND\n"
    (tmp_path / "m.pdb").write_text(text)
    with (tmp_path / "m.pdb").open() as named:
        for molecule in (Molecule(tmp_path / "m.pdb"), Molecule(str(tmp_path / "m.pdb")), Molecule(named),
                         Molecule(text, file_type="pdb"), Molecule(io.StringIO(text), file_type="pdb")):  # fmt: skip
            record = desk.log(molecule)
            assert (record["_type"], desk.read(record)) == ("molecule-file", text.encode())
    assert len(desk.stored()) == 1
    for wrong in (("m.txt",), ("absent.pdb",), (text,), (3,), (io.StringIO(text),), (text, None, "exe")):
        with pytest.raises(UsageError, match="Molecule"):
            Molecule(*wrong)


# Plotly


def test_figures_of_plotly_are_kept_as_json(desk: Desk) -> None:
    go = pytest.importorskip("plotly.graph_objects")
    figure = go.Figure(go.Scatter(y=np.arange(3)))
    record = desk.log(figure)
    assert (record["_type"], record["path"][-12:]) == ("plotly-file", ".plotly.json")
    assert json.loads(desk.read(record))["data"][0]["type"] == "scatter"
    assert desk.back(figure).figure().to_dict() == figure.to_dict()


def test_figures_of_matplotlib_are_pictures(desk: Desk) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(2, 1), dpi=50)
    axes.plot([1, 2])
    records = [desk.log(drawn) for drawn in (figure, axes, pyplot, axes.lines[0])]
    pyplot.close(figure)
    assert {(one["_type"], one["width"], one["height"]) for one in records} == {("image-file", 100, 50)}
    assert len(desk.stored()) == 1
