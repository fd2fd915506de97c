"""Delivers frames and audio to the targets at a steady rate, in a thread of its own.

A new redacted frame is delivered, or the last one is repeated when none came. Where the guard
(`tracker_blur.realtime.guard`) asks for it, the newest frame is delivered fully hidden. The output
blanks frames itself, so that it continues whatever the analyzer does.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, cast

from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.guard import Situation, reason_to_blank
from tracker_blur.redaction.redactor import FrameRedactor, duplicate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from tracker_blur.core.frame import Frame, RedactedFrame
    from tracker_blur.realtime.analyzer import AnalyzedFrame, Analyzer
    from tracker_blur.realtime.capture import Capture
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.live_frame import LiveFrame
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.target_worker import TargetWorker
    from tracker_blur.settings import Settings


class Output:
    """Delivers frames and audio to target workers.

    Attributes:
        reason: Why frames are fully hidden now; None: they are not.
        frame_count: How many frames were delivered.
        repeated_count: How many of them were repeated.
        blanked_count: How many of them were fully hidden.
        faces: How many faces are hidden in the newest frame.
        restarts: How often it failed.
        error: The last error; "" if there was none.
        delays: Seconds from the capture of a frame to its delivery, without the look-ahead, for
            the newest frames.
        times: `time.monotonic()` of the newest deliveries.

    Args:
        capture: Where frames and audio come from.
        analyzer: Where redacted frames come from.
        controls: Whether a person wants the whole frame hidden.
        settings: How frames are hidden, and the look-ahead.
        live_settings: The watchdog, the blank image and timing.
        epoch: `time.monotonic()` at which the session's clock is 0.
        warn: Called with each problem, from the thread.
    """

    def __init__(
        self,
        capture: Capture,
        analyzer: Analyzer,
        controls: Controls,
        settings: Settings,
        live_settings: LiveSettings,
        epoch: float,
        warn: Callable[[str], None],
    ) -> None:
        timing = live_settings.timing
        self._capture = capture
        self._analyzer = analyzer
        self._workers: tuple[TargetWorker, ...] = ()
        self._controls = controls
        self._redactor = FrameRedactor(settings, live_settings.cover)  # the analyzer's may hang
        self._watchdog_seconds = live_settings.watchdog_seconds
        self._delay_seconds = settings.delay_seconds
        self._timing = timing
        self._epoch = epoch
        self._warn = warn
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._period = float(1 / timing.default_rate)
        self._is_face_lost = self._is_unsettled = False
        self._is_blank = True
        self._last: RedactedFrame | None = None
        self._last_seconds = -timing.frame_step_seconds
        self._last_captured_at = -math.inf  # of the newest analyzed frame
        self._last_out = 0.0
        self._is_muted = False
        self._muted_seconds = -math.inf  # audio up to this time is dropped
        self.reason: str | None = "starting"
        self.frame_count = self.repeated_count = self.blanked_count = 0
        self.faces = self.restarts = 0
        self.error = ""
        self.delays: deque[float] = deque(maxlen=timing.delay_window_frames)
        self.times: deque[float] = deque(maxlen=timing.delay_window_frames)

    def start(self, rate: Fraction, workers: Sequence[TargetWorker]) -> None:
        """Start to deliver this many frames per second to these workers."""
        self._workers = tuple(workers)
        self._period = float(1 / rate)
        self._watchdog_seconds = max(
            self._watchdog_seconds, self._timing.watchdog_periods * self._period
        )
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def wait(self, timeout_seconds: float) -> None:
        """Wait until everything that the analyzer offered before it ended was delivered."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def stop(self) -> None:
        """Stop the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        is_new = False
        while not self._stopping.is_set():
            periods = self._timing.repeat_periods if is_new else 1.0
            wait = self._last_out + periods * self._period - time.monotonic()
            is_last = self._analyzer.is_over
            analyzed = self._analyzer.analyzed.take(max(0.0, wait))
            if self._stopping.is_set() or (is_last and analyzed is None):
                return
            try:
                is_new = self._deliver(analyzed)
            except Exception as error:  # noqa: BLE001  # nothing is delivered; the next frame is another attempt
                self.restarts += 1
                previous = self.error
                self.error = f"output failed ({type(error).__name__}: {error})"
                if self.error != previous:
                    self._warn(f"{self.error}: nothing is delivered until it works again")
                self._stopping.wait(self._timing.output_retry_seconds)

    def _deliver(self, analyzed: AnalyzedFrame | None) -> bool:
        """Deliver the next frame; return whether it was a new one."""
        now = time.monotonic()
        if analyzed is not None:
            self._is_face_lost, self.faces = analyzed.is_face_lost, analyzed.faces
            self._is_unsettled = analyzed.is_unsettled
            self._last_captured_at = analyzed.frame.captured_at
        situation = self._situation(now)
        self.reason = reason_to_blank(situation, self._watchdog_seconds)
        self._is_muted = situation.hide_all  # who hides the frame wants no audio, either
        if analyzed is not None:
            seconds = max(
                analyzed.frame.seconds, self._last_seconds + self._timing.frame_step_seconds
            )
            self._is_blank = self.reason is not None
            captured_at = analyzed.frame.captured_at
            self._send(self._new_frame(analyzed, seconds), seconds, captured_at, now)
            self.delays.append(time.monotonic() - captured_at - self._delay_seconds)
            return True
        seconds = now - self._epoch - self._delay_seconds - self._period
        if self._last is None:
            seconds = max(0.0, seconds)
        newest = self._capture.newest
        if newest is None or seconds < self._last_seconds + self._timing.frame_step_seconds:
            self._last_out = now
            return False
        if self.reason is None and self._last is not None:
            self.repeated_count += 1  # also of a blanked frame, until a new one comes
            again = duplicate(self._last, lambda frame: _copy(frame, seconds))
            self._send(again, seconds, newest.captured_at, now)
        else:
            self._is_blank = True
            blanked = self._redactor.blank(newest.copy(seconds))
            self._send(blanked, seconds, newest.captured_at, now)
        return False

    def _new_frame(self, analyzed: AnalyzedFrame, seconds: float) -> RedactedFrame:
        """Return the form in which an analyzed frame is delivered."""
        if self.reason is not None:
            return self._redactor.blank(analyzed.frame.copy(seconds))
        analyzed.frame.set_seconds(seconds)
        return analyzed.redacted

    def _send(
        self, redacted: RedactedFrame, seconds: float, captured_at: float, now: float
    ) -> None:
        delivery = Delivery(redacted, seconds, captured_at, self._is_blank)
        for worker in self._workers:
            worker.show(delivery)
        if self._is_muted:
            self._muted_seconds = seconds
        while self._capture.audio and self._capture.audio[0].seconds <= seconds:
            chunk = self._capture.audio.popleft()
            if chunk.seconds > self._muted_seconds:
                for worker in self._workers:
                    worker.play(chunk)
        self._last, self._last_seconds, self._last_out = redacted, seconds, now
        self.frame_count += 1
        self.blanked_count += self._is_blank
        self.times.append(now)

    def _situation(self, now: float) -> Situation:
        newest = self._capture.newest
        return Situation(
            hide_all=self._controls.control_state.hides(self._last_captured_at),
            has_source=self._capture.has_ended
            or (
                self._capture.is_connected
                and newest is not None
                and now - newest.captured_at <= self._watchdog_seconds
            ),
            failure=self._analyzer.failure,
            detection_age=self._analyzer.detection_age(now),
            is_face_lost=self._is_face_lost,
            is_unsettled=self._is_unsettled,
        )


def _copy(frame: Frame, seconds: float) -> Frame:
    return cast("LiveFrame", frame).copy(seconds)
