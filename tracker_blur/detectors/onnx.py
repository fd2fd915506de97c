"""Our own network, face.onnx in `models/`, or any other that `trackblur train` made.

Plain convolutions and a small feature pyramid. The papers behind its training are named in
`tracker_blur/training`. Model card of face.onnx: `models/face.md`.

It detects objects of about 8 to 200 pixels; quartered copies of the image add larger ones. The
score estimates the square root of the IoU with the object.
"""

from __future__ import annotations

import re
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
from tracker_blur.detectors._networks import detect_in_pyramid
from tracker_blur.errors import ModelError, reason_of
from tracker_blur.weights.catalog import BUNDLED, model_of
from tracker_blur.weights.onnx_network import OnnxNetwork

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
_VERIFIER_PREFIX = "trackblur_verifier"
_OUTPUT_NAME = re.compile(rf"{_OUTPUT_PREFIX}/([1-9][0-9]{{0,2}})/(.+)")
_BOX_CHANNELS = 4  # after those of the classes
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
        stride: Side of a cell in pixels.
        classes: The class names.
    """

    stride: int
    classes: tuple[str, ...]

    def shape(self, planes: Map) -> tuple[int, ...]:
        """Return the shape that `_decode` expects for an input of the network."""
        rows, columns = (side // self.stride for side in planes.shape[2:])
        return 1, len(self.classes) + _BOX_CHANNELS, rows, columns


class OnnxDetector:
    """The network, run on each level of an image pyramid."""

    kind = "made by trackblur train"
    input_text = "of any size"
    names_classes = True
    default_confidence = 0.4
    low_confidence = 0.25
    takes_overlap = True

    def __init__(self, file_name: str, content: bytes, parameters: Parameters = _DEFAULTS) -> None:
        """Load the network; raises ModelError for one that `trackblur train` did not make."""
        self._file_name = file_name
        self._parameters = parameters
        self._network = OnnxNetwork(file_name, content)
        self._outputs = _outputs(file_name, self._network.output_names)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names of the network, which `Detection.label` gets."""
        return self._outputs[0].classes

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the objects with a score of at least `confidence`."""
        iou = self._parameters.nms_threshold if overlap is None else overlap

        def detect(reduced: Image, _level: int) -> list[Detection]:
            return self._detect(reduced, confidence, _NMS_IOU if iou is None else iou)

        return detect_in_pyramid(
            image, _SMALLEST_PX, detect, _OCTAVES_PER_LEVEL, _COARSE_PX, nms_iou=iou
        )

    def _detect(self, image: Image, confidence: float, iou: float) -> list[Detection]:
        planes = network_input(image)
        maps = self._network.run(planes)
        if [values.shape for values in maps] != [each.shape(planes) for each in self._outputs]:
            raise _foreign(self._file_name)
        detections: list[Detection] = []
        for class_index, label in enumerate(self.labels):
            rows = [
                _decode(values[0], output, class_index, confidence)
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


def _outputs(file_name: str, names: tuple[str, ...]) -> tuple[_Output, ...]:
    """Return the network's output maps, which their names describe."""
    outputs = []
    for name in names:
        found = _OUTPUT_NAME.fullmatch(name)
        if found:
            outputs.append(_Output(int(found[1]), tuple(found[2].split("+"))))
    if len(outputs) < len(names) or len({output.classes for output in outputs}) != 1:
        raise _foreign(file_name)
    return tuple(outputs)


def _foreign(file_name: str) -> ModelError:
    return ModelError(f"{file_name}: this network was not made by 'trackblur train'")


def network_input(image: Image) -> Map:
    """Return a BGR image as the network gets it, padded to multiples of 32 pixels and normalized.

    The shape is (1, 3, rows, columns). `cv2.dnn.blobFromImage` takes four times as long.
    """
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(
        image, 0, -height % _SIDE_STEP_PX, 0, -width % _SIDE_STEP_PX, cv2.BORDER_CONSTANT
    )
    planes = np.empty((1, 3, *padded.shape[:2]), np.float32)
    for channel, plane in zip(cv2.split(padded), planes[0], strict=True):
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
    if not len(at[0]):  # as in most maps of a crop
        return np.zeros((0, _BOX_CHANNELS + 1))
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
    if _VERIFIER_PREFIX.encode() in content:
        raise ModelError(
            f"{file_name}: this network judges detections and makes none: name a detector's file"
        )
    if _OUTPUT_PREFIX.encode() in content:
        return OnnxDetector(file_name, content, parameters)
    return ForeignDetector(file_name, content, parameters.nms_threshold, parameters.top_k)


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
    return OnnxDetector(file_name, weights.read(file_name), parameters)


def load(weights: Weights, parameters: Parameters = _DEFAULTS) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return from_weights(weights, *WEIGHTS[0], parameters)
