"""Small ONNX networks in other people's layouts, which return known boxes.

Each returns its boxes with scores times the highest red (or, where blue comes first, blue) sample
of its input, so a black image has none. The layouts are written down here once more, from their
authors' code, and not taken from the decoders that are tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Priors = dict[int, tuple[int, ...]]

FIRST, SECOND = (40.0, 60.0, 72.0, 100.0), (200.0, 120.0, 232.0, 168.0)
"""Boxes in pixels of the input, left, top, right, bottom; the scores are 0.9 and 0.7."""

SCORES = 0.9, 0.7


@dataclass(frozen=True)
class Layout:
    """One layout of the contract.

    Attributes:
        make: Returns the outputs for an input of (width, height): each the values that stay and
            those that are multiplied by the brightness of the image.
        size: (width, height) of the input.
        labels: What the detector should be able to detect.
        found: The labels of both boxes.
        metadata: Of the file.
        is_rgb: Whether red comes first.
        is_centered: Whether images lie in the middle of the padding.
    """

    make: Callable[[tuple[int, int]], dict[str, tuple[Any, Any]]]
    size: tuple[int, int] = (320, 192)
    labels: tuple[str, ...] = ("face",)
    found: tuple[str, str] = ("face", "face")
    metadata: tuple[tuple[str, str], ...] = ()
    is_rgb: bool = True
    is_centered: bool = False

    def content(self, *, is_dynamic: bool = False) -> bytes:
        """Return the file."""
        return network(self.make(self.size), self.size, dict(self.metadata), is_dynamic=is_dynamic)


def network(
    outputs: Mapping[str, tuple[Any, Any]],
    size: tuple[int, int],
    metadata: Mapping[str, str] | None = None,
    *,
    is_dynamic: bool = False,
    extra_nodes: tuple[Any, ...] = (),
) -> bytes:
    """Return an ONNX file with these outputs."""
    nodes = [
        helper.make_node("Slice", ["images", "from", "to", "axis"], ["channel"]),
        helper.make_node("GlobalMaxPool", ["channel"], ["highest"]),
        helper.make_node("Clip", ["highest", "zero", "one"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "scalar"], ["bright"]),
        *extra_nodes,
    ]
    tensors = {
        "from": np.array([0]),
        "to": np.array([1]),
        "axis": np.array([1]),
        "zero": np.array(0, np.float32),
        "one": np.array(1, np.float32),
        "scalar": np.array([1, 1, 1]),
    }
    for name, (fixed, scored) in outputs.items():
        tensors[f"{name}.fixed"] = np.asarray(fixed, np.float32)
        tensors[f"{name}.scored"] = np.asarray(scored, np.float32)
        nodes.append(helper.make_node("Mul", [f"{name}.scored", "bright"], [f"{name}.product"]))
        nodes.append(helper.make_node("Add", [f"{name}.product", f"{name}.fixed"], [name]))
    width, height = size
    shape: list[int | str] = [1, 3, "height", "width"] if is_dynamic else [1, 3, height, width]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, np.shape(fixed))
            for name, (fixed, _) in outputs.items()
        ],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    known = dict(metadata or {})
    if is_dynamic:
        known.setdefault("imgsz", f"[{height}, {width}]")
    helper.set_model_props(model, known)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def cells(size: tuple[int, int], stride: int) -> tuple[int, int]:
    return -(-size[0] // stride), -(-size[1] // stride)


def centered(box: tuple[float, ...]) -> list[float]:
    """Return center x, center y, width, height."""
    left, top, right, bottom = box
    return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]


def yolo(size: tuple[int, int], classes: tuple[int, int], count: int, more: int = 0) -> Any:
    """YOLOv8: (1, 4 + classes + more, boxes), one box a cell."""
    boxes = sum(width * height for width, height in (cells(size, s) for s in (8, 16, 32)))
    fixed, scored = np.zeros((2, 1, 4 + count + more, boxes))
    for place, box, score, number in zip(
        (7, boxes - 3), (FIRST, SECOND), SCORES, classes, strict=True
    ):
        fixed[0, :4, place] = centered(box)
        scored[0, 4 + number, place] = score
    fixed[0, 4 + count :] = 300.0  # landmarks in pixels
    return {"output0": (fixed, scored)}


def yolo5(size: tuple[int, int], classes: tuple[int, int], count: int) -> Any:
    """YOLOv5: (1, boxes, 5 + classes), three boxes a cell; the object's score times the class's."""
    boxes = 3 * sum(width * height for width, height in (cells(size, s) for s in (8, 16, 32)))
    fixed, scored = np.zeros((2, 1, boxes, 5 + count))
    for place, box, score, number in zip(
        (11, boxes - 2), (FIRST, SECOND), SCORES, classes, strict=True
    ):
        fixed[0, place, :4] = centered(box)
        fixed[0, place, 5 + number] = 0.96
        scored[0, place, 4] = score / 0.96
    return {"output0": (fixed, scored)}


def yolo_end2end(size: tuple[int, int], classes: tuple[int, int], more: int = 0) -> Any:
    """YOLOv10 and YOLO26: (1, 300, 6), sorted by score."""
    fixed, scored = np.zeros((2, 1, 300, 6 + more))
    for place, (box, score, number) in enumerate(
        zip((FIRST, SECOND), SCORES, classes, strict=True)
    ):
        fixed[0, place, :4], fixed[0, place, 5] = box, number
        scored[0, place, 4] = score
    return {"output0": (fixed, scored)}


def scrfd(size: tuple[int, int], *, has_landmarks: bool, has_batch: bool, names: bool) -> Any:
    """SCRFD: scores, distances in strides and landmarks for each stride, two boxes a cell."""
    outputs: dict[str, Any] = {}
    for kind, width in (("score", 1), ("bbox", 4), ("kps", 10))[: 3 if has_landmarks else 2]:
        for stride in (8, 16, 32):
            columns, lines = cells(size, stride)
            fixed, scored = np.zeros((2, columns * lines * 2, width))
            box, score = {8: (FIRST, SCORES[0]), 16: (SECOND, SCORES[1])}.get(stride, (None, 0.0))
            if box is not None:
                x, y = int(centered(box)[0]) // stride, int(centered(box)[1]) // stride
                place = 2 * (y * columns + x) + 1
                if kind == "score":
                    scored[place] = score
                elif kind == "bbox":
                    left, top, right, bottom = box
                    sides = (
                        x * stride - left,
                        y * stride - top,
                        right - x * stride,
                        bottom - y * stride,
                    )
                    fixed[place] = np.array(sides) / stride
            name = f"{kind}_{stride}" if names else str(440 + len(outputs))
            outputs[name] = (fixed[None], scored[None]) if has_batch else (fixed, scored)
    return outputs


def retinaface(size: tuple[int, int], priors: Priors, *, is_softmax: bool) -> Any:
    """RetinaFace: offsets from priors, background and face, landmarks."""
    lines = [
        ((x + 0.5) * stride, (y + 0.5) * stride, side)
        for stride, sides in priors.items()
        for y in range(cells(size, stride)[1])
        for x in range(cells(size, stride)[0])
        for side in sides
    ]
    boxes, zero = np.zeros((2, 1, len(lines), 4))
    fixed, scored = np.zeros((2, 1, len(lines), 2))
    fixed[..., 0] = 1.0 if is_softmax else 10.0
    for box, score in zip((FIRST, SECOND), SCORES, strict=True):
        x, y, width, height = centered(box)
        distances = [abs(px - x) + abs(py - y) + abs(side - width) for px, py, side in lines]
        place = int(np.argmin(distances))
        px, py, side = lines[place]
        boxes[0, place] = (
            (x - px) / (0.1 * side),
            (y - py) / (0.1 * side),
            np.log(width / side) / 0.2,
            np.log(height / side) / 0.2,
        )
        logit = np.log(score / (1 - score)) + 10.0
        scored[0, place] = (-score, score) if is_softmax else (0.0, logit)
    marks = np.zeros((1, len(lines), 10))
    return {"output0": (boxes, zero), "589": (fixed, scored), "590": (marks, marks)}


def ultralight(size: tuple[int, int]) -> Any:
    """Ultra-Light: background and face, and boxes as shares of the input."""
    shapes = ((8, 3), (16, 2), (32, 2), (64, 3))
    count = sum(cells(size, s)[0] * cells(size, s)[1] * n for s, n in shapes)
    boxes, zero = np.zeros((2, 1, count, 4))
    fixed, scored = np.zeros((2, 1, count, 2))
    fixed[..., 0] = 1.0
    for place, box, score in zip((5, count - 1), (FIRST, SECOND), SCORES, strict=True):
        boxes[0, place] = np.array(box) / [*size, *size]
        scored[0, place] = (-score, score)
    return {"scores": (fixed, scored), "boxes": (boxes, zero)}


MOBILENET: Priors = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
SLIM: Priors = {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}
_NAMES = ("names", "{0: 'person', 1: 'Face', 2: 'license_plate'}")

LAYOUTS = {
    "yolov8, one class": Layout(lambda size: yolo(size, (0, 0), 1), is_centered=True),
    "yolov8, unnamed classes": Layout(
        lambda size: yolo(size, (0, 2), 3),
        labels=("class0", "class1", "class2"),
        found=("class0", "class2"),
        is_centered=True,
    ),
    "yolo11, named classes": Layout(
        lambda size: yolo(size, (1, 2), 3),
        labels=("person", "face", "plate"),
        found=("face", "plate"),
        metadata=(_NAMES, ("task", "detect")),
        is_centered=True,
    ),
    "yolov8-face, landmarks": Layout(
        lambda size: yolo(size, (0, 0), 1, more=15),
        metadata=(("names", "{0: 'face'}"), ("task", "pose")),
        is_centered=True,
    ),
    "yolov5, one class": Layout(lambda size: yolo5(size, (0, 0), 1), is_centered=True),
    "yolov5, 80 classes": Layout(
        lambda size: yolo5(size, (3, 79), 80),
        labels=tuple(f"class{number}" for number in range(80)),
        found=("class3", "class79"),
        is_centered=True,
    ),
    "yolov10, one class": Layout(lambda size: yolo_end2end(size, (0, 0)), is_centered=True),
    "yolov10, unnamed classes": Layout(lambda size: yolo_end2end(size, (0, 5)), is_centered=True),
    "yolo26, named classes": Layout(
        lambda size: yolo_end2end(size, (1, 0)),
        labels=("person", "face", "plate"),
        found=("face", "person"),
        metadata=(_NAMES, ("end2end", "True")),
        is_centered=True,
    ),
    "yolo26, landmarks": Layout(
        lambda size: yolo_end2end(size, (0, 0), more=15),
        metadata=(("names", "{0: 'face'}"), ("task", "pose"), ("end2end", "True")),
        is_centered=True,
    ),
    "scrfd, named": Layout(
        lambda size: scrfd(size, has_landmarks=False, has_batch=True, names=True)
    ),
    "scrfd, landmarks": Layout(
        lambda size: scrfd(size, has_landmarks=True, has_batch=True, names=True)
    ),
    "det_10g": Layout(lambda size: scrfd(size, has_landmarks=True, has_batch=False, names=False)),
    "retinaface": Layout(lambda size: retinaface(size, MOBILENET, is_softmax=True), is_rgb=False),
    "retinaface, logits": Layout(
        lambda size: retinaface(size, MOBILENET, is_softmax=False), is_rgb=False
    ),
    "retinaface, slim": Layout(lambda size: retinaface(size, SLIM, is_softmax=True), is_rgb=False),
    "ultra-light": Layout(ultralight),
    "ultra-light, 320x240": Layout(ultralight, size=(320, 240)),
}
