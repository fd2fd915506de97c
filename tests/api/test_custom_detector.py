"""Functions and objects of callers as detectors."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tracker_blur.api.custom_detector import CustomDetector
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import InputError

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

IMAGE = np.zeros((90, 160, 3), np.uint8)
ROW = (10.0, 20.0, 30.0, 40.0, 0.3)
FOUND = [Detection(Box(10, 20, 30, 40), 0.3)]


def function(image: Image) -> Any:
    return [ROW]


class WithImage:
    def detect(self, image: Image) -> Any:
        return np.array([ROW])


class WithConfidence:
    default_confidence = 0.25
    low_confidence = 0.1

    def __init__(self) -> None:
        self.given: list[float] = []

    def detect(self, image: Image, confidence: float) -> Any:
        self.given.append(confidence)
        return [ROW]


class WithOptionalConfidence(WithConfidence):
    def detect(self, image: Image, confidence: float = 0.9) -> Any:
        return super().detect(image, confidence)


class Labelled:
    labels = ("badge", "sign")

    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self, image: Image) -> Any:
        return [Detection(Box(1, 2, 3, 4), 1.0, self.label)]


@pytest.mark.parametrize(
    "detector", [function, lambda image: [ROW], WithImage(), WithImage().detect, WithConfidence()]
)
def test_functions_and_objects_detect(detector: Any) -> None:
    adapted = CustomDetector(detector)
    assert adapted.labels == ("face",)
    assert adapted.detect(IMAGE, 0.2) == pytest.approx(FOUND)
    assert adapted.detect(IMAGE, 0.31) == []


def test_all_that_a_function_returns_counts_unless_it_says_otherwise() -> None:
    assert CustomDetector(function).default_confidence == 0.0
    assert CustomDetector(function).low_confidence == 0.0
    assert CustomDetector(WithConfidence()).default_confidence == 0.25
    assert CustomDetector(WithConfidence()).low_confidence == 0.1


@pytest.mark.parametrize("kind", [WithConfidence, WithOptionalConfidence])
def test_the_confidence_is_passed_to_detectors_that_take_it(kind: type[WithConfidence]) -> None:
    detector = kind()
    CustomDetector(detector).detect(IMAGE, 0.2)
    assert detector.given == [0.2]


def test_names_are_those_of_functions_and_classes() -> None:
    assert CustomDetector(function).name == "function"
    assert CustomDetector(WithImage()).name == "WithImage"


def test_labels_are_kept_where_the_detector_states_them() -> None:
    assert CustomDetector(Labelled("sign")).detect(IMAGE, 0.5)[0].label == "sign"
    with pytest.raises(InputError, match="the class 'person', which is not among its `labels`"):
        CustomDetector(Labelled("person")).detect(IMAGE, 0.5)


def test_without_labels_all_are_faces_so_that_all_are_hidden() -> None:
    detector = CustomDetector(lambda image: [Detection(Box(1, 2, 3, 4), 1.0, "person")])
    assert detector.detect(IMAGE, 0.5) == [Detection(Box(1, 2, 3, 4), 1.0)]


def test_what_the_detector_draws_into_the_image_is_not_seen_by_others() -> None:
    def drawing(image: Image) -> Any:
        image[...] = 255
        return []

    image = IMAGE.copy()
    CustomDetector(drawing).detect(image, 0.5)
    assert not image.any()


@pytest.mark.parametrize("answer", [None, 3, "faces", [(1, 2, 3)], [(300, 200, 40, 50)], (0, [])])
def test_every_answer_must_be_boxes(answer: Any) -> None:
    answers: list[Any] = [[ROW], answer]
    detector = CustomDetector(lambda image: answers.pop(0))
    detector.detect(IMAGE, 0.5)
    with pytest.raises(InputError, match="the detector's answer"):
        detector.detect(IMAGE, 0.5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0.1, 0.2, 0.3, 0.4), "not shares of the image"),
        ((600, 20, 700, 90), "outside of the image of 160x90 pixels"),
    ],
)
def test_the_first_answer_must_be_plausible(row: Any, message: str) -> None:
    answers: list[Any] = [[], [row]]
    detector = CustomDetector(lambda image: answers.pop(0))
    assert detector.detect(IMAGE, 0.5) == []
    with pytest.raises(InputError, match=message):
        detector.detect(IMAGE, 0.5)


def test_a_later_answer_may_reach_beyond_the_image() -> None:
    answers: list[Any] = [[ROW], [(160, 20, 170, 30)]]
    detector = CustomDetector(lambda image: answers.pop(0))
    detector.detect(IMAGE, 0.1)
    assert len(detector.detect(IMAGE, 0.1)) == 1


@pytest.mark.parametrize("detector", [3, "yunet", object(), WithImage, []])
def test_what_cannot_be_called_is_refused_at_once(detector: Any) -> None:
    with pytest.raises(InputError, match="give a function of an image, or an object"):
        CustomDetector(detector)


@pytest.mark.parametrize(
    ("name", "value"),
    [("labels", "face"), ("labels", ()), ("default_confidence", 50), ("low_confidence", "0.1")],
)
def test_attributes_of_other_types_are_refused_at_once(name: str, value: Any) -> None:
    detector = WithImage()
    setattr(detector, name, value)
    with pytest.raises(InputError, match=f"the detector's `{name}` is"):
        CustomDetector(detector)


def test_its_own_errors_reach_the_caller() -> None:
    def failing(image: Image) -> Any:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        CustomDetector(failing).detect(IMAGE, 0.5)


def test_one_call_runs_at_a_time() -> None:
    running, most = 0, 0

    def counting(image: Image) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return []

    detector = CustomDetector(counting)
    threads = [threading.Thread(target=detector.detect, args=(IMAGE, 0.5)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
