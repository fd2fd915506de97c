"""The runner: serves one target, in a thread of its own, and opens it anew when it fails."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable

from tracker_blur.errors import SinkError, TrackerBlurError
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.handoff import Backoff
from tracker_blur.realtime.status import TargetState, TargetStatus
from tracker_blur.realtime.targets import GoneError, Target

_MOST_SOUNDS = 500  # stretches that wait: a target that is slower loses the oldest


class TargetWorker:
    """Shows a target the newest picture, and plays it all sound.

    A target that cannot even be opened once is given up: that is a mistake, and no accident.

    tell  called with what a user should know, from the runner's thread
    """

    def __init__(self, target: Target, tell: Callable[[str], None]) -> None:
        self._target = target
        self._tell = tell
        self._changed = threading.Condition()
        self._delivery: Delivery | None = None
        self._sounds: deque[AudioChunk] = deque(maxlen=_MOST_SOUNDS)
        self._is_stopping = False
        self._is_ready = False  # to be shown something
        self._thread: threading.Thread | None = None
        self._tried = threading.Event()
        self._never_opened: TrackerBlurError | None = None
        self._state: TargetState = "opening"
        self._shown = self._dropped = self._failures = 0
        self._error = ""

    @property
    def is_given_up(self) -> bool:
        """Whether the target is not tried again, though nobody has stopped it."""
        return self._thread is not None and not self._thread.is_alive() and not self._is_stopping

    @property
    def status(self) -> TargetStatus:
        """How the target fares."""
        return TargetStatus(
            self._target.name, self._state, self._shown, self._dropped, self._failures, self._error
        )

    def start(self, format: Format) -> None:
        """Open the target and begin."""
        self._thread = threading.Thread(
            target=self._run, args=(format,), name=f"target {self._target.name}", daemon=True
        )
        self._thread.start()

    def wait_until_open(self, timeout_seconds: float) -> bool:
        """Wait until the target was opened once, or for so long; return whether it was.

        Raises TrackerBlurError when it cannot be opened.
        """
        was_tried = self._tried.wait(timeout_seconds)
        if self._never_opened is not None:
            raise self._never_opened
        return was_tried

    def show(self, delivery: Delivery) -> None:
        """Have the target show this, in the place of what it has not shown yet."""
        with self._changed:
            if self._is_ready:
                self._dropped += self._delivery is not None
                self._delivery = delivery
                self._changed.notify()

    def play(self, sound: AudioChunk) -> None:
        """Have the target play this."""
        with self._changed:
            if self._is_ready:
                self._sounds.append(sound)

    def stop(self) -> None:
        """Have the target finish what it holds; `wait` waits for that."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until the target is closed, or for so long; return whether it is."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            return not self._thread.is_alive()
        return True

    def _run(self, format: Format) -> None:
        pauses = Backoff()
        while not self._is_stopping:
            started = time.monotonic()
            try:
                self._target.open(format)
                with self._changed:
                    self._is_ready = True
                self._tried.set()
                self._serve()
            except Exception as error:
                is_over = isinstance(error, GoneError) or not self._tried.is_set()
                self._fail(error, is_over=is_over)
                if is_over:
                    self._target.close()
                    self._tried.set()
                    return
            self._target.close()
            gc.collect()  # an error and the encoders it met keep each other, for hours
            with self._changed:
                self._delivery = None
                self._sounds.clear()
                if not self._is_stopping:
                    pause = pauses.next_after(time.monotonic() - started)
                    self._changed.wait_for(lambda: self._is_stopping, pause)
        if self._state == "opening" and self._shown and not self._target.is_reached:
            self._state, self._error = "failed", f"{self._target.name}: was not reached in time"
        elif self._state != "failed":
            self._state = "closed"

    def _serve(self) -> None:
        """Show and play until it is stopped; what the target raises ends it."""
        while True:
            with self._changed:
                if self._target.is_reached:
                    self._state = "open"
                self._changed.wait_for(lambda: self._delivery is not None or self._is_stopping)
                delivery, self._delivery = self._delivery, None
                sounds = list(self._sounds)
                self._sounds.clear()
            if delivery is not None:
                self._target.show(delivery)
                self._shown += 1
                if self._target.is_reached:
                    self._error = ""
            for sound in sounds:
                self._target.play(sound)
            if self._is_stopping and delivery is None:
                return

    def _fail(self, error: Exception, *, is_over: bool) -> None:
        text = str(error) or type(error).__name__
        with self._changed:
            is_news = text != self._error
            self._state, self._error, self._is_ready = "failed", text, False
            self._failures += 1
        if not self._tried.is_set():  # raised where somebody waits for it to open
            if not isinstance(error, TrackerBlurError):
                error = SinkError(f"{self._target.name}: cannot be opened ({text})")
            self._never_opened = error
        elif is_news:
            self._tell(text if is_over else f"{text}: it is tried again")
