"""What a reviewer sees: frames as they are, as they will be, and crops of faces, as JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.frame import view_size
from tracker_blur.errors import SettingsError
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction
    from typing import Any

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.core.tracks import Face
    from tracker_blur.review.frame_sources import KeptFrame

_QUALITY = 88
_FACE_SHARE = 0.6  # of a crop's side; the rest shows where the face is
_LOOK = (
    "method", "tone", "factor", "blocks", "color", "shape", "padding_ratio", "feather_ratio",
)  # fmt: skip
"""Settings that say how faces are hidden, as far as a track file holds them."""


def shown_size(
    frame_size: tuple[int, int], width: int | None, pixel_aspect: Fraction
) -> tuple[int, int]:
    """Return the (width, height) at which a frame is shown: square pixels, never enlarged.

    Args:
        frame_size: (width, height) of the upright frame.
        width: the most that is wanted; None: all there is.
        pixel_aspect: width of a pixel over its height.
    """
    whole = view_size(frame_size, max(frame_size), pixel_aspect)
    if width is None or width >= whole[0]:
        return whole
    return width, max(1, round(whole[1] * width / whole[0]))


def jpeg(image: Image) -> bytes:
    """Return an image, BGR, as JPEG."""
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return content.tobytes()


def face_crop(frame: KeptFrame, box: Box, px: int) -> Image:
    """Return a square around a face, with its surroundings, black outside of the frame.

    Args:
        frame: the frame.
        box: the face, in its pixels.
        px: side of the crop.
    """
    side = max(box.width, box.height, 1.0) / _FACE_SHARE
    scale = px / side
    # Reduce first: a warp alone would take single pixels of a large face.
    ratio = min(1.0, scale)
    size = max(1, round(frame.size[0] * ratio)), max(1, round(frame.size[1] * ratio))
    image = frame.view(size)
    x, y = box.center
    across, down = px / side / (size[0] / frame.size[0]), px / side / (size[1] / frame.size[1])
    matrix = np.array(
        (
            (across, 0, px / 2 - x * scale),
            (0, down, px / 2 - y * scale),
        ),
        np.float64,
    )
    return np.asarray(cv2.warpAffine(image, matrix, (px, px), flags=cv2.INTER_LINEAR), np.uint8)


class Redactions:
    """Frames as they will be, by the redactor and the method of the result.

    A method that keeps the tone of a face's first frame takes that of the frame shown.

    Args:
        settings: those of a track file; what they lack is as by default.

    Attributes:
        settings: how faces are hidden.
        notes: which of the settings cannot be used, in a line each.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings, self.notes = redaction_settings(settings)

    def redacted(
        self, frame: Frame, faces: Sequence[Face], turned: Mapping[int, bool | None]
    ) -> Frame:
        """Hide faces in a frame's own planes, and return it; raises SettingsError.

        Args:
            frame: the frame.
            faces: what to hide in it.
            turned: what `turned_areas` says about the frames before.
        """
        return FrameRedactor(self.settings, turned=turned).redact(frame, faces).frame


def redaction_settings(settings: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Return how faces are hidden by a track file's settings, and what of them makes no sense.

    What makes no sense is replaced by the default. A replacement image is not in a track file, only
    its name.
    """
    known: dict[str, Any] = {}
    notes = []
    for name in _LOOK:
        if name not in settings:
            continue
        try:
            Settings(**known, **{name: settings[name]})
        except (SettingsError, TypeError) as error:
            default = getattr(Settings(), name)
            notes.append(f"the track file's {name} cannot be used here ({error}): {default} is")
        else:
            known[name] = settings[name]
    return Settings(**known), notes
