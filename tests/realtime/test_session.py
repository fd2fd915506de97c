"""Whole sessions on real clips: whatever happens, no raw frame leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.realtime.judging import Judge, luma, raw_faces, watched
from tracker_blur.boxes import Detection
from tracker_blur.detectors import yunet
from tracker_blur.errors import TrackerBlurError
from tracker_blur.frames import Image
from tracker_blur.realtime.live_settings import LiveSettings

pytestmark = pytest.mark.shared


class Trouble:
    """A detector that finds what the real one finds, in between whatever is asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        self._real = yunet.YuNet.detect
        trouble = self

        def detect(detector: yunet.YuNet, image: Image, confidence: float) -> list[Detection]:
            if image.shape[0] != image.shape[1]:  # a look at a whole picture, not a second look
                trouble.looks += 1
                trouble.strike()
            return trouble._real(detector, image, confidence)

        monkeypatch.setattr(yunet.YuNet, "detect", detect)

    def strike(self) -> None:
        raise NotImplementedError


@pytest.fixture
def clip(shared: Path) -> Path:
    return shared / "videos" / "two_heads.mp4"


def test_a_clip_is_hidden_as_it_plays(shared: Path, clip: Path) -> None:
    judge = Judge()
    status = watched(clip, shared, judge)
    assert raw_faces(judge, clip) == []
    assert status.frames_in == 56
    assert judge.open_frames > judge.covers
    assert judge.closed >= 1
    assert judge.format is not None
    assert judge.format.size == (480, 270)
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times == sorted(set(times))
    for delivery in judge.deliveries:
        picture = delivery.redacted.frame.picture  # type: ignore[attr-defined]
        assert picture.format.name == "yuv420p"
        assert float(picture.pts * picture.time_base) == pytest.approx(delivery.seconds, abs=1e-5)


def test_all_is_hidden_before_the_first_look(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Trouble):
        def strike(self) -> None:
            if self.looks == 1:
                time.sleep(1)

    Late(monkeypatch)
    judge = Judge(until=lambda judge: judge.open_frames > 3)
    watched(clip, shared, judge)
    assert judge.deliveries[0].is_cover
    assert judge.covers >= 3
    assert raw_faces(judge, clip) == []


def test_a_slow_detector_hides_all(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Trouble):
        def strike(self) -> None:
            time.sleep(0.6 if self.looks > 3 else 0)

    Slow(monkeypatch)
    judge = Judge()
    watched(clip, shared, judge, LiveSettings(watchdog_seconds=0.3))
    assert judge.covers > 5
    assert raw_faces(judge, clip) == []


def test_a_detector_that_hangs_hides_all_and_stops_nothing(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()

    class Hanging(Trouble):
        def strike(self) -> None:
            if self.looks > 8:
                free.wait(20)

    Hanging(monkeypatch)

    def until(judge: Judge) -> bool:
        is_enough = judge.open_frames > 3 and all(d.is_cover for d in judge.deliveries[-8:])
        if is_enough:
            free.set()
        return is_enough

    judge = Judge(until)
    watched(clip, shared, judge, LiveSettings(watchdog_seconds=0.4))
    assert free.is_set()
    assert raw_faces(judge, clip) == []
    covered = [delivery.redacted.frame.index for delivery in judge.deliveries[-8:]]
    assert max(covered) > covered[0]  # covers of what is new, not a frozen one


@pytest.fixture
def hangs_after_eight_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    free = threading.Event()

    class Hanging(Trouble):
        def strike(self) -> None:
            if self.looks > 8:
                free.wait(60)

    Hanging(monkeypatch)
    yield
    free.set()


@pytest.mark.usefixtures("hangs_after_eight_looks")
def test_a_file_ends_though_its_detector_hangs(shared: Path, clip: Path) -> None:
    judge = Judge()
    with pytest.raises(TrackerBlurError, match=r"not ended for 5 seconds, and the source is over"):
        watched(clip, shared, judge)
    assert judge.closed == 1
    assert judge.deliveries[-1].is_cover
    assert judge.deliveries[-1].redacted.frame.index == 55  # to its end
    assert raw_faces(judge, clip) == []


@pytest.mark.usefixtures("hangs_after_eight_looks")
def test_a_detector_that_hangs_is_told_of_once_and_holds_up_no_end(shared: Path) -> None:
    told: list[str] = []
    times: list[float] = []  # of the pictures since then

    def until(judge: Judge) -> bool:
        if told:
            times.append(time.monotonic())
        return len(times) > 20

    judge = Judge(until)
    watched(shared / "videos" / "webcam.mp4", shared, judge, tell=told.append)
    assert time.monotonic() - times[20] < 2
    assert told == [
        "a look at the picture has not ended for 5 seconds: all is hidden until it does"
    ]


def test_a_detector_that_raises_hides_all_until_it_works_again(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Raising(Trouble):
        def strike(self) -> None:
            if self.looks in (6, 7):
                raise RuntimeError("the network fell over")

    Raising(monkeypatch)
    told: list[str] = []
    judge = Judge()
    status = watched(clip, shared, judge, tell=told.append, hold_seconds=0.3)
    assert status.restarts == 2
    assert "the network fell over" in status.error
    assert len([text for text in told if "the network fell over" in text]) == 2
    kinds = [delivery.is_cover for delivery in judge.deliveries]
    fell = kinds.index(True, kinds.index(False))
    back = kinds.index(False, fell)
    # Faces that were held before may not be found at once.
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times[back] - times[fell] > 0.25 + 0.5 + 0.2  # the pauses, and most of a hold
    assert raw_faces(judge, clip) == []


def test_a_method_that_raises_hides_all(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker_blur.methods import solid

    def fail(self: object, patch: object) -> None:
        raise RuntimeError("no paint")

    monkeypatch.setattr(solid.Solid, "hide", fail)
    judge = Judge(until=lambda judge: len(judge.deliveries) > 20)
    status = watched(clip, shared, judge)
    assert judge.open_frames == 0
    assert judge.covers > 10
    assert status.restarts > 0
    assert raw_faces(judge, clip) == []


def test_a_cover_that_fails_lets_nothing_leave(
    shared: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker_blur.redact import Redactor

    def fail(self: object, frame: object) -> None:
        raise RuntimeError("no cover")

    monkeypatch.setattr(Redactor, "cover", fail)
    judge = Judge(until=lambda judge: len(judge.deliveries) > 10)
    status = watched(clip, shared, judge)
    assert judge.covers == 0
    assert status.restarts > 0
    assert "no cover" in status.error
    assert raw_faces(judge, clip) == []


def test_hide_all_takes_effect_at_once_and_can_be_taken_back(shared: Path, clip: Path) -> None:
    pressed: list[int] = []

    def until(judge: Judge) -> bool:
        assert judge.controls is not None
        if judge.open_frames == 5 and not pressed:
            judge.controls.hide_all(on=True)
            pressed.append(len(judge.deliveries))
        if pressed and len(judge.deliveries) == pressed[0] + 10:
            judge.controls.hide_all()
        return judge.open_frames > 10

    judge = Judge(until)
    watched(clip, shared, judge)
    # One more was perhaps on its way when the key was pressed.
    assert all(d.is_cover for d in judge.deliveries[pressed[0] + 1 : pressed[0] + 10])
    assert judge.open_frames > 10
    assert raw_faces(judge, clip) == []


def test_a_picture_of_ones_own_covers_all(shared: Path, clip: Path, tmp_path: Path) -> None:
    import cv2

    cover = tmp_path / "pause.png"
    cv2.imwrite(str(cover), np.full((90, 160, 3), (0, 200, 0), np.uint8))
    judge = Judge(until=lambda judge: len(judge.deliveries) > 5)
    watched(clip, shared, judge, LiveSettings(hide_all=True, cover=cover))
    assert judge.open_frames == 0
    for delivery in judge.deliveries:
        assert np.ptp(luma(delivery)) == 0


def test_a_look_ahead_gives_every_frame_to_the_end(shared: Path, clip: Path) -> None:
    judge = Judge()
    watched(clip, shared, judge, delay_seconds=0.5)
    assert raw_faces(judge, clip) == []
    assert judge.deliveries[-1].redacted.frame.index == 55
    assert judge.open_frames > 20


def test_a_look_ahead_longer_than_the_watchdog_covers_no_end(shared: Path, clip: Path) -> None:
    judge = Judge()
    watched(clip, shared, judge, LiveSettings(watchdog_seconds=0.5), delay_seconds=1.5)
    assert raw_faces(judge, clip) == []
    assert judge.deliveries[-1].redacted.frame.index == 55
    end = [d for d in judge.deliveries if d.redacted.frame.index > 45]
    assert sum(d.is_cover for d in end) < len(end) / 2


def played(judge: Judge) -> float:
    """Return how many seconds of sound the judge was given."""
    return sum(sound.samples.shape[1] for sound in judge.sounds) / 48000


def test_sound_comes_in_step(shared: Path) -> None:
    clip = shared / "videos" / "dancer.mp4"
    judge = Judge(until=lambda judge: played(judge) > 0.5)
    watched(clip, shared, judge)
    assert judge.format is not None
    assert judge.format.sound_rate == 48000
    ends = [s.seconds + s.samples.shape[1] / 48000 for s in judge.sounds]
    starts = [s.seconds for s in judge.sounds]
    assert all(after >= before - 1e-6 for before, after in zip(ends, starts[1:], strict=False))
    assert 0.5 < played(judge) <= ends[-1] - starts[0] + 0.001
    assert starts[-1] <= judge.deliveries[-1].seconds
    assert any(np.abs(s.samples).max() > 0.001 for s in judge.sounds)
    assert all(s.samples.shape[0] == 2 and s.samples.dtype == np.float32 for s in judge.sounds)


def test_nothing_is_heard_while_all_is_hidden(shared: Path) -> None:
    clip = shared / "videos" / "dancer.mp4"
    seconds: list[float] = []

    def until(judge: Judge) -> bool:
        assert judge.controls is not None
        if judge.controls.wishes.hide_all and judge.deliveries[-1].seconds > 1.5:
            assert judge.sounds == []
            judge.controls.hide_all(on=False)
            seconds.append(judge.deliveries[-1].seconds)
        return bool(judge.sounds)

    judge = Judge(until)
    watched(clip, shared, judge, LiveSettings(hide_all=True))
    assert judge.sounds[0].seconds > seconds[0]


def test_a_face_that_vanishes_hides_all_for_a_while(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = yunet.YuNet.detect

    def blinded(detector: yunet.YuNet, image: Image, confidence: float) -> list[Detection]:
        looks.append(1)
        return [] if len(looks) > 15 else real(detector, image, confidence)

    monkeypatch.setattr(yunet.YuNet, "detect", blinded)
    reasons: list[str] = []

    def until(judge: Judge) -> bool:
        assert judge.session is not None
        reasons.append(judge.session.status.reason)
        was_lost = "a face was lost" in reasons
        return was_lost and not judge.deliveries[-1].is_cover and reasons[-1] == ""

    clip = shared / "videos" / "webcam.mp4"
    judge = Judge(until)
    watched(clip, shared, judge, tracker="none", hold_seconds=0.4)
    assert "a face was lost" in reasons
    assert reasons[-1] == ""  # it may have left: what is there is shown again
