"""Teachers add what they agree on, and label an image once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, SIZE, disk_image, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import SettingsError
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.pseudo_labels import (
    PseudoLabels,
    add_pseudo_labels,
    cached_pseudo_labels,
    pseudo_labels,
)
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

OTHER = Box(60, 10, 80, 34)
IGNORED = Box(0, 0, 9, 9)


class Teacher:
    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self, *detections: tuple[Box, float]) -> None:
        self._detections = detections

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the same faces at every scale of the image."""
        scale = image.shape[1] / SIZE[0]
        return [Detection(box.scaled(scale, scale), score) for box, score in self._detections]


@pytest.mark.parametrize(
    ("teachers", "boxes", "ignored"),
    [
        ([Teacher((OTHER, 0.6)), Teacher((OTHER.moved(1, 1), 0.6))], 1, 0),
        ([Teacher((OTHER, 0.9)), Teacher()], 1, 0),
        ([Teacher((OTHER, 0.6)), Teacher()], 0, 1),
        ([Teacher((OTHER, 0.4)), Teacher()], 0, 0),
        ([Teacher((BOX, 0.9)), Teacher((BOX.moved(2, 2), 0.9))], 0, 0),
        ([Teacher((BOX.padded(-0.3), 0.9)), Teacher((BOX.padded(-0.3), 0.9))], 0, 0),
    ],
)
def test_what_teachers_add(
    tmp_path: Path, teachers: list[Teacher], boxes: int, ignored: int
) -> None:
    path = write_image(tmp_path / "a.png")
    added = pseudo_labels(AnnotatedImage(path, SIZE, (("face", BOX),), (IGNORED,)), teachers)
    assert (len(added.boxes), len(added.ignored)) == (boxes, ignored)


class FakeLabeller:
    """Adds the same to every image, and notes which ones it labeled."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, image: AnnotatedImage) -> PseudoLabels:
        self.names.append(image.path.name)
        return PseudoLabels((OTHER,), (BOX,))


def annotated(folder: Path, name: str, seed: int) -> AnnotatedImage:
    path = write_image(folder / name, disk_image(seed))
    return AnnotatedImage(path, SIZE, (("face", BOX),))


def test_images_are_labeled_once(tmp_path: Path) -> None:
    images = [annotated(tmp_path, f"{seed}.png", seed) for seed in range(2)]
    cache, label = tmp_path / "taught.json", FakeLabeller()
    first = cached_pseudo_labels(images[:1], cache, "yunet", label)
    added = PseudoLabels((OTHER,), (BOX,))
    assert cached_pseudo_labels(images, cache, "yunet", label) == [added] * 2
    assert first == [added]
    assert label.names == ["0.png", "1.png"]
    before = cache.stat()
    assert cached_pseudo_labels(images, cache, "yunet", label) == [added] * 2
    assert cache.stat().st_ino == before.st_ino  # nothing new, nothing written


def test_other_pixels_labels_or_teachers_are_labeled_again(tmp_path: Path) -> None:
    image = annotated(tmp_path, "a.png", 1)
    cache, label = tmp_path / "taught.json", FakeLabeller()
    cached_pseudo_labels([image], cache, "yunet", label)
    cached_pseudo_labels([replace(image, objects=())], cache, "yunet", label)
    assert len(label.names) == 2
    cached_pseudo_labels([image], cache, "yunet", label)
    cached_pseudo_labels([replace(image, ignored=(OTHER,))], cache, "yunet", label)
    assert len(label.names) == 4
    cached_pseudo_labels([image], cache, "yunet", label)
    write_image(image.path, disk_image(2))
    cached_pseudo_labels([image], cache, "yunet", label)
    assert len(label.names) == 6
    cached_pseudo_labels([image], cache, "haar", label)
    assert len(label.names) == 7


def test_cache_keys_depend_on_labels_and_weights(tmp_path: Path) -> None:
    models = Path(__file__).parents[2] / "models"
    teacher = tmp_path / "teacher.onnx"
    teacher.write_bytes((models / "face.onnx").read_bytes())
    image = annotated(tmp_path, "a.png", 1)
    cache, weights = tmp_path / "taught.json", Weights()

    def keys(labeled: AnnotatedImage) -> tuple[str, ...]:
        (after,) = add_pseudo_labels([labeled], "face", [str(teacher)], weights, cache)
        assert after.objects[: len(labeled.objects)] == labeled.objects
        return tuple(json.loads(cache.read_text(encoding="utf-8"))["added"])

    first = keys(image)
    assert keys(replace(image, objects=(("face", OTHER),))) != first
    assert keys(image) == first
    teacher.write_bytes((models / "plate.onnx").read_bytes())
    assert keys(image) != first


def test_teachers_add_nothing_where_the_labels_say_that_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = Teacher((OTHER, 0.9))
    module = "tracker_blur.training.pseudo_labels"
    monkeypatch.setattr(f"{module}.load_detector", lambda name, weights: (name, teacher))
    images = [
        replace(annotated(tmp_path, f"{seed}.png", seed), objects=(), is_empty=seed == 1)
        for seed in range(3)
    ]
    cache = tmp_path / "taught.json"
    for _ in range(2):  # the second time, from the cache
        after = add_pseudo_labels(images, "face", ["one"], Weights(), cache)
        assert [image.path.name for image in after] == ["0.png", "1.png", "2.png"]
        assert [len(image.objects) for image in after] == [1, 0, 1]
        assert after[1] == images[1]
    assert len(json.loads(cache.read_text(encoding="utf-8"))["added"]) == 2


@pytest.mark.parametrize(
    "content", ["", "[]", '{"teachers": "yunet", "pictures": {}}', '{"added": []}']
)
def test_a_damaged_cache_is_refused(tmp_path: Path, content: str) -> None:
    cache = tmp_path / "taught.json"
    cache.write_text(content)
    with pytest.raises(SettingsError, match=r"taught\.json: damaged"):
        cached_pseudo_labels([], cache, "yunet", FakeLabeller())
