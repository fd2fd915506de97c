"""Every detector at hand, each at several scales: who looks for what is still to be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, view_size
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.detector_bundle import target_classes
from tracker_blur.weights.store import Weights

SURE = 0.6  # score from which one find in one frame is a face
CLEAR = 0.8  # score from which one find in one frame leaves no doubt
FIRM = 0.5  # score from which a find is one together with others, or alone where two agree
WEAK = 0.3  # score from which it may be one where a face is known to be
SAME_FACE_IOU = 0.4
_LOOKS_PX = {  # longest sides; docs/verification.md says what each look adds and costs
    "yunet": (320, 640, 1280, 2560),
    "onnx": (320, 640, 1280, 2560),
    "centerface": (640,),
    "ssd": (640,),
    "haar": (640,),
}
_OTHER_LOOKS_PX = (640, 1280)  # of who finds plates, or things of one's own
_NETWORKS = ("yunet", "onnx", "centerface", "ssd")  # best first; all that are here look,
_SPARED_BY = {"onnx": "yunet", "ssd": "yunet"}  # but for these where the other does
_LAST_RESORT = "haar"  # where no network is here
_CLOSE_FACE_PX = 80  # the size to which a face is enlarged for a closer look
_MOST_ENLARGED = 4.0
_CLOSE_PADDING = 1.0


@dataclass(frozen=True, slots=True)
class ProbeDetection:
    """A place that a detector takes for a face, or another thing that is to be hidden.

    box        pixels of the full-size upright frame
    is_agreed  whether another detector finds the same there too
    label      what it is taken for
    """

    box: Box
    score: float
    detector: str
    is_agreed: bool = False
    label: str = FACE

    @property
    def is_firm(self) -> bool:
        """Whether there is likely a face."""
        return self.is_agreed or self.score >= FIRM

    @property
    def is_sure(self) -> bool:
        """Whether there is a face, whatever other frames say."""
        return self.is_agreed or self.score >= SURE

    @property
    def is_clear(self) -> bool:
        """Whether one detector in one frame leaves no doubt."""
        return self.score >= CLEAR

    @property
    def is_strong(self) -> bool:
        """Whether one detector alone says so clearly; two that agree may both be mistaken."""
        return self.score >= SURE


class Probe:
    """One detector at its scales; to be used by one thread at a time."""

    def __init__(self, name: str, detector: Detector, label: str = FACE) -> None:
        self.name = name
        self.label = label
        self._detector = detector

    @property
    def _looks_px(self) -> tuple[int, ...]:
        return _LOOKS_PX[self.name] if self.label == FACE else _OTHER_LOOKS_PX

    def look(self, picture: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        """Return what it finds anywhere in an upright picture of full size."""
        height, width = picture.shape[:2]
        sizes = {view_size((width, height), px, pixel_aspect) for px in self._looks_px}
        finds = []
        for size in sorted(sizes):
            reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            finds += self._finds(reduced, width / size[0], height / size[1])
        return finds

    def detect_multiscale(self, picture: Image, box: Box) -> list[ProbeDetection]:
        """Return what it finds in an enlarged part of the picture, around a box."""
        height, width = picture.shape[:2]
        around = box.padded(_CLOSE_PADDING).clipped(width, height)
        if around.is_empty or box.size <= 0:
            return []
        left, top, right, bottom = around.outward()
        part = picture[top:bottom, left:right]
        ratio = min(max(_CLOSE_FACE_PX / box.size, 1.0), _MOST_ENLARGED)
        size = round((right - left) * ratio), round((bottom - top) * ratio)
        enlarged = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)
        finds = self._finds(enlarged, (right - left) / size[0], (bottom - top) / size[1])
        return [replace(find, box=find.box.moved(left, top)) for find in finds]

    def _finds(
        self, picture: cv2.typing.MatLike, x_ratio: float, y_ratio: float
    ) -> list[ProbeDetection]:
        found = self._detector.detect(np.ascontiguousarray(picture, np.uint8), WEAK)
        return [
            ProbeDetection(
                find.box.scaled(x_ratio, y_ratio), find.score, self.name, label=self.label
            )
            for find in found
        ]


def probes(settings: Settings, weights: Weights) -> tuple[Probe, ...]:
    """Return who looks for what the settings hide, best first of each kind.

    For faces these are the networks whose weights are on this machine, for all else the detectors
    that found it. Raises ModelError when a weight file is damaged, and SettingsError as `kinds`
    does.
    """
    found: list[Probe] = []
    for kind in target_classes(settings, weights):
        if kind.label == FACE:
            found += _for_faces(weights)
        else:
            found.append(Probe(kind.finder, kind.load(), kind.label))
    return tuple(found)


def _for_faces(weights: Weights) -> tuple[Probe, ...]:
    here = [name for name in _NETWORKS if _is_here(name, weights)]
    looking = [name for name in here if _SPARED_BY.get(name) not in here] or [_LAST_RESORT]
    return tuple(Probe(name, load_detector(name, weights)[1]) for name in looking)


def _is_here(name: str, weights: Weights) -> bool:
    return weights.complete(plugins.load("tracker_blur.detectors", name).WEIGHTS) is not None


def without_doubles(finds: list[ProbeDetection]) -> list[ProbeDetection]:
    """Keep the best-scored of finds that are one thing, and note where two detectors agree."""
    kept: list[ProbeDetection] = []
    for find in sorted(finds, key=lambda find: -find.score):
        same = [
            at
            for at, other in enumerate(kept)
            if other.label == find.label and find.box.iou(other.box) > SAME_FACE_IOU
        ]
        for at in same:
            if kept[at].detector != find.detector:
                kept[at] = replace(kept[at], is_agreed=True)
        if not same:
            kept.append(find)
    return kept
