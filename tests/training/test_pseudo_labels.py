"""Teachers add what people left unlabeled, as certain as they and the verifier are of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.annotated_files import BOX, SIZE, disk_image, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.candidates import TURNS
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.pseudo_labels import PseudoLabels, add_pseudo_labels, pseudo_labels
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.candidates import Candidates

REPOSITORY = Path(__file__).parents[2]
OTHER = Box(60, 10, 80, 34)
IGNORED = Box(0, 0, 9, 9)
UPRIGHT, TURNED = 0, 1


class Verifier:
    def __init__(self, odds: float) -> None:
        self._odds = odds

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        """Return the same for every place."""
        return np.full(len(boxes), self._odds)


def seen(*detections: tuple[Box, float, int]) -> Candidates:
    """Return candidates; the last number is twice the teacher's, plus 1 for a turned copy."""
    rows = [(*box.as_tuple(), score, source) for box, score, source in detections]
    return np.array(rows, np.float32).reshape(-1, 6)


def added(folder: Path, found: Candidates, teachers: int, odds: float | None) -> PseudoLabels:
    path = write_image(folder / "a.png")
    image = AnnotatedImage(path, SIZE, (("face", BOX),), (IGNORED,))
    return pseudo_labels(image, found, teachers, None if odds is None else Verifier(odds))


@pytest.mark.parametrize(
    ("score", "odds", "certainty"),
    [
        (0.8, None, 0.8),
        (0.95, None, 1.0),  # as good as a label
        (0.64, 30.0, 0.8),
        (0.36, 30.0, None),  # ignored
        (0.8, 0.0, None),
        (0.25, 30.0, 0.0),
        (0.9, -30.0, 0.0),
    ],
)
def test_how_certain_teachers_and_verifier_are(
    tmp_path: Path, score: float, odds: float | None, certainty: float | None
) -> None:
    labels = added(tmp_path, seen((OTHER, score, UPRIGHT)), 1, odds)
    assert len(labels.boxes) == bool(certainty)
    assert len(labels.ignored) == (certainty is None)
    assert labels.certainties == pytest.approx([certainty] if certainty else [])


def test_a_teacher_counts_with_its_best_score_and_all_teachers_count(tmp_path: Path) -> None:
    found = seen((OTHER, 0.5, UPRIGHT), (OTHER.moved(1, 1), 0.84, TURNED))
    assert added(tmp_path, found, 1, None).certainties == pytest.approx([0.84])
    found = np.concatenate((found, seen((OTHER.moved(1, 0), 0.6, 2 + UPRIGHT))))
    assert added(tmp_path, found, 2, None).certainties == pytest.approx([0.72])
    assert added(tmp_path, found, 3, None).certainties == ()


def test_parts_of_an_object_are_no_other_objects(tmp_path: Path) -> None:
    found = seen((OTHER, 0.8, UPRIGHT), (OTHER.moved(10, 0), 0.75, UPRIGHT))
    found = np.concatenate((found, seen((OTHER.padded(-0.2), 0.5, UPRIGHT))))
    labels = added(tmp_path, found, 1, None)
    assert (len(labels.boxes), len(labels.ignored)) == (1, 0)


@pytest.mark.parametrize("known", [BOX, BOX.moved(2, 2), BOX.padded(-0.3)])
def test_what_people_labeled_is_not_labeled_again(tmp_path: Path, known: Box) -> None:
    assert added(tmp_path, seen((known, 0.9, UPRIGHT)), 1, 30.0) == PseudoLabels((), (), ())


@pytest.fixture
def group(tmp_path: Path) -> AnnotatedImage:
    """Return a photo of five people, upside down; all but the first are labeled."""
    photo = cv2.imread(str(REPOSITORY / "samples" / "people.jpg"))
    assert photo is not None
    small = np.asarray(cv2.resize(photo, (480, 320), interpolation=cv2.INTER_AREA), np.uint8)
    path = write_image(tmp_path / "group.png", np.ascontiguousarray(small[::-1, ::-1]))
    with (REPOSITORY / "samples" / "people.csv").open(encoding="utf-8") as file:
        rows = [[float(row[side]) * 0.4 for side in "xywh"] for row in csv.DictReader(file)]
    boxes = [Box.from_xywh(480 - x - w, 320 - y - h, w, h) for x, y, w, h in rows]
    return AnnotatedImage(path, (480, 320), tuple(("face", box) for box in boxes))


def test_a_face_upside_down_that_people_left_unlabeled(
    group: AnnotatedImage, tmp_path: Path
) -> None:
    cache = tmp_path / "candidates.npz"
    (_, unlabeled), *labeled = group.objects
    image = replace(group, objects=tuple(labeled))

    def certainty(turns: Sequence[int]) -> float:
        weights = Weights()
        teacher = str(weights.path("face.onnx"))
        (after,) = add_pseudo_labels(
            [image], "face", [teacher], turns, weights, cache, lambda _: None
        )
        assert after.objects[: len(labeled)] == image.objects
        more = after.objects[len(labeled) :]
        rated = zip(more, after.certainties, strict=True)
        return next(certain for (_, box), certain in rated if box.iou(unlabeled) > 0.5)

    assert certainty(TURNS) == 1.0
    assert certainty(TURNS[:1]) < 1.0


class Teacher:
    default_confidence = 0.5
    low_confidence = 0.3

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the same face at every scale of the image."""
        scale = image.shape[1] / SIZE[0]
        return [Detection(OTHER.scaled(scale, scale), 0.95)]


def test_teachers_add_nothing_where_the_labels_say_that_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "tracker_blur.training.pseudo_labels"
    monkeypatch.setattr(f"{module}.load_detector", lambda name, weights: (name, Teacher()))
    images = [
        AnnotatedImage(write_image(tmp_path / f"{seed}.png", disk_image(seed)), SIZE, (), (), none)
        for seed, none in enumerate((False, True, False))
    ]
    cache = tmp_path / "candidates.npz"
    for _ in range(2):  # the second time, from the cache
        after = add_pseudo_labels(
            images, "badge", ["one"], TURNS[:1], Weights(), cache, lambda _: None
        )
        assert [image.path.name for image in after] == ["0.png", "1.png", "2.png"]
        assert [image.certainties for image in after] == [(1.0,), (), (1.0,)]
        assert after[1] == images[1]
