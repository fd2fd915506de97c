"""Teachers add what two looks agree on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.annotated_files import BOX, SIZE, write_picture
from tracker_blur.boxes import Box, Detection
from tracker_blur.datasets import Annotated
from tracker_blur.errors import SettingsError
from tracker_blur.frames import Image
from tracker_blur.training.taught import remembered
from tracker_blur.training.teachers import labelled

OTHER = Box(60, 10, 80, 34)


class Teacher:
    default_confidence = 0.5
    weak_confidence = 0.3

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
    before = Annotated(write_picture(tmp_path / "a.png"), SIZE, (("face", BOX),))
    after = labelled(before, "face", teachers)
    assert len(after.things) == 1 + labels
    assert len(after.ignored) == ignored
    assert after.things[0] == ("face", BOX)


def test_teachers_are_asked_once(tmp_path: Path) -> None:
    pictures = [Annotated(Path(f"{name}.png"), SIZE, (("face", BOX),)) for name in "ab"]
    asked: list[str] = []

    def ask(picture: Annotated) -> Annotated:
        asked.append(picture.path.name)
        return replace(picture, things=(*picture.things, ("face", OTHER)), ignored=(BOX,))

    file = tmp_path / "taught.json"
    first = remembered(pictures[:1], file, "yunet", ask)
    again = remembered(pictures, file, "yunet", ask)
    assert asked == ["a.png", "b.png"]
    assert again[:1] == first
    assert again[1].things == (("face", BOX), ("face", OTHER))
    assert again[1].ignored == (BOX,)
    remembered(pictures, file, "haar", ask)
    assert len(asked) == 4


@pytest.mark.parametrize("content", ["", "[]", '{"teachers": "yunet"}'])
def test_a_damaged_memory_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "taught.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"taught\.json: damaged"):
        remembered([], file, "yunet", lambda picture: picture)
