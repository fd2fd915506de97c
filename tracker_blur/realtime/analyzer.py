"""Detects, tracks and hides the faces of the newest frame, in a thread of its own.

Errors are counted and reported; then it loads the detector and starts again, after pauses that
grow. Frames that it has not finished never leave it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.frame import Image, RedactedFrame, default_view_px, view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.lookahead import FrameTracker, look_ahead
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker_blur.core.box import Box
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.delivery import Format
    from tracker_blur.realtime.live_frame import LiveFrame
    from tracker_blur.realtime.settings import LiveTiming
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.online import Step


@dataclass(frozen=True, slots=True)
class AnalyzedFrame:
    """A frame whose faces are hidden.

    Attributes:
        redacted: The frame as targets may get it.
        frame: The same frame.
        faces: How many faces are hidden in it.
        is_face_lost: Whether a face vanished in it without an explanation.
    """

    redacted: RedactedFrame
    frame: LiveFrame
    faces: int
    is_face_lost: bool


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
        """Start the thread for frames of this format."""
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
        tracker = ObservedTracker(
            detectors.online_tracker(
                settings.detect_every_frames, rate, settings.hold_seconds, redetect=True
            ),
            detectors.confidence,
            self._on_detection,
        )
        view = AdaptiveViewSize(self._chosen_view_px, 1 / rate, self._timing)
        delay, tolerance = settings.delay_seconds, self._timing.delay_tolerance_periods / rate
        tracked = look_ahead(
            self._captured_frames(view),
            lambda frame: frame.view(view_size(frame.size, view.view_px)),
            tracker,
            detectors.backtracker(rate) if delay else None,
            settings.tracking.max_delay_frames if delay else 0,
            settings.tracking.smoothing,
            delay_seconds=max(0.0, delay - tolerance) if delay else math.inf,
            margin_seconds=settings.margin_seconds,
        )
        applied, redactor = settings, FrameRedactor(settings)
        # After a failure, the new tracker may not detect at once whom the old one tracked or held.
        hold_seconds = settings.hold_seconds if self.failure else 0.0
        first_seconds = math.inf
        for frame, faces in tracked:
            if (wanted := self._controls.control_state.applied(settings)) != applied:
                redactor.use(wanted)
                applied = wanted
            redacted = redactor.redact(frame, faces)
            is_face_lost = tracker.is_face_lost()
            self.analyzed.put(AnalyzedFrame(redacted, frame, len(faces), is_face_lost))
            first_seconds = min(first_seconds, frame.seconds)
            if frame.seconds >= first_seconds + hold_seconds:
                self.failure = ""
            # At the end, frames that waited are offered at the rate at which they came.
            if self._frames.is_closed and self._stopping.wait(1 / rate):
                return
            self._busy_since = time.monotonic()

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


class AdaptiveViewSize:
    """Reduces the size of the detector's view while frames take too long, and restores it.

    Args:
        view_px: Longest side, in pixels, that is wanted.
        period_seconds: The time between two frames.
        timing: The limits of the load.
    """

    def __init__(self, view_px: int, period_seconds: float, timing: LiveTiming) -> None:
        self._wanted_px = view_px
        self._period_seconds = period_seconds
        self._timing = timing
        self._step = 0
        self._load = 0.0
        self._frames_since_change = 0

    @property
    def view_px(self) -> int:
        """Longest side, in pixels, of the next view."""
        return round(self._wanted_px * self._timing.view_shares[self._step])

    def add_frame(self, seconds: float) -> None:
        """Add the time that a frame took."""
        timing = self._timing
        load = seconds / self._period_seconds
        self._load += timing.load_smoothing_share * (load - self._load)
        self._frames_since_change += 1
        if self._frames_since_change < timing.view_change_frames:
            return
        if self._load > timing.high_load and self._step + 1 < len(timing.view_shares):
            self._change(1)
        elif self._load < timing.low_load and self._step > 0:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._step += by
        self._frames_since_change = 0


class ObservedTracker:
    """An online tracker that reports detections and lost faces.

    Args:
        tracker: The tracker that does the work.
        confidence: Score from which a detection has high confidence.
        on_detection: Called after each frame in which the detector ran.
    """

    def __init__(
        self, tracker: FrameTracker, confidence: float, on_detection: Callable[[], None]
    ) -> None:
        self._tracker = tracker
        self._loss_detector = LostFaceDetector(confidence)
        self._on_detection = on_detection
        self._lost: deque[set[int]] = deque()  # for each frame that is not asked for yet

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        step = self._tracker.step(image, seconds)
        if step.is_detection_frame:
            self._on_detection()
        height, width = image.shape[:2]
        lost = self._loss_detector.step(step, (width, height))
        detected = {face.track_id for face in step.faces if face.origin is Origin.DETECTED}
        for earlier in self._lost:
            earlier -= detected
        self._lost.append(set(lost))
        return step

    def is_face_lost(self) -> bool:
        """Return whether the oldest frame not asked for has a lost face not detected since."""
        return bool(self._lost.popleft())


_CERTAIN_DETECTIONS = 5  # a track with this many high-confidence detections is a face
_BORDER_RATIO = 0.2  # a face seen this close to the border, in its sizes, may have left there
_OCCLUDED_RATIO = 0.3  # a face of whose box others cover more than this may be behind them


@dataclass(frozen=True, slots=True)
class _TrackedFace:
    """High-confidence detections so far, and the last box that was not held."""

    detections: int
    box: Box


class LostFaceDetector:
    """Detects faces that the tracker lost without an explanation: they may still be there.

    A face that left over the border, went behind another, or ended at a cut is explained.

    Args:
        confidence: Score from which a detection has high confidence.
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._tracked: dict[int, _TrackedFace] = {}
        self._before_cut: dict[int, _TrackedFace] = {}
        self._size: tuple[int, int] | None = None

    def step(self, step: Step, size: tuple[int, int]) -> frozenset[int]:
        """Return the track ids lost in this frame, whose view has this (width, height)."""
        if step.change is Change.CUT:
            self._before_cut, self._tracked = self._tracked, {}
        elif step.change is Change.RETURN:  # the cut was only a flash of light
            self._tracked |= self._before_cut
        if self._size is not None and size != self._size:
            self._rescale(size[0] / self._size[0], size[1] / self._size[1])
        self._size = size
        self._tracked = {face.track_id: self._updated(face) for face in step.faces}
        seen = [face.box for face in step.faces if face.origin is not Origin.HELD]
        lost = set()
        for face in step.faces:
            tracked = self._tracked[face.track_id]
            if (
                face.origin is Origin.HELD
                and tracked.detections >= _CERTAIN_DETECTIONS
                and not _is_at_border(tracked.box, size)
                and not _is_occluded(tracked.box, seen)
            ):
                lost.add(face.track_id)
        return frozenset(lost)

    def _rescale(self, x_ratio: float, y_ratio: float) -> None:
        self._tracked, self._before_cut = (
            {
                track_id: _TrackedFace(face.detections, face.box.scaled(x_ratio, y_ratio))
                for track_id, face in faces.items()
            }
            for faces in (self._tracked, self._before_cut)
        )

    def _updated(self, face: Face) -> _TrackedFace:
        tracked = self._tracked.get(face.track_id, _TrackedFace(0, face.box))
        if face.origin is Origin.HELD:
            return tracked
        is_certain = face.origin is Origin.DETECTED and face.score >= self._confidence
        return _TrackedFace(tracked.detections + is_certain, face.box)


def _is_at_border(box: Box, size: tuple[int, int]) -> bool:
    reach = _BORDER_RATIO * box.size
    left, top, right, bottom = box.as_tuple()
    return min(left, top, size[0] - right, size[1] - bottom) < reach


def _is_occluded(box: Box, others: list[Box]) -> bool:
    return any(other.intersection_area(box) > _OCCLUDED_RATIO * box.area for other in others)
