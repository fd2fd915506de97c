"""Redaction methods: one file each; a file's name is the value of `--method`.

A method module holds `make(settings) -> Method`. To add a method, add a file; the contract tests
in `tests/methods/test_contract.py` run over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, PixelLayout, Plane, Samples


@dataclass(frozen=True, slots=True)
class Patch:
    """The part of a frame around one face, as a method sees it.

    planes       the frame's planes cut to the patch, in stored orientation; to be read only
    layout       what the samples mean
    orientation  how the stored pixels must be turned to stand upright
    face         where the face was found, in pixels of the patch: what strength follows
    box          the area to fill around the face, in whole pixels, its edges on the grid of
                 every plane's steps: what a mosaic or a picture is laid out on
    seed         the same for one face through all frames, so that noise does not flicker

    Both boxes reach beyond the patch where the border cuts them: they follow the face and not
    what is left of it. The patch is the part of `box` that lies in the picture.
    """

    planes: tuple[Plane, ...]
    layout: PixelLayout
    orientation: Orientation
    face: Box
    box: Box
    seed: int

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """The (x_step, y_step) of each plane."""
        return tuple((plane.x_step, plane.y_step) for plane in self.planes)


class Method(Protocol):
    """Makes a face unrecognizable."""

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return, for each plane of the patch, new samples of the same shape and dtype.

        The whole patch is filled; the caller puts in place only what its mask covers.
        """
        ...
