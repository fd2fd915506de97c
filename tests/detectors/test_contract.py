"""The contract that every detector fulfills."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.detectors.face_images import FACE, best_iou, portrait
from tracker_blur.core import plugins
from tracker_blur.detectors import Detector
from tracker_blur.errors import MissingPackageError
from tracker_blur.weights.catalog import MODELS
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection

PACKAGE = "tracker_blur.detectors"
NAMES = plugins.names(PACKAGE)
NEED_WEIGHTS = [name for name in NAMES if () not in plugins.load(PACKAGE, name).WEIGHTS]
BUNDLED = "onnx"  # its weights come with the package
PULLED = [name for name in NEED_WEIGHTS if name != BUNDLED]
SLOW = ("centerface", "haar", "ssd")
MARKS = {
    name: [pytest.mark.shared] * (name in PULLED) + [pytest.mark.slow] * (name in SLOW)
    for name in NAMES
}
EVERY = [pytest.param(name, marks=MARKS[name]) for name in NAMES]

Factory = Callable[[], Detector]


@pytest.fixture(params=EVERY)
def make(request: pytest.FixtureRequest) -> Factory:
    """Return a factory of fresh detectors; skip where weights or a package are missing."""
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


def sorted_rows(detections: list[Detection]) -> list[tuple[float, ...]]:
    return sorted((*detection.box.as_tuple(), detection.score) for detection in detections)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_detects_a_face_at_several_scales(make: Factory, scale: float) -> None:
    detector = make()
    detections = detector.detect(portrait(scale), detector.default_confidence)
    assert best_iou(detections, FACE.scaled(scale, scale)) > 0.5
    assert {detection.label for detection in detections} == {"face"}


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (1, 90), (90, 1), (3, 5), (31, 33), (7, 700), (700, 7), (401, 399)]
)
def test_accepts_images_of_any_size(make: Factory, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (*shape, 3), np.uint8)
    for detection in make().detect(noise, 0.3):
        assert not detection.box.is_empty
        assert 0.3 <= detection.score <= 1.0


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (104, 177, 123)])
def test_detects_nothing_in_a_flat_image(make: Factory, color: tuple[int, int, int]) -> None:
    detector = make()
    flat = np.full((360, 640, 3), color, np.uint8)
    assert detector.detect(flat, detector.default_confidence) == []


def test_does_not_change_the_image(make: Factory) -> None:
    image = portrait()
    make().detect(image, 0.5)
    np.testing.assert_array_equal(image, portrait())


def test_accepts_read_only_images_and_views_of_larger_ones(make: Factory) -> None:
    whole = portrait()
    whole.flags.writeable = False
    part = whole[:400, 100:]
    detector = make()
    copy = np.ascontiguousarray(part)
    assert sorted_rows(detector.detect(part, 0.3)) == sorted_rows(detector.detect(copy, 0.3))


def test_more_confidence_only_removes_detections(make: Factory) -> None:
    detector, image = make(), portrait(1.5)
    before = sorted_rows(detector.detect(image, 0.05))
    assert before, "the face is detected at least"
    for confidence in (0.2, 0.4, 0.7, 0.99):
        rows = sorted_rows(detector.detect(image, confidence))
        assert rows == [row for row in before if row[-1] >= confidence]
        before = rows


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_scores_lie_between_the_confidence_and_one(make: Factory, confidence: float) -> None:
    for detection in make().detect(portrait(0.4), confidence):
        assert confidence <= detection.score <= 1.0


def test_earlier_images_do_not_influence_later_ones(make: Factory) -> None:
    # CenterFace on one network instance returned hundreds of boxes after two changes of size.
    used = make()
    for scale in (1.0, 0.4, 1.0, 0.75, 1.3, 1.0):
        image = portrait(scale)
        actual, expected = used.detect(image, 0.3), make().detect(image, 0.3)
        np.testing.assert_allclose(sorted_rows(actual), sorted_rows(expected), atol=1e-3)


def test_may_be_called_from_another_thread(make: Factory) -> None:
    detector, image = make(), portrait()
    results: list[list[Detection]] = []
    thread = threading.Thread(target=lambda: results.append(detector.detect(image, 0.5)))
    thread.start()
    thread.join()
    assert sorted_rows(results[0]) == sorted_rows(detector.detect(image, 0.5))


def test_low_confidence_lies_below_the_default(make: Factory) -> None:
    detector = make()
    assert 0.0 < detector.low_confidence < detector.default_confidence < 1.0


@pytest.mark.parametrize("name", NAMES)
def test_its_docstring_describes_it_in_one_line(name: str) -> None:
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
