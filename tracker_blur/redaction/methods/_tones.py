"""The color of a drawn mosaic: settled in a track's first frame, and the same from then on.

So it follows no expression, light or pose. The exception is a neutral tone in a film that begins
without color: it gains color once, as soon as anything away from the face has some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.redaction import color
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from tracker_blur.core.frame import Plane
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Tone

_NEUTRAL: tuple[color.Color, ...] = (
    (176, 139, 118),
    (151, 116, 97),
    (164, 127, 107),
    (140, 107, 90),
)
"""For any face, next to each other by the track's number."""

_OF_MEANS: tuple[color.Color, ...] = ((112, 82, 66), (176, 139, 118))
"""For the tone "mean": more of them would tell people apart across occasions."""

_LIGHT_FROM = 0.38
"""Luma, 0 to 1, from which a mean is that of a light face. A twentieth of 1,541 photos lie below.
Nearer to their middle, the tone tells people apart across occasions (docs/redaction.md)."""

_SURROUNDINGS = 0.35  # how far what surrounds a face reaches, as a share of the hidden area's size
_CORE = -0.15  # the face without its rim, as padding
_POINTS = 16  # along each side of what is looked at
_LEAST_POINTS = 24
_COLORFUL = 8  # of 255: more than compression adds to gray
_COLORFUL_SHARE = 0.02


def settled(patch: Patch, tone: Tone) -> color.Color:
    """Return the color of a face: that of its first frame, which `patch.memory` keeps."""
    memory = patch.memory
    if tone == "neutral":
        chosen = _NEUTRAL[abs(patch.seed) % len(_NEUTRAL)]
        return chosen if patch.label == FACE and _is_colorful(patch) else gray(chosen)
    if tone not in memory:
        memory[tone] = _surroundings(patch) if tone == "scene" else _quantized_mean(patch)
    settled_tone: color.Color = memory[tone]
    return settled_tone


def gray(tone: color.Color) -> color.Color:
    """Return a color of the same luma without any hue."""
    luma = round(0.299 * tone[0] + 0.587 * tone[1] + 0.114 * tone[2])
    return luma, luma, luma


def _is_colorful(patch: Patch) -> bool:
    """Return whether the film has shown color away from this face.

    A film may begin in black: color that appears later counts, and then stays. It is looked for
    ever more rarely.
    """
    memory = patch.memory
    if not memory.get("colorful"):
        memory["frames"] = frames = memory.get("frames", 0) + 1
        memory["colorful"] = frames & (frames - 1) == 0 and _has_color(patch)
    return bool(memory["colorful"])


def _has_color(patch: Patch) -> bool:
    """Return whether anything that the frame shows away from the face has color."""
    if patch.layout.family == "gray" or not patch.frame:
        return False
    height, width = patch.frame[0].samples.shape
    away = patch.box.padded(0.25).moved(*patch.offset)
    values = _values(patch.frame, Box(0, 0, width, height), away)
    if len(values) < _LEAST_POINTS:  # a face that fills the frame; most frames have color
        return True
    if patch.layout.family == "rgb":
        differences = np.ptp(values, axis=1)
    else:
        middle = 1 << (patch.layout.bits - 1)
        differences = np.abs(values[:, 1:] - middle).max(axis=1)
    limit = _COLORFUL * (patch.layout.peak + 1) / 256
    return bool((differences > limit).mean() > _COLORFUL_SHARE)


def _surroundings(patch: Patch) -> color.Color:
    """Return the mean color around the hidden area, of nothing inside it or in its soft edge."""
    inner = patch.box.moved(*patch.offset)
    values = _values(patch.frame, inner.padded(_SURROUNDINGS), inner)
    if not len(values):  # the face fills the frame
        return gray(_NEUTRAL[0])
    return color.from_samples(values.mean(axis=0), patch.layout)


def _quantized_mean(patch: Patch) -> color.Color:
    """Return the tone of a palette that the face's mean is nearest to."""
    face = patch.face.padded(_CORE).moved(*patch.offset)
    values = _values(patch.frame, face)
    if not len(values):
        return gray(_NEUTRAL[0])
    mean = color.from_samples(values.mean(axis=0), patch.layout)
    chosen = _OF_MEANS[gray(mean)[0] >= 255 * _LIGHT_FROM]
    return chosen if patch.label == FACE and _is_colorful(patch) else gray(chosen)


def _values(planes: tuple[Plane, ...], area: Box, without: Box | None = None) -> npt.NDArray[Any]:
    """Return the planes' samples at points of an area, shape (points, planes).

    Args:
        planes: of the frame; none of them: no points.
        area: in pixels as stored; points outside of the frame are left out.
        without: points in here are left out, too.
    """
    if not planes:
        return np.empty((0, 0))
    height, width = planes[0].samples.shape
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    xs = np.floor(area.left + steps * area.width)
    ys = np.floor(area.top + steps * area.height)
    wanted = np.outer((ys >= 0) & (ys < height), (xs >= 0) & (xs < width))
    if without is not None:
        wanted &= ~np.outer(
            (ys >= without.top) & (ys < without.bottom),
            (xs >= without.left) & (xs < without.right),
        )
    row, column = np.nonzero(wanted)
    x, y = xs.astype(np.intp)[column], ys.astype(np.intp)[row]
    return np.stack(
        [plane.samples[y // plane.y_step, x // plane.x_step].astype(float) for plane in planes],
        axis=1,
    )
