"""Whole sessions on real clips: no face leaves that is not hidden."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.clips import swinging
from tests.realtime.detector_fault import PATIENT, DetectorFault
from tests.realtime.judging import Judge, exposed_faces, luma, run_session
from tests.waiting import until as wait_until
from tracker_blur.detectors import yunet
from tracker_blur.realtime.live_frame import LiveFrame
from tracker_blur.realtime.output import Output
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, CapturedItem, open_source
from tracker_blur.video.frame import DecodedFrame

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.realtime.analyzer import AnalyzedFrame
    from tracker_blur.realtime.delivery import Delivery, Format

pytestmark = [pytest.mark.shared, pytest.mark.slow]

LOST = "a face was lost"
LAST_INDEX = 55  # of the clip of two people


class LockstepSource:
    """A file whose next frame comes when the last has left the analyzer: none is dropped."""

    has_audio = False
    is_finite = True

    def __init__(self, clip: Path, judge: Judge) -> None:
        self._source = open_source(str(clip), LiveSettings(), realtime=True)
        self._judge = judge
        self.name = self._source.name
        self.rate: Fraction | None = None

    def open(self) -> None:
        self._source.open()
        self.rate = self._source.rate

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        for item in self._source.read(stopping):
            yield item
            wait_until(lambda: stopping.is_set() or self._is_taken())

    def close(self) -> None:
        self._source.close()

    def abort(self) -> None:
        self._source.abort()

    def _captured_seconds(self) -> float:
        """Return the time of the newest captured frame, on the session's clock."""
        session = self._judge.session
        assert session is not None
        newest = session._capture.newest
        assert newest is not None
        return newest.seconds

    def _is_taken(self) -> bool:
        """Return whether the analyzer has taken this frame, and the output the previous one."""
        session = self._judge.session
        assert session is not None
        capture, analyzer = session._capture, session._analyzer
        is_idle = capture.frames._item is None and analyzer._busy_since is None
        return is_idle and analyzer.analyzed._item is None


def test_faces_are_hidden_as_a_clip_plays(shared: Path, clip: Path) -> None:
    judge = Judge()
    status = run_session(clip, shared, judge, PATIENT)
    assert exposed_faces(judge, clip) == []
    assert status.frames_in == 56
    assert judge.redacted_count > 10
    assert judge.closed >= 1
    assert judge.format is not None
    assert judge.format.size == (480, 270)
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times == sorted(set(times))
    for delivery in judge.deliveries:
        assert isinstance(delivery.redacted.frame, DecodedFrame)
        av_frame = delivery.redacted.frame.av_frame
        assert av_frame.format.name == "yuv420p"
        assert av_frame.time == pytest.approx(delivery.seconds, abs=1e-5)


def test_frames_are_blank_before_the_first_detection(
    shared: Path, clip: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(until=lambda judge: judge.redacted_count > 3)

    class LateDetector(DetectorFault):
        def strike(self) -> None:
            if self.detections == 1:
                wait_until(lambda: len(judge.deliveries) >= 5)

    LateDetector(monkeypatch)
    run_session(long, shared, judge)
    assert all(delivery.is_blank for delivery in judge.deliveries[:5])
    assert judge.redacted_count > 3
    assert exposed_faces(judge, clip) == []


def test_nothing_leaves_if_a_person_quits_before_all_targets_are_open(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowTarget(Judge):
        def open(self, format: Format) -> None:
            wait_until(lambda: judge.format is not None)
            assert judge.controls is not None
            judge.controls.quit()

    judge, slow = Judge(), SlowTarget()
    monkeypatch.setattr(Output, "start", lambda *_: pytest.fail("something leaves"))
    status = run_session(long, shared, judge, PATIENT, others=[slow])
    assert status.frames_out == 0
    assert judge.deliveries == slow.deliveries == []


def test_hide_all_takes_effect_at_once_and_can_be_taken_back(
    shared: Path, clip: Path, long: Path
) -> None:
    pressed: list[int] = []

    def until(judge: Judge) -> bool:
        assert judge.controls is not None
        if judge.redacted_count == 5 and not pressed:
            judge.controls.hide_all()
            pressed.append(len(judge.deliveries))
        if pressed and len(judge.deliveries) == pressed[0] + 10:
            judge.controls.show()
        return judge.redacted_count > 10

    judge = Judge(until)
    run_session(long, shared, judge, PATIENT)
    # Two more were perhaps on their way when the key was pressed: one ready, one in the making.
    assert all(d.is_blank for d in judge.deliveries[pressed[0] + 2 : pressed[0] + 10])
    assert judge.redacted_count > 10
    assert exposed_faces(judge, clip) == []


def test_with_a_delay_nothing_from_while_all_was_hidden_is_shown_later(
    shared: Path, clip: Path, long: Path
) -> None:
    shown_at: list[float] = []

    def until(judge: Judge) -> bool:
        assert judge.controls is not None
        if not shown_at and len(judge.deliveries) == 20:
            judge.controls.show()
            shown_at.append(time.monotonic())
        return judge.redacted_count > 10

    judge = Judge(until)
    live = replace(PATIENT, hide_all=True)
    run_session(long, shared, judge, live, delay_seconds=0.5)
    assert judge.redacted_count > 10
    earliest = min(one.captured_at for one in judge.deliveries if not one.is_blank)
    assert earliest >= shown_at[0]
    assert exposed_faces(judge, clip) == []


class ChangingSource(LockstepSource):
    """A file that is squeezed into half its width from one frame on; its pixels stay square."""

    changed_seconds: float | None = None  # when, on the session's clock

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        for number, item in enumerate(super().read(stopping)):
            if number >= 15 and isinstance(item, CapturedFrame):
                squeezed = item.frame.reformat(item.frame.width // 2, item.frame.height)
                squeezed.pts, squeezed.time_base = item.frame.pts, item.frame.time_base
                yield replace(item, frame=squeezed)
                if self.changed_seconds is None:
                    self.changed_seconds = self._captured_seconds()
            else:
                yield item


def test_frames_are_blank_for_a_second_after_the_source_has_changed_its_size(
    shared: Path, long: Path
) -> None:
    def until(judge: Judge) -> bool:
        return any(form(one) == 2 and not one.is_blank for one in judge.deliveries[-1:])

    judge = Judge(until)
    source = ChangingSource(long, judge)
    run_session(long, shared, judge, PATIENT, source=source)
    assert source.changed_seconds is not None
    settled_seconds = source.changed_seconds + 1.0 - 1e-5  # deliveries' times are rounded
    changed = [one for one in judge.deliveries if form(one) == 2]
    for delivery in changed:
        assert delivery.is_blank or delivery.seconds >= settled_seconds
    assert any(not one.is_blank for one in judge.deliveries if form(one) == 1)
    assert any(not one.is_blank for one in changed)


def form(delivery: Delivery) -> int:
    frame = delivery.redacted.frame
    assert isinstance(frame, LiveFrame)
    return frame.form


def test_a_cover_image_hides_the_whole_frame(shared: Path, long: Path, tmp_path: Path) -> None:
    cover = tmp_path / "pause.png"
    cv2.imwrite(str(cover), np.full((90, 160, 3), (0, 200, 0), np.uint8))
    judge = Judge(until=lambda judge: len(judge.deliveries) > 5)
    run_session(long, shared, judge, LiveSettings(hide_all=True, cover=cover))
    assert judge.blank_count > 5
    assert judge.redacted_count == 0
    for delivery in judge.deliveries:
        assert np.ptp(luma(delivery)) == 0


def test_a_look_ahead_delivers_every_frame_to_the_end(shared: Path, clip: Path) -> None:
    judge = Judge()
    source = LockstepSource(clip, judge)
    run_session(clip, shared, judge, PATIENT, source=source, delay_seconds=0.5)
    assert exposed_faces(judge, clip) == []
    assert judge.deliveries[-1].redacted.frame.index == LAST_INDEX
    assert judge.redacted_count > 20


def test_a_look_ahead_longer_than_the_watchdog_blanks_no_end(shared: Path, clip: Path) -> None:
    judge = Judge()
    run_session(
        clip,
        shared,
        judge,
        LiveSettings(watchdog_seconds=2.0),  # a detection takes a second on a busy machine
        source=LockstepSource(clip, judge),
        delay_seconds=2.5,
        detect_every_frames=1,  # so that the last detection is of the last frame
    )
    assert exposed_faces(judge, clip) == []
    end = [d for d in judge.deliveries if d.redacted.frame.index > 45]
    assert judge.deliveries[-1].redacted.frame.index == LAST_INDEX
    assert sum(d.is_blank for d in end) < len(end) / 2


def test_the_last_frame_leaves_when_the_output_is_slow(
    clip: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Output._deliver

    def slow(output: Output, analyzed: AnalyzedFrame | None) -> bool:
        time.sleep(0.2)
        return real(output, analyzed)

    monkeypatch.setattr(Output, "_deliver", slow)
    judge = Judge()
    run_session(clip, shared, judge, PATIENT)
    assert judge.deliveries[-1].redacted.frame.index == LAST_INDEX


def test_a_face_that_vanishes_blanks_frames_for_a_while(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detections: list[int] = []
    reasons: list[str] = []
    real = yunet.YuNet.detect

    def blinded(detector: yunet.YuNet, image: Image, confidence: float) -> list[Detection]:
        detections.append(1)
        is_blind = len(detections) % 60 > 15 or LOST in reasons
        return [] if is_blind else real(detector, image, confidence)

    def until(judge: Judge) -> bool:
        reasons.append(judge.status.reason)
        return LOST in reasons and not judge.deliveries[-1].is_blank and reasons[-1] == ""

    monkeypatch.setattr(yunet.YuNet, "detect", blinded)
    judge = Judge(until)
    webcam = swinging(shared / "videos" / "webcam.mp4", tmp_path / "long.mp4")
    run_session(webcam, shared, judge, PATIENT, tracker="none", hold_seconds=0.4)
    assert LOST in reasons
    assert reasons[-1] == ""  # it may have left: frames are shown again
