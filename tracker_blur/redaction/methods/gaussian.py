"""A strong blur, only for looks: a program may still recognize the face.

The kernel's width and height are the face's divided by `settings.factor`, odd, at least 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.redaction.filters import gaussian_blur, kernel_px

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings

CLASS = "cosmetic"


def make(settings: Settings) -> Gaussian:
    """Return the method."""
    return Gaussian(settings.factor)


class Gaussian:
    """Blurs in proportion to the face's size."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return the patch, blurred."""
        return tuple(
            gaussian_blur(
                plane.samples,
                kernel_px(patch.face.width / plane.x_step, self._factor),
                kernel_px(patch.face.height / plane.y_step, self._factor),
            )
            for plane in patch.planes
        )
