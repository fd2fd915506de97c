"""Hidden areas: which part of a frame is hidden for a box.

The area of a class has one aspect, whatever that of the box. Otherwise the hidden area would show
the proportions of a head, and an attacker who learned can use them (docs/redaction.md). Position
and size stay: the area is the smallest one that contains what padding alone would hide, so it never
hides less.
"""

from __future__ import annotations

from tracker_blur.core.box import Box
from tracker_blur.core.zones import ZONE
from tracker_blur.settings import FACE

_ASPECTS = {
    FACE: 0.77,  # adds least on the annotated clips: 8 % of the area
    "plate": 3.0,  # between those of one line and of two: at most 52 % on 444 annotated plates
}
"""Width over height, by class. Classes of a user's own detector keep the aspect of each box."""

_TURNING_GAIN = 0.8
"""An area is turned by a quarter, as for a lying head, where that makes it smaller than this share.
Boxes that stay near a square do not make it turn back and forth."""


def turns(box: Box, label: str, is_turned: bool | None) -> bool:
    """Return whether the area of a box is turned by a quarter.

    Args:
        box: of a face, or whatever is hidden, in the upright frame.
        label: its class.
        is_turned: whether the area of its track was turned before; None: there was none.
    """
    aspect = _ASPECTS.get(label)
    if aspect is None or box.is_empty:
        return bool(is_turned)
    upright, turned = _growth(box, aspect), _growth(box, 1 / aspect)
    if is_turned is None:
        return turned < upright
    return upright >= _TURNING_GAIN * turned if is_turned else turned < _TURNING_GAIN * upright


def hidden_area(box: Box, label: str, padding_ratio: float, is_turned: bool = False) -> Box:
    """Return the area to hide for a box; it contains the padded box. A zone's is its box.

    Args:
        box: of a face, or whatever is hidden, in the upright frame.
        label: its class.
        padding_ratio: added on each side, as a share of the box's width and height.
        is_turned: whether the area lies on its side.
    """
    if label == ZONE:
        return box
    padded = box.padded(padding_ratio)
    aspect = _ASPECTS.get(label)
    if aspect is None:
        return padded
    if is_turned:
        aspect = 1 / aspect
    width = max(padded.width, padded.height * aspect)
    return Box.around(padded.center, width, width / aspect)


def largest_area(box: Box, label: str, padding_ratio: float) -> Box:
    """Return a box around every area that may be hidden for a box, turned or not."""
    areas = [
        hidden_area(box, label, padding_ratio, is_turned)
        for is_turned in {turns(box, label, before) for before in (None, False, True)}
    ]
    return areas[0].union(areas[-1])


def _growth(box: Box, aspect: float) -> float:
    """Return the area of this aspect around a box, over that of the box."""
    return max(box.width / box.height / aspect, aspect * box.height / box.width)
