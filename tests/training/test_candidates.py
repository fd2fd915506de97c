"""Candidates: what detectors take for objects at several scales and turns, and their cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.annotated_files import SIZE, disk_image, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import SettingsError
from tracker_blur.training.candidates import (
    Candidates,
    cached_candidates,
    find_candidates,
    identity,
    load_proposers,
    turned,
    turned_back,
)
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image


class BrightDetector:
    """Detects the only bright area, and something of another class."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self, score: float = 0.9) -> None:
        self.score = score
        self.sizes: list[tuple[int, int]] = []

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        self.sizes.append((image.shape[1], image.shape[0]))
        rows, columns = np.nonzero(image[..., 0] > 127)
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        found = [Detection(box, self.score), Detection(box, 0.9, "plate")]
        return [detection for detection in found if detection.score >= confidence]


def image_with(left: int, top: int, right: int, bottom: int) -> Image:
    image = np.zeros((60, 100, 3), np.uint8)
    image[top:bottom, left:right] = 255
    return image


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_boxes_of_turned_images_return_to_their_place(turn: int) -> None:
    image = turned(image_with(20, 5, 50, 15), turn)
    rows, columns = np.nonzero(image[..., 0])
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turned_back(box, turn, (100, 60)) == Box(20, 5, 50, 15)


def test_small_images_are_enlarged_and_all_are_turned() -> None:
    detector = BrightDetector()
    found = find_candidates(image_with(20, 10, 50, 40), [detector], "face")
    assert detector.sizes == [(100, 60), (160, 96), (60, 100), (100, 60), (60, 100)]
    assert found.shape == (5, 6)
    np.testing.assert_allclose(found[:, :4], [(20, 10, 50, 40)] * 5, atol=1.0)
    assert found[:, 5].tolist() == [0, 0, 1, 1, 1]
    large = BrightDetector()
    find_candidates(np.full((8, 500, 3), 255, np.uint8), [large], "face")
    assert large.sizes == [(500, 8), (8, 500), (500, 8), (8, 500)]


def test_what_stands_upright_is_not_searched_in_turned_copies() -> None:
    detector = BrightDetector()
    found = find_candidates(image_with(20, 10, 50, 40), [detector], "face", turns=(0,))
    assert detector.sizes == [(100, 60), (160, 96)]
    assert found[:, 5].tolist() == [0, 0]


def test_low_scores_count_upright_but_not_turned() -> None:
    detectors = [BrightDetector(0.12), BrightDetector(0.2)]
    found = find_candidates(image_with(20, 10, 50, 40), detectors, "face")
    assert found[:, 5].tolist() == [0, 0, 2, 2, 3, 3, 3]


def test_widened_images_give_boxes_in_the_stored_pixels() -> None:
    detector = BrightDetector()
    found = find_candidates(image_with(20, 10, 50, 40), [detector], "face", widening=4.0)
    assert detector.sizes[0] == (200, 30)
    np.testing.assert_allclose(found[0, :4], (20, 10, 50, 40), atol=1.1)


def images(folder: Path, count: int) -> list[AnnotatedImage]:
    files = [write_image(folder / f"{i}.png", disk_image(i)) for i in range(count)]
    return [AnnotatedImage(file, SIZE, ()) for file in files]


def test_the_cache_is_of_the_same_pixels_and_the_same_detectors(tmp_path: Path) -> None:
    cache = tmp_path / "candidates.npz"
    annotated = images(tmp_path, 3)
    searched: list[int] = []

    def find(image: Image) -> Candidates:
        searched.append(len(searched))
        return np.full((len(searched), 6), len(searched), np.float32)

    def search(proposers: str) -> list[list[float]]:
        found = cached_candidates(annotated, cache, proposers, find, lambda _: None)
        return [rows[:, 0].tolist() for rows in found]

    assert search("a") == [[1.0], [2.0, 2.0], [3.0, 3.0, 3.0]]
    assert search("a") == [[1.0], [2.0, 2.0], [3.0, 3.0, 3.0]]
    assert len(searched) == 3
    write_image(tmp_path / "1.png", np.zeros((64, 96, 3), np.uint8))
    assert search("a") == [[1.0], [4.0] * 4, [3.0, 3.0, 3.0]]
    assert len(search("b")[0]) == 5


def test_what_was_found_before_an_interruption_is_kept(tmp_path: Path) -> None:
    cache = tmp_path / "candidates.npz"
    annotated = images(tmp_path, 1)
    other = write_image(tmp_path / "other.png", np.zeros((64, 96, 3), np.uint8))

    def interrupted(image: Image) -> Candidates:
        if not image.any():
            raise KeyboardInterrupt
        return np.ones((2, 6), np.float32)

    both = [*annotated, AnnotatedImage(other, SIZE, ())]
    with pytest.raises(KeyboardInterrupt):
        cached_candidates(both, cache, "a", interrupted, lambda _: None)

    def never(_: Image) -> Candidates:
        raise AssertionError

    (found,) = cached_candidates(annotated, cache, "a", never, lambda _: None)
    assert found.tolist() == [[1.0] * 6] * 2


def test_a_damaged_cache_is_refused(tmp_path: Path) -> None:
    cache = tmp_path / "candidates.npz"
    cache.write_bytes(b"nothing")
    with pytest.raises(SettingsError, match=r"candidates\.npz: damaged, or of another version"):
        cached_candidates(images(tmp_path, 1), cache, "a", lambda _: _nothing(), lambda _: None)


def _nothing() -> Candidates:
    return np.zeros((0, 6), np.float32)


def test_our_own_detector_proposes_and_others_may_be_added() -> None:
    weights = Weights()
    assert list(load_proposers("plate", (), weights)) == ["plate.onnx"]
    assert list(load_proposers("face", ("haar",), weights)) == ["face.onnx", "haar"]
    assert identity((), weights) != identity(("haar",), weights)
    with pytest.raises(SettingsError, match="knows the class 'badge': name the file of one"):
        load_proposers("badge", (), weights)
