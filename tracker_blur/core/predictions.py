"""Detections of one image as others read them: in pixels, with class numbers, and as JSON.

The fields are those of Roboflow's inference response, so that its readers, such as
`supervision.Detections.from_inference`, take them as they are; docs/detect.md describes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker_blur.core.box import Box

_DECIMALS = 4
_PIXEL_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Prediction:
    """One detection in an image.

    Attributes:
        box: Where, in pixels of the upright image, and within it.
        score: The detector's confidence, 0 to 1.
        label: The class.
        log_odds: The logarithm of the odds that it is one, by the classifier of the class; above 0,
            it is more likely than not. None: there is no classifier, or it was not asked.
    """

    box: Box
    score: float
    label: str
    log_odds: float | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """The detections in one image, the highest score first.

    Attributes:
        size: (width, height) of the upright image in pixels.
        detections: They.
        labels: All classes that were looked for; a class's number is its place here.
        detector: The names of the detectors.
    """

    size: tuple[int, int]
    detections: tuple[Prediction, ...]
    labels: tuple[str, ...]
    detector: str

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: `image` and `predictions`, with centers and sizes in pixels.

        `supervision.Detections.from_inference` reads it.
        """
        width, height = self.size
        return {
            "image": {"width": width, "height": height},
            "predictions": [self._plain(each) for each in self.detections],
        }

    def _plain(self, each: Prediction) -> dict[str, Any]:
        x, y = each.box.center
        return {
            "x": round(x, _PIXEL_DECIMALS),
            "y": round(y, _PIXEL_DECIMALS),
            "width": round(each.box.width, _PIXEL_DECIMALS),
            "height": round(each.box.height, _PIXEL_DECIMALS),
            "confidence": round(each.score, _DECIMALS),
            "class": each.label,
            "class_id": self.labels.index(each.label),
            "log_odds": None if each.log_odds is None else round(each.log_odds, _DECIMALS),
        }
