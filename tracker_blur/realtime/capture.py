"""Captures a source in a thread of its own: the newest frame, the audio, and reconnecting."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError, TrackerBlurError
from tracker_blur.realtime.addresses import without_secrets
from tracker_blur.realtime.audio_sync import AudioSync
from tracker_blur.realtime.clock import FasterThanRealtime, SessionClock
from tracker_blur.realtime.delivery import AUDIO_RATE, AudioChunk, Format
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.realtime.live_frame import LiveFrame, LiveFrameConverter
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, LiveSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.realtime.settings import LiveSettings


class Capture:
    """Offers the newest frame of a source, and its audio until the output takes it.

    Attributes:
        frames: The newest frame, for the analyzer.
        audio: What is to be played, in order.
        newest: The newest frame; None: there was none yet.
        is_connected: Whether the source is open.
        has_ended: Whether the source has ended, as a file does.
        frame_count: How many frames came.
        skipped_count: How many of them were skipped because `rate` asks for fewer.
        reconnects: How often the source was opened again.
        error: The last error; "" if there was none.
        failure: Why it ended or never began; None for a regular end.

    Args:
        source: What to capture.
        settings: Size, rate and timing.
        epoch: `time.monotonic()` at which the session's clock is 0.
        warn: Called with each problem, from the thread.
        inform: Called with other messages, from the thread.
    """

    def __init__(
        self,
        source: LiveSource,
        settings: LiveSettings,
        epoch: float,
        warn: Callable[[str], None],
        inform: Callable[[str], None],
    ) -> None:
        timing = settings.timing
        self._source = source
        self._settings = settings
        self._epoch = epoch
        self._warn = warn
        self._inform = inform
        self._clock = SessionClock(timing)
        self._speed = FasterThanRealtime(timing)
        self._converter = LiveFrameConverter(settings.size)
        self._next_due = 0.0
        self._audio_sync = AudioSync(timing)
        self._stopping = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self.frames: Latest[LiveFrame] = Latest()
        self.audio: deque[AudioChunk] = deque(maxlen=timing.capture_audio_chunks)
        self.newest: LiveFrame | None = None
        self.is_connected = False
        self.has_ended = False
        self.frame_count = self.skipped_count = self.reconnects = 0
        self.error = ""
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread, which also opens the source."""
        self._thread.start()

    def wait_for_first(self, timeout_seconds: float) -> bool:
        """Wait for the first frame; return whether it has come, or none ever will."""
        return self._begun.wait(timeout_seconds)

    @property
    def format(self) -> Format:
        """The format of all frames and audio; known once a frame has come.

        Raises:
            SourceError: When the source could not be opened, or ended without a frame.
        """
        if self.newest is None and self.failure is not None:
            raise self.failure
        if self.newest is None:
            raise SourceError(f"{self._source.name}: ended before the first complete frame")
        rate = self._settings.rate
        if rate:
            frame_rate = Fraction(rate).limit_denominator(1001)
        else:
            frame_rate = self._source.rate or self._settings.timing.default_rate
        audio_rate = AUDIO_RATE if self._source.has_audio else None
        return Format(self.newest.size, frame_rate, audio_rate, self._converter.color)

    def stop(self, timeout_seconds: float) -> None:
        """Stop the thread; a source that does not close in time is left behind."""
        self._stopping.set()
        self._source.abort()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            self._source.open()
        except TrackerBlurError as error:  # raised by `format` in the session's thread
            self.failure = error
        except Exception as error:  # noqa: BLE001  # a driver's or a library's
            self.failure = self._failed(error)
        else:
            self.is_connected = True
            self._keep_reading()
        self._source.close()
        self._begun.set()
        self.frames.close()

    def _keep_reading(self) -> None:
        """Read until stopped, or until a finite source ends; reconnect any other."""
        backoff = Backoff(self._settings.timing)
        while not self._stopping.is_set():
            opened, count_before = time.monotonic(), self.frame_count
            failure: SourceError | None = None
            try:
                if not self.is_connected:
                    self._source.open()
                    self.is_connected = True
                    self.reconnects += 1
                    self._clock.restart()
                    self._converter.restart()
                    self._inform(f"{self._source.name}: reconnected")
                self._read()
            except SourceError as error:
                failure = error
            except Exception as error:  # noqa: BLE001  # whatever fails, the source is opened again
                failure = self._failed(error)
            self.is_connected = False
            self._source.close()
            gc.collect()  # errors and decoders refer to each other and would stay for hours
            if self._stopping.is_set():
                break
            problem = str(failure or f"{self._source.name}: stopped")
            if self._source.is_finite:
                self.failure, self.has_ended = failure, True
                self.error = problem if failure else self.error
                break
            if self.frame_count > count_before or problem != self.error:
                self._warn(f"{problem}: reconnecting")
            self.error = problem
            self._stopping.wait(backoff.next_pause(time.monotonic() - opened))

    def _failed(self, error: Exception) -> SourceError:
        """Return the one-line message for an unexpected error."""
        reason = without_secrets(" ".join(f"{type(error).__name__}: {error}".split()))
        return SourceError(f"{self._source.name}: failed ({reason})")

    def _read(self) -> None:
        for item in self._source.read(self._stopping):
            now = time.monotonic()
            if isinstance(item, CapturedFrame):
                self._add_frame(item, now)
            else:
                self._add_audio(item, now)

    def _add_frame(self, item: CapturedFrame, now: float) -> None:
        self.frame_count += 1
        if self._source.is_finite and self._speed.is_first_early(item.timestamp, now):
            self._warn(
                f"{self._source.name}: frames come faster than real time, so most are dropped: "
                "send them at their own speed (ffmpeg -re), or redact the whole file "
                "(trackblur FILE)"
            )
        seconds = self._clock.frame_seconds(item.timestamp, now - self._epoch)
        rate = self._settings.rate
        if rate is not None:
            if seconds < self._next_due:
                self.skipped_count += 1
                return
            self._next_due = seconds + self._settings.timing.rate_tolerance_periods / rate
        self.newest = self._converter.convert(item.frame, seconds, now, item.pixel_aspect)
        self.frames.put(self.newest)
        self._begun.set()

    def _add_audio(self, item: CapturedAudio, now: float) -> None:
        seconds = self._clock.audio_seconds(item.timestamp, now - self._epoch)
        chunk = self._audio_sync.placed(item.samples, seconds)
        if chunk is not None:
            self.audio.append(chunk)
