"""Networks of other people that are refused, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from onnx import helper

from tests.detectors.face_images import FACE, best_iou, portrait
from tests.detectors.heads.networks import LAYOUTS, network, yolo, yolo_end2end
from tracker_blur.detectors import load_detector
from tracker_blur.detectors._foreign import ForeignDetector
from tracker_blur.detectors.onnx import from_content, from_file
from tracker_blur.errors import ModelError
from tracker_blur.settings import Settings
from tracker_blur.tracking.target_classes import target_classes
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 320, 192


def zeros(**shapes: tuple[int, ...]) -> dict[str, Any]:
    return {name: (np.zeros(shape), np.zeros(shape)) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("outputs", "metadata"),
    [
        (zeros(output=(1, 1000)), {"task": "classify"}),
        (zeros(output=(1, 1260, 85)), {}),  # YOLOX, whose boxes are not decoded
        (zeros(output0=(1, 6, 1260)), {"task": "obb"}),
        (zeros(output0=(1, 300, 6)), {"description": "Ultralytics rt-detr-l model"}),
        (zeros(boxes=(1, 4420, 4), scores=(1, 4420, 3)), {}),
        (zeros(cls_8=(1, 960, 1), bbox_8=(1, 960, 4)), {}),
        (yolo(SIZE, (0, 0), 1, more=15), {}),  # landmarks that nothing says are there
    ],
    ids=["classifier", "yolox", "turned", "rt-detr", "three classes", "one stride", "landmarks"],
)
def test_other_layouts_are_refused_with_what_is_needed(
    outputs: dict[str, Any], metadata: dict[str, str]
) -> None:
    content = network(outputs, SIZE, metadata)
    with pytest.raises(ModelError, match=r"mine\.onnx: .*of no other known layout: give") as caught:
        from_content("mine.onnx", content)
    message = str(caught.value)
    assert next(iter(outputs)) in message
    assert all(name in message for name in ("Ultralytics", "SCRFD", "RetinaFace", "Ultra-Light"))
    assert "\n" not in message


def test_suppression_within_the_network_is_refused_with_the_remedy() -> None:
    node = helper.make_node("NonMaxSuppression", ["images", "images"], ["kept"])
    content = network(zeros(output0=(1, 300, 6)), SIZE, extra_nodes=(node,))
    with pytest.raises(ModelError, match=r"NonMaxSuppression.*export it again.*'nms=False'"):
        from_content("mine.onnx", content)


@pytest.mark.parametrize("size", [(5000, 320), (320, 100_000)])
def test_a_huge_input_is_refused_before_it_takes_memory(size: tuple[int, int]) -> None:
    content = network(zeros(out=(1, 2, 3)), size)
    with pytest.raises(ModelError, match="pixels: export it with at most 4096"):
        from_content("mine.onnx", content)


def test_boxes_that_are_no_numbers_are_an_error_not_nothing() -> None:
    outputs = yolo_end2end(SIZE, (0, 0))
    outputs["output0"][0][0, 0, 2] = np.nan
    detector = from_content("mine.onnx", network(outputs, SIZE))
    with pytest.raises(ModelError, match="returned boxes that are no numbers"):
        detector.detect(np.full((192, 320, 3), 255, np.uint8), 0.5)


def test_overlapping_candidates_become_one_detection() -> None:
    outputs = yolo(SIZE, (0, 0), 1)
    fixed, scored = outputs["output0"]
    fixed[0, :4, 8], scored[0, 4, 8] = fixed[0, :4, 7] + 2, 0.8
    white = np.full((192, 320, 3), 255, np.uint8)
    detections = from_content("mine.onnx", network(outputs, SIZE)).detect(white, 0.5)
    assert sorted(each.score for each in detections) == pytest.approx([0.7, 0.9], abs=0.01)


def test_a_file_can_be_named_as_the_detector(tmp_path: Path) -> None:
    path = tmp_path / "yolo11n.onnx"
    path.write_bytes(LAYOUTS["yolo11, named classes"].content())
    assert load_detector(str(path), Weights())[1].default_confidence == 0.25
    every = target_classes(Settings(detector=str(path)), Weights())
    assert [target.label for target in every] == ["person", "face", "plate"]
    assert {target.detector_name for target in every} == {"yolo11n.onnx"}
    some = target_classes(Settings(detector=str(path), hide=("faces", "person")), Weights())
    assert [target.label for target in some] == ["face", "person"]


def test_many_classes_cost_one_run_of_the_network_for_each_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "coco.onnx"
    path.write_bytes(LAYOUTS["yolov5, 80 classes"].content())
    runs = []
    forward = ForeignDetector._forward

    def counting(self: ForeignDetector, blob: Any) -> Any:
        runs.append(self)
        return forward(self, blob)

    targets = target_classes(Settings(detector=str(path)), Weights())
    monkeypatch.setattr(ForeignDetector, "_forward", counting)
    white = np.full((192, 320, 3), 255, np.uint8)
    found = [each.label for target in targets for each in target.load().detect(white, 0.5)]
    assert found == ["class3", "class79"]
    assert len(runs) == 1


@pytest.mark.shared
def test_the_real_ultra_light_detects_a_real_face(shared: Path) -> None:
    detector = from_file(str(shared / "models" / "version-RFB-320.onnx"))
    assert best_iou(detector.detect(portrait(), 0.5), FACE) > 0.5
    half = cv2.copyMakeBorder(portrait(0.5), 0, 0, 0, 300, cv2.BORDER_CONSTANT)
    assert best_iou(detector.detect(np.asarray(half, np.uint8), 0.5), FACE.scaled(0.5, 0.5)) > 0.5


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "detector"),
    [("centerface.onnx", "centerface"), ("face_detection_yunet_2023mar.onnx", "yunet")],
)
def test_a_known_file_under_any_name_is_traced_to_its_detector(
    name: str, detector: str, shared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes((shared / "models" / name).read_bytes())
    with pytest.raises(ModelError, match=rf"\(detector {detector}\): name that one with"):
        from_file(str(path))
