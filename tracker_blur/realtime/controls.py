"""What a person may do while it runs: from a window, a page or a signal."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracker_blur.settings import Settings

_STRONGEST, _WEAKEST = 8, -8
_BLOCKS = 1, 40
_FACTORS = 1.0, 8.0
_FACTOR_STEP = 0.8
_PADDING_STEP, _LARGEST_PADDING = 0.05, 2.0
_POLL_SECONDS = 0.05
_REST_SECONDS = 0.8  # keyboards repeat a key that is held; the first repeat comes late


@dataclass(frozen=True, slots=True)
class ControlState:
    """What is wanted now.

    hide_all  hide the whole picture, and let no sound be heard
    method    how faces are hidden
    strength  steps: more is stronger, 0 is as the settings say
    stills    how many pictures were asked for so far
    """

    hide_all: bool
    method: str
    strength: int = 0
    stills: int = 0

    def applied(self, settings: Settings) -> Settings:
        """Return the settings with this method at this strength; never less padding."""
        more = _PADDING_STEP * max(0, self.strength)
        return replace(
            settings,
            method=self.method,
            blocks=int(_clamped(settings.blocks - self.strength, *_BLOCKS)),
            factor=_clamped(settings.factor * _FACTOR_STEP**self.strength, *_FACTORS),
            padding_ratio=min(_LARGEST_PADDING, settings.padding_ratio + more),
        )


class Controls:
    """Buttons and keys act on it, the session reads it; from any thread.

    methods   those that `next_method` goes through, the first one at work
    hide_all  whether the whole picture is hidden from the start
    """

    def __init__(self, methods: Sequence[str], *, hide_all: bool = False) -> None:
        self._methods = tuple(methods)
        self._control_state = ControlState(hide_all, self._methods[0])
        self._pressed_seconds = -math.inf  # when hiding or showing was wished for, last
        self._lock = threading.Lock()
        # No event: a signal's handler may come while the same thread holds the lock of one.
        self._is_over = False

    @property
    def control_state(self) -> ControlState:
        """What is wanted now."""
        return self._control_state

    @property
    def is_over(self) -> bool:
        """Whether somebody has quit."""
        return self._is_over

    def hide_all(self) -> None:
        """Hide all, sound too."""
        with self._lock:
            self._pressed_seconds = time.monotonic()
            self._control_state = replace(self._control_state, hide_all=True)

    def show(self) -> None:
        """Show what is redacted again."""
        with self._lock:
            self._control_state = replace(self._control_state, hide_all=False)

    def press_show(self) -> None:
        """Show again, but not so soon after a wish to hide all, or to show, that it may be no wish.

        The second half of a double click, a key that is held, or who has not seen that somebody
        else has just hidden all: they must uncover nothing.
        """
        with self._lock:
            before, self._pressed_seconds = self._pressed_seconds, time.monotonic()
            is_too_soon = self._pressed_seconds - before < _REST_SECONDS
        if not is_too_soon:
            self.show()

    def press_hide(self) -> None:
        """Hide all; where all is hidden, show again as `press_show` does."""
        if self._control_state.hide_all:
            self.press_show()
        else:
            self.hide_all()

    def next_method(self) -> None:
        """Hide faces in another way."""
        with self._lock:
            index = self._methods.index(self._control_state.method) + 1
            self._control_state = replace(
                self._control_state, method=self._methods[index % len(self._methods)]
            )

    def stronger(self) -> None:
        """Hide faces more."""
        self._strengthen(1)

    def weaker(self) -> None:
        """Hide faces less."""
        self._strengthen(-1)

    def save_still(self) -> None:
        """Save the next redacted picture as a file."""
        with self._lock:
            self._control_state = replace(
                self._control_state, stills=self._control_state.stills + 1
            )

    def quit(self) -> None:
        """End the session; a signal's handler may call it, too."""
        self._is_over = True

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until somebody quits, or for so long; return whether somebody has."""
        end = time.monotonic() + timeout_seconds
        while not self._is_over and (left := end - time.monotonic()) > 0:
            time.sleep(min(_POLL_SECONDS, left))
        return self._is_over

    def _strengthen(self, step: int) -> None:
        with self._lock:
            strength = int(_clamped(self._control_state.strength + step, _WEAKEST, _STRONGEST))
            self._control_state = replace(self._control_state, strength=strength)


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))
