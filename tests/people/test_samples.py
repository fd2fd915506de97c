"""Samples of tracks: which frames are looked at, and which faces vote."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.fakes import ArrayFrame
from tests.people.drawn_people import THRESHOLDS, track, video
from tracker_blur.core.frame import PixelLayout, Plane
from tracker_blur.core.tracks import ORIGINS, Origin
from tracker_blur.people.alignment import AlignedFace
from tracker_blur.people.parameters import PeopleParameters
from tracker_blur.people.samples import FaceReader, sampled_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.people.embedders import Vectors

PARAMETERS = PeopleParameters()


class Embedder:
    """Its embeddings have the brightness of a face as their length."""

    name = "fake"
    thresholds = replace(THRESHOLDS, min_length=50.0)

    def embed(self, faces: Sequence[Image]) -> Vectors:
        rows = np.zeros((len(faces), 128), np.float32)
        rows[:, 0] = [face.mean() for face in faces]
        return rows


class Aligner:
    """Takes the box as it is; no face is too small or too blurred."""

    seen: list[tuple[tuple[int, ...], Box]]

    def __init__(self) -> None:
        self.seen = []

    def good(self, image: Image, box: Box) -> AlignedFace | None:
        self.seen.append((image.shape, box))
        left, top, right, bottom = box.outward()
        crop = np.asarray(cv2.resize(image[top:bottom, left:right], (112, 112)), np.uint8)
        return AlignedFace(crop, box.width, 0.5)


class Frames:
    """Frames that get brighter, and count which of them are converted."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.viewed: list[int] = []

    def __iter__(self) -> Iterator[Any]:
        for number in range(self.count):
            plane = Plane(np.full((360, 640), 20 + number, np.uint8))
            frame = ArrayFrame([plane], PixelLayout("gray"), index=number)
            view, viewed = frame.view, self.viewed

            def counted(
                size: tuple[int, int], number: int = number, view: Any = view, viewed: Any = viewed
            ) -> Image:
                viewed.append(number)
                return np.asarray(view(size), np.uint8)

            frame.view = counted  # type: ignore[method-assign]  # counts
            yield frame


def reader() -> tuple[FaceReader, Aligner]:
    aligner = Aligner()
    return FaceReader(Embedder(), aligner, PARAMETERS), aligner  # type: ignore[arg-type]  # a fake


def test_of_each_moment_the_largest_and_highest_scoring_detection_is_looked_at() -> None:
    one = track(1, range(20))
    boxes, scores = one.boxes.copy(), one.scores.copy()
    boxes[3] += (-10, -10, 10, 10)
    scores[9] = 0.99
    one = replace(one, boxes=boxes, scores=scores)
    # At 25 frames a second, moments begin in frames 0, 7, 13 and 19.
    assert sampled_rows(one, video(one), PARAMETERS) == [3, 9, 13, 19]


def test_only_detections_that_are_large_enough_are_looked_at() -> None:
    one = track(1, range(20))
    origins = np.full(20, ORIGINS.index(Origin.TRACKED), np.uint8)
    origins[5] = ORIGINS.index(Origin.DETECTED)
    assert sampled_rows(replace(one, origins=origins), video(one), PARAMETERS) == [5]
    small = replace(one, boxes=one.boxes * np.float32(0.4))
    assert sampled_rows(small, video(small), PARAMETERS) == []


@settings(max_examples=30)
@given(st.integers(1, 240), st.integers(1, 12))
def test_there_are_no_more_than_asked_for_from_the_first_moment_to_the_last(
    count: int, most: int
) -> None:
    one = track(1, range(count))
    rows = sampled_rows(one, video(one), PARAMETERS, most)
    every = sampled_rows(one, video(one), PARAMETERS)
    assert len(rows) == min(most, len(every))
    assert rows == sorted(set(rows))
    assert set(rows) <= set(every)
    if most > 1:
        assert (rows[0], rows[-1]) == (every[0], every[-1])


def test_only_frames_with_samples_are_converted_and_short_embeddings_do_not_vote() -> None:
    frames, (faces, _) = Frames(60), reader()
    tracks = video(track(1, range(10, 50)), track(2, range(10, 50), label="plate"), frames=60)
    found = faces.track_faces(frames, tracks, Fraction(1))
    assert found.keys() == {1}
    # Frame 30 has a brightness of 50, which is as long as an embedding must be.
    assert frames.viewed == [10, 17, 23, 29, 35, 42, 48]
    assert found[1].frames.tolist() == [35, 42, 48]
    assert np.linalg.norm(found[1].vectors, axis=1) == pytest.approx(np.ones(3))
    assert found[1].qualities.tolist() == [30.0] * 3


def test_pixels_that_are_not_square_are_made_square() -> None:
    faces, aligner = reader()
    one = track(1, range(5))
    faces.track_faces(Frames(5), video(one, frames=5), Fraction(2))
    (shape, box), *_ = aligner.seen
    assert shape == (360, 1280, 3)
    assert (box.width, box.height) == (120, 70)
