"""A window on the screen, with keys to press."""

from __future__ import annotations

import os
import select
import subprocess
import sys

from tracker_blur.errors import SinkError
from tracker_blur.realtime import window_process
from tracker_blur.realtime.child_process import PipeWriter, end, environment
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context, frame_of

_TITLE = "trackblur"
_KEYS = {
    "q": Controls.quit,
    " ": Controls.press_hide,
    "m": Controls.next_method,
    "+": Controls.stronger,
    "=": Controls.stronger,  # the same key without shift
    "-": Controls.weaker,
    "s": Controls.save_still,
}
_OPENING_SECONDS = 20.0
_NO_SCREEN = "window: there is no screen to show it on: use web instead"


def make(text: str, context: Context) -> WindowTarget:
    """Return the window."""
    return WindowTarget(context)


class WindowTarget:
    """The picture, how the session fares below it, and what the keys do; in another process.

    Closing it ends the session. Raises SinkError on opening, when there is no screen; on showing,
    when it is gone.
    """

    name = "window"
    is_reached = True

    def __init__(self, context: Context) -> None:
        self._context = context
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: PipeWriter | None = None

    def open(self, format: Format) -> None:
        """Open the window."""
        command = [sys.executable, "-m", window_process.__name__, _TITLE, *map(str, format.size)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # Qt talks much
                env=environment(),
                start_new_session=True,  # an interrupt at the terminal is for this process only
            )
        except OSError as error:
            raise SinkError(f"window: cannot be shown ({error}): use web instead") from error
        assert self._process.stdin is not None
        if self._pressed(_OPENING_SECONDS) != window_process.READY:
            raise SinkError(_NO_SCREEN)
        self._pipe = PipeWriter(
            self._process.stdin.fileno(), self._context.live.timeout_seconds, is_shared=False
        )

    def show(self, delivery: Delivery) -> None:
        """Show a picture, and act on keys; raises SinkError when that fails."""
        frame = frame_of(delivery)
        assert self._pipe is not None
        status = self._context.status()
        text = f"{status.line} | {status.method} {status.strength:+d}".encode()
        samples = frame.view(frame.size).tobytes()
        head = window_process.HEAD.pack(len(text), len(samples), status.state != "live")
        try:
            self._pipe.write(head + text)
            self._pipe.write(samples)
        except OSError as error:
            self._act()
            if not self._context.controls.is_over:
                raise SinkError("window: it is gone: use web instead") from error
        else:
            self._act()

    def play(self, sound: AudioChunk) -> None:
        """Leave sound alone."""

    def close(self) -> None:
        """Close the window."""
        process, self._process = self._process, None
        self._pipe = None
        if process is not None:
            end(process)

    def _act(self) -> None:
        """Do what the keys say that were pressed."""
        for key in self._pressed(0).decode("latin-1"):
            if key in _KEYS:
                _KEYS[key](self._context.controls)

    def _pressed(self, seconds: float) -> bytes:
        """Return what the window has told, after waiting for it for so long; nothing is b""."""
        assert self._process is not None
        assert self._process.stdout is not None
        told = self._process.stdout.fileno()
        ready, _, _ = select.select([told], [], [], seconds)
        return os.read(told, 64) if ready else b""
