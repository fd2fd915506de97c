"""Teachers add what two looks agree on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.annotated_files import BOX, SIZE, picture, write_picture
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.errors import SettingsError
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.pseudo_labels import Added, added, remembered, taught
from tracker_blur.weights.store import Weights

OTHER = Box(60, 10, 80, 34)
IGNORED = Box(0, 0, 9, 9)


class Teacher:
    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self, *finds: tuple[Box, float]) -> None:
        self._finds = finds

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the same faces at every size of the picture."""
        scale = image.shape[1] / SIZE[0]
        return [Detection(box.scaled(scale, scale), score) for box, score in self._finds]


@pytest.mark.parametrize(
    ("teachers", "labels", "ignored"),
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
    tmp_path: Path, teachers: list[Teacher], labels: int, ignored: int
) -> None:
    path = write_picture(tmp_path / "a.png")
    more = added(Annotated(path, SIZE, (("face", BOX),), (IGNORED,)), teachers)
    assert (len(more.things), len(more.ignored)) == (labels, ignored)


class Asked:
    """Adds the same to every picture, and notes which ones it was asked about."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, picture: Annotated) -> Added:
        self.names.append(picture.path.name)
        return Added((OTHER,), (BOX,))


def annotated(folder: Path, name: str, seed: int) -> Annotated:
    path = write_picture(folder / name, picture(seed))
    return Annotated(path, SIZE, (("face", BOX),))


def test_teachers_are_asked_once(tmp_path: Path) -> None:
    pictures = [annotated(tmp_path, f"{seed}.png", seed) for seed in range(2)]
    file, ask = tmp_path / "taught.json", Asked()
    first = remembered(pictures[:1], file, "yunet", ask)
    assert remembered(pictures, file, "yunet", ask) == [Added((OTHER,), (BOX,))] * 2
    assert first == [Added((OTHER,), (BOX,))]
    assert ask.names == ["0.png", "1.png"]
    before = file.stat()
    assert remembered(pictures, file, "yunet", ask) == first * 2
    assert file.stat().st_ino == before.st_ino  # who asked nothing writes nothing


def test_teachers_are_asked_again_about_what_is_another(tmp_path: Path) -> None:
    one = annotated(tmp_path, "a.png", 1)
    file, ask = tmp_path / "taught.json", Asked()
    remembered([one], file, "yunet", ask)
    remembered([replace(one, things=())], file, "yunet", ask)
    assert len(ask.names) == 2
    remembered([one], file, "yunet", ask)
    remembered([replace(one, ignored=(OTHER,))], file, "yunet", ask)
    assert len(ask.names) == 4
    remembered([one], file, "yunet", ask)
    write_picture(one.path, picture(2))
    remembered([one], file, "yunet", ask)
    assert len(ask.names) == 6
    remembered([one], file, "haar", ask)
    assert len(ask.names) == 7


def test_changed_labels_are_kept_and_other_weights_are_asked(tmp_path: Path) -> None:
    own = Path(__file__).parents[2] / "models"
    teacher = tmp_path / "teacher.onnx"
    teacher.write_bytes((own / "face.onnx").read_bytes())
    one = annotated(tmp_path, "a.png", 1)
    file, weights = tmp_path / "taught.json", Weights()

    def labels(asked: Annotated) -> tuple[str, ...]:
        (after,) = taught([asked], "face", [str(teacher)], weights, file)
        assert after.things[: len(asked.things)] == asked.things
        return tuple(json.loads(file.read_text(encoding="utf-8"))["added"])

    first = labels(one)
    assert labels(replace(one, things=(("face", OTHER),))) != first
    assert labels(one) == first
    teacher.write_bytes((own / "plate.onnx").read_bytes())
    assert labels(one) != first


@pytest.mark.parametrize(
    "content", ["", "[]", '{"teachers": "yunet", "pictures": {}}', '{"added": []}']
)
def test_a_damaged_memory_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "taught.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"taught\.json: damaged"):
        remembered([], file, "yunet", Asked())
