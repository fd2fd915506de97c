"""Our own network, face.onnx in `models/`, or any other that `trackblur train` made.

Plain convolutions and a small feature pyramid; what it is taught, with which papers, stands in
`tracker_blur/training`, and what face.onnx was trained on in `models/face.md`.

It sees things of about 8 to 200 pixels. Quartered copies of the picture are looked at as well: they
show larger ones. The score estimates the root of the overlap with the thing that is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.detectors._networks import Buffer, buffer, over_octaves, read
from tracker_blur.errors import ModelError, reason_of
from tracker_blur.weights.store import Weights

Map = npt.NDArray[np.float32]

WEIGHTS = (("face.onnx",),)
_SIDE_STEP_PX = 32
_SMALLEST_PX = 320
_OCTAVES_PER_STEP = 2
_COARSE_PX = 32.0  # smaller things are drawn better in the larger copy (docs/training.md)
_NMS_IOU = 0.4
_TOP_K = 1000  # best-scored finds of a class that are compared; a crowd has fewer faces
_LARGEST_LOG = 5.0  # as in training: e^5 cells are more than any picture has
_OUTPUT_PREFIX = "trackblur2"
# As in training: what networks of this prefix expect of the values 0 to 255.
_LEVELS = ((np.arange(256) - 127.5) / 64).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Output:
    """One of the network's maps: its name, the pixels a cell spans, what the classes are."""

    name: str
    stride: int
    classes: tuple[str, ...]


class Onnx:
    """The network, with an instance for each reduction of the picture.

    Changing the size of one instance twice a picture would cost as much as looking itself.
    """

    default_confidence = 0.4
    low_confidence = 0.25

    def __init__(self, file_name: str, content: Buffer) -> None:
        """Read the network; raises ModelError when OpenCV, or this class, cannot."""
        self._file_name = file_name
        self._content = content
        first = self._network()
        self._outputs = _outputs(file_name, first)
        self._networks = [first]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the network finds, as `Detection.label` tells it."""
        return self._outputs[0].classes

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the things with a score of at least `confidence`."""

        def look(picture: Image, step: int) -> list[Detection]:
            return self._look(picture, step, confidence)

        return over_octaves(image, _SMALLEST_PX, look, _OCTAVES_PER_STEP, _COARSE_PX)

    def _look(self, picture: Image, step: int, confidence: float) -> list[Detection]:
        if step == len(self._networks):
            self._networks.append(self._network())
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(
            picture, 0, -height % _SIDE_STEP_PX, 0, -width % _SIDE_STEP_PX, cv2.BORDER_CONSTANT
        )
        network = self._networks[step]
        network.setInput(_normalized(np.asarray(padded, np.uint8)))
        maps = network.forward([output.name for output in self._outputs])
        found: list[Detection] = []
        for place, label in enumerate(self.labels):
            parts = [
                _decode(np.asarray(one)[0], output, place, confidence)
                for one, output in zip(maps, self._outputs, strict=True)
            ]
            found += _suppressed(np.concatenate(parts), confidence, label)
        return found

    def _network(self) -> cv2.dnn.Net:
        return read(self._file_name, lambda: cv2.dnn.readNetFromONNX(self._content))


def _outputs(file_name: str, network: cv2.dnn.Net) -> tuple[_Output, ...]:
    """Return what the network's outputs are; their names tell."""
    found = []
    for name in network.getUnconnectedOutLayersNames():
        prefix, _, rest = str(name).partition("/")
        stride, _, classes = rest.partition("/")
        if prefix == _OUTPUT_PREFIX and stride.isdigit() and classes:
            found.append(_Output(str(name), int(stride), tuple(classes.split("+"))))
    if not found:
        raise ModelError(f"{file_name}: not a network that 'trackblur train' made")
    return tuple(found)


def _normalized(image: Image) -> Map:
    """Return a picture as the network takes it, shape (1, 3, rows, columns).

    `cv2.dnn.blobFromImage` makes the same numbers in four times the time.
    """
    rows, columns = image.shape[:2]
    planes = np.empty((1, 3, rows, columns), np.float32)
    for channel, plane in zip(cv2.split(image), planes[0], strict=True):
        cv2.LUT(channel, _LEVELS, dst=plane)
    return planes


def _decode(numbers: Map, output: _Output, place: int, confidence: float) -> npt.NDArray[np.double]:
    """Return what a map tells of the class at `place`: x, y, width, height and score, (n, 5).

    numbers, shape (classes + 4, rows, columns), holds the classes' logits, then the center's x and
    y from the cell's own center and the logarithms of width and height, all in cells.
    """
    classes = len(output.classes)
    least = np.log(max(confidence, 1e-9) / max(1.0 - confidence, 1e-9))
    at = np.nonzero(numbers[place] >= least)
    scores = 1.0 / (1.0 + np.exp(-numbers[place][at].astype(float)))
    x, y, wide, high = numbers[classes:, at[0], at[1]].astype(float)
    centers = np.stack((x + at[1] + 0.5, y + at[0] + 0.5), 1) * output.stride
    spans = np.exp(np.stack((wide, high), 1).clip(max=_LARGEST_LOG)) * output.stride
    return np.concatenate((centers - spans / 2, spans, scores[:, None]), 1)


def _suppressed(rows: npt.NDArray[np.double], confidence: float, label: str) -> list[Detection]:
    boxes, scores = rows[:, :4].tolist(), rows[:, 4].tolist()
    kept = cv2.dnn.NMSBoxes(boxes, scores, confidence, _NMS_IOU, top_k=_TOP_K)
    finds = (
        Detection(Box.from_xywh(*boxes[i]), min(1.0, scores[i]), label) for i in np.ravel(kept)
    )
    return [find for find in finds if not find.box.is_empty]


def from_content(file_name: str, content: bytes) -> Onnx:
    """Return the detector that a file's content is; raises ModelError when it is none."""
    return Onnx(file_name, np.frombuffer(content, np.uint8))


def from_file(path: str) -> Onnx:
    """Return the detector that a file of the user's own holds; raises ModelError."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file: check its name") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot read this weight file ({reason_of(error)})") from error
    return from_content(path, content)


def from_weights(weights: Weights, file_name: str) -> Onnx:
    """Return the detector of a weight file; raises ModelError when it is missing or damaged."""
    return Onnx(file_name, buffer(weights, file_name))


def load(weights: Weights) -> Detector:
    """Return the detector; raises ModelError when its weights are missing or damaged."""
    return from_weights(weights, *WEIGHTS[0])
