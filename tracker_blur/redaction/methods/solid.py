"""One flat color (the safest: nothing of the face is left).

The color is `settings.color`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.redaction import color

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.redaction.methods import Patch
    from tracker_blur.settings import Settings

CLASS = "destructive"


def make(settings: Settings) -> Solid:
    """Return the method; raises SettingsError for an invalid color."""
    return Solid(color.parse(settings.color))


class Solid:
    """Fills a patch with one color."""

    def __init__(self, fill: color.Color) -> None:
        self._fill = fill

    def hide(self, patch: Patch) -> tuple[Samples, ...]:
        """Return patches of the color."""
        values = color.to_samples(self._fill, patch.layout)
        return tuple(
            np.full_like(plane.samples, value)
            for plane, value in zip(patch.planes, values, strict=True)
        )
