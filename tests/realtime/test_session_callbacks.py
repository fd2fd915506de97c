"""Reports that cannot be delivered, as on a full disk, stop nothing."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.realtime.detector_fault import PATIENT, DetectorFault
from tests.realtime.judging import Judge, run_session
from tests.realtime.scripted_source import ScriptedSource, captured_frame
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SinkError, SourceError, TrackerBlurError
from tracker_blur.realtime.settings import LiveSettings, LiveTiming
from tracker_blur.redaction.redactor import FrameRedactor

if TYPE_CHECKING:
    from tracker_blur.realtime.delivery import Delivery

pytestmark = [pytest.mark.shared, pytest.mark.slow]


class FailingReports:
    """A callback that keeps each text and raises."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_analyzer_starts_again(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class RaisingDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections == 3:
                raise RuntimeError("the network fell over")

    fault, reports = RaisingDetector(monkeypatch), FailingReports()
    judge = Judge(until=lambda judge: fault.detections > 5)
    assert run_session(long, shared, judge, PATIENT, reports).restarts == 1
    assert fault.detections > 5
    assert len(reports.texts) == 1


def test_the_source_is_reconnected(shared: Path) -> None:
    interruption = SourceError("script: was interrupted")
    source = ScriptedSource(
        [captured_frame(1), interruption], [captured_frame(2), interruption], is_finite=False
    )
    reports = FailingReports()
    judge = Judge(until=lambda judge: source.opened > 3)
    assert run_session(Path(), shared, judge, PATIENT, reports, source).reconnects == 1
    assert source.opened > 3
    assert len(reports.texts) > 1


def test_a_target_is_closed_and_opened_again(shared: Path, long: Path) -> None:
    class FailingTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            super().show(delivery)
            if len(self.deliveries) == 1:
                raise SinkError("out.mkv: the disk is full")

    failing, reports = FailingTarget(), FailingReports()
    judge = Judge(until=lambda judge: len(failing.deliveries) > 3)
    run_session(long, shared, judge, PATIENT, reports, others=[failing])
    assert len(failing.deliveries) > 3
    assert failing.closed == 2
    assert reports.texts == ["out.mkv: the disk is full: retrying"]


def test_the_output_continues(shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class LateDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections == 1:
                until(lambda: judge.status.restarts)

    def fail(self: object, frame: object) -> None:
        raise RuntimeError("no blank frame")

    monkeypatch.setattr(FrameRedactor, "blank", fail)
    LateDetector(monkeypatch)
    reports = FailingReports()
    judge = Judge(until=lambda judge: len(judge.deliveries) > 3)
    run_session(long, shared, judge, PATIENT, reports)
    assert len(judge.deliveries) > 3
    assert any("no blank frame" in text for text in reports.texts)


def test_a_hanging_detection_ends_nothing(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    since: list[Delivery] = []

    class HangingDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections > 2:
                free.wait(PATIENCE_SECONDS)

    def is_enough(judge: Judge) -> bool:
        if reports.texts:
            since.append(judge.deliveries[-1])
        if len(since) > 20:
            free.set()
        return free.is_set()

    live = LiveSettings(watchdog_seconds=0.1, timing=LiveTiming(hanging_least_seconds=0.5))
    HangingDetector(monkeypatch)
    reports = FailingReports()
    run_session(long, shared, Judge(is_enough), live, reports)
    assert free.is_set()


@pytest.mark.filterwarnings("ignore:Exception in thread analyzer")  # it is killed on purpose
def test_a_session_whose_analyzer_has_died_is_no_success(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DyingDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections == 3:
                raise SystemExit  # ends the thread, and nothing catches it

    DyingDetector(monkeypatch)
    with pytest.raises(TrackerBlurError, match="detection has stopped for good"):
        run_session(long, shared, Judge(), PATIENT)
