"""The library's functions on real faces, with the weights that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import tracker_blur
from tests.video_files import write_clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker_blur.core.frame import Image

IMAGE = Path(__file__).resolve().parents[2] / "samples" / "people.jpg"
SETTINGS = tracker_blur.Settings(detector="onnx", method="solid", detect_every_frames=2)


@pytest.fixture(scope="module")
def people() -> Image:
    image = cv2.imread(str(IMAGE))
    assert image is not None
    return np.asarray(cv2.resize(image, (600, 400), interpolation=cv2.INTER_AREA), np.uint8)


def test_an_array_is_returned_as_a_copy_with_its_faces_hidden(people: Image) -> None:
    before = people.copy()
    hidden = tracker_blur.redact_array(people, SETTINGS)
    assert np.array_equal(people, before)
    assert hidden.shape == people.shape
    assert hidden.dtype == np.uint8
    black = (hidden == 0).all(axis=2) & (people != 0).any(axis=2)
    assert 0.01 < black.mean() < 0.3


@pytest.mark.slow
def test_frames_are_redacted_one_by_one_as_they_come(people: Image) -> None:
    taken = []

    def frames() -> Iterator[Image]:
        for index in range(6):
            taken.append(index)
            yield np.roll(people, 3 * index, axis=1)

    hidden = tracker_blur.redact_frames(frames(), rate=25, settings=SETTINGS)
    first = next(hidden)
    assert taken == [0]
    assert (first != people).any()
    assert len(list(hidden)) == 5


def test_no_frames_give_no_frames() -> None:
    assert list(tracker_blur.redact_frames([], rate=25, settings=SETTINGS)) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["two channels", "float", "empty"],
)
def test_an_array_that_is_not_a_bgr_image_is_refused(image: Image) -> None:
    with pytest.raises(ValueError, match="give a BGR array"):
        tracker_blur.redact_array(image, SETTINGS)


@pytest.mark.parametrize("place", [0, 1])
def test_a_frame_that_could_not_be_read_is_refused_at_any_place(place: int, people: Image) -> None:
    images: list[Image | None] = [people, people]
    images[place] = None
    with pytest.raises(ValueError, match="the image is None"):
        list(tracker_blur.redact_frames(images, rate=30))


@pytest.mark.slow
@pytest.mark.parametrize("redact", [tracker_blur.redact_image, tracker_blur.redact_picture])
def test_an_image_file_and_its_report(
    people: Image, tmp_path: Path, redact: Callable[..., tracker_blur.Report]
) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), people)
    report = redact(tmp_path / "in.png", tmp_path / "out.jpg", SETTINGS)
    assert report.target.is_file()
    assert report.frames == 1
    assert report.faces == report.tracks >= 3
    assert report.detector == "onnx"


def test_the_progress_function_can_stop_a_video_and_nothing_is_left(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=30)
    half_written: list[Path] = []

    def stop(report: tracker_blur.Report) -> None:
        if report.frames == 3:
            half_written.extend(set(tmp_path.iterdir()) - {clip})
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        tracker_blur.redact_video(clip, tmp_path / "out.mp4", SETTINGS, stop)
    assert len(half_written) == 1
    assert list(tmp_path.iterdir()) == [clip]


def test_errors_are_also_the_builtin_ones(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no such file"):
        tracker_blur.redact_video(tmp_path / "no.mp4", tmp_path / "out.mp4", SETTINGS)
    with pytest.raises(ValueError, match="blocks"):
        tracker_blur.Settings(blocks=0)


def test_the_functions_of_the_tutorial_keep_the_shape_and_hide() -> None:
    face = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    for hidden in (
        tracker_blur.anonymize_face_simple(face, factor=3.0),
        tracker_blur.anonymize_face_pixelate(face, blocks=3),
    ):
        assert hidden.shape == face.shape
        assert hidden.std() < face.std() / 2
