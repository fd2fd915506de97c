"""Our own network, face.onnx in `models/`, or any other that `trackblur train` made.

Plain convolutions and a small feature pyramid. The papers behind its training are named in
`tracker_blur/training`. Model card of face.onnx: `models/face.md`.

It detects objects of about 8 to 200 pixels; quartered copies of the image add larger ones. The
score estimates the square root of the IoU with the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.detectors import _trial
from tracker_blur.detectors._foreign import ForeignDetector
from tracker_blur.detectors._networks import (
    Buffer,
    detect_in_pyramid,
    parse_network,
    read_buffer,
    run_network,
)
from tracker_blur.errors import ModelError, reason_of
from tracker_blur.weights.catalog import BUNDLED, model_of

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.weights.catalog import Model
    from tracker_blur.weights.store import Weights

Map = npt.NDArray[np.float32]

WEIGHTS = (("face.onnx",),)
_SIDE_STEP_PX = 32
_SMALLEST_PX = 320
_OCTAVES_PER_LEVEL = 2
_COARSE_PX = 32.0  # smaller boxes are more exact at a larger level (docs/training.md)
_NMS_IOU = 0.4
_LARGEST_LOG = 5.0  # as in training; e^5 cells are more than any image has
_OUTPUT_PREFIX = "trackblur2"
# As in training: the input that networks of this prefix expect for the values 0 to 255.
_LEVELS = ((np.arange(256) - 127.5) / 64).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    """What users may set, also of files of other people's networks."""

    nms_threshold: float | None = number(
        None,
        0,
        1,
        "of two boxes of a class with a larger IoU, the better stays",
        otherwise="0.4; of networks of other people, 0.45",
    )
    top_k: int = whole_number(
        1000, 1, 100_000, "most candidates of a class before that; a crowd has fewer faces"
    )


_DEFAULTS = Parameters()


@dataclass(frozen=True, slots=True)
class _Output:
    """One output map of the network.

    Attributes:
        name: The output's name.
        stride: Side of a cell in pixels.
        classes: The class names.
    """

    name: str
    stride: int
    classes: tuple[str, ...]


class OnnxDetector:
    """The network, with an instance for each level of the image pyramid.

    Changing the input size of one instance twice per image would cost as much as the detection.
    """

    kind = "made by trackblur train"
    input_text = "of any size"
    names_classes = True
    default_confidence = 0.4
    low_confidence = 0.25
    takes_overlap = True

    def __init__(self, file_name: str, content: Buffer, parameters: Parameters = _DEFAULTS) -> None:
        """Load the network; raises ModelError for one that `trackblur train` did not make."""
        self._file_name = file_name
        self._content = content
        self._parameters = parameters
        first = self._network()
        self._outputs = _outputs(file_name, first)
        self._networks = [first]

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names of the network, which `Detection.label` gets."""
        return self._outputs[0].classes

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the objects with a score of at least `confidence`."""
        iou = self._parameters.nms_threshold if overlap is None else overlap

        def detect(reduced: Image, level: int) -> list[Detection]:
            return self._detect(reduced, level, confidence, _NMS_IOU if iou is None else iou)

        return detect_in_pyramid(
            image, _SMALLEST_PX, detect, _OCTAVES_PER_LEVEL, _COARSE_PX, nms_iou=iou
        )

    def _detect(self, image: Image, level: int, confidence: float, iou: float) -> list[Detection]:
        if level == len(self._networks):
            self._networks.append(self._network())
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(
            image, 0, -height % _SIDE_STEP_PX, 0, -width % _SIDE_STEP_PX, cv2.BORDER_CONSTANT
        )
        network = self._networks[level]
        network.setInput(_normalized(np.asarray(padded, np.uint8)))
        names = [output.name for output in self._outputs]
        maps = run_network(self._file_name, lambda: network.forward(names))
        detections: list[Detection] = []
        for class_index, label in enumerate(self.labels):
            rows = [
                _decode(np.asarray(values)[0], output, class_index, confidence)
                for values, output in zip(maps, self._outputs, strict=True)
            ]
            every = np.concatenate(rows)
            boxes, scores = every[:, :4].tolist(), every[:, 4].tolist()
            kept = cv2.dnn.NMSBoxes(boxes, scores, confidence, iou, top_k=self._parameters.top_k)
            found = (
                Detection(Box.from_xywh(*boxes[i]), min(1.0, scores[i]), label)
                for i in np.ravel(kept)
            )
            detections += [each for each in found if not each.box.is_empty]
        return detections

    def _network(self) -> cv2.dnn.Net:
        return parse_network(self._file_name, lambda: cv2.dnn.readNetFromONNX(self._content))


def _outputs(file_name: str, network: cv2.dnn.Net) -> tuple[_Output, ...]:
    """Return the network's output maps, which their names describe."""
    outputs = []
    for name in network.getUnconnectedOutLayersNames():
        prefix, _, rest = str(name).partition("/")
        stride, _, classes = rest.partition("/")
        if prefix == _OUTPUT_PREFIX and stride.isdigit() and classes:
            outputs.append(_Output(str(name), int(stride), tuple(classes.split("+"))))
    if not outputs:
        raise ModelError(f"{file_name}: this network was not made by 'trackblur train'")
    return tuple(outputs)


def _normalized(image: Image) -> Map:
    """Return an image as the network's input, shape (1, 3, rows, columns).

    `cv2.dnn.blobFromImage` returns the same values in four times the time.
    """
    rows, columns = image.shape[:2]
    planes = np.empty((1, 3, rows, columns), np.float32)
    for channel, plane in zip(cv2.split(image), planes[0], strict=True):
        cv2.LUT(channel, _LEVELS, dst=plane)
    return planes


def _decode(
    values: Map, output: _Output, class_index: int, confidence: float
) -> npt.NDArray[np.double]:
    """Return a map's detections of one class, (n, 5): x, y, width, height and score.

    values, shape (classes + 4, rows, columns), holds the classes' logits, then the center's x and
    y from the cell's own center and the logarithms of width and height, all in cells.
    """
    logits = values[class_index]
    threshold = np.log(max(confidence, 1e-9) / max(1.0 - confidence, 1e-9))
    at = np.nonzero(logits >= threshold)
    scores = 1.0 / (1.0 + np.exp(-logits[at].astype(float)))
    x, y, log_width, log_height = values[len(output.classes) :, at[0], at[1]].astype(float)
    centers = np.stack((x + at[1] + 0.5, y + at[0] + 0.5), 1) * output.stride
    log_sizes = np.stack((log_width, log_height), 1)
    sizes = np.exp(log_sizes.clip(max=_LARGEST_LOG)) * output.stride
    return np.concatenate((centers - sizes / 2, sizes, scores[:, None]), 1)


def from_content(
    file_name: str, content: bytes, parameters: Parameters = _DEFAULTS
) -> OnnxDetector | ForeignDetector:
    """Return the detector for a content that is trusted not to end the process.

    Raises ModelError for a network that is damaged or of an unknown layout.
    """
    buffer = np.frombuffer(content, np.uint8)
    if _OUTPUT_PREFIX.encode() in content:
        return OnnxDetector(file_name, buffer, parameters)
    return ForeignDetector(file_name, buffer, parameters.nms_threshold, parameters.top_k)


def from_file(path: str, parameters: Parameters = _DEFAULTS) -> OnnxDetector | ForeignDetector:
    """Return the detector for a file of the user; raises ModelError as `tried_content` does."""
    return from_content(path, tried_content(path), parameters)


def tried_content(path: str) -> bytes:
    """Return what is in a file of the user, after a child process has tried it.

    Raises ModelError when it is missing, damaged or of an unknown layout.
    """
    content = _read(path)
    known = model_of(content)
    if known is None:
        _trial.check(path, "onnx", content)
    elif known is not BUNDLED:
        raise ModelError(f"{path}: is {known.summary}: name that one with", remedy="detector")
    return content


def other_detector(path: str) -> Model | None:
    """Return the weights that a file is a copy of, if another detector uses them.

    Raises ModelError when it is missing or cannot be read.
    """
    known = model_of(_read(path))
    return None if known is BUNDLED else known


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file: check the name") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ModelError(
            f"{path}: cannot read this weight file ({reason_of(error)}): check the file"
        ) from error


def from_weights(
    weights: Weights, file_name: str, parameters: Parameters = _DEFAULTS
) -> OnnxDetector:
    """Return the detector for a weight file; raises ModelError when it is missing or damaged."""
    return OnnxDetector(file_name, read_buffer(weights, file_name), parameters)


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return from_weights(weights, *WEIGHTS[0], parameters)
