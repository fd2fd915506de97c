"""Redaction methods, one file each; the file's name is the value of `--method`.

To add a method, say a "freeze" that shows the first redacted view of a face from then on:

1.  Add `freeze.py` to this folder. The first line of its docstring is the method's line in `--help`
    and has 80 characters at most.
2.  In it, define `make(settings) -> Method`. It is called once for each redactor. Raise
    SettingsError there if a setting that the method needs is missing or wrong. Next to it, declare
    `CLASS = "cosmetic"` if any of the face's samples reach the output, however blurred, or
    "destructive" if none do.
3.  Return an object whose `hide(patch)` returns new samples for each plane, see `Method`. `hide` is
    called for one face in one frame, in the order of the frames. A method that needs its earlier
    fills keeps them in `patch.memory`, which is empty again when another file begins, and resizes
    them to the patch. It must not keep samples of the face itself: what it shows must be redacted.
4.  If it has settings of its own, add them to `tracker_blur.settings.Settings` and their options to
    `tracker_blur/cli/output_options.py`.
5.  Run `pytest tests/redaction/methods`. The contract tests find the new file by themselves; they
    check shapes and types in every pixel layout, and that fine detail is gone.

`solid.py` is the shortest example. A method may use `color`, `filters` and packages, never another
method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tracker_blur.core import plugins
from tracker_blur.settings import FACE, MethodClass, method_class_of

if TYPE_CHECKING:
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Orientation, PixelLayout, Plane, Samples


@dataclass(frozen=True)
class Patch:
    """The part of a frame around one face, as a method sees it.

    The patch is the part of `box` that lies in the frame. Where the border cuts them, both boxes
    reach beyond the patch: they follow the face, not what is left of it.

    Attributes:
        planes: the frame's planes, cropped to the patch, in stored orientation; read-only.
        layout: what the samples mean.
        orientation: how to turn the stored pixels upright.
        face: the face's box in pixels of the patch; a method's strength scales with it.
        box: the area to fill, in whole pixels of the patch, its edges on the grid of every plane's
            steps; a mosaic or an image is laid out on it.
        seed: the number of the face's track: the same through all frames of one file, so that noise
            does not flicker. Another file uses the same numbers.
        label: the target class.
        frame: the planes of the whole frame, for what surrounds a face; read-only.
        offset: (x, y) of the patch in the frame, in stored pixels.
        memory: what methods keep of this face from one frame to the next; empty at first, and
            forgotten when another file begins.
    """

    planes: tuple[Plane, ...]
    layout: PixelLayout
    orientation: Orientation
    face: Box
    box: Box
    seed: int
    label: str = FACE
    frame: tuple[Plane, ...] = ()
    offset: tuple[int, int] = (0, 0)
    memory: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) of the box in pixels."""
        return round(self.box.width), round(self.box.height)

    @cached_property
    def window(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the patch, in pixels, relative to the box's left and top.

        The plane with the finest samples says where the patch ends.
        """
        left, top = -round(self.box.left), -round(self.box.top)
        width = max(plane.samples.shape[1] * plane.x_step for plane in self.planes)
        height = max(plane.samples.shape[0] * plane.y_step for plane in self.planes)
        return left, top, left + width, top + height

    @cached_property
    def grid(self) -> tuple[int, int]:
        """The (x, y) steps, in pixels, at which samples of all planes begin."""
        return (
            math.lcm(*(plane.x_step for plane in self.planes)),
            math.lcm(*(plane.y_step for plane in self.planes)),
        )

    @cached_property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """The (x_step, y_step) of each plane."""
        return tuple((plane.x_step, plane.y_step) for plane in self.planes)


class Method(Protocol):
    """Makes a face unrecognizable."""

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return, for each plane of the patch, new samples of the same shape and dtype.

        The method fills the whole patch; the redactor applies the mask.
        """
        ...


@runtime_checkable
class BlockMethod(Method, Protocol):
    """A method whose blocks also make the edge of the hidden area, in place of a soft one."""

    def blocks(self, patch: Patch) -> tuple[int, int]:
        """Return how many blocks lie down and across the patch's box, as stored."""
        ...


def names_of(method_class: MethodClass) -> tuple[str, ...]:
    """Return the sorted names of the methods of a class."""
    return tuple(name for name in plugins.names(__name__) if method_class_of(name) == method_class)
