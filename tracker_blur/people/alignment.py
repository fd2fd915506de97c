"""Aligns faces for embedders: eyes, nose and mouth where the networks expect them.

The landmarks are YuNet's, searched for in a crop around the face. Without YuNet's weights, the box
alone locates the face, which tells people apart less well (docs/people.md has both).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.detectors import yunet
from tracker_blur.errors import ModelError
from tracker_blur.people.embedders import SIDE_PX

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.weights.store import Weights

TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)
"""Eyes, tip of the nose and corners of the mouth in an aligned face (ArcFace's), in pixels."""

_SEARCH_PX = 224  # width and height of the crop in which landmarks are searched for
_SEARCH_SIZES = 2.0  # face sizes that this crop shows
_BOX_SIZES = 1.19  # of 428 faces, the median aligned face is a square of this many box sizes,
_BOX_CENTER = 0.42  # with its center so far down the box
_MOST_LOOKS = 4
_UPRIGHT_RADIANS = 0.06
_NMS_IOU = 0.3
_CANDIDATES = 50
_COARSE_PX = 2.0
_RIM_PX = 14
_ALIAS_SCALE = 0.7  # below it, bilinear sampling would alias


@dataclass(frozen=True)
class AlignedFace:
    """A face as an embedder takes it.

    Attributes:
        image: BGR, `SIDE_PX` x `SIDE_PX`.
        size_px: The shorter side of its box in the frame.
        detail_share: How much of its contrast is fine detail, 0 to 1: 0.24 in the median of sharp
            photos, 0.09 when they are blurred to a standard deviation of 3 pixels at `SIDE_PX`.
    """

    image: Image
    size_px: float
    detail_share: float


class FaceAligner:
    """Aligns faces. One serves one thread at a time.

    Args:
        weights: Where YuNet's weights may be.
        parameters: Thresholds.

    Raises:
        ModelError: YuNet's weights are damaged.
    """

    def __init__(self, weights: Weights, parameters: PeopleParameters) -> None:
        self._parameters = parameters
        self._landmarker: cv2.FaceDetectorYN | None = None
        names = weights.complete(yunet.WEIGHTS)
        if names is not None:
            (self._name,) = names
            content = np.frombuffer(weights.read(self._name), np.uint8)
            try:
                self._landmarker = cv2.FaceDetectorYN.create(
                    "onnx",
                    content,
                    np.empty(0, np.uint8),
                    (_SEARCH_PX, _SEARCH_PX),
                    parameters.min_landmark_score,
                    _NMS_IOU,
                    _CANDIDATES,
                )
            except cv2.error as error:
                raise self._unusable(error) from error

    @property
    def finds_landmarks(self) -> bool:
        """Whether YuNet is there."""
        return self._landmarker is not None

    def good(self, image: Image, box: Box) -> AlignedFace | None:
        """Return a face that is large and sharp enough to say who it is; None for others.

        With YuNet, it is seen from the front.

        Args:
            image: BGR, of any size.
            box: The face in it, in pixels.
        """
        if min(box.width, box.height) < self._parameters.min_face_px:
            return None
        face = self.aligned(image, box)
        if face is None or face.detail_share < self._parameters.min_detail_share:
            return None
        return face

    def aligned(self, image: Image, box: Box) -> AlignedFace | None:
        """Return a face of any size; None where YuNet, if it is there, sees none from the front."""
        matrix = self._by_landmarks(image, box) if self.finds_landmarks else by_box(box)
        if matrix is None:
            return None
        crop = warped(image, matrix, SIDE_PX)
        return AlignedFace(crop, min(box.width, box.height), detail_share(crop))

    def _by_landmarks(self, image: Image, box: Box) -> npt.NDArray[np.float64] | None:
        """Return the matrix that takes pixels of the image to an aligned face.

        None: there is none, or it is turned away too far. YuNet takes heads for more upright than
        they are, so it looks again with the head turned by what it said.
        """
        turned_by = 0.0
        for _ in range(_MOST_LOOKS):
            search = _search_matrix(box, turned_by)
            landmarks = self._landmarks(warped(image, search, _SEARCH_PX), box)
            if landmarks is None:
                return None
            matrix = _similarity(landmarks)
            errors = landmarks @ matrix[:, :2].T + matrix[:, 2] - TEMPLATE
            turn = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
            if abs(turn) <= _UPRIGHT_RADIANS:
                break
            turned_by += turn
        if np.sqrt((errors**2).sum(axis=1).mean()) > self._parameters.max_landmark_error_px:
            return None
        both: npt.NDArray[np.float64] = matrix @ np.vstack([search, [0, 0, 1]])
        return both

    def _landmarks(self, crop: Image, box: Box) -> npt.NDArray[np.float64] | None:
        """Return the five landmarks of the face in the middle of a crop, shape (5, 2), if any."""
        assert self._landmarker is not None
        try:
            rows: Any = self._landmarker.detect(crop)[1]
        except cv2.error as error:
            raise self._unusable(error) from error
        scale, middle = _scale(box), _SEARCH_PX / 2
        place = Box.around((middle, middle), box.width * scale, box.height * scale)
        found = [] if rows is None else [(_iou(row, place), row) for row in rows]
        overlap, best = max(found, key=lambda each: each[0], default=(0.0, None))
        if best is None or overlap < self._parameters.min_landmark_iou:
            return None
        landmarks = np.asarray(best[4:14], np.float64).reshape(5, 2)
        return landmarks if np.isfinite(landmarks).all() else None

    def _unusable(self, error: cv2.error) -> ModelError:
        reason = " ".join(str(error.err).split())
        return ModelError(
            f"{self._name}: OpenCV {cv2.__version__} cannot use this network ({reason}): get the "
            "file again"
        )


def by_box(box: Box) -> npt.NDArray[np.float64]:
    """Return the matrix that aligns a face as well as its box allows."""
    scale = SIDE_PX / (_BOX_SIZES * max(box.size, 1.0))
    x, y = box.center[0], box.top + _BOX_CENTER * box.height
    middle = SIDE_PX / 2
    return np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])


def warped(image: Image, matrix: npt.NDArray[np.float64], side: int) -> Image:
    """Return a square crop of an image that a 2x3 matrix maps to it; what is shrunk is averaged."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    low, high = _seen(image, matrix, side, margin_px=2 / max(scale, 1e-6))
    part = image[low[1] : high[1], low[0] : high[0]]
    matrix = matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ low
    if scale < _ALIAS_SCALE:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.4 / scale), np.uint8)
    crop = cv2.warpAffine(part, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def detail_share(face: Image) -> float:
    """Return how much of the contrast of an aligned face is fine detail, 0 to 1."""
    gray = np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), np.float32)
    detail = gray - cv2.GaussianBlur(gray, (0, 0), _COARSE_PX)
    inner = slice(_RIM_PX, SIDE_PX - _RIM_PX)  # hair and background are no detail of a face
    contrast = float(gray[inner, inner].std())
    return float(detail[inner, inner].std()) / contrast if contrast else 0.0


def _scale(box: Box) -> float:
    return _SEARCH_PX / (_SEARCH_SIZES * max(box.size, 1.0))


def _search_matrix(box: Box, radians: float) -> npt.NDArray[np.float64]:
    """Return the matrix of a crop around a box, turned around its center."""
    scale, middle = _scale(box), _SEARCH_PX / 2
    a, b = scale * np.cos(radians), scale * np.sin(radians)
    x, y = box.center
    return np.array([[a, -b, middle - a * x + b * y], [b, a, middle - b * x - a * y]])


def _similarity(landmarks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the rotation, scale and shift, 2x3, that takes landmarks nearest to the template."""
    x, y = landmarks.T
    ones, zeros = np.ones(len(x)), np.zeros(len(x))
    rows = np.concatenate(
        [np.stack([x, -y, ones, zeros], axis=1), np.stack([y, x, zeros, ones], axis=1)]
    )
    (a, b, dx, dy), *_ = np.linalg.lstsq(rows, TEMPLATE.T.ravel().astype(np.float64), rcond=None)
    return np.array([[a, -b, dx], [b, a, dy]])


def _seen(
    image: Image, matrix: npt.NDArray[np.float64], side: int, margin_px: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (x, y) of the corners of what a crop shows of an image; at least one pixel."""
    size = np.array(image.shape[1::-1])
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], np.float64)
    places = corners @ back[:, :2].T + back[:, 2]
    low = np.clip(np.floor(places.min(0) - margin_px), 0, size - 1).astype(np.int64)
    high = np.clip(np.ceil(places.max(0) + margin_px), low + 1, size).astype(np.int64)
    return low, high


def _iou(row: npt.NDArray[Any], place: Box) -> float:
    return Box.from_xywh(*map(float, row[:4])).iou(place)
