"""The classifiers that come with the package, on real images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import portrait
from tracker_blur.classifiers import FILES, CropClassifier, load_classifier
from tracker_blur.core.box import Box
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

PORTRAIT = portrait()
FACE = Box.from_xywh(176, 60, 96, 120)
WEIGHTS = Weights(None)


def classifier(label: str = "face") -> CropClassifier:
    loaded = load_classifier(label, WEIGHTS)
    assert loaded is not None
    return loaded


@pytest.mark.parametrize("label", FILES)
def test_each_class_has_a_classifier_in_the_package(label: str) -> None:
    odds = classifier(label).log_odds(PORTRAIT, [FACE, FACE.moved(50, 50)])
    assert odds.shape == (2,)
    assert np.isfinite(odds).all()


def test_other_classes_have_none() -> None:
    assert load_classifier("dog", WEIGHTS) is None


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [512, 128, 48])
def test_a_face_is_one_at_any_size_and_turn(size: int, quarters: int) -> None:
    ratio = size / 512
    image = cv2.resize(PORTRAIT, (size, size), interpolation=cv2.INTER_AREA)
    turned: Image = np.ascontiguousarray(np.rot90(image, quarters))
    (x, y), side = FACE.scaled(ratio, ratio).center, size
    center = {0: (x, y), 1: (y, side - x), 2: (side - x, side - y), 3: (side - y, x)}[quarters]
    box = Box.around(center, 108 * ratio, 108 * ratio)
    assert classifier().log_odds(turned, [box])[0] > 1


def test_what_is_no_face_has_low_odds() -> None:
    wall: Image = np.full((200, 200, 3), 120, np.uint8)
    cv2.putText(wall, "10:45", (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 3)
    boxes = [Box(20, 70, 70, 130), Box(120, 20, 180, 90), Box(0, 0, 200, 200)]
    assert classifier().log_odds(wall, boxes).max() < -2


def test_a_body_around_a_face_is_no_face() -> None:
    small = cv2.resize(PORTRAIT, (128, 128), interpolation=cv2.INTER_AREA)
    image: Image = np.full((512, 512, 3), 127, np.uint8)
    image[190:318, 190:318] = small
    face = FACE.scaled(0.25, 0.25).moved(190, 190)
    face_odds, frame_odds = classifier().log_odds(image, [face, Box(0, 0, 512, 512)])
    assert face_odds > 1
    assert frame_odds < face_odds - 3


def test_no_boxes_have_no_odds() -> None:
    assert classifier().log_odds(PORTRAIT, []).shape == (0,)


@pytest.mark.parametrize("content", [b"", b"damaged", bytes(5000)])
def test_a_damaged_network_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"mine\.onnx: ONNX Runtime cannot use this network"):
        CropClassifier("mine.onnx", content)


def test_a_network_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelError, match=r"face\.onnx: "):
        CropClassifier("face.onnx", WEIGHTS.read("face.onnx"))


def network(weight: float) -> bytes:
    """Return a network that answers with the mean of what it sees, times a weight."""
    onnx = pytest.importorskip("onnx", reason="onnx (the extra 'test') is not installed")
    helper, float_type = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("GlobalAveragePool", ["crop"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "offset"], ["log_odds"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("crop", float_type, (1, 3, 64, 64))],
        [helper.make_tensor_value_info("log_odds", float_type, (1, 1))],
        [
            helper.make_tensor("weights", float_type, (3, 1), [weight / 3] * 3),
            helper.make_tensor("offset", float_type, (1,), [0.0]),
        ],
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opsets)
    return bytes(model.SerializeToString())


def test_each_box_gets_the_answer_to_its_own_crop() -> None:
    image: Image = np.zeros((64, 200, 3), np.uint8)
    image[:, 100:] = 255
    mean = CropClassifier("mine.onnx", network(1.0))
    odds = mean.log_odds(image, [Box(20, 24, 36, 40), Box(150, 24, 166, 40)])
    assert odds.tolist() == pytest.approx([-127.5 / 64, 127.5 / 64], abs=1e-4)
    assert odds.dtype == np.float64


def test_a_crop_and_its_mirror_image_have_the_same_odds() -> None:
    box = FACE.moved(20, 0)
    mirrored: Image = np.ascontiguousarray(PORTRAIT[:, ::-1])
    same = Box(512 - box.right, box.top, 512 - box.left, box.bottom)
    odds = [
        classifier().log_odds(image, [at])[0] for image, at in ((PORTRAIT, box), (mirrored, same))
    ]
    assert odds[0] == pytest.approx(odds[1], abs=0.05)


def test_a_network_whose_answers_are_no_numbers_is_refused() -> None:
    with pytest.raises(ModelError, match=r"mine\.onnx: its answers are no numbers"):
        CropClassifier("mine.onnx", network(float("nan")))
