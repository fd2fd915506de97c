"""A session: from one source to all targets, from its start to its end."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from tracker_blur.errors import TrackerBlurError
from tracker_blur.realtime.analyzer import Watcher
from tracker_blur.realtime.capture import Intake
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.output import Outlet
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.snapshots import Stills
from tracker_blur.realtime.sources import Source
from tracker_blur.realtime.status import State, Status
from tracker_blur.realtime.target_worker import Runner
from tracker_blur.realtime.targets import Target
from tracker_blur.realtime.telling import unfailing
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import Eyes

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
        source: Source,
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
        eyes = Eyes.of(settings)
        self.detector_name = eyes.name
        self._runners: list[Runner] = []
        self._intake = Intake(source, live, self._epoch, tell, note)
        self._watcher = Watcher(settings, eyes, controls, self._intake.arrivals, tell)
        self._outlet = Outlet(
            self._intake,
            self._watcher,
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
        self._stills = Runner(Stills(live.stills_folder, controls, tell, note), tell)

    def add(self, targets: Sequence[Target]) -> None:
        """Give pictures to these, too; before the session is entered."""
        self._runners.extend(Runner(target, self._tell) for target in targets)

    def __enter__(self) -> Session:
        self._intake.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._outlet.stop()  # first: what the others' end looks like concerns nobody
        has_begun = self._intake.newest is not None
        self._intake.stop(_SOURCE_END_SECONDS if has_begun else _CONNECTING_END_SECONDS)
        self._watcher.stop(_LOOK_END_SECONDS)
        everyone = (*self._runners, self._stills)
        for runner in everyone:
            runner.stop()
        end = time.monotonic() + _END_SECONDS
        for runner in everyone:
            if not runner.wait(max(0.0, end - time.monotonic())):
                self._tell(f"{runner.status.name}: does not come to its end: it is left as it is")

    def run(self) -> None:
        """Wait for the first picture, give all on, and return when source or person ends it.

        Nothing leaves before every target was opened. Raises SourceError when the source cannot be
        opened, has ended before a picture came, or ends though there should be more of it;
        TrackerBlurError when a target cannot be opened, the source ends while a look hangs, or
        nobody looks any more.
        """
        while not self._intake.wait_for_first(_POLL_SECONDS):
            if self._controls.is_over:
                return
        if self._intake.newest is None and self._controls.is_over:
            return
        form = self._intake.format
        self._watcher.start(form)
        everyone = (*self._runners, self._stills)
        for runner in everyone:
            runner.start(form)
        self._wait_until_open()
        if self._controls.is_over:  # not even a cover is for a target that may not be open
            return
        self._outlet.start(form.rate, everyone)
        while not (
            self._controls.wait(_POLL_SECONDS) or self._watcher.is_over or self._is_given_up()
        ):
            self._heed_hanging()
        if self._watcher.is_over:
            self._outlet.wait(_END_SECONDS)
            if not self._intake.arrivals.is_closed:
                raise TrackerBlurError("nobody looks at the pictures any more: start it anew")
        if self._intake.failure is not None:
            raise self._intake.failure

    def _wait_until_open(self) -> None:
        end = time.monotonic() + _OPENING_SECONDS
        for runner in self._runners:
            while not runner.wait_until_open(_POLL_SECONDS):
                if self._controls.is_over or time.monotonic() > end:
                    return

    def _heed_hanging(self) -> None:
        """Tell once of a look that does not end; at the source's end nothing waits for it."""
        was_hanging = self._is_hanging
        self._is_hanging = self._watcher.busy_seconds > self._hanging_seconds
        if not self._is_hanging:
            return
        trouble = f"a look at the picture has not ended for {self._hanging_seconds:g} seconds"
        if self._intake.has_ended:
            raise TrackerBlurError(
                f"{trouble}, and the source is over: what came since then was hidden wholly or "
                "left out: choose another detector"
            )
        if not was_hanging:
            self._tell(f"{trouble}: all is hidden until it does")

    def _is_given_up(self) -> bool:
        """Return whether no target is left to show anything."""
        return bool(self._runners) and all(runner.is_given_up for runner in self._runners)

    @property
    def status(self) -> Status:
        """How it fares now; from any thread."""
        intake, watcher, outlet = self._intake, self._watcher, self._outlet
        now = time.monotonic()
        delays = sorted(1000 * max(0.0, seconds) for seconds in tuple(outlet.delays))
        recent = [then for then in tuple(outlet.times) if now - then <= _RATE_SECONDS]
        wishes = self._controls.wishes
        return Status(
            state=self._state(),
            reason=outlet.reason or "",
            seconds=now - self._epoch,
            frames_in=intake.count,
            frames_out=outlet.count,
            dropped=intake.excess + intake.arrivals.dropped_count + watcher.watched.dropped_count,
            repeated=outlet.repeated,
            covers=outlet.covers,
            rate=len(recent) / min(_RATE_SECONDS, max(0.001, now - self._epoch)),
            delay_median_ms=statistics.median(delays) if delays else 0.0,
            delay_p95_ms=delays[int(0.95 * (len(delays) - 1))] if delays else 0.0,
            view_px=watcher.view_px,
            faces=outlet.faces,
            method=wishes.method,
            strength=wishes.strength,
            reconnects=intake.reconnects,
            restarts=watcher.restarts + outlet.restarts,
            error=watcher.error or outlet.error or intake.error,
            targets=tuple(runner.status for runner in self._runners),
        )

    def _state(self) -> State:
        if self._controls.is_over or self._watcher.is_over:
            return "ended"
        if not (self._intake.is_connected or self._intake.has_ended):
            return "reconnecting"
        return "live" if self._outlet.reason is None else "covered"
