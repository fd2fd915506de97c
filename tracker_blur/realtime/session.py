"""Stills: pictures that a person asks for, saved as they left, redacted.

A session: from one source to all targets, from its start to its end.

`tracker_blur.live`: redacted pictures of a camera or a stream, for a loop of your own.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2

from tracker_blur.core.frame import Image
from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.realtime.analyzer import Analyzer
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.handoff import Latest, unfailing
from tracker_blur.realtime.output import Output
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource, open_source
from tracker_blur.realtime.status import State, Status
from tracker_blur.realtime.target_worker import TargetWorker
from tracker_blur.realtime.targets import Target
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle


class Snapshots:
    """A target that keeps but the pictures that are asked for.

    folder  where they are saved
    tell    called with what kept one from being saved
    note    called with the name of each that was
    """

    name = "stills"
    is_reached = True

    def __init__(
        self,
        folder: Path,
        controls: Controls,
        tell: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._controls = controls
        self._tell = tell
        self._note = note
        self._saved = 0

    def open(self, format: Format) -> None:
        """Need nothing."""

    def show(self, delivery: Delivery) -> None:
        """Save this picture, if one is asked for, and tell of it."""
        wanted = self._controls.control_state.stills
        if self._saved == wanted:
            return
        self._saved = wanted
        frame = delivery.redacted.frame
        path = self._folder / f"trackblur_{datetime.now():%Y%m%d_%H%M%S_%f}.png"
        try:
            with replacing(path, overwrite=False) as temporary:
                temporary.write_bytes(cv2.imencode(".png", frame.view(frame.size))[1].tobytes())
        except SinkError as error:
            self._tell(f"{error} (--stills)")
        except OSError as error:
            reason = reason_of(error)
            self._tell(f"{path}: cannot be written ({reason}): choose another folder (--stills)")
        else:
            self._note(f"{path}: saved")

    def play(self, sound: AudioChunk) -> None:
        """Leave it alone."""

    def close(self) -> None:
        """Need nothing."""


_POLL_SECONDS = 0.1
_OPENING_SECONDS = 30.0  # for all targets; then the others go ahead
_END_SECONDS = 5.0  # for the last pictures to leave, then for a target to come to its end
_LOOK_END_SECONDS = 2.0  # for a look: nothing waits for what it finds any more
_HANGING_WATCHDOGS = 5  # a look that takes so many times `watchdog_seconds` may never end
_HANGING_SECONDS = 5.0  # at the least
_SOURCE_END_SECONDS = 2.0  # a source may wait for a peer until its own time-out
_CONNECTING_END_SECONDS = 0.5  # one that gave nothing yet has nothing to finish
_RATE_SECONDS = 2.0  # over which the rate is counted


class Session:
    """Runs while it is in its `with` block; `run` returns when it is over.

    tell  called with trouble that a user should know of, one line each, from any thread
    note  called with other news in the same way; what either raises disturbs nothing

    Raises SettingsError, ModelError or MissingPackageError when the settings do not suffice.
    """

    def __init__(
        self,
        source: LiveSource,
        settings: Settings,
        live: LiveSettings,
        controls: Controls,
        tell: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        tell, note = unfailing(tell), unfailing(note)
        self._source = source
        self._controls = controls
        self._epoch = time.monotonic()
        eyes = DetectorBundle.of(settings)
        self.detector_name = eyes.name
        self._workers: list[TargetWorker] = []
        self._capture = Capture(source, live, self._epoch, tell, note)
        self._analyzer = Analyzer(settings, eyes, controls, self._capture.arrivals, tell)
        self._output = Output(
            self._capture,
            self._analyzer,
            controls,
            settings,
            live.watchdog_seconds,
            live.cover,
            self._epoch,
            tell,
        )
        self._tell = tell
        self._hanging_seconds = max(_HANGING_SECONDS, _HANGING_WATCHDOGS * live.watchdog_seconds)
        self._is_hanging = False
        self._stills = TargetWorker(Snapshots(live.stills_folder, controls, tell, note), tell)

    def add(self, targets: Sequence[Target]) -> None:
        """Give pictures to these, too; before the session is entered."""
        self._workers.extend(TargetWorker(target, self._tell) for target in targets)

    def __enter__(self) -> Session:
        self._capture.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._output.stop()  # first: what the others' end looks like concerns nobody
        has_begun = self._capture.newest is not None
        self._capture.stop(_SOURCE_END_SECONDS if has_begun else _CONNECTING_END_SECONDS)
        self._analyzer.stop(_LOOK_END_SECONDS)
        everyone = (*self._workers, self._stills)
        for worker in everyone:
            worker.stop()
        end = time.monotonic() + _END_SECONDS
        for worker in everyone:
            if not worker.wait(max(0.0, end - time.monotonic())):
                self._tell(f"{worker.status.name}: does not come to its end: it is left as it is")

    def run(self) -> None:
        """Wait for the first picture, give all on, and return when source or person ends it.

        Nothing leaves before every target was opened. Raises SourceError when the source cannot be
        opened, has ended before a picture came, or ends though there should be more of it;
        TrackerBlurError when a target cannot be opened, the source ends while a look hangs, or
        nobody looks any more.
        """
        while not self._capture.wait_for_first(_POLL_SECONDS):
            if self._controls.is_over:
                return
        if self._capture.newest is None and self._controls.is_over:
            return
        form = self._capture.format
        self._analyzer.start(form)
        everyone = (*self._workers, self._stills)
        for worker in everyone:
            worker.start(form)
        self._wait_until_open()
        if self._controls.is_over:  # not even a cover is for a target that may not be open
            return
        self._output.start(form.rate, everyone)
        while not (
            self._controls.wait(_POLL_SECONDS) or self._analyzer.is_over or self._is_given_up()
        ):
            self._heed_hanging()
        if self._analyzer.is_over:
            self._output.wait(_END_SECONDS)
            if not self._capture.arrivals.is_closed:
                raise TrackerBlurError("nobody looks at the pictures any more: start it anew")
        if self._capture.failure is not None:
            raise self._capture.failure

    def _wait_until_open(self) -> None:
        end = time.monotonic() + _OPENING_SECONDS
        for worker in self._workers:
            while not worker.wait_until_open(_POLL_SECONDS):
                if self._controls.is_over or time.monotonic() > end:
                    return

    def _heed_hanging(self) -> None:
        """Tell once of a look that does not end; at the source's end nothing waits for it."""
        was_hanging = self._is_hanging
        self._is_hanging = self._analyzer.busy_seconds > self._hanging_seconds
        if not self._is_hanging:
            return
        trouble = f"a look at the picture has not ended for {self._hanging_seconds:g} seconds"
        if self._capture.has_ended:
            raise TrackerBlurError(
                f"{trouble}, and the source is over: what came since then was hidden wholly or "
                "left out: choose another detector"
            )
        if not was_hanging:
            self._tell(f"{trouble}: all is hidden until it does")

    def _is_given_up(self) -> bool:
        """Return whether no target is left to show anything."""
        return bool(self._workers) and all(worker.is_given_up for worker in self._workers)

    @property
    def status(self) -> Status:
        """How it fares now; from any thread."""
        capture, analyzer, output = self._capture, self._analyzer, self._output
        now = time.monotonic()
        delays = sorted(1000 * max(0.0, seconds) for seconds in tuple(output.delays))
        recent = [then for then in tuple(output.times) if now - then <= _RATE_SECONDS]
        control_state = self._controls.control_state
        return Status(
            state=self._state(),
            reason=output.reason or "",
            seconds=now - self._epoch,
            frames_in=capture.count,
            frames_out=output.count,
            dropped=capture.excess
            + capture.arrivals.dropped_count
            + analyzer.watched.dropped_count,
            repeated=output.repeated,
            covers=output.covers,
            rate=len(recent) / min(_RATE_SECONDS, max(0.001, now - self._epoch)),
            delay_median_ms=statistics.median(delays) if delays else 0.0,
            delay_p95_ms=delays[int(0.95 * (len(delays) - 1))] if delays else 0.0,
            view_px=analyzer.view_px,
            faces=output.faces,
            method=control_state.method,
            strength=control_state.strength,
            reconnects=capture.reconnects,
            restarts=analyzer.restarts + output.restarts,
            error=analyzer.error or output.error or capture.error,
            targets=tuple(worker.status for worker in self._workers),
        )

    def _state(self) -> State:
        if self._controls.is_over or self._analyzer.is_over:
            return "ended"
        if not (self._capture.is_connected or self._capture.has_ended):
            return "reconnecting"
        return "live" if self._output.reason is None else "covered"


_LIBRARY_POLL_SECONDS = 0.5


def live(
    source: int | str | Path = 0,
    settings: Settings | None = None,
    live_settings: LiveSettings | None = None,
    *,
    realtime: bool = False,
    controls: Controls | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Image]:
    """Give redacted pictures, shape (height, width, 3), BGR, uint8, as they come; the newest wins.

    Pictures come at a steady rate; whatever fails, all of them is hidden until it works again.
    Leaving the loop, or closing the iterator, ends all.

    source    a camera's number or device, an address, or with `realtime` a file
    settings  how faces are found and hidden; `delay_seconds` is a look-ahead
    controls  what may be done meanwhile, such as hiding all
    tell      called with what a user should know, one line each, from any thread

    Raises SettingsError, ModelError, SourceError when the source cannot be opened or breaks off at
    its end, TrackerBlurError when that comes while the detector hangs.
    """
    chosen = settings or Settings(detect_every_frames="auto")
    live_settings = live_settings or LiveSettings()
    controls = controls or Controls([chosen.method], hide_all=live_settings.hide_all)
    newest = _Newest()
    session = Session(
        open_source(str(source), live_settings, realtime=realtime),
        replace(chosen, one_pass=True),
        live_settings,
        controls,
        tell,
        tell,
    )
    session.add([newest])
    return _pictures(session, controls, newest)


def _pictures(session: Session, controls: Controls, newest: _Newest) -> Iterator[Image]:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            session.run()
        except BaseException as error:  # raised where the pictures are taken
            failures.append(error)
        finally:
            newest.images.close()

    with session:
        thread = threading.Thread(target=run, name="session", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                image = newest.images.take(_LIBRARY_POLL_SECONDS)
                if image is not None:
                    yield image
        finally:
            controls.quit()
            thread.join()
    if failures:
        raise failures[0]


class _Newest:
    """A target that keeps the newest picture."""

    name = "library"
    is_reached = True

    def __init__(self) -> None:
        self.images: Latest[Image] = Latest()

    def open(self, format: Format) -> None:
        """Need nothing."""

    def show(self, delivery: Delivery) -> None:
        """Keep the picture."""
        frame = delivery.redacted.frame
        self.images.put(frame.view(frame.size))

    def play(self, sound: AudioChunk) -> None:
        """Leave it alone."""

    def close(self) -> None:
        """Need nothing."""
