"""Serves one target in a thread of its own, and opens it again when it fails."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError, TrackerBlurError
from tracker_blur.realtime.addresses import without_secrets
from tracker_blur.realtime.handoff import Backoff
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.status import TargetState, TargetStatus
from tracker_blur.realtime.targets import GoneError, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format


class TargetWorker:
    """Shows a target the newest frame, and plays it all audio.

    A target that cannot be opened the first time is not tried again: that is a user's mistake.

    Args:
        target: The target.
        warn: Called with each problem, from the thread.
        timing: Pauses between retries, and how much audio waits.
        describe: Returns the message of an error, such as one that names flags.
    """

    def __init__(
        self,
        target: Target,
        warn: Callable[[str], None],
        timing: LiveTiming | None = None,
        describe: Callable[[TrackerBlurError], str] = str,
    ) -> None:
        self._target = target
        self._warn = warn
        self._timing = timing or LiveTiming()
        self._describe = describe
        self._changed = threading.Condition()
        self._delivery: Delivery | None = None
        self._audio: deque[AudioChunk] = deque(maxlen=self._timing.target_audio_chunks)
        self._is_stopping = False
        self._is_ready = False  # to be shown something
        self._thread: threading.Thread | None = None
        self._tried = threading.Event()
        self._open_failure: TrackerBlurError | None = None
        self._state: TargetState = "opening"
        self._shown = self._dropped = self._failures = 0
        self._error = ""

    @property
    def is_given_up(self) -> bool:
        """Whether the target is not tried again, although it was not stopped."""
        return self._thread is not None and not self._thread.is_alive() and not self._is_stopping

    @property
    def status(self) -> TargetStatus:
        """The status of the target."""
        return TargetStatus(
            self._target.name, self._state, self._shown, self._dropped, self._failures, self._error
        )

    def start(self, format: Format) -> None:
        """Start the thread, which opens the target."""
        self._thread = threading.Thread(
            target=self._run, args=(format,), name=f"target {self._target.name}", daemon=True
        )
        self._thread.start()

    def wait_until_open(self, timeout_seconds: float) -> bool:
        """Wait until the target was opened once; return whether it was.

        Raises:
            TrackerBlurError: When it cannot be opened.
        """
        was_tried = self._tried.wait(timeout_seconds)
        if self._open_failure is not None:
            raise self._open_failure
        return was_tried

    def show(self, delivery: Delivery) -> None:
        """Have the target show a frame, in the place of one that it has not shown yet."""
        with self._changed:
            if self._is_ready:
                self._dropped += self._delivery is not None
                self._delivery = delivery
                self._changed.notify()

    def play(self, audio: AudioChunk) -> None:
        """Have the target play a chunk of audio."""
        with self._changed:
            if self._is_ready:
                self._audio.append(audio)

    def stop(self) -> None:
        """Have the target finish; `wait` waits for that."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until the target is closed; return whether it is."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            return not self._thread.is_alive()
        return True

    def _run(self, format: Format) -> None:
        backoff = Backoff(self._timing)
        while not self._is_stopping:
            started = time.monotonic()
            try:
                self._target.open(format)
                with self._changed:
                    self._is_ready = True
                self._tried.set()
                self._serve()
            except Exception as error:  # noqa: BLE001  # one target must not stop the others
                is_final = isinstance(error, GoneError) or not self._tried.is_set()
                self._fail(error, is_final=is_final)
                if is_final:
                    self._target.close()
                    self._tried.set()
                    return
            self._target.close()
            gc.collect()  # errors and encoders refer to each other and would stay for hours
            with self._changed:
                self._delivery = None
                self._audio.clear()
                if not self._is_stopping:
                    pause = backoff.next_pause(time.monotonic() - started)
                    self._changed.wait_for(lambda: self._is_stopping, pause)
        if self._state == "opening" and self._shown and not self._target.is_reached:
            self._state, self._error = "failed", f"{self._target.name}: was not reached in time"
        elif self._state != "failed":
            self._state = "closed"

    def _serve(self) -> None:
        """Show and play until stopped; an error of the target ends it."""
        while True:
            with self._changed:
                if self._target.is_reached:
                    self._state = "open"
                self._changed.wait_for(lambda: self._delivery is not None or self._is_stopping)
                delivery, self._delivery = self._delivery, None
                chunks = list(self._audio)
                self._audio.clear()
            if delivery is not None:
                self._target.show(delivery)
                self._shown += 1
                if self._target.is_reached:
                    self._error = ""
            for chunk in chunks:
                self._target.play(chunk)
            if self._is_stopping and delivery is None:
                return

    def _fail(self, error: Exception, *, is_final: bool) -> None:
        if isinstance(error, TrackerBlurError):
            text = self._describe(error)
        else:
            text = without_secrets(str(error)) or type(error).__name__
        with self._changed:
            is_new = text != self._error
            self._state, self._error, self._is_ready = "failed", text, False
            self._failures += 1
        if not self._tried.is_set():  # raised by `wait_until_open`
            if not isinstance(error, TrackerBlurError):
                error = SinkError(f"{self._target.name}: cannot be opened ({text})")
            self._open_failure = error
        elif is_new:
            self._warn(text if is_final else f"{text}: retrying")
