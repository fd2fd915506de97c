"""The contract that every detector fulfills."""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.detectors.face_images import FACE, best_iou, portrait
from tracker_blur.core import plugins
from tracker_blur.detectors import Detector, detect_with_overlap, load_detector
from tracker_blur.detectors.onnx import OnnxDetector
from tracker_blur.errors import MissingPackageError, SettingsError
from tracker_blur.settings import Settings
from tracker_blur.weights.catalog import MODELS
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image

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
PARAMETERS = [
    pytest.param(name, field.name, marks=MARKS[name], id=f"{name}:{field.name}")
    for name in NAMES
    for field in dataclasses.fields(plugins.load(PACKAGE, name).Parameters)
]


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


def two_portraits() -> Image:
    """Return an image with two faces of different sizes, one of them in two tiles of the SSD."""
    small = portrait(0.75)
    canvas = np.full((512, 512 + small.shape[1], 3), 127, np.uint8)
    canvas[:, :512] = portrait()
    canvas[: small.shape[0], 512:] = small
    return canvas


def limits(name: str, parameter: str) -> tuple[float, float]:
    """Return the least and the largest value of a parameter, as its description says."""
    described = dict(plugins.load(PACKAGE, name).Parameters.described())[parameter]
    found = re.search(r"number from (\S+) to (\S+) ", described)
    assert found is not None
    low, high = (float(text) for text in found.groups())
    return low, high


def spec(name: str, values: dict[str, float]) -> str:
    """Return what `--detector` names."""
    listed = ",".join(f"{parameter}={value:g}" for parameter, value in values.items())
    return f"{name}:{listed}" if listed else name


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
    detector, image = make(), portrait(0.9)
    before = detector.detect(image, 0.05)
    assert before, "the face is detected at least"
    for confidence in (0.2, 0.4, 0.7, 0.99):
        after = detector.detect(image, confidence)
        expected = [one for one in before if one.score >= confidence]
        if isinstance(detector, OnnxDetector):
            # A level's coarse box stays where the finer one that would replace it, and take its
            # score, scores too little. It shows the same object, but overlaps others differently.
            assert all(best_iou(expected, one.box) > 0.25 for one in after)
            assert all(best_iou(after, one.box) > 0.25 for one in expected)
        else:
            assert sorted_rows(after) == sorted_rows(expected)
        before = after


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_scores_lie_between_the_confidence_and_one(make: Factory, confidence: float) -> None:
    for detection in make().detect(portrait(0.4), confidence):
        assert confidence <= detection.score <= 1.0


def test_earlier_images_do_not_influence_later_ones(make: Factory) -> None:
    # CenterFace on one network instance returned hundreds of boxes after two changes of size.
    used, scales = make(), (0.6, 0.3, 0.6, 0.5, 1.3, 0.6)
    expected = {scale: sorted_rows(make().detect(portrait(scale), 0.3)) for scale in set(scales)}
    for scale in scales:
        actual = sorted_rows(used.detect(portrait(scale), 0.3))
        np.testing.assert_allclose(actual, expected[scale], atol=1e-3)


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


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_each_parameter_changes_something_at_one_of_its_limits(
    name: str, parameter: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue("shared") / "models" if name in PULLED else None
    image = two_portraits()

    def detect(**values: float) -> list[tuple[float, ...]]:
        try:
            detector = load_detector(spec(name, values), Weights(folder))[1]
        except MissingPackageError as error:
            pytest.skip(str(error))
        return sorted_rows(detector.detect(image, 0.02))

    usual = detect()
    assert len(usual) >= 2
    low, high = limits(name, parameter)
    assert any(detect(**{parameter: value}) != usual for value in (high, low))


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_wrong_values_are_refused_in_one_line(name: str, parameter: str) -> None:
    low, high = limits(name, parameter)
    for value in (low - 1, high + 1, "fast", "nan", "1e999", "true"):
        with pytest.raises(SettingsError, match=r"^`detector` is ") as caught:
            Settings(detector=f"{name}:{parameter}={value}")
        message = str(caught.value)
        assert f"{name}:{parameter}={value}'" in message
        assert f"number from {low:g} to {high:g}" in message
        assert "\n" not in message


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused_with_the_known_ones(name: str) -> None:
    known = [field.name for field in dataclasses.fields(plugins.load(PACKAGE, name).Parameters)]
    with pytest.raises(SettingsError, match="no parameter is called 'speed'") as caught:
        Settings(detector=f"{name}:speed=3")
    assert all(parameter in str(caught.value) for parameter in known)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_each_parameter_is_described(name: str, parameter: str) -> None:
    described = dict(plugins.load(PACKAGE, name).Parameters.described())
    assert len(described[parameter]) > 40
    assert "(default: " in described[parameter]


def test_an_overlap_for_one_image_does_not_stay(make: Factory) -> None:
    detector, image = make(), two_portraits()
    before = sorted_rows(detector.detect(image, 0.02))
    loose = detect_with_overlap(detector, image, 0.02, 1.0)
    strict = detect_with_overlap(detector, image, 0.02, 0.0)
    assert len(strict) <= len(before) <= len(loose)
    assert sorted_rows(detector.detect(image, 0.02)) == before
    for one, other in itertools.combinations(strict, 2):
        assert one.box.iou(other.box) == 0


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
