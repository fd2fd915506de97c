"""FrameRedactor: hides faces in a frame. Nothing else makes a RedactedFrame.

The area of a face's box is mapped to the stored pixels, and rounded outward once: to whole pixels,
and to the grid of the coarsest chroma plane. A method fills the patch around it. The fill replaces
each sample that the mask covers and fades out over a soft edge outside of it. All other samples
stay as they were decoded.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.box_arrays import areas, edges, touching
from tracker_blur.core.frame import Frame, Plane, RedactedFrame, Samples
from tracker_blur.redaction import color
from tracker_blur.redaction.areas import hidden_area, turns
from tracker_blur.redaction.blocks import ellipse_masks
from tracker_blur.redaction.masks import MASK_BITS, Mask, masks, polygon_masks
from tracker_blur.redaction.methods import BlockMethod, Method, Patch
from tracker_blur.settings import FACE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tracker_blur.core.tracks import Face, Tracks

_METHODS = "tracker_blur.redaction.methods"
_FARTHEST_PX = 1e5  # from the frame's corner, as in track files
_NOTHING: Mapping[int, bool | None] = MappingProxyType({})
_MUCH_LARGER = 2.0  # by area
_MAX_MEMORIES = 4096  # faces; a camera may run for months
# Drawn, not averaged: a face that fills the frame leaves nothing in it. Shares of white.
_BLANK_PATTERN = np.array(
    [
        [0.24, 0.30, 0.27, 0.33, 0.25],
        [0.32, 0.26, 0.36, 0.28, 0.31],
        [0.27, 0.35, 0.30, 0.38, 0.26],
        [0.34, 0.25, 0.33, 0.27, 0.36],
        [0.26, 0.31, 0.24, 0.32, 0.28],
    ]
)


@dataclass(slots=True)
class _Memory:
    """What is kept of a track from one frame to the next."""

    is_turned: bool | None = None
    of_method: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A method; with `blocks`, it is one whose blocks make the edge, in place of a soft one."""

    method: Method
    blocks: BlockMethod | None

    @classmethod
    def of(cls, method: Method) -> _Loaded:
        return cls(method, method if isinstance(method, BlockMethod) else None)


def turned_areas(
    tracks: Tracks, before: Mapping[int, bool | None] = _NOTHING
) -> dict[int, bool | None]:
    """Return whether the area of each track is turned by a quarter after its last frame.

    Args:
        tracks: Those of a part of a video.
        before: The same, after the frames before.
    """
    turned = dict(before)
    for track in tracks.tracks:
        for row in range(len(track)):
            box = _bounded(track.box(row))
            turned[track.track_id] = turns(box, track.label, turned.get(track.track_id))
    return turned


class FrameRedactor:
    """Hides faces as the settings say. One redactor serves one thread at a time.

    Args:
        settings: method, shape, padding and soft edge.
        blank_image: an image that hides the whole frame in `blank`; None: a fixed pattern does.
        turned: for frames from the middle of a video: what `turned_areas` says about those before.

    Raises:
        SettingsError: The settings do not suffice for the method, or the image cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        blank_image: Path | None = None,
        turned: Mapping[int, bool | None] = _NOTHING,
    ) -> None:
        self._settings = settings
        self._methods: dict[str, _Loaded] = {}
        self._method(settings.method)
        self._memories: OrderedDict[int, _Memory] = OrderedDict(
            (track_id, _Memory(is_turned)) for track_id, is_turned in turned.items()
        )
        self._last_index = -1
        self._blank: Method | None = None
        if blank_image is not None:
            module = plugins.load(_METHODS, "image")
            self._blank = module.make(replace(settings, image=blank_image), setting="cover")

    def use(self, settings: Settings) -> None:
        """Go on with other settings; the tracks keep their tones.

        Raises:
            SettingsError: The settings do not suffice for the method; those before stay in use.
        """
        method = plugins.load(_METHODS, settings.method).make(settings)
        self._settings, self._methods = settings, {settings.method: _Loaded.of(method)}

    def redact(self, frame: Frame, faces: Sequence[Face]) -> RedactedFrame:
        """Hide the faces in the frame's own planes and return the frame as redacted.

        Faces may overlap, be cut by the border or lie outside. Whatever a method raises is passed
        on. After any error the frame must not be used.

        Raises:
            ValueError: A box has edges that are not finite, or that are crossed.
            SettingsError: The settings do not suffice for a face's own method.
        """
        if frame.index <= self._last_index:  # another input, with other faces of the same numbers
            self._memories.clear()
        self._last_index = frame.index
        if faces:
            planes = frame.planes()
            grid = _grid(planes)
            for face in faces:
                _check(face)
            hidden = [self._area(face) for face in faces]
            for number in _inner_first(faces, hidden):
                self._hide(frame, planes, grid, faces[number], hidden[number])
        return RedactedFrame(frame)

    def blank(self, frame: Frame) -> RedactedFrame:
        """Hide the whole frame in its own planes and return it as redacted."""
        planes = frame.planes()
        whole = frame.orientation.to_stored(Box(0, 0, *frame.size), frame.size)
        if self._blank is None:
            fills = _blank_pattern(frame)
        else:
            box = Box(*_rounded_outward(Box(0, 0, *whole.outward()[2:]), _grid(planes)))
            patch = Patch(planes, frame.layout, frame.orientation, box, box, seed=0)
            fills = self._blank.hide(patch)
        for plane, fill in zip(planes, fills, strict=True):
            plane.samples[...] = fill
        return RedactedFrame(frame)

    def _method(self, name: str) -> _Loaded:
        if name not in self._methods:
            method = plugins.load(_METHODS, name).make(self._settings)
            self._methods[name] = _Loaded.of(method)
        return self._methods[name]

    def _memory(self, track_id: int) -> _Memory:
        """Return what is kept of a face; of the faces seen longest ago, nothing is."""
        memory = self._memories.setdefault(track_id, _Memory())
        self._memories.move_to_end(track_id)
        if len(self._memories) > _MAX_MEMORIES:
            self._memories.popitem(last=False)
        return memory

    def _area(self, face: Face) -> Box:
        """Return the area to hide for a face, in the upright frame."""
        box = _bounded(face.box)
        memory = self._memory(face.track_id)
        memory.is_turned = turns(box, face.label, memory.is_turned)
        return hidden_area(box, face.label, self._settings.padding_ratio, memory.is_turned)

    def _hide(
        self, frame: Frame, planes: tuple[Plane, ...], grid: tuple[int, int], face: Face, area: Box
    ) -> None:
        loaded = self._method(face.method or self._settings.method)
        feather = self._settings.feather_ratio if loaded.blocks is None else 0.0
        box, area = (
            frame.orientation.to_stored(each, frame.size) for each in (_bounded(face.box), area)
        )
        hidden = _rounded_outward(area, grid)
        size = hidden[2] - hidden[0], hidden[3] - hidden[1]
        if loaded.blocks is None:
            soft = _rounded_outward(Box(*hidden).padded(feather), grid)
        else:
            soft = _grown(hidden, grid)
        width, height = frame.size
        if frame.orientation.swaps_sides:
            width, height = height, width
        left, top = max(soft[0], 0), max(soft[1], 0)
        right, bottom = min(soft[2], width), min(soft[3], height)
        if left >= right or top >= bottom:
            return
        cropped = tuple(_crop(plane, left, top, right, bottom) for plane in planes)
        patch = Patch(
            planes=cropped,
            layout=frame.layout,
            orientation=frame.orientation,
            face=box.moved(-left, -top),
            box=Box(*soft).moved(-left, -top),
            seed=face.track_id,
            label=face.label,
            frame=planes,
            offset=(left, top),
            memory=self._memory(face.track_id).of_method,
        )
        shape = self._settings.shape if face.label == FACE else "rectangle"
        window = (left - hidden[0], top - hidden[1], right - hidden[0], bottom - hidden[1])
        steps, bits = patch.steps, frame.layout.bits
        if loaded.blocks is not None and shape == "ellipse":
            blocks = loaded.blocks.blocks(patch)
            patch_masks = ellipse_masks(blocks, patch.size, patch.window, grid, steps, bits)
        elif face.outline is not None:
            stored = [
                frame.orientation.to_stored(Box(x, y, x, y), frame.size) for x, y in face.outline
            ]
            corners = [(corner.left - left, corner.top - top) for corner in stored]
            patch_masks = polygon_masks(corners, (right - left, bottom - top), grid, steps, bits)
        else:
            patch_masks = masks(shape, size, window, feather, grid, steps, bits)
        for plane, fill, mask in zip(cropped, loaded.method.hide(patch), patch_masks, strict=True):
            _blend(plane.samples, fill, mask)


def duplicate(redacted: RedactedFrame, copy: Callable[[Frame], Frame]) -> RedactedFrame:
    """Return a copy of a redacted frame, to be shown again; `copy` copies the frame inside."""
    return RedactedFrame(copy(redacted.frame))


def _inner_first(faces: Sequence[Face], hidden: Sequence[Box]) -> Sequence[int]:
    """Return the order in which faces are drawn: what lies in a much larger hidden area, first.

    Otherwise, an eye or the badge of a cap that was taken for a face would be drawn on the face.
    What has another class or method keeps its place, and so do neighbors of about one size, which
    would change places from frame to frame.

    Args:
        faces: Those of a frame.
        hidden: The areas to hide for them.
    """
    unchanged = range(len(faces))
    if len(faces) < 2:
        return unchanged
    boxes = edges(hidden)
    sizes = areas(boxes)
    inner, outer = touching(boxes, boxes)
    centers = (boxes[inner, :2] + boxes[inner, 2:]) / 2
    is_in = ((boxes[outer, :2] <= centers) & (centers <= boxes[outer, 2:])).all(1)
    is_in &= sizes[outer] > _MUCH_LARGER * sizes[inner]
    if not is_in.any():
        return unchanged
    _, kinds = np.unique([f"{face.label} {face.method}" for face in faces], return_inverse=True)
    is_in &= kinds[inner] == kinds[outer]
    is_inner = np.zeros(len(faces), bool)
    is_inner[inner[is_in]] = True
    order: list[int] = np.lexsort((np.where(is_inner, sizes, 0), ~is_inner)).tolist()
    return order


def _check(face: Face) -> None:
    left, top, right, bottom = face.box.as_tuple()
    is_finite = all(math.isfinite(edge) for edge in face.box.as_tuple())
    if not (is_finite and left <= right and top <= bottom):
        raise ValueError(f"face {face.track_id} has no valid box: {face.box}")


def _bounded(box: Box) -> Box:
    """Return a box with its far edges cut: no file or detector may ask for a mask of any size."""
    edges = (min(max(edge, -_FARTHEST_PX), _FARTHEST_PX) for edge in box.as_tuple())
    return Box(*edges)


def _rounded_outward(box: Box, grid: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box at multiples of the grid; an empty box covers the cell that it lies in."""
    left, top, right, bottom = box.outward()
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    x, y = grid
    return left // x * x, top // y * y, -(-right // x) * x, -(-bottom // y) * y


def _grown(box: tuple[int, int, int, int], grid: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return a box with one cell of the grid added on each side."""
    left, top, right, bottom = box
    return left - grid[0], top - grid[1], right + grid[0], bottom + grid[1]


def _grid(planes: tuple[Plane, ...]) -> tuple[int, int]:
    """Return the steps, in pixels, at which samples of all planes begin."""
    return (
        math.lcm(*(plane.x_step for plane in planes)),
        math.lcm(*(plane.y_step for plane in planes)),
    )


def _blank_pattern(frame: Frame) -> tuple[Samples, ...]:
    """Return gray blocks that hide a frame, for each of its planes; the same for any content."""
    gray = np.rint(255 * _BLANK_PATTERN).astype(np.uint8)
    blocks = color.to_planes(np.repeat(gray[..., None], 3, axis=2), frame.layout)
    return tuple(
        cv2.resize(values, plane.samples.shape[::-1], interpolation=cv2.INTER_NEAREST)
        for values, plane in zip(blocks, frame.planes(), strict=True)
    )


def _crop(plane: Plane, left: int, top: int, right: int, bottom: int) -> Plane:
    """Return the part of a plane that holds these pixels; left and top lie on its grid."""
    x, y = plane.x_step, plane.y_step
    samples = plane.samples[top // y : -(-bottom // y), left // x : -(-right // x)]
    return Plane(samples, x, y)


def _blend(samples: Samples, fill: Samples, mask: Mask) -> None:
    """Blend the fill into the samples: exact where the mask is opaque, untouched where it is 0."""
    if fill.shape != samples.shape or fill.dtype != samples.dtype:
        raise ValueError(
            f"a method returned {fill.dtype}{fill.shape} for {samples.dtype}{samples.shape}"
        )
    height, width = samples.shape
    change = np.subtract(fill, samples, dtype=mask.dtype)
    change *= mask[:height, :width]
    change >>= MASK_BITS
    change += samples
    samples[...] = change
