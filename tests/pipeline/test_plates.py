"""Whole runs that hide faces and plates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.command_line import run
from tests.drawn_car import SIZE, street
from tests.video_files import write_frames
from tracker_blur import redact_picture, redact_video
from tracker_blur.annotations.track_file import read
from tracker_blur.errors import ModelError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

FRAMES = 10


def changed(before: Image, after: npt.NDArray[Any], box: Box) -> float:
    """Return the share of a box's pixels whose color differs clearly."""
    left, top, right, bottom = box.outward()
    apart = np.abs(before.astype(int) - after)[top:bottom, left:right].max(-1)
    return float((apart > 30).mean())


@pytest.fixture
def own_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path / "cache")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    images = [street(6 * index)[0] for index in range(FRAMES)]
    frames = [
        av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv444p") for image in images
    ]
    return write_frames(tmp_path / "in.mkv", frames)


def frames_of(path: Path) -> list[Image]:
    with av.open(str(path)) as video:
        return [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for frame in video.decode(video=0)
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("own_weights")
@pytest.mark.parametrize(
    ("hide", "hidden"),
    [((), (True, False)), (("faces", "plates"), (True, True)), (("plates",), (None, True))],
)
def test_the_named_classes_are_hidden_in_a_still_image(
    tmp_path: Path, hide: tuple[str, ...], hidden: tuple[bool | None, bool]
) -> None:
    image, face, plate = street()
    cv2.imwrite(str(tmp_path / "in.png"), image)
    settings = Settings(hide=hide, method="solid", color="#00ff00")
    redact_picture(tmp_path / "in.png", tmp_path / "out.png", settings)
    after = cv2.imread(str(tmp_path / "out.png"))
    assert after is not None
    # A plate is hidden to its corners, which an ellipse would leave open.
    assert (changed(image, after, plate) > 0.98) == hidden[1]
    if hidden[0] is not None:  # a false alarm may lie on the face
        assert changed(image, after, face) > 0.75


@pytest.mark.slow
@pytest.mark.usefixtures("own_weights")
@pytest.mark.parametrize("one_pass", [False, True])
def test_both_are_hidden_in_every_frame(tmp_path: Path, clip: Path, one_pass: bool) -> None:
    settings = Settings(
        hide=("faces", "plates"), method="solid", color="#00ff00", one_pass=one_pass
    )
    report = redact_video(clip, tmp_path / "out.mkv", settings)
    assert report.detector == "onnx, plate.onnx"
    before, after = frames_of(clip), frames_of(tmp_path / "out.mkv")
    assert len(before) == len(after) == FRAMES
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        _, face, plate = street(6 * index)
        assert changed(one, other, plate) > 0.95, index
        assert changed(one, other, face) > 0.7, index


@pytest.mark.slow
@pytest.mark.usefixtures("own_weights")
def test_labels_are_in_the_track_file_and_rendered(tmp_path: Path, clip: Path) -> None:
    tracks, out = tmp_path / "tracks.jsonl", tmp_path / "out.mkv"
    assert run("track", clip, "-o", tracks, "--hide", "faces,plates") == 0
    found = read(tracks)
    assert {track.label for track in found.tracks.tracks} == {"face", "plate"}
    assert found.settings["hide"] == ["faces", "plates"]
    arguments = [
        "render",
        str(clip),
        str(tracks),
        str(out),
        "--method",
        "solid",
        "--color",
        "#00ff00",
    ]
    assert run(*arguments) == 0
    last, (_, _, plate) = frames_of(out)[-1], street(6 * (FRAMES - 1))
    assert changed(frames_of(clip)[-1], last, plate) > 0.95


@pytest.mark.slow
@pytest.mark.usefixtures("own_weights")
def test_verify_checks_the_plates_that_the_tracks_hide(tmp_path: Path, clip: Path) -> None:
    tracks, out, json_report = (
        tmp_path / name for name in ("tracks.jsonl", "out.mkv", "report.json")
    )
    arguments = [str(clip), str(out), "--hide", "faces,plates", "--tracks", str(tracks)]
    assert run(*arguments, "--method", "solid") == 0
    verify = ["verify", str(out), "--against", str(clip), "--json", str(json_report), "--overwrite"]
    assert run(*verify, "--tracks", tracks) == 0
    assert "plate.onnx" in json.loads(json_report.read_text())["detectors"]
    only_faces = tmp_path / "faces.mkv"
    assert run(clip, only_faces, "--hide", "faces", "--method", "solid") == 0
    verify[1] = str(only_faces)
    assert run(*verify) == 0
    assert _places(json_report) == set()
    # A drawn plate is at the edge of what is sure to be one: exposed (3), or a place to look at.
    assert run(*verify, "--hide", "faces,plates") in (0, 3)
    assert _places(json_report) == {"plate"}


def _places(json_report: Path) -> set[str]:
    """Return what a verification has found, exposed or to be looked at."""
    verdict = json.loads(json_report.read_text())
    return {one["label"] for one in (*verdict["runs"], *verdict["look_here_runs"])}


@pytest.mark.slow
@pytest.mark.usefixtures("own_weights")
def test_a_detector_file_of_the_user_is_used_and_a_missing_one_reported(
    tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, _, plate = street()
    cv2.imwrite(str(tmp_path / "in.png"), image)
    mine = tmp_path / "mine.onnx"
    mine.write_bytes((Path(__file__).parents[2] / "models" / "plate.onnx").read_bytes())
    arguments = [str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--method", "solid"]
    assert run(*arguments, "--detector", mine) == 0
    assert (
        "hiding plate; detecting with mine.onnx; videos in every 2nd frame"
        in capsys.readouterr().err
    )
    after = cv2.imread(str(tmp_path / "out.png"))
    assert after is not None
    assert changed(image, after, plate) > 0.98
    with pytest.raises(ModelError, match="no such file"):
        redact_video(clip, tmp_path / "x.mkv", Settings(detector=str(tmp_path / "no.onnx")))
    assert not (tmp_path / "x.mkv").exists()


def test_face_and_plate_are_inside_the_drawn_image() -> None:
    image, face, plate = street(54)
    assert image.shape[1::-1] == SIZE
    assert plate.clipped(*SIZE) == plate
    assert face.clipped(*SIZE) == face
