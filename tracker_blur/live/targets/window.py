"""A window on the screen, with keys to press."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import cv2
import numpy as np

from tracker_blur.errors import SinkError
from tracker_blur.frames import Image
from tracker_blur.live.controls import Controls
from tracker_blur.live.delivery import Delivery, Format, Sound
from tracker_blur.live.targets import Context
from tracker_blur.live.targets._pictures import frame_of
from tracker_blur.live.targets._process import environment

_TITLE = "trackblur"
_KEYS = {
    ord("q"): Controls.quit,
    27: Controls.quit,  # escape
    ord(" "): Controls.hide_all,
    ord("m"): Controls.next_method,
    ord("+"): Controls.stronger,
    ord("="): Controls.stronger,  # the same key without shift
    ord("-"): Controls.weaker,
    ord("s"): Controls.save_still,
}
_HELP = "q quit  space hide all  m method  + - strength  s still"
_BAR_PX, _TEXT_SCALE = 22, 0.45
_LIGHT, _RED, _DARK = (225, 225, 225), (60, 60, 235), 24
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1)"
_PROBE_SECONDS = 20.0


def make(text: str, context: Context) -> Window:
    """Return the window."""
    return Window(context)


class Window:
    """The picture, how the session fares below it, and what the keys do.

    Closing it ends the session. Raises SinkError on opening, when there is no screen.
    """

    name = "window"

    def __init__(self, context: Context) -> None:
        self._controls = context.controls
        self._status = context.status
        self._is_shown = False

    def open(self, format: Format) -> None:
        """Look for a screen. All of OpenCV's window calls are made by the target's own thread."""
        if not _has_screen():
            raise SinkError("window: there is no screen to show it on: use web instead")

    def show(self, delivery: Delivery) -> None:
        """Show a picture, and act on keys; raises SinkError when that fails."""
        frame = frame_of(delivery)
        try:
            if not self._is_shown:
                cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                cv2.resizeWindow(_TITLE, *_with_bar(frame.size))
                self._is_shown = True
            cv2.imshow(_TITLE, self._with_status(frame.view(frame.size)))
            key = cv2.waitKey(1)
            is_closed = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error as error:
            raise SinkError(f"window: cannot be shown ({error.err}): use web instead") from error
        if key >= 0 and (action := _KEYS.get(key & 0xFF)):
            action(self._controls)
        if is_closed:
            self._controls.quit()

    def play(self, sound: Sound) -> None:
        """Leave sound alone."""

    def close(self) -> None:
        """Close the window."""
        if self._is_shown:
            self._is_shown = False
            with suppress(cv2.error):
                cv2.destroyWindow(_TITLE)
                cv2.waitKey(1)  # only now it goes

    def _with_status(self, picture: Image) -> Image:
        height, width = picture.shape[:2]
        shown = np.full((height + 2 * _BAR_PX, width, 3), _DARK, np.uint8)
        shown[:height] = picture
        status = self._status()
        color = _LIGHT if status.state == "live" else _RED
        line = f"{status.line} | {status.method} {status.strength:+d}"
        for row, (text, ink) in enumerate([(line, color), (_HELP, _LIGHT)]):
            place = (8, height + (row + 1) * _BAR_PX - 6)
            cv2.putText(
                shown, text, place, cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SCALE, ink, 1, cv2.LINE_AA
            )
        return shown


def _with_bar(size: tuple[int, int]) -> tuple[int, int]:
    return size[0], size[1] + 2 * _BAR_PX


def _has_screen() -> bool:
    """Open a window in another process: without a screen, OpenCV would abort this one."""
    command = [sys.executable, "-c", _PROBE]
    try:
        probe = subprocess.run(
            command,
            env=environment(),
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0
