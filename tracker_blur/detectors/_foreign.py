"""A network of other people, in one of the layouts of `_heads`, as a detector.

It sees each image reduced to its input size, with the proportions kept and the rest padded.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.detectors._heads import Candidates, Head, Outputs, recognize
from tracker_blur.detectors._networks import parse_network, run_network
from tracker_blur.detectors._onnx_graph import OnnxGraph, read_graph
from tracker_blur.errors import ModelError

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

_DEFAULT_SIDE_PX = 640  # of a network that takes any size
_LARGEST_SIDE_PX = 4096
_NMS_IOU = 0.45
_SHOWN_OUTPUTS = 4
_SUPPRESSION = "NonMaxSuppression"

WHAT_IS_NEEDED = (
    "give one that 'trackblur train' made, or a YOLO that Ultralytics exported with 'yolo export "
    "format=onnx', SCRFD, RetinaFace or Ultra-Light (docs/detectors.md)"
)


class ForeignDetector:
    """A network of a known layout.

    Attributes:
        kind: Its layout, for people to read.
        input_text: The size of its input, for people to read.
        labels: Its class names.
        names_classes: Whether the file says what its classes are; otherwise, they are made up.
        default_confidence: As the authors of its kind use it.
        low_confidence: Score from which a detection may extend a track.
        takes_overlap: As `SuppressingDetector` says.
    """

    takes_overlap = True

    def __init__(
        self, file_name: str, content: bytes, nms_threshold: float | None, top_k: int
    ) -> None:
        """Load the network; raises ModelError when it is damaged or of an unknown layout.

        Args:
            file_name: Its name, for messages.
            content: Its bytes.
            nms_threshold: Of two boxes of a class with a larger IoU, the better stays; None: 0.45.
            top_k: Most candidates of a class that enter suppression.
        """
        self._file_name = file_name
        self._nms_threshold = _NMS_IOU if nms_threshold is None else nms_threshold
        self._top_k = top_k
        graph = read_graph(file_name, content)
        if _SUPPRESSION in graph.operators:
            raise ModelError(
                f"{file_name}: suppresses overlaps by an operator that OpenCV does not run "
                f"({_SUPPRESSION}): export it again without it, in Ultralytics with 'nms=False'"
            )
        buffer = np.frombuffer(content, np.uint8)
        self._network = parse_network(file_name, lambda: cv2.dnn.readNetFromONNX(buffer))
        self._output_names = tuple(map(str, self._network.getUnconnectedOutLayersNames()))
        self._size = _input_size(file_name, graph)
        width, height = self._size
        outputs = self._forward(np.zeros((1, 3, height, width), np.float32))
        head = recognize(outputs, self._size, graph)
        if head is None:
            shown = [f"{name} {values.shape}" for name, values in outputs.items()]
            more = ", …" if len(shown) > _SHOWN_OUTPUTS else ""
            raise ModelError(
                f"{file_name}: this network was not made by 'trackblur train', and its outputs "
                f"({', '.join(shown[:_SHOWN_OUTPUTS])}{more}) are of no other known layout: "
                f"{WHAT_IS_NEEDED}"
            )
        self._head: Head = head
        self.kind = head.name
        self.input_text = f"{width}x{height} pixels"
        self.labels = head.labels
        self.names_classes = head.names_classes
        self.default_confidence = head.default_confidence
        self.low_confidence = head.low_confidence

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the objects with a score of at least `confidence`."""
        height, width = image.shape[:2]
        ratio = min(self._size[0] / width, self._size[1] / height)
        inner = max(1, round(width * ratio)), max(1, round(height * ratio))
        left, top = 0, 0
        if self._head.is_centered:
            left, top = (self._size[0] - inner[0]) // 2, (self._size[1] - inner[1]) // 2
        outputs = self._forward(self._blob(image, inner, (left, top)))
        candidates = self._head.decode(outputs, confidence)
        if not np.isfinite(candidates.boxes).all():
            raise ModelError(f"{self._file_name}: returned boxes that are no numbers: {_ADVICE}")
        iou = self._nms_threshold if overlap is None else overlap
        detections = _suppressed(candidates, self.labels, confidence, iou, self._top_k)
        scale = width / inner[0], height / inner[1]
        return [
            Detection(each.box.moved(-left, -top).scaled(*scale), each.score, each.label)
            for each in detections
        ]

    def _blob(
        self, image: Image, inner: tuple[int, int], corner: tuple[int, int]
    ) -> cv2.typing.MatLike:
        """Return the image as the network's input, scaled to `inner` with its corner there."""
        head, (width, height), (left, top) = self._head, self._size, corner
        is_reduced = inner[0] < image.shape[1]
        method = cv2.INTER_AREA if is_reduced else cv2.INTER_LINEAR
        scaled = cv2.resize(image, inner, interpolation=method)
        padded = cv2.copyMakeBorder(
            scaled,
            top,
            height - inner[1] - top,
            left,
            width - inner[0] - left,
            cv2.BORDER_CONSTANT,
            value=(head.padding,) * 3,
        )
        return cv2.dnn.blobFromImage(padded, head.scale, mean=head.mean, swapRB=head.is_rgb)

    def _forward(self, blob: cv2.typing.MatLike) -> Outputs:
        self._network.setInput(blob)
        names = self._output_names
        values = run_network(self._file_name, lambda: self._network.forward(names))
        return {
            name: np.asarray(each, np.float32) for name, each in zip(names, values, strict=True)
        }


_ADVICE = "get the file again, or choose another detector"


def _input_size(file_name: str, graph: OnnxGraph) -> tuple[int, int]:
    """Return (width, height) of the images to give a network; raises ModelError."""
    shape = graph.input_shape
    if len(shape) != 4 or shape[1] not in (3, None):
        raise ModelError(
            f"{file_name}: does not take a color image, shape (1, 3, height, width), but "
            f"{tuple(side or '?' for side in shape)}: {WHAT_IS_NEEDED}"
        )
    width, height = graph.input_size or _exported_size(graph.metadata.get("imgsz", ""))
    if not max(width, height) <= _LARGEST_SIDE_PX:
        raise ModelError(
            f"{file_name}: takes images of {width}x{height} pixels: export it with at most "
            f"{_LARGEST_SIDE_PX}"
        )
    return width, height


def _exported_size(text: str) -> tuple[int, int]:
    """Return (width, height) from Ultralytics' metadata, which is "[height, width]"."""
    try:
        sides = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        sides = None
    if isinstance(sides, (list, tuple)) and len(sides) == 2:
        height, width = sides
        if all(type(side) is int and side > 0 for side in (height, width)):
            return width, height
    return _DEFAULT_SIDE_PX, _DEFAULT_SIDE_PX


def _suppressed(
    candidates: Candidates, labels: tuple[str, ...], confidence: float, iou: float, top_k: int
) -> list[Detection]:
    detections = []
    for number, label in enumerate(labels):
        own = candidates.classes == number
        edges = np.asarray(candidates.boxes[own], float)
        if not len(edges):
            continue
        scores = np.asarray(candidates.scores[own], float).clip(max=1.0).tolist()
        boxes = np.hstack((edges[:, :2], edges[:, 2:] - edges[:, :2])).tolist()
        kept = cv2.dnn.NMSBoxes(boxes, scores, confidence, iou, top_k=top_k)
        found = (Detection(Box(*edges[i]), scores[i], label) for i in np.ravel(kept))
        detections += [each for each in found if not each.box.is_empty]
    return detections
