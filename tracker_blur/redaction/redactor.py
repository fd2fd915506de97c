"""Hides faces in a frame: the only maker of a RedactedFrame.

A face's box is padded, laid over the stored pixels, and rounded outward, once, to whole pixels
and to the grid of the coarsest chroma plane. A method fills the patch around it; the fill replaces
every sample that the outline touches, fades out over a soft edge outside of it, and beyond that
each sample stays as it was decoded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Plane, RedactedFrame, Samples
from tracker_blur.core.tracks import Face
from tracker_blur.redaction.masks import OPACITY_BITS, Mask, masks
from tracker_blur.redaction.methods import Method, Patch
from tracker_blur.settings import FACE, Settings

_COVER_BLOCKS = 5  # across the picture: of a face that fills it no more is left than of others


class Redactor:
    """Hides faces as the settings say.

    cover  a picture that hides the whole frame; None: a coarse mosaic does

    Raises SettingsError when the method, or the cover, cannot be made from them. One redactor
    serves one thread at a time.
    """

    def __init__(self, settings: Settings, cover: Path | None = None) -> None:
        self._settings = settings
        self._methods: dict[str, Method] = {}
        self._method(settings.method)
        self._cover: Method | None = None
        if cover is not None:
            module = plugins.load("tracker_blur.redaction.methods", "image")
            self._cover = module.make(replace(settings, image=cover))

    def redact(self, frame: Frame, faces: Sequence[Face]) -> RedactedFrame:
        """Hide the faces in the frame's own planes and return it as redacted.

        Faces may overlap, be cut by the border or lie outside. Raises ValueError for a box that
        is not a place (not finite, or its edges crossed), SettingsError for a face whose own method
        the settings do not suffice for, and whatever a method raises: then the frame must not be
        used.
        """
        if faces:
            planes = frame.planes()
            for face in faces:
                self._hide(frame, planes, face)
        return RedactedFrame(frame)

    def cover(self, frame: Frame) -> RedactedFrame:
        """Hide the whole picture in the frame's own planes and return it as redacted."""
        planes = frame.planes()
        width, height = frame.orientation.to_stored(Box(0, 0, *frame.size), frame.size).outward()[
            2:
        ]
        if self._cover is None:
            fills = tuple(_mosaic(plane.samples) for plane in planes)
        else:
            grid = _grid(planes)
            whole = Box(*_rounded_outward(Box(0, 0, width, height), grid))
            patch = Patch(planes, frame.layout, frame.orientation, whole, whole, seed=0)
            fills = self._cover.hide(patch)
        for plane, fill in zip(planes, fills, strict=True):
            plane.samples[...] = fill
        return RedactedFrame(frame)

    def _method(self, name: str) -> Method:
        if name not in self._methods:
            module = plugins.load("tracker_blur.redaction.methods", name)
            self._methods[name] = module.make(self._settings)
        return self._methods[name]

    def _hide(self, frame: Frame, planes: tuple[Plane, ...], face: Face) -> None:
        _check(face)
        padding, feather = self._settings.padding_ratio, self._settings.feather_ratio
        box = frame.orientation.to_stored(face.box, frame.size)
        grid = _grid(planes)
        hidden = _rounded_outward(box.padded(padding), grid)
        size = hidden[2] - hidden[0], hidden[3] - hidden[1]
        soft = _rounded_outward(Box(*hidden).padded(feather), grid)
        width, height = frame.size
        if frame.orientation.swaps_sides:
            width, height = height, width
        left, top = max(soft[0], 0), max(soft[1], 0)
        right, bottom = min(soft[2], width), min(soft[3], height)
        if left >= right or top >= bottom:
            return
        cuts = tuple(_cut(plane, left, top, right, bottom) for plane in planes)
        patch = Patch(
            planes=cuts,
            layout=frame.layout,
            orientation=frame.orientation,
            face=box.moved(-left, -top),
            box=Box(*soft).moved(-left, -top),
            seed=face.track_id,
        )
        opacity = masks(
            self._settings.shape if face.label == FACE else "rectangle",
            size,
            (left - hidden[0], top - hidden[1], right - hidden[0], bottom - hidden[1]),
            feather,
            grid,
            patch.steps,
            frame.layout.bits,
        )
        method = self._method(face.method or self._settings.method)
        for plane, fill, mask in zip(cuts, method.hide(patch), opacity, strict=True):
            _blend(plane.samples, fill, mask)


def repeated(redacted: RedactedFrame, copy: Callable[[Frame], Frame]) -> RedactedFrame:
    """Return a copy of what is redacted, to be shown once more; `copy` is given its frame."""
    return RedactedFrame(copy(redacted.frame))


def _check(face: Face) -> None:
    left, top, right, bottom = face.box.as_tuple()
    finite = all(math.isfinite(edge) for edge in face.box.as_tuple())
    if not (finite and left <= right and top <= bottom):
        raise ValueError(f"face {face.track_id} has no place to hide: {face.box}")


def _rounded_outward(box: Box, grid: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box at the grid's multiples; an empty one covers the cell that it lies in."""
    left, top, right, bottom = box.outward()
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    x, y = grid
    return left // x * x, top // y * y, -(-right // x) * x, -(-bottom // y) * y


def _grid(planes: tuple[Plane, ...]) -> tuple[int, int]:
    """Return the steps, in pixels, at which samples of all planes begin."""
    return (
        math.lcm(*(plane.x_step for plane in planes)),
        math.lcm(*(plane.y_step for plane in planes)),
    )


def _mosaic(samples: Samples) -> Samples:
    """Return the means of few blocks."""
    height, width = samples.shape
    block = max(width, height) / _COVER_BLOCKS
    size = max(1, round(width / block)), max(1, round(height / block))
    means = cv2.resize(samples, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)


def _cut(plane: Plane, left: int, top: int, right: int, bottom: int) -> Plane:
    """Return the part of a plane that holds these pixels; left and top lie on its grid."""
    x, y = plane.x_step, plane.y_step
    samples = plane.samples[top // y : -(-bottom // y), left // x : -(-right // x)]
    return Plane(samples, x, y)


def _blend(samples: Samples, fill: Samples, opacity: Mask) -> None:
    """Lay the fill over the samples: exact where wholly opaque, untouched where not at all."""
    if fill.shape != samples.shape or fill.dtype != samples.dtype:
        raise ValueError(
            f"a method gave {fill.dtype}{fill.shape} for {samples.dtype}{samples.shape}"
        )
    height, width = samples.shape
    change = np.subtract(fill, samples, dtype=opacity.dtype)
    change *= opacity[:height, :width]
    change >>= OPACITY_BITS
    change += samples
    samples[...] = change
