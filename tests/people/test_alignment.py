"""Aligned faces: eyes where they belong, and only large, sharp ones from the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import FACE, portrait, scaled
from tracker_blur.core.box import Box
from tracker_blur.people.alignment import (
    TEMPLATE,
    FaceAligner,
    by_box,
    detail_share,
    warped,
)
from tracker_blur.people.embedders import SIDE_PX
from tracker_blur.people.parameters import PeopleParameters
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

EYES = np.array([[205.0, 112.0], [245.0, 108.0]])  # in the portrait, by eye


@pytest.fixture(scope="module")
def aligner(shared: Path) -> FaceAligner:
    return FaceAligner(Weights(shared / "models"), PeopleParameters())


@pytest.fixture
def without_landmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaceAligner:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path)
    return FaceAligner(Weights(tmp_path), PeopleParameters())


def turned(image: Image, box: Box, degrees: float) -> tuple[Image, Box]:
    """Return an image that is turned around a box's center."""
    matrix = cv2.getRotationMatrix2D(box.center, degrees, 1)
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.warpAffine(image, matrix, size), np.uint8), box


def test_a_box_alone_puts_the_eyes_about_where_they_belong() -> None:
    matrix = by_box(FACE)
    places = EYES @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(places - TEMPLATE[:2]).max() < 12


@pytest.mark.shared
def test_landmarks_put_a_tilted_face_upright(aligner: FaceAligner) -> None:
    image, box = turned(portrait(), FACE, 30)
    straight, tilted = aligner.aligned(portrait(), FACE), aligner.aligned(image, box)
    assert straight is not None
    assert tilted is not None

    def likeness(face: Image) -> float:
        return float(np.corrcoef(straight.image[..., 1].ravel(), face[..., 1].ravel())[0, 1])

    by_its_box = warped(image, by_box(box), SIDE_PX)
    assert likeness(tilted.image) > likeness(by_its_box) + 0.2


@pytest.mark.shared
def test_what_is_no_face_has_no_landmarks_and_no_vote(aligner: FaceAligner) -> None:
    assert aligner.aligned(portrait(), Box(20, 300, 113, 421)) is None
    assert aligner.good(np.full((200, 200, 3), 127, np.uint8), Box(50, 50, 150, 170)) is None


@pytest.mark.shared
@pytest.mark.parametrize(("width_px", "votes"), [(31, False), (33, True)])
def test_a_face_votes_from_32_pixels_on(aligner: FaceAligner, width_px: int, votes: bool) -> None:
    scale = width_px / FACE.width
    assert (aligner.good(portrait(scale), FACE.scaled(scale, scale)) is not None) == votes


@pytest.mark.shared
def test_a_blurred_face_does_not_vote(aligner: FaceAligner) -> None:
    blurred = np.asarray(cv2.GaussianBlur(portrait(), (0, 0), 5), np.uint8)
    assert aligner.good(portrait(), FACE) is not None
    assert aligner.good(blurred, FACE) is None


def test_detail_does_not_depend_on_contrast_and_falls_with_blur() -> None:
    face = warped(portrait(), by_box(FACE), SIDE_PX)
    low = np.asarray(cv2.convertScaleAbs(face, alpha=0.5, beta=60), np.uint8)
    blurred = [np.asarray(cv2.GaussianBlur(face, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4)]
    assert detail_share(low) == pytest.approx(detail_share(face), rel=0.1)
    values = [detail_share(each) for each in (face, *blurred)]
    assert values == sorted(values, reverse=True)
    assert detail_share(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)) == 0


def test_without_yunet_the_box_has_to_do(without_landmarks: FaceAligner) -> None:
    face = without_landmarks.good(portrait(), FACE)
    assert face is not None
    assert not without_landmarks.finds_landmarks
    assert face.size_px == pytest.approx(FACE.width)


@pytest.mark.parametrize("box", [Box(-80, -80, 40, 60), Box(480, 480, 700, 760), Box(0, 0, 1, 1)])
def test_boxes_at_and_beyond_the_border_make_whole_crops(box: Box) -> None:
    assert warped(portrait(), by_box(box), SIDE_PX).shape == (SIDE_PX, SIDE_PX, 3)


def test_a_large_face_is_averaged_not_aliased() -> None:
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = warped(stripes, by_box(Box(100, 100, 900, 900)), SIDE_PX)
    assert crop.std() < 20


def test_a_large_image_is_reduced_to_the_same_face() -> None:
    one = warped(portrait(), by_box(FACE), SIDE_PX)
    large = warped(scaled(portrait(), 3), by_box(FACE.scaled(3, 3)), SIDE_PX)
    assert np.abs(one.astype(int) - large).mean() < 4
