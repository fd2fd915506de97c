"""Sessions whose detector, method or output fails: no face leaves that is not hidden."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.realtime.detector_fault import PATIENT, DetectorFault
from tests.realtime.judging import Judge, exposed_faces, run_session
from tests.waiting import PATIENCE_SECONDS
from tests.waiting import until as wait_until
from tracker_blur.errors import TrackerBlurError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.redaction.methods import solid
from tracker_blur.redaction.redactor import FrameRedactor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def test_a_slow_detector_blanks_frames(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowDetector(DetectorFault):
        def strike(self) -> None:
            time.sleep(0.6 if self.detections > 3 else 0)

    fault = SlowDetector(monkeypatch)
    judge = Judge(until=lambda judge: fault.detections > 5 and judge.blank_count > 5)
    run_session(long, shared, judge, LiveSettings(watchdog_seconds=0.3))
    assert fault.detections > 5
    assert judge.blank_count > 5
    assert exposed_faces(judge, clip) == []


def test_a_hanging_detector_blanks_frames_and_stops_nothing(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()

    class HangingDetector(DetectorFault):
        def strike(self) -> None:
            if judge.redacted_count > 3:
                free.wait(PATIENCE_SECONDS)

    def until(judge: Judge) -> bool:
        newest = judge.deliveries[-8:]
        if judge.redacted_count > 3 and all(delivery.is_blank for delivery in newest):
            indices = [delivery.redacted.frame.index for delivery in newest]
            if max(indices) > indices[0]:  # new frames, not a frozen one
                free.set()
        return free.is_set()

    judge = Judge(until)
    HangingDetector(monkeypatch)
    run_session(long, shared, judge, LiveSettings(watchdog_seconds=0.4))
    assert free.is_set()
    assert exposed_faces(judge, clip) == []


@pytest.fixture
def hangs_after_two_detections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    free = threading.Event()

    class HangingDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections > 2:
                free.wait(2 * PATIENCE_SECONDS)

    HangingDetector(monkeypatch)
    yield
    free.set()


@pytest.mark.usefixtures("hangs_after_two_detections")
def test_a_file_ends_although_its_detector_hangs(shared: Path, clip: Path) -> None:
    judge = Judge()
    message = r"has hung on one frame for 5 seconds, and the source has ended"
    with pytest.raises(TrackerBlurError, match=message):
        run_session(clip, shared, judge)
    assert judge.closed == 1
    assert judge.deliveries[-1].is_blank
    assert judge.deliveries[-1].redacted.frame.index == 55  # the last
    assert exposed_faces(judge, clip) == []


@pytest.mark.usefixtures("hangs_after_two_detections")
def test_a_hanging_detector_is_reported_once_and_delays_no_end(shared: Path, long: Path) -> None:
    warnings: list[str] = []
    times: list[float] = []  # of the frames since the warning

    def until(judge: Judge) -> bool:
        if warnings:
            times.append(time.monotonic())
        return len(times) > 20

    run_session(long, shared, Judge(until), warn=warnings.append)
    assert time.monotonic() - times[20] < PATIENCE_SECONDS / 2  # the detection takes longer
    assert warnings == [
        "detection has hung on one frame for 5 seconds: the whole frame is hidden until it ends"
    ]


def test_a_detector_that_raises_blanks_frames_until_it_works_again(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_after: list[int] = []  # so many frames

    class RaisingDetector(DetectorFault):
        def strike(self) -> None:
            if judge.redacted_count > 5 and len(failed_after) < 2:
                failed_after.append(len(judge.deliveries))
                raise RuntimeError("the network fell over")

    def until(judge: Judge) -> bool:
        return len(failed_after) == 2 and not all(
            delivery.is_blank for delivery in judge.deliveries[failed_after[1] + 2 :]
        )

    warnings: list[str] = []
    judge = Judge(until)
    RaisingDetector(monkeypatch)
    status = run_session(long, shared, judge, PATIENT, warnings.append, hold_seconds=2.5)
    assert status.restarts == 2
    assert "the network fell over" in status.error
    assert len([text for text in warnings if "the network fell over" in text]) == 2
    is_blank = [delivery.is_blank for delivery in judge.deliveries]
    first_blank = is_blank.index(True, failed_after[0])
    assert first_blank <= failed_after[0] + 2  # those were on their way
    back = is_blank.index(False, first_blank)
    # Faces that were held before may not be detected at once.
    times = [delivery.seconds for delivery in judge.deliveries]
    pauses, hold = 0.25 + 0.5, 2.5
    assert times[back] - times[failed_after[0] - 1] > pauses + hold - 1  # timestamps may be late
    assert exposed_faces(judge, clip) == []


def test_a_method_that_raises_blanks_frames(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, patch: object) -> None:
        raise RuntimeError("no paint")

    monkeypatch.setattr(solid.Solid, "hide", fail)
    judge = Judge(until=lambda judge: judge.blank_count > 20 and judge.status.restarts > 0)
    status = run_session(long, shared, judge, PATIENT)
    assert judge.redacted_count == 0
    assert judge.blank_count > 20
    assert status.restarts > 0
    assert exposed_faces(judge, clip) == []


def test_nothing_leaves_while_frames_cannot_be_blanked(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, frame: object) -> None:
        raise RuntimeError("no blank frame")

    class LateDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections == 1:
                wait_until(lambda: judge.status.restarts)

    monkeypatch.setattr(FrameRedactor, "blank", fail)
    judge = Judge(until=lambda judge: len(judge.deliveries) > 10)
    LateDetector(monkeypatch)
    status = run_session(long, shared, judge)
    assert judge.blank_count == 0
    assert status.restarts > 0
    assert "no blank frame" in status.error
    assert exposed_faces(judge, clip) == []
