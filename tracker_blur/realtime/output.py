"""The guard: whether what is redacted may leave now, or all must be hidden, and why.

In doubt all is hidden. This is the only place that decides it.

The outlet: what leaves, at a steady rate, in a thread of its own.

It gives on what the watcher has redacted, once more where nothing new came, and covers of the
newest frame where the guard says so; whatever the watcher does, or does not do.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

from tracker_blur.core.frame import Frame, RedactedFrame
from tracker_blur.realtime.analyzer import AnalyzedFrame, Analyzer
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.live_frame import LiveFrame
from tracker_blur.realtime.target_worker import TargetWorker
from tracker_blur.redaction.redactor import Redactor, repeated
from tracker_blur.settings import Settings


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision rests on.

    hide_all        whether a person wants all hidden
    has_source      whether the source gives pictures
    failure         what went wrong in a stage that has not recovered yet; "" if nothing
    look_age        seconds since the detector last finished, as long as frames come; None: it has
                    not, since the stage (re)started
    is_face_lost    whether a face that was there vanished without an explanation
    """

    hide_all: bool
    has_source: bool
    failure: str
    look_age: float | None
    is_face_lost: bool


def reason_to_cover(situation: Situation, watchdog_seconds: float) -> str | None:
    """Return why all must be hidden, in a few words; None: what is redacted may leave."""
    if situation.hide_all:
        return "all is hidden on request"
    if not situation.has_source:
        return "the source gives nothing"
    if situation.failure:
        return situation.failure
    if situation.look_age is None:
        return "no picture has been looked at yet"
    if situation.look_age > watchdog_seconds:
        return "the detector is late"
    if situation.is_face_lost:
        return "a face was lost"
    return None


_PATIENCE_PERIODS = 1.5  # without a new frame, until the last one goes once more
_WATCHDOG_PERIODS = 3.0  # at the least: frames that come slowly are no reason to hide them
_STEP_SECONDS = 0.001  # between pictures, at the least
_FAILED_PAUSE_SECONDS = 0.25
_KEPT_DELAYS = 300


class Output:
    """Gives pictures and sound to targets.

    reason    why all is hidden; None: it is not
    count     how many pictures left; of them `repeated` and `covers`
    dropped   redacted ones that were replaced by a newer one
    faces     how many were hidden in the newest
    restarts  how often it failed
    error     what failed last; "" if nothing ever did
    delays    seconds from a frame at hand to the same frame given on, beyond the look-ahead, of the
              newest frames
    times     `time.monotonic()` of the newest deliveries

    epoch     `time.monotonic()` at which the session's clock is 0
    tell      called with what a user should know, from the outlet's thread
    """

    def __init__(
        self,
        capture: Capture,
        analyzer: Analyzer,
        controls: Controls,
        settings: Settings,
        watchdog_seconds: float,
        cover: Path | None,
        epoch: float,
        tell: Callable[[str], None],
    ) -> None:
        self._capture = capture
        self._analyzer = analyzer
        self._workers: tuple[TargetWorker, ...] = ()
        self._controls = controls
        self._redactor = Redactor(settings, cover)  # of its own: the watcher may hang in its
        self._watchdog_seconds = watchdog_seconds
        self._delay_seconds = settings.delay_seconds
        self._epoch = epoch
        self._tell = tell
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._period = 1 / 30
        self._is_face_lost = False
        self._is_cover = True
        self._last: RedactedFrame | None = None
        self._last_seconds = -_STEP_SECONDS
        self._last_out = 0.0
        self._is_muted = False
        self._muted_seconds = -math.inf  # sound of earlier times is not given on
        self.reason: str | None = "starting"
        self.count = self.repeated = self.covers = self.faces = self.restarts = 0
        self.error = ""
        self.delays: deque[float] = deque(maxlen=_KEPT_DELAYS)
        self.times: deque[float] = deque(maxlen=_KEPT_DELAYS)

    def start(self, rate: Fraction, workers: Sequence[TargetWorker]) -> None:
        """Begin to give pictures on, at this many a second, to the targets of these."""
        self._workers = tuple(workers)
        self._period = float(1 / rate)
        self._watchdog_seconds = max(self._watchdog_seconds, _WATCHDOG_PERIODS * self._period)
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self._thread.start()

    def wait(self, patience_seconds: float) -> None:
        """Wait until all that the watcher gave before it ended has left."""
        if self._thread is not None:
            self._thread.join(patience_seconds)

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        is_new = False
        while not self._stopping.is_set():
            periods = _PATIENCE_PERIODS if is_new else 1.0
            wait = self._last_out + periods * self._period - time.monotonic()
            is_last = self._analyzer.is_over
            watched = self._analyzer.watched.take(max(0.0, wait))
            if self._stopping.is_set() or (is_last and watched is None):
                return
            try:
                is_new = self._give(watched)
            except Exception as error:  # nothing leaves; the next frame is another attempt
                self.restarts += 1
                before, self.error = (
                    self.error,
                    f"giving on failed ({type(error).__name__}: {error})",
                )
                if self.error != before:
                    self._tell(f"{self.error}: nothing leaves until it works again")
                self._stopping.wait(_FAILED_PAUSE_SECONDS)

    def _give(self, watched: AnalyzedFrame | None) -> bool:
        """Give the next picture on; return whether it was a new one."""
        now = time.monotonic()
        if watched is not None:
            self._is_face_lost, self.faces = watched.is_face_lost, watched.faces
        situation = self._situation(now)
        self.reason = reason_to_cover(situation, self._watchdog_seconds)
        self._is_muted = situation.hide_all  # who hides all wants nobody to listen, either
        if watched is not None:
            seconds = max(watched.frame.seconds, self._last_seconds + _STEP_SECONDS)
            self._is_cover = self.reason is not None
            self._send(self._new(watched, seconds), seconds, watched.frame.arrived, now)
            self.delays.append(time.monotonic() - watched.frame.arrived - self._delay_seconds)
            return True
        seconds = now - self._epoch - self._delay_seconds - self._period
        if self._last is None:
            seconds = max(0.0, seconds)
        newest = self._capture.newest
        if newest is None or seconds < self._last_seconds + _STEP_SECONDS:
            self._last_out = now
            return False
        if self.reason is None and self._last is not None:
            self.repeated += 1  # of a cover, too, until something new comes
            again = repeated(self._last, lambda frame: _copy(frame, seconds))
            self._send(again, seconds, newest.arrived, now)
        else:
            self._is_cover = True
            self._send(self._redactor.cover(newest.copy(seconds)), seconds, newest.arrived, now)
        return False

    def _new(self, watched: AnalyzedFrame, seconds: float) -> RedactedFrame:
        """Return what leaves of a frame that was looked at."""
        if self.reason is not None:
            return self._redactor.cover(watched.frame.copy(seconds))
        watched.frame.set_seconds(seconds)
        return watched.redacted

    def _send(self, redacted: RedactedFrame, seconds: float, arrived: float, now: float) -> None:
        delivery = Delivery(redacted, seconds, arrived, self._is_cover)
        for worker in self._workers:
            worker.show(delivery)
        if self._is_muted:
            self._muted_seconds = seconds
        while self._capture.sounds and self._capture.sounds[0].seconds <= seconds:
            sound = self._capture.sounds.popleft()
            if sound.seconds > self._muted_seconds:
                for worker in self._workers:
                    worker.play(sound)
        self._last, self._last_seconds, self._last_out = redacted, seconds, now
        self.count += 1
        self.covers += self._is_cover
        self.times.append(now)

    def _situation(self, now: float) -> Situation:
        newest = self._capture.newest
        return Situation(
            hide_all=self._controls.control_state.hide_all,
            has_source=self._capture.has_ended
            or (
                self._capture.is_connected
                and newest is not None
                and now - newest.arrived <= self._watchdog_seconds
            ),
            failure=self._analyzer.failure,
            look_age=self._analyzer.look_age(now),
            is_face_lost=self._is_face_lost,
        )


def _copy(frame: Frame, seconds: float) -> Frame:
    return cast(LiveFrame, frame).copy(seconds)
