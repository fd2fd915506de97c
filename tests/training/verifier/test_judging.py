"""How verifiers judge detections, and what is left of false alarms."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.annotated_files import write_image
from tracker_blur.classifiers import CropClassifier
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import ModelError
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.verifier.judging import (
    JudgedDetection,
    alarmed_share,
    judge_detections,
    load_verifier,
    passing,
    recall_of,
    score_judged,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image

SIZE = (320, 160)
FACE, ALARM, PART = Box(20, 20, 60, 60), Box(200, 80, 240, 120), Box(40, 40, 80, 80)


class Scripted:
    """Detects the same places in every image, whatever it shows."""

    default_confidence = 0.4
    low_confidence = 0.25

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        assert image.shape[:2] == (320, 640)  # enlarged
        found = ((FACE, 0.9), (ALARM, 0.3), (PART, 0.5))
        return [Detection(box.scaled(2, 2), score) for box, score in found]


class Brightness(CropClassifier):
    """Takes bright places for objects."""

    def __init__(self) -> None:
        """Load nothing."""

    def log_odds(
        self, image: Image, boxes: Sequence[Box]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        means = []
        for box in boxes:
            left, top, right, bottom = box.outward()
            means.append(float(image[top:bottom, left:right].mean()) / 25.5 - 5)
        return np.array(means)


@pytest.fixture
def images(tmp_path: Path) -> list[AnnotatedImage]:
    """Return an image with a bright face, and one without any."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    empty = write_image(tmp_path / "none" / "b.png", pixels)
    pixels[20:60, 20:60] = 255
    face = write_image(tmp_path / "faces" / "a.png", pixels)
    return [AnnotatedImage(face, SIZE, (("face", FACE),)), AnnotatedImage(empty, SIZE, ())]


def judged(images: list[AnnotatedImage]) -> list[JudgedDetection]:
    return judge_detections(Brightness(), {"own": Scripted()}, images, "face")


def test_detections_are_objects_false_or_unclear(images: list[AnnotatedImage]) -> None:
    found = judged(images)
    assert [one.is_object for one in found] == [True, False, None, False, False, False]
    assert [one.found for one in found] == [0, -1, -1, -1, -1, -1]
    assert [one.size_px for one in found] == [40.0] * 6
    for one in found:  # the verifier sees the same places in turned images
        assert one.odds == pytest.approx((one.odds[0],) * 4)
    assert found[0].odds[0] == pytest.approx(5.0)


def test_what_is_unclear_does_not_count(images: list[AnnotatedImage]) -> None:
    scores = score_judged(judged(images))
    assert (scores.objects, scores.others, scores.auc) == (1, 4, 1.0)
    assert score_judged(judged(images), (-9.0,)).false_positives == (1.0,)


def test_a_verifier_silences_false_alarms_and_keeps_faces(images: list[AnnotatedImage]) -> None:
    found = judged(images)
    without, verified = passing(found, "own", 0.4, -math.inf), passing(found, "own", 0.4, 0.0)
    assert alarmed_share(without, images) == 1.0
    assert alarmed_share(verified, images) == 0.0
    assert math.isnan(alarmed_share(verified, images, "faces"))
    assert recall_of(without, images, "face", 12) == recall_of(verified, images, "face", 12) == 1.0
    assert math.isnan(recall_of(verified, images, "face", 50))
    assert recall_of(passing(found, "own", 0.95, 0.0), images, "face", 12) == 0.0
    assert passing(found, "another", 0.4, 0.0) == []


def test_other_networks_and_damaged_files_are_refused(tmp_path: Path) -> None:
    models = Path(__file__).parents[3] / "models"
    with pytest.raises(ModelError, match=r"plate\.onnx: this is no verifier"):
        load_verifier(str(models / "plate.onnx"))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"damaged\.onnx: ONNX Runtime cannot use this network"):
        load_verifier(str(damaged))
    with pytest.raises(ModelError, match=r"missing\.onnx: cannot read this weight file"):
        load_verifier(str(tmp_path / "missing.onnx"))
