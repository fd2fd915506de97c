"""A window that shows one image."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import cv2

from tracker_blur.errors import SinkError

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image


def show(title: str, image: Image) -> None:
    """Show an image until a key is pressed or the window is closed.

    Raises:
        SinkError: When there is no screen.
    """
    # Without a screen, OpenCV's window system would abort the process.
    if sys.platform == "linux" and not (os.getenv("DISPLAY") or os.getenv("WAYLAND_DISPLAY")):
        raise SinkError(f"{title}: cannot be shown (there is no screen): open the file elsewhere")
    try:
        cv2.imshow(title, image)
        while cv2.waitKey(50) < 0 and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) > 0:
            pass
        cv2.destroyAllWindows()
    except cv2.error as error:
        raise SinkError(
            f"{title}: no window can be opened ({error.err}): open the file elsewhere"
        ) from error
