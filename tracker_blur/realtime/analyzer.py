"""How closely pictures are looked at, so that looking keeps up with them.

Which faces were lost without an explanation: they may still be there, elsewhere.

Sees what a follower does: when it has looked, and which faces it has lost.

The watcher: sees and hides the faces of the newest frame, in a thread of its own.

Whatever fails in it is counted and told, and it starts anew, with eyes loaded anew, after pauses
that grow. What it has not finished never leaves it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, RedactedFrame, usual_view_px, view_size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Format
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.realtime.live_frame import LiveFrame
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.lookahead import Stepping, look_ahead
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

_STEPS = (1.0, 0.75, 0.5)  # of the size that is wanted; below, a face is too small to be found
_SHARE = 0.1  # of the newest measurement in the smoothed load
_TOO_MUCH, _LITTLE = 0.95, 0.45  # of the time there is for a frame
_SETTLED_FRAMES = 30  # between two changes: each costs a look at another size


class Effort:
    """Lowers the size of the view while frames take longer than there is time, and raises it again.

    view_px         longest side, in pixels, that is wanted
    period_seconds  the time there is for a frame
    """

    def __init__(self, view_px: int, period_seconds: float) -> None:
        self._wanted_px = view_px
        self._period_seconds = period_seconds
        self._step = 0
        self._load = 0.0
        self._settled = 0

    @property
    def view_px(self) -> int:
        """Longest side, in pixels, at which the next picture is to be looked at."""
        return round(self._wanted_px * _STEPS[self._step])

    def spent(self, seconds: float) -> None:
        """Learn how long a frame took."""
        load = seconds / self._period_seconds
        self._load += _SHARE * (load - self._load)
        self._settled += 1
        if self._settled < _SETTLED_FRAMES:
            return
        if self._load > _TOO_MUCH and self._step + 1 < len(_STEPS):
            self._change(1)
        elif self._load < _LITTLE and self._step > 0:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._step += by
        self._settled = 0


_SURE_FINDS = 5  # a face that was surely found so often was one
_BORDER_SIZES = 0.2  # a face last seen so near to the border, in its sizes, may have left there
_BEHIND_SHARE = 0.3  # of its box: a face of which others hide so much may be behind them


@dataclass(frozen=True, slots=True)
class _Known:
    """A face that is followed: its sure finds so far, and where it was seen last."""

    sure_finds: int
    box: Box


class LossDetector:
    """Watches the steps of a follower.

    confidence  the score from which a find is sure
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._known: dict[int, _Known] = {}
        self._before_cut: dict[int, _Known] = {}
        self._size: tuple[int, int] | None = None

    def step(self, step: Step, size: tuple[int, int]) -> frozenset[int]:
        """Return the identifiers of faces lost in this frame; `size` (width, height) of its view.

        A face that left over the border, went behind another, or was lost by a cut is explained.
        """
        if step.change is Change.CUT:
            self._before_cut, self._known = self._known, {}
        elif step.change is Change.RETURN:  # it was but a flash of light
            self._known |= self._before_cut
        if self._size is not None and size != self._size:
            self._rescale(size[0] / self._size[0], size[1] / self._size[1])
        self._size = size
        self._known = {face.track_id: self._updated(face) for face in step.faces}
        seen = [face.box for face in step.faces if face.origin is not Origin.HELD]
        lost = set()
        for face in step.faces:
            known = self._known[face.track_id]
            if (
                face.origin is Origin.HELD
                and known.sure_finds >= _SURE_FINDS
                and not _is_at_border(known.box, size)
                and not _is_behind(known.box, seen)
            ):
                lost.add(face.track_id)
        return frozenset(lost)

    def _rescale(self, x_ratio: float, y_ratio: float) -> None:
        """Go on in views of another size."""
        self._known, self._before_cut = (
            {
                track_id: _Known(known.sure_finds, known.box.scaled(x_ratio, y_ratio))
                for track_id, known in faces.items()
            }
            for faces in (self._known, self._before_cut)
        )

    def _updated(self, face: Face) -> _Known:
        known = self._known.get(face.track_id, _Known(0, face.box))
        if face.origin is Origin.HELD:
            return known
        is_sure = face.origin is Origin.DETECTED and face.score >= self._confidence
        return _Known(known.sure_finds + is_sure, face.box)


def _is_at_border(box: Box, size: tuple[int, int]) -> bool:
    reach = _BORDER_SIZES * box.size
    left, top, right, bottom = box.as_tuple()
    return min(left, top, size[0] - right, size[1] - bottom) < reach


def _is_behind(box: Box, others: list[Box]) -> bool:
    return any(other.intersection_area(box) > _BEHIND_SHARE * box.area for other in others)


class ObservedTracker:
    """Stands between a follower and who asks it.

    confidence  the score from which a find is sure
    looked      called each time the detector has looked
    """

    def __init__(self, follower: Stepping, confidence: float, looked: Callable[[], None]) -> None:
        self._follower = follower
        self._losses = LossDetector(confidence)
        self._looked = looked
        self._pending: deque[set[int]] = deque()

    def step(self, image: Image, seconds: float) -> Step:
        """Return the faces of the next frame."""
        step = self._follower.step(image, seconds)
        if step.is_detection_frame:
            self._looked()
        height, width = image.shape[:2]
        lost = self._losses.step(step, (width, height))
        found = {face.track_id for face in step.faces if face.origin is Origin.DETECTED}
        for earlier in self._pending:
            earlier -= found
        self._pending.append(set(lost))
        return step

    def is_face_lost(self) -> bool:
        """Return whether a face was lost in the oldest frame not asked for, and not found since."""
        return bool(self._pending.popleft())


_MOST_DELAYED_FRAMES = 30  # they wait at full size
_LEAST_PATIENCE_SECONDS = 0.2
_FEW_FRAMES_SHARE = 0.5  # of a frame's time: what comes a little early ends a delay all the same


@dataclass(frozen=True, slots=True)
class AnalyzedFrame:
    """A frame that was looked at.

    redacted      with its faces hidden
    frame         the same frame
    faces         how many they are
    is_face_lost  whether a face vanished from it without an explanation
    """

    redacted: RedactedFrame
    frame: LiveFrame
    faces: int
    is_face_lost: bool


class Analyzer:
    """Takes the newest arrivals and gives them redacted.

    failure    what went wrong, until it has worked again for `hold_seconds`; "" if nothing
    error      what went wrong last; "" if nothing ever did
    restarts   how often it was started anew
    view_px    longest side, in pixels, at which pictures are looked at now; 0: not yet

    settings   `delay_seconds` is the look-ahead
    eyes       for the first start; later ones load their own
    tell       called with what a user should know, from the watcher's thread
    """

    def __init__(
        self,
        settings: Settings,
        eyes: DetectorBundle,
        controls: Controls,
        arrivals: Latest[LiveFrame],
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._eyes: DetectorBundle | None = eyes
        self._controls = controls
        self._arrivals = arrivals
        self._tell = tell
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._rate = Fraction(30)
        self.watched: Latest[AnalyzedFrame] = Latest()
        self.failure = ""
        self.error = ""
        self.restarts = 0
        self.view_px = self._wanted_px = settings.view_px or 0
        self._last_look: float | None = None
        self._all_seen: float | None = None
        self._busy_since: float | None = None

    def start(self, form: Format) -> None:
        """Begin to look at frames of this form."""
        self._rate = form.rate
        self.view_px = self._wanted_px = self._settings.view_px or usual_view_px(form.size)
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it has begun, and has come to the end of what arrives."""
        return self._thread is not None and not self._thread.is_alive()

    def look_age(self, now: float) -> float | None:
        """Return the seconds since the detector last finished; None: not since the last start.

        Frames that still wait when no more come were all seen: their end makes no look old.
        """
        last_look = self._last_look  # its thread forgets it where looking fails
        if last_look is None:
            return None
        return (self._all_seen or now) - last_look

    @property
    def busy_seconds(self) -> float:
        """How long it has been at one frame, or at loading its eyes; 0.0 while it waits."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self, patience_seconds: float) -> None:
        """End it; what takes longer than that, from its beginning, is left behind."""
        self._stopping.set()
        self._arrivals.close()
        if self._thread is not None:
            self._thread.join(max(_LEAST_PATIENCE_SECONDS, patience_seconds - self.busy_seconds))

    def _run(self) -> None:
        pauses = Backoff()
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._watch()
                return
            except Exception as error:
                self._last_look = self._busy_since = None
                self.error = f"looking failed ({type(error).__name__}: {error})"
                self.failure = "looking at the picture failed"
                self.restarts += 1
                self._eyes = None
                self._tell(f"{self.error}: all is hidden until it works again")
                self._stopping.wait(pauses.next_after(time.monotonic() - started))

    def _watch(self) -> None:
        self._busy_since = time.monotonic()
        eyes = self._eyes or DetectorBundle.of(self._settings)
        settings, rate = self._settings, float(self._rate)
        follower = eyes.follower(
            settings.detect_every_frames, rate, settings.hold_seconds, looks_again=True
        )
        witness = ObservedTracker(follower, eyes.confidence, self._looked)
        effort = Effort(self._wanted_px, 1 / rate)
        delay = settings.delay_seconds
        seen = look_ahead(
            self._arriving(effort),
            lambda frame: frame.view(view_size(frame.size, effort.view_px)),
            witness,
            eyes.rewind(rate) if delay else None,
            _MOST_DELAYED_FRAMES if delay else 0,
            max(0.0, delay - _FEW_FRAMES_SHARE / rate) if delay else math.inf,
            settings.margin_seconds,
        )
        wished, redactor = settings, Redactor(settings)
        # Whom the follower before this one held or followed, this one may not find at once.
        hold_seconds = settings.hold_seconds if self.failure else 0.0
        first_seconds = math.inf
        for frame, faces in seen:
            if (now_wished := self._controls.control_state.applied(settings)) != wished:
                wished, redactor = now_wished, Redactor(now_wished)
            redacted = redactor.redact(frame, faces)
            is_lost = witness.is_face_lost()
            self.watched.put(AnalyzedFrame(redacted, frame, len(faces), is_lost))
            first_seconds = min(first_seconds, frame.seconds)
            if frame.seconds >= first_seconds + hold_seconds:
                self.failure = ""
            # What has waited is given at the pace at which it came.
            if self._arrivals.is_closed and self._stopping.wait(1 / rate):
                return
            self._busy_since = time.monotonic()

    def _arriving(self, effort: Effort) -> Iterator[LiveFrame]:
        """Give the newest frames; what happens between two of them is what a frame costs."""
        while not self._stopping.is_set():
            self._busy_since = None
            frame = self._arrivals.take()
            self._busy_since = time.monotonic()
            if frame is None:
                self._all_seen = self._busy_since
                return
            started = time.perf_counter()
            yield frame
            effort.spent(time.perf_counter() - started)
            self.view_px = effort.view_px

    def _looked(self) -> None:
        self._last_look = time.monotonic()
