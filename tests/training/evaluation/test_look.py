"""How pictures are shown to a detector that is judged, and which of its finds count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.annotated_files import BOX, SIZE, write_picture
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import best_of, finds


class Seeing:
    """A detector that finds the middle of a picture, and remembers the sizes of pictures."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        rows, columns = image.shape[:2]
        self.sizes.append((columns, rows))
        return [Detection(Box(0.25 * columns, 0, 0.75 * columns, rows), 0.9)]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("widened", [1.0, 1.44])
def test_finds_are_in_the_stored_pixels(tmp_path: Path, scale: float, widened: float) -> None:
    picture = Annotated(write_picture(tmp_path / "a.png"), SIZE, (("face", BOX),))
    detector = Seeing()
    ((find,),) = finds(detector, [picture], scale, widened)
    (columns, rows), (width, height) = detector.sizes[0], SIZE
    assert columns / rows == pytest.approx(widened * width / height, rel=0.03)
    assert columns * rows == pytest.approx(scale**2 * width * height, rel=0.03)
    assert find.box.as_tuple() == pytest.approx((0.25 * width, 0, 0.75 * width, height))


def test_as_many_finds_as_labels_are_judged() -> None:
    picture = Annotated(Path("a.png"), SIZE, (("plate", BOX), ("face", BOX)))
    found = [
        Detection(BOX, 0.4, "plate"),
        Detection(BOX.moved(40, 0), 0.8, "plate"),
        Detection(BOX, 0.9, "face"),
    ]
    assert best_of(found, picture, "plate") == [found[1]]
    assert best_of(found, Annotated(Path("b.png"), SIZE, ()), "plate") == []
