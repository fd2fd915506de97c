"""What a person can change during a live session, from the window, the web page or a signal.

Nothing here hides less than what the session was started with, unless that is allowed. What hides
less than a moment ago needs a deliberate press, as showing frames again does.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.settings import method_class_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.settings import Settings

_MIN_STRENGTH, _START_STRENGTH, _MAX_STRENGTH = -8, 0, 8
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
        strength: In steps; more is stronger, 0 is as the settings say, the least unless weaker
            is allowed.
        snapshots: How many snapshots were requested so far.
        shown_since: `time.monotonic()` when the whole frame was last shown again. What was
            captured before stays hidden, although it may leave later.
    """

    hide_all: bool
    method: str
    strength: int = 0
    snapshots: int = 0
    shown_since: float = -math.inf

    def hides(self, captured_at: float) -> bool:
        """Return whether a frame captured at this `time.monotonic()` is to be hidden as a whole."""
        return self.hide_all or captured_at < self.shown_since

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
        methods: The methods that `next_method` goes through; the first is in use. Of the others,
            cosmetic ones are left out unless weaker is allowed.
        hide_all: Whether the whole frame is hidden from the start.
        timing: How long after a press another may not show again, and how often `wait` polls.
        allow_weaker: Whether faces may be hidden less than at the start.
    """

    def __init__(
        self,
        methods: Sequence[str],
        *,
        hide_all: bool = False,
        timing: LiveTiming | None = None,
        allow_weaker: bool = False,
    ) -> None:
        self._allow_weaker = allow_weaker
        self._methods = self._within_reach(methods)
        self._timing = timing or LiveTiming()
        self._control_state = ControlState(hide_all, self._methods[0])
        self._pressed_seconds = -math.inf  # when something that reveals was last requested
        self._lock = threading.RLock()
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
    def can_weaken(self) -> bool:
        """Whether `weaker` would change anything."""
        return self._control_state.strength > self._min_strength

    @property
    def is_over(self) -> bool:
        """Whether the session is to end."""
        return self._is_over

    def begin_with(self, method: str) -> None:
        """Begin with a session's own method, unless the controls begin with a destructive one."""
        with self._lock:
            if method_class_of(self._methods[0]) == "cosmetic":
                self._methods = self._within_reach([method, *self._methods])
                self._control_state = replace(self._control_state, method=self._methods[0])

    def hide_all(self) -> None:
        """Hide the whole frame and mute the audio."""
        with self._lock:
            self._pressed_seconds = time.monotonic()
            self._control_state = replace(self._control_state, hide_all=True)

    def show(self) -> None:
        """Show redacted frames again, from the next captured one on."""
        with self._lock:
            if self._control_state.hide_all:
                self._control_state = replace(
                    self._control_state, hide_all=False, shown_since=time.monotonic()
                )

    def press_show(self) -> None:
        """Show redacted frames again, unless another press came just before.

        The second half of a double click, a key that is held, or a viewer who has not noticed that
        someone else has just hidden the frame must not reveal anything.
        """
        with self._lock:  # nothing comes between
            if self._is_deliberate():
                self.show()

    def press_hide(self) -> None:
        """Hide the whole frame; if it is hidden already, show again as `press_show` does."""
        with self._lock:
            if self._control_state.hide_all:
                self.press_show()
            else:
                self.hide_all()

    def next_method(self) -> None:
        """Switch to the next method."""
        with self._lock:
            self._control_state = replace(self._control_state, method=self._following_method())

    def press_method(self) -> None:
        """Switch to the next method; to a cosmetic one as `press_show` shows again."""
        with self._lock:
            if method_class_of(self._following_method()) == "destructive" or self._is_deliberate():
                self.next_method()

    def stronger(self) -> None:
        """Hide faces more strongly."""
        self._strengthen(1)

    def weaker(self) -> None:
        """Hide faces less strongly, down to where the session began unless weaker is allowed."""
        self._strengthen(-1)

    def press_weaker(self) -> None:
        """Hide faces less strongly, as `press_show` shows again."""
        with self._lock:
            if self._is_deliberate():
                self.weaker()

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

    @property
    def _min_strength(self) -> int:
        return _MIN_STRENGTH if self._allow_weaker else _START_STRENGTH

    def _within_reach(self, methods: Sequence[str]) -> tuple[str, ...]:
        """Return the methods that may be switched to, each once, the first as it is."""
        first, *others = dict.fromkeys(methods)
        destructive = [name for name in others if method_class_of(name) == "destructive"]
        return (first, *(others if self._allow_weaker else destructive))

    def _following_method(self) -> str:
        index = self._methods.index(self._control_state.method) + 1
        return self._methods[index % len(self._methods)]

    def _is_deliberate(self) -> bool:
        """Count a press; return whether no other such press came just before."""
        with self._lock:
            before, self._pressed_seconds = self._pressed_seconds, time.monotonic()
            return self._pressed_seconds - before >= self._timing.repeat_press_seconds

    def _strengthen(self, step: int) -> None:
        with self._lock:
            strength = _clamped(
                self._control_state.strength + step, self._min_strength, _MAX_STRENGTH
            )
            self._control_state = replace(self._control_state, strength=int(strength))


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
