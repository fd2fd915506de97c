"""What every detector must do."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from tests.detectors.pictures import FACE, best_iou, portrait
from tracker_blur.core import plugins
from tracker_blur.core.box import Detection
from tracker_blur.detectors import Detector
from tracker_blur.errors import MissingPackageError
from tracker_blur.weights.catalog import MODELS
from tracker_blur.weights.store import Weights

PACKAGE = "tracker_blur.detectors"
NAMES = plugins.names(PACKAGE)
NEED_WEIGHTS = [name for name in NAMES if () not in plugins.load(PACKAGE, name).WEIGHTS]
OWN = "onnx"  # its weights travel with the package: there is nothing to pull
PULLED = [name for name in NEED_WEIGHTS if name != OWN]
EVERY = [pytest.param(name, marks=[pytest.mark.shared] if name in PULLED else []) for name in NAMES]

Make = Callable[[], Detector]


@pytest.fixture(params=EVERY)
def make(request: pytest.FixtureRequest) -> Make:
    """Return a maker of fresh detectors; skip where weights or a package are missing."""
    folder = None
    if request.param in PULLED:
        folder = request.getfixturevalue("shared") / "models"
    module = plugins.load(PACKAGE, request.param)

    def fresh() -> Detector:
        try:
            detector: Detector = module.load(Weights(folder))
        except MissingPackageError as error:
            pytest.skip(str(error))
        return detector

    return fresh


def by_place(found: list[Detection]) -> list[tuple[float, ...]]:
    return sorted((*find.box.as_tuple(), find.score) for find in found)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_finds_a_face_at_several_scales_in_the_pictures_pixels(make: Make, scale: float) -> None:
    detector = make()
    found = detector.detect(portrait(scale), detector.default_confidence)
    assert best_iou(found, FACE.scaled(scale, scale)) > 0.5
    assert {find.label for find in found} == {"face"}


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (1, 90), (90, 1), (3, 5), (31, 33), (7, 700), (700, 7), (401, 399)]
)
def test_takes_pictures_of_any_size(make: Make, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (*shape, 3), np.uint8)
    for find in make().detect(noise, 0.3):
        assert not find.box.is_empty
        assert 0.3 <= find.score <= 1.0


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (104, 177, 123)])
def test_finds_nothing_in_a_flat_picture(make: Make, color: tuple[int, int, int]) -> None:
    detector = make()
    flat = np.full((360, 640, 3), color, np.uint8)
    assert detector.detect(flat, detector.default_confidence) == []


def test_does_not_change_the_picture(make: Make) -> None:
    image = portrait()
    make().detect(image, 0.5)
    np.testing.assert_array_equal(image, portrait())


def test_takes_read_only_pictures_and_parts_of_larger_ones(make: Make) -> None:
    whole = portrait()
    whole.flags.writeable = False
    part = whole[:400, 100:]
    detector = make()
    whole_copy = np.ascontiguousarray(part)
    assert by_place(detector.detect(part, 0.3)) == by_place(detector.detect(whole_copy, 0.3))


def test_more_confidence_only_removes_finds(make: Make) -> None:
    detector, image = make(), portrait(1.5)
    before = by_place(detector.detect(image, 0.05))
    assert before, "the face is found at least"
    for confidence in (0.2, 0.4, 0.7, 0.99):
        found = by_place(detector.detect(image, confidence))
        assert found == [find for find in before if find[-1] >= confidence]
        before = found


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_scores_lie_between_the_confidence_and_one(make: Make, confidence: float) -> None:
    for find in make().detect(portrait(0.4), confidence):
        assert confidence <= find.score <= 1.0


def test_a_detector_remembers_nothing_of_other_pictures(make: Make) -> None:
    # CenterFace on one network instance returned hundreds of boxes after two changes of size.
    used = make()
    for scale in (1.0, 0.4, 1.0, 0.75, 1.3, 1.0):
        image = portrait(scale)
        found, expected = used.detect(image, 0.3), make().detect(image, 0.3)
        np.testing.assert_allclose(by_place(found), by_place(expected), atol=1e-3)


def test_may_be_called_from_another_thread(make: Make) -> None:
    detector, image = make(), portrait()
    found: list[list[Detection]] = []
    thread = threading.Thread(target=lambda: found.append(detector.detect(image, 0.5)))
    thread.start()
    thread.join()
    assert by_place(found[0]) == by_place(detector.detect(image, 0.5))


def test_says_from_which_score_on_to_believe_it(make: Make) -> None:
    detector = make()
    assert 0.0 < detector.low_confidence < detector.default_confidence < 1.0


@pytest.mark.parametrize("name", NAMES)
def test_is_described_in_one_line(name: str) -> None:
    line = plugins.summary(PACKAGE, name)
    assert 30 < len(line) < 100
    if name in PULLED:
        files = set(plugins.load(PACKAGE, name).WEIGHTS[0])
        model = next(model for model in MODELS if files == {file.name for file in model.files})
        assert f"trackblur models pull {model.name}" in line


@pytest.mark.parametrize("name", PULLED)
def test_every_set_of_weights_can_be_pulled(name: str) -> None:
    pullable = [{file.name for file in model.files} for model in MODELS]
    for names in plugins.load(PACKAGE, name).WEIGHTS:
        assert set(names) in pullable
