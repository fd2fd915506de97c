"""What a person can change during a live session, from the window, the web page or a signal."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracker_blur.realtime.settings import LiveTiming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.settings import Settings

_MIN_STRENGTH, _MAX_STRENGTH = -8, 8
_MIN_BLOCKS, _MAX_BLOCKS = 1, 40
_MIN_FACTOR, _MAX_FACTOR = 1.0, 8.0
_FACTOR_STEP = 0.8
_PADDING_STEP, _MAX_PADDING = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class ControlState:
    """The state of all controls.

    Attributes:
        hide_all: Whether to hide the whole frame and mute the audio.
        method: How faces are hidden.
        strength: In steps; more is stronger, 0 is as the settings say.
        snapshots: How many snapshots were requested so far.
    """

    hide_all: bool
    method: str
    strength: int = 0
    snapshots: int = 0

    @property
    def stills(self) -> int:
        """The older name of `snapshots`."""
        return self.snapshots

    def applied(self, settings: Settings) -> Settings:
        """Return the settings with this method at this strength; never with less padding."""
        padding = settings.padding_ratio + _PADDING_STEP * max(0, self.strength)
        factor = settings.factor * _FACTOR_STEP**self.strength
        return replace(
            settings,
            method=self.method,
            blocks=int(_clamped(settings.blocks - self.strength, _MIN_BLOCKS, _MAX_BLOCKS)),
            factor=_clamped(factor, _MIN_FACTOR, _MAX_FACTOR),
            padding_ratio=min(_MAX_PADDING, padding),
        )


class Controls:
    """The controls of a session: buttons and keys change them, the session reads them.

    All methods may be called from any thread.

    Args:
        methods: The methods that `next_method` goes through; the first is in use.
        hide_all: Whether the whole frame is hidden from the start.
        timing: How long after a press another may not show again, and how often `wait` polls.
    """

    def __init__(
        self, methods: Sequence[str], *, hide_all: bool = False, timing: LiveTiming | None = None
    ) -> None:
        self._methods = tuple(methods)
        self._timing = timing or LiveTiming()
        self._control_state = ControlState(hide_all, self._methods[0])
        self._pressed_seconds = -math.inf  # when hiding or showing was last requested
        self._lock = threading.Lock()
        # Not an event: a signal handler may run while the same thread holds the event's lock.
        self._is_over = False

    @property
    def control_state(self) -> ControlState:
        """The current state."""
        return self._control_state

    @property
    def wishes(self) -> ControlState:
        """The older name of `control_state`."""
        return self._control_state

    @property
    def is_over(self) -> bool:
        """Whether the session is to end."""
        return self._is_over

    def hide_all(self) -> None:
        """Hide the whole frame and mute the audio."""
        with self._lock:
            self._pressed_seconds = time.monotonic()
            self._control_state = replace(self._control_state, hide_all=True)

    def show(self) -> None:
        """Show redacted frames again."""
        with self._lock:
            self._control_state = replace(self._control_state, hide_all=False)

    def press_show(self) -> None:
        """Show redacted frames again, unless another press came just before.

        The second half of a double click, a key that is held, or a viewer who has not noticed that
        someone else has just hidden the frame must not reveal anything.
        """
        with self._lock:
            before, self._pressed_seconds = self._pressed_seconds, time.monotonic()
            is_too_soon = self._pressed_seconds - before < self._timing.repeat_press_seconds
        if not is_too_soon:
            self.show()

    def press_hide(self) -> None:
        """Hide the whole frame; if it is hidden already, show again as `press_show` does."""
        if self._control_state.hide_all:
            self.press_show()
        else:
            self.hide_all()

    def next_method(self) -> None:
        """Switch to the next method."""
        with self._lock:
            index = self._methods.index(self._control_state.method) + 1
            self._control_state = replace(
                self._control_state, method=self._methods[index % len(self._methods)]
            )

    def stronger(self) -> None:
        """Hide faces more strongly."""
        self._strengthen(1)

    def weaker(self) -> None:
        """Hide faces less strongly."""
        self._strengthen(-1)

    def save_still(self) -> None:
        """Save the next redacted frame as an image."""
        with self._lock:
            self._control_state = replace(
                self._control_state, snapshots=self._control_state.snapshots + 1
            )

    def quit(self) -> None:
        """End the session. Signal handlers may call this, too."""
        self._is_over = True

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until the session is to end, or for the timeout; return whether it is to end."""
        end = time.monotonic() + timeout_seconds
        while not self._is_over and (left := end - time.monotonic()) > 0:
            time.sleep(min(self._timing.control_poll_seconds, left))
        return self._is_over

    def _strengthen(self, step: int) -> None:
        with self._lock:
            strength = _clamped(self._control_state.strength + step, _MIN_STRENGTH, _MAX_STRENGTH)
            self._control_state = replace(self._control_state, strength=int(strength))


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
