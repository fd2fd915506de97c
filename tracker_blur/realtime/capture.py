"""SessionClock: one time that only rises, whatever the time stamps of a source do.

Haste: notices pictures that are sent faster than they are to be shown.

The intake: takes what a source gives, in a thread of its own, and connects it anew.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from tracker_blur.errors import SourceError
from tracker_blur.realtime.delivery import SOUND_RATE, AudioChunk, Format
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.realtime.live_frame import LiveFrame, LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, LiveSource

_LATEST_SECONDS = 1.0  # a stamp that lies further off was made by a clock set anew
_STEP_SECONDS = 0.001  # between pictures whose stamps say they are not later than the last


class SessionClock:
    """Turns a source's time stamps into seconds since the session began.

    Stamps are laid on the session's time so that the promptest of them fall on their arrival: what
    comes late by jitter keeps its distance to the others. When stamps jump, they are laid anew.
    """

    def __init__(self) -> None:
        self._offset: float | None = None  # from stamps to the session's seconds
        self._last = -_STEP_SECONDS

    def restart(self) -> None:
        """Forget how stamps lie: the source is another, or was connected anew."""
        self._offset = None

    def seconds(self, stamp: float | None, now: float) -> float:
        """Return when what is stamped so, and arrives now, is; both in seconds."""
        if stamp is None:
            return now
        is_jump = self._offset is None or stamp + self._offset < now - _LATEST_SECONDS
        if is_jump or stamp + (self._offset or 0.0) > now:
            self._offset = now - stamp
        return stamp + (self._offset or 0.0)

    def sound_seconds(self, stamp: float | None, now: float) -> float:
        """Return the same for sound, which lies as the pictures do, however late it comes."""
        if stamp is None or self._offset is None or stamp + self._offset > now + _LATEST_SECONDS:
            return self.seconds(stamp, now)
        return stamp + self._offset

    def picture_seconds(self, stamp: float | None, now: float) -> float:
        """Return the same for a picture: always later than the one before."""
        self._last = max(self.seconds(stamp, now), self._last + _STEP_SECONDS)
        return self._last


_MOST_SECONDS = 2.0  # ahead: a sender of live pictures may begin with some that it kept
_JUMP_SECONDS = 1.0  # between two stamps: the clock was set anew, and tells nothing


class FasterThanRealtime:
    """Compares the time stamps of pictures with the time at which they come."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None  # stamp, and when it came
        self._ahead_seconds = 0.0
        self._is_known = False

    def is_news(self, stamp: float | None, now: float) -> bool:
        """Return whether this picture, which comes now, is the first to come far too early.

        Both in seconds; a stamp of None tells nothing.
        """
        if stamp is None or self._is_known:
            return False
        if self._last is not None:
            step, passed = stamp - self._last[0], now - self._last[1]
            step = step if abs(step) < _JUMP_SECONDS else passed
            self._ahead_seconds = max(0.0, self._ahead_seconds + step - passed)
        self._last = stamp, now
        self._is_known = self._ahead_seconds > _MOST_SECONDS
        return self._is_known


_DEFAULT_RATE = Fraction(30)
_MOST_SOUNDS = 2000  # stretches that wait for their picture; nobody is there for more
_EARLY_SHARE = 0.75  # of a frame's time: what comes sooner is more than was asked for
_SAME_SECONDS = 0.1  # sound whose stamps are off by less goes on where it was


class Capture:
    """Puts each picture in the place of an older one, and keeps sound until it is asked for.

    arrivals      the newest picture, for whom it concerns
    sounds        what is to be played, in order
    newest        the newest picture; None: there was none yet
    is_connected  whether the source is open
    has_ended     whether it has come to its end, as a file does
    count         how many pictures came; of them
    excess        those that were left out: more than `rate` asks for
    reconnects    how often the source was opened again
    error         what went wrong last; "" if nothing ever did
    failure       why it has ended, or never began, where that is no usual end

    epoch  `time.monotonic()` at which the session's clock is 0
    tell   called with trouble that a user should know of, from the intake's thread
    note   called with other news, from there, too
    """

    def __init__(
        self,
        source: LiveSource,
        live: LiveSettings,
        epoch: float,
        tell: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self._source = source
        self._live = live
        self._epoch = epoch
        self._tell = tell
        self._note = note
        self._clock = SessionClock()
        self._haste = FasterThanRealtime()
        self._forms = LiveFrameConverter(live.size)
        self._sound_end = 0.0
        self._next_due = 0.0
        self._stopping = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self.arrivals: Latest[LiveFrame] = Latest()
        self.sounds: deque[AudioChunk] = deque(maxlen=_MOST_SOUNDS)
        self.newest: LiveFrame | None = None
        self.is_connected = self.has_ended = False
        self.count = self.excess = self.reconnects = 0
        self.error = ""
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin; opening may take long, and happens in the intake's thread, too."""
        self._thread.start()

    def wait_for_first(self, timeout_seconds: float) -> bool:
        """Return whether a picture has come, or none ever will, after so long at the most."""
        return self._begun.wait(timeout_seconds)

    @property
    def format(self) -> Format:
        """What all pictures and the sound are like; known once a picture has come.

        Raises SourceError when the source cannot be opened, or has ended without one.
        """
        if self.newest is None and self.failure is not None:
            raise self.failure
        if self.newest is None:
            raise SourceError(f"{self._source.name}: ended before a whole picture came")
        rate = self._live.rate
        return Format(
            self.newest.size,
            Fraction(rate).limit_denominator(1001) if rate else self._source.rate or _DEFAULT_RATE,
            SOUND_RATE if self._source.has_sound else None,
        )

    def stop(self, timeout_seconds: float) -> None:
        """End it; a source that does not let go is left behind after so long."""
        self._stopping.set()
        self._source.abort()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            self._source.open()
        except Exception as error:  # raised where somebody waits for the first picture
            self.failure = error
        else:
            self.is_connected = True
            self._keep_taking()
        self._source.close()
        self._begun.set()
        self.arrivals.close()

    def _keep_taking(self) -> None:
        """Take what comes until it is stopped, or the end; connect anew where that is none."""
        pauses = Backoff()
        while not self._stopping.is_set():
            opened, before = time.monotonic(), self.count
            failure: SourceError | None = None
            try:
                if not self.is_connected:
                    self._source.open()
                    self.is_connected = True
                    self.reconnects += 1
                    self._clock.restart()
                    self._note(f"{self._source.name}: is back")
                self._take()
            except SourceError as error:
                failure = error
            except Exception as error:  # whatever it is, the source is tried again
                failure = SourceError(
                    f"{self._source.name}: fails ({type(error).__name__}: {error})"
                )
            self.is_connected = False
            self._source.close()
            gc.collect()  # an error and the decoders it met keep each other, for hours
            if self._stopping.is_set():
                break
            trouble = str(failure or f"{self._source.name}: has stopped")
            if self._source.ends:
                self.failure, self.has_ended = failure, True
                self.error = trouble if failure else self.error
                break
            if self.count > before or trouble != self.error:
                self._tell(f"{trouble}: connecting anew")
            self.error = trouble
            self._stopping.wait(pauses.next_after(time.monotonic() - opened))

    def _take(self) -> None:
        for item in self._source.read(self._stopping):
            now = time.monotonic()
            if isinstance(item, CapturedFrame):
                self._see(item, now)
            else:
                self._hear(item, now)

    def _see(self, item: CapturedFrame, now: float) -> None:
        self.count += 1
        if self._source.ends and self._haste.is_news(item.stamp, now):
            self._tell(
                f"{self._source.name}: pictures come faster than they are to be shown: the newest "
                "are shown, the others dropped: have them sent at their own speed (ffmpeg -re), "
                "or hide faces in the whole file (trackblur FILE)"
            )
        seconds = self._clock.picture_seconds(item.stamp, now - self._epoch)
        if self._live.rate is not None:
            if seconds < self._next_due:
                self.excess += 1
                return
            self._next_due = seconds + _EARLY_SHARE / self._live.rate
        arrival = self._forms.arrival(item.picture, seconds, now)
        self.newest = arrival
        self.arrivals.put(arrival)
        self._begun.set()

    def _hear(self, item: CapturedAudio, now: float) -> None:
        seconds = self._clock.sound_seconds(item.stamp, now - self._epoch)
        if abs(seconds - self._sound_end) < _SAME_SECONDS:
            seconds = self._sound_end
        skipped = round((self._sound_end - seconds) * SOUND_RATE)
        if skipped >= item.samples.shape[1]:  # it was played already
            return
        samples = item.samples[:, max(0, skipped) :]
        seconds = max(seconds, self._sound_end)
        self._sound_end = seconds + samples.shape[1] / SOUND_RATE
        self.sounds.append(AudioChunk(samples, seconds))
