"""The watcher: sees and hides the faces of the newest frame, in a thread of its own.

Whatever fails in it is counted and told, and it starts anew, with eyes loaded anew, after pauses
that grow. What it has not finished never leaves it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from tracker_blur.core.frame import RedactedFrame, usual_view_px, view_size
from tracker_blur.realtime.backoff import Pauses
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Format
from tracker_blur.realtime.effort import Effort
from tracker_blur.realtime.handoff import Latest
from tracker_blur.realtime.live_frame import Arrival
from tracker_blur.realtime.witness import Witness
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import Eyes
from tracker_blur.tracking.lookahead import look_ahead

_MOST_DELAYED_FRAMES = 30  # they wait at full size
_LEAST_PATIENCE_SECONDS = 0.2
_FEW_FRAMES_SHARE = 0.5  # of a frame's time: what comes a little early ends a delay all the same


@dataclass(frozen=True, slots=True)
class Watched:
    """A frame that was looked at.

    redacted      with its faces hidden
    frame         the same frame
    faces         how many they are
    is_face_lost  whether a face vanished from it without an explanation
    """

    redacted: RedactedFrame
    frame: Arrival
    faces: int
    is_face_lost: bool


class Watcher:
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
        eyes: Eyes,
        controls: Controls,
        arrivals: Latest[Arrival],
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._eyes: Eyes | None = eyes
        self._controls = controls
        self._arrivals = arrivals
        self._tell = tell
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._rate = Fraction(30)
        self.watched: Latest[Watched] = Latest()
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
        pauses = Pauses()
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
        eyes = self._eyes or Eyes.of(self._settings)
        settings, rate = self._settings, float(self._rate)
        follower = eyes.follower(
            settings.detect_every_frames, rate, settings.hold_seconds, looks_again=True
        )
        witness = Witness(follower, eyes.confidence, self._looked)
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
            if (now_wished := self._controls.wishes.applied(settings)) != wished:
                wished, redactor = now_wished, Redactor(now_wished)
            redacted = redactor.redact(frame, faces)
            is_lost = witness.is_face_lost()
            self.watched.put(Watched(redacted, frame, len(faces), is_lost))
            first_seconds = min(first_seconds, frame.seconds)
            if frame.seconds >= first_seconds + hold_seconds:
                self.failure = ""
            # What has waited is given at the pace at which it came.
            if self._arrivals.is_closed and self._stopping.wait(1 / rate):
                return
            self._busy_since = time.monotonic()

    def _arriving(self, effort: Effort) -> Iterator[Arrival]:
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
