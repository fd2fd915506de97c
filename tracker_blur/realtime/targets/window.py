"""A window on the screen, with keys as controls."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError
from tracker_blur.processes import python_environment
from tracker_blur.realtime import window_process
from tracker_blur.realtime.child_process import OutputReader, PipeWriter, end
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.targets import TargetContext, redacted_frame

if TYPE_CHECKING:
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format

_TITLE = "trackblur"
_KEYS = {
    "q": Controls.quit,
    " ": Controls.press_hide,
    "m": Controls.press_method,
    "+": Controls.stronger,
    "=": Controls.stronger,  # the same key without shift
    "-": Controls.press_weaker,
    "s": Controls.save_still,
}


def make(text: str, context: TargetContext) -> WindowTarget:
    """Return the target."""
    return WindowTarget(context)


class WindowTarget:
    """Shows the frames, the status and the keys in a window, which belongs to a child process.

    Closing the window ends the session. `open` raises SinkError if there is no screen, and `show`
    if the window is gone.
    """

    name = "window"
    is_reached = True

    def __init__(self, context: TargetContext) -> None:
        self._context = context
        self._timing = context.live.timing
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: PipeWriter | None = None
        self._output: OutputReader | None = None

    def open(self, format: Format) -> None:
        """Open the window."""
        command = [sys.executable, "-m", window_process.__name__, _TITLE, *map(str, format.size)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # Qt logs a lot
                env=python_environment(),
                start_new_session=True,  # Ctrl+C at the terminal is for this process only
            )
        except OSError as error:
            raise SinkError(
                f"window: cannot be opened ({error}): use the target web instead"
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._output = OutputReader(self._process.stdout)
        if self._output.read(self._timing.open_window_seconds) != window_process.READY:
            raise SinkError("window: there is no screen to show it on: use the target web instead")
        self._pipe = PipeWriter(
            self._process.stdin.fileno(), self._context.live.timeout_seconds, is_shared=False
        )

    def show(self, delivery: Delivery) -> None:
        """Show a frame, and act on the keys that were pressed; raises SinkError if that fails."""
        frame = redacted_frame(delivery)
        assert self._pipe is not None
        status = self._context.status()
        text = f"{status.line} | {status.method} {status.strength:+d}".encode()
        samples = frame.view(frame.size).tobytes()
        head = window_process.HEADER.pack(len(text), len(samples), status.state != "live")
        try:
            self._pipe.write(head + text)
            self._pipe.write(samples)
        except OSError as error:
            self._act_on_keys()
            if not self._context.controls.is_over:
                raise SinkError("window: it is gone: use the target web instead") from error
        else:
            self._act_on_keys()

    def play(self, audio: AudioChunk) -> None:
        """Ignore audio."""

    def close(self) -> None:
        """Close the window."""
        process, self._process = self._process, None
        self._pipe = None
        if process is not None:
            end(process, self._timing.end_process_seconds)

    def _act_on_keys(self) -> None:
        assert self._output is not None
        for key in self._output.read(0).decode("latin-1"):
            if key in _KEYS:
                _KEYS[key](self._context.controls)
