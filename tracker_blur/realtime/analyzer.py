"""Detects, tracks and hides the faces of the newest frame, in a thread of its own.

Errors are counted and reported; then it loads the detector and starts again, after pauses that
grow. Frames that it has not finished never leave it.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.frame import RedactedFrame, default_view_px
from tracker_blur.realtime.adaptive_view import AdaptiveViewSize
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.realtime.live_frame import FormChanges
from tracker_blur.realtime.lost_faces import LostFaces, WatchedObserver
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.lookahead import Delay, look_ahead
from tracker_blur.tracking.observation import VideoObserver
from tracker_blur.tracking.rule_filter import RuleFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.delivery import Format
    from tracker_blur.realtime.live_frame import LiveFrame
    from tracker_blur.realtime.settings import LiveTiming
    from tracker_blur.settings import Settings


@dataclass(frozen=True, slots=True)
class AnalyzedFrame:
    """A frame whose faces are hidden.

    Attributes:
        redacted: The frame as targets may get it.
        frame: The same frame.
        faces: How many faces are hidden in it.
        is_face_lost: Whether a face vanished in it without an explanation.
        is_unsettled: Whether it comes soon after the frames have changed their form.
    """

    redacted: RedactedFrame
    frame: LiveFrame
    faces: int
    is_face_lost: bool
    is_unsettled: bool


class Analyzer:
    """Takes the newest captured frames and offers them redacted.

    Attributes:
        analyzed: The newest redacted frame, for the output.
        failure: What failed, until it has worked again for `hold_seconds`; "" if nothing.
        error: The last error; "" if there was none.
        restarts: How often it was started again.
        view_px: Longest side, in pixels, at which faces are detected now; 0: not yet known.

    Args:
        settings: How faces are detected and hidden; `delay_seconds` is the look-ahead.
        detectors: For the first start; later ones load their own.
        controls: Change the method and its strength.
        frames: The newest captured frame.
        warn: Called with each problem, from the thread.
        timing: Its own and the load's limits.
    """

    def __init__(
        self,
        settings: Settings,
        detectors: DetectorBundle,
        controls: Controls,
        frames: Latest[LiveFrame],
        warn: Callable[[str], None],
        timing: LiveTiming,
    ) -> None:
        self._settings = settings
        self._detectors: DetectorBundle | None = detectors
        self._controls = controls
        self._frames = frames
        self._warn = warn
        self._timing = timing
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._rate = timing.default_rate
        self.analyzed: Latest[AnalyzedFrame] = Latest()
        self.failure = ""
        self.error = ""
        self.restarts = 0
        self.view_px = self._chosen_view_px = settings.view_px or 0
        self._last_detection: float | None = None
        self._all_analyzed: float | None = None
        self._busy_since: float | None = None

    def start(self, format: Format) -> None:
        """Start the thread for frames of this format.

        Raises:
            SettingsError: A zone lies outside of the frame.
        """
        self._settings.rules().check(format.size, "the source")
        self._rate = format.rate
        self._chosen_view_px = self._settings.view_px or default_view_px(format.size)
        self.view_px = self._chosen_view_px
        self._thread = threading.Thread(target=self._run, name="analyzer", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it was started and has ended."""
        return self._thread is not None and not self._thread.is_alive()

    def detection_age(self, now: float) -> float | None:
        """Return the seconds since the last detection; None: none since the last start.

        Frames that still wait when the source has ended were all analyzed: the age stops growing.
        """
        last_detection = self._last_detection  # the thread resets it when it fails
        if last_detection is None:
            return None
        return (self._all_analyzed or now) - last_detection

    @property
    def busy_seconds(self) -> float:
        """How long the current frame, or loading the detector, has taken; 0.0 while it waits."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self, timeout_seconds: float) -> None:
        """Stop the thread; a frame that takes longer than this, from its start, is left behind."""
        self._stopping.set()
        self._frames.close()
        if self._thread is not None:
            rest = timeout_seconds - self.busy_seconds
            self._thread.join(max(self._timing.end_detection_least_seconds, rest))

    def _run(self) -> None:
        backoff = Backoff(self._timing)
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._analyze()
                return
            except Exception as error:  # noqa: BLE001  # whatever fails, the analyzer starts again
                self._last_detection = self._busy_since = None
                self.error = f"detection failed ({type(error).__name__}: {error})"
                self.failure = "detection failed"
                self.restarts += 1
                self._detectors = None
                self._warn(f"{self.error}: the whole frame is hidden until it works again")
                self._stopping.wait(backoff.next_pause(time.monotonic() - started))

    def _analyze(self) -> None:
        self._busy_since = time.monotonic()
        detectors = self._detectors or DetectorBundle.of(self._settings)
        settings, rate = self._settings, float(self._rate)
        losses = LostFaces(detectors.confidence, self._on_detection, self._timing)
        view = AdaptiveViewSize(self._chosen_view_px, 1 / rate, self._timing)

        def observer_of(first: LiveFrame) -> WatchedObserver:
            observer = VideoObserver.of_frames(detectors, view, first, rate, settings)
            return WatchedObserver(observer, losses)

        tracked = look_ahead(
            self._captured_frames(view),
            observer_of,
            self._delay(rate),
            settings.tracking.smoothing,
            settings.margin_seconds,
        )
        applied, redactor = settings, FrameRedactor(settings)
        chosen = RuleFilter(settings.rules()) if settings.has_rules else None
        # After a failure, the new tracker may not detect at once whom the old one tracked or held.
        hold_seconds = settings.hold_seconds if self.failure else 0.0
        first_seconds, forms = math.inf, FormChanges(self._timing.settle_seconds)
        for frame, faces in tracked:
            if (wanted := self._controls.control_state.applied(settings)) != applied:
                redactor.use(wanted)
                applied = wanted
            if chosen is not None:  # what is left visible is still tracked, and never "lost"
                faces = chosen.frame(faces, frame, frame.pts, None)
            redacted = redactor.redact(frame, faces)
            self.analyzed.put(
                AnalyzedFrame(
                    redacted, frame, len(faces), losses.is_face_lost(), forms.is_recent(frame)
                )
            )
            first_seconds = min(first_seconds, frame.seconds)
            if frame.seconds >= first_seconds + hold_seconds:
                self.failure = ""
            # At the end, frames that waited are offered at the rate at which they came.
            if self._frames.is_closed and self._stopping.wait(1 / rate):
                return
            self._busy_since = time.monotonic()

    def _delay(self, rate: float) -> Delay:
        """Return how long frames wait: as configured, minus a little for their jitter."""
        settings = self._settings
        if not settings.delay_seconds:
            return Delay(0)
        tolerance = self._timing.delay_tolerance_periods / rate
        seconds = max(0.0, settings.delay_seconds - tolerance)
        return Delay(settings.tracking.max_delay_frames, seconds)

    def _captured_frames(self, view: AdaptiveViewSize) -> Iterator[LiveFrame]:
        """Yield the newest frames; the time between two of them is what a frame costs."""
        while not self._stopping.is_set():
            self._busy_since = None
            frame = self._frames.take()
            self._busy_since = time.monotonic()
            if frame is None:
                self._all_analyzed = self._busy_since
                return
            started = time.perf_counter()
            yield frame
            view.add_frame(time.perf_counter() - started)
            self.view_px = view.view_px

    def _on_detection(self) -> None:
        self._last_detection = time.monotonic()
