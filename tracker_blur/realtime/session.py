"""A live session, from one source to all targets."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.realtime.analyzer import Analyzer
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.handoff import unfailing
from tracker_blur.realtime.output import Output
from tracker_blur.realtime.snapshots import Snapshots
from tracker_blur.realtime.status import State, Status
from tracker_blur.realtime.target_worker import TargetWorker
from tracker_blur.tracking.detector_bundle import DetectorBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.sources import LiveSource
    from tracker_blur.realtime.targets import Target
    from tracker_blur.settings import Settings


class Session:
    """A live session. It runs within its `with` block; `run` returns when it is over.

    Args:
        source: What to capture.
        settings: How faces are detected and hidden.
        live_settings: How frames are captured and when whole frames are hidden.
        controls: Change and end the session.
        warn: Called with each problem, one line each, from any thread. What it raises is ignored.
        inform: Called with other messages in the same way.
        describe: Returns the message of an error, such as one that names flags.

    Raises:
        SettingsError: When a setting makes no sense.
        ModelError: When a weight file is missing or corrupt.
        MissingPackageError: When an optional package is needed and not installed.
    """

    def __init__(
        self,
        source: LiveSource,
        settings: Settings,
        live_settings: LiveSettings,
        controls: Controls,
        warn: Callable[[str], None],
        inform: Callable[[str], None],
        describe: Callable[[TrackerBlurError], str] = str,
    ) -> None:
        if settings.rules().is_timed:
            raise SettingsError(
                "live video has no times to choose from: leave out the times of zones, and what is "
                "hidden, muted or bleeped for some time only"
            )
        warn, inform = unfailing(warn), unfailing(inform)
        timing = live_settings.timing
        controls.begin_with(settings.method)
        self._controls = controls
        self._timing = timing
        self._warn = warn
        self._describe = describe
        self._epoch = time.monotonic()
        detectors = DetectorBundle.of(settings)
        self.detector_name = detectors.name
        self._workers: list[TargetWorker] = []
        self._capture = Capture(source, live_settings, self._epoch, warn, inform)
        self._analyzer = Analyzer(settings, detectors, controls, self._capture.frames, warn, timing)
        self._output = Output(
            self._capture, self._analyzer, controls, settings, live_settings, self._epoch, warn
        )
        self._hanging_seconds = max(
            timing.hanging_least_seconds, timing.hanging_watchdogs * live_settings.watchdog_seconds
        )
        self._is_hanging = False
        snapshots = Snapshots(live_settings.stills_folder, controls, warn, inform, describe)
        self._snapshots = TargetWorker(snapshots, warn, timing, describe)

    def add(self, targets: Sequence[Target]) -> None:
        """Add targets; call it before the session is entered."""
        self._workers.extend(
            TargetWorker(target, self._warn, self._timing, self._describe) for target in targets
        )

    def __enter__(self) -> Session:
        self._capture.start()
        return self

    def __exit__(self, *_: object) -> None:
        timing = self._timing
        self._output.stop()  # first: targets must not see how the others end
        has_begun = self._capture.newest is not None
        self._capture.stop(
            timing.end_source_seconds if has_begun else timing.end_unconnected_source_seconds
        )
        self._analyzer.stop(timing.end_detection_seconds)
        workers = (*self._workers, self._snapshots)
        for worker in workers:
            worker.stop()
        end = time.monotonic() + timing.end_targets_seconds
        for worker in workers:
            if not worker.wait(max(0.0, end - time.monotonic())):
                self._warn(f"{worker.status.name}: did not finish in time and was left behind")

    def run(self) -> None:
        """Wait for the first frame, deliver frames, and return when the source or a person ends it.

        Nothing is delivered before every target was opened.

        Raises:
            SettingsError: When a zone lies outside of the frame.
            SourceError: When the source cannot be opened, ends before the first frame, or is
                interrupted.
            TrackerBlurError: When a target cannot be opened, the source ends while a detection
                hangs, or the analyzer has died.
        """
        poll_seconds = self._timing.poll_seconds
        while not self._capture.wait_for_first(poll_seconds):
            if self._controls.is_over:
                return
        if self._capture.newest is None and self._controls.is_over:
            return
        format = self._capture.format
        self._analyzer.start(format)
        workers = (*self._workers, self._snapshots)
        for worker in workers:
            worker.start(format)
        self._wait_until_open()
        if self._controls.is_over:  # a target may not be open yet: it gets nothing, not even blanks
            return
        self._output.start(format.rate, workers)
        while not (
            self._controls.wait(poll_seconds)
            or self._analyzer.is_over
            or self._is_every_target_given_up()
        ):
            self._check_hanging()
        if self._analyzer.is_over:
            self._output.wait(self._timing.end_targets_seconds)
            if not self._capture.frames.is_closed:
                raise TrackerBlurError("detection has stopped for good: start trackblur again")
        if self._capture.failure is not None:
            raise self._capture.failure

    def _wait_until_open(self) -> None:
        end = time.monotonic() + self._timing.open_targets_seconds
        for worker in self._workers:
            while not worker.wait_until_open(self._timing.poll_seconds):
                if self._controls.is_over or time.monotonic() > end:
                    return

    def _check_hanging(self) -> None:
        """Warn once of a detection that hangs; raise TrackerBlurError if the source has ended."""
        was_hanging = self._is_hanging
        self._is_hanging = self._analyzer.busy_seconds > self._hanging_seconds
        if not self._is_hanging:
            return
        problem = f"detection has hung on one frame for {self._hanging_seconds:g} seconds"
        if self._capture.has_ended:
            raise TrackerBlurError(
                f"{problem}, and the source has ended: later frames were fully hidden or dropped: "
                "choose another detector"
            )
        if not was_hanging:
            self._warn(f"{problem}: the whole frame is hidden until it ends")

    def _is_every_target_given_up(self) -> bool:
        return bool(self._workers) and all(worker.is_given_up for worker in self._workers)

    @property
    def status(self) -> Status:
        """The current status; may be read from any thread."""
        capture, analyzer, output = self._capture, self._analyzer, self._output
        now, window = time.monotonic(), self._timing.rate_window_seconds
        delays = sorted(1000 * max(0.0, seconds) for seconds in tuple(output.delays))
        recent = [then for then in tuple(output.times) if now - then <= window]
        control_state = self._controls.control_state
        return Status(
            state=self._state(),
            reason=output.reason or "",
            seconds=now - self._epoch,
            frames_in=capture.frame_count,
            frames_out=output.frame_count,
            dropped=capture.skipped_count
            + capture.frames.dropped_count
            + analyzer.analyzed.dropped_count,
            repeated=output.repeated_count,
            covers=output.blanked_count,
            rate=len(recent) / min(window, max(0.001, now - self._epoch)),
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
