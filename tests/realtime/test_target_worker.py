"""Targets that fail, hang or are slow disturb nobody but themselves."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.clips import swinging
from tests.realtime.judging import Judge, watched
from tests.realtime.test_arrival import rgb
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur import Settings
from tracker_blur.errors import SinkError
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.session import Snapshots
from tracker_blur.realtime.target_worker import TargetWorker
from tracker_blur.realtime.targets import GoneError
from tracker_blur.redaction.redactor import Redactor

FORMAT = Format((64, 48), Fraction(30))


def delivery(seconds: float) -> Delivery:
    arrival = LiveFrameConverter(None).arrival(rgb((64, 48)), seconds, 0)
    return Delivery(Redactor(Settings()).cover(arrival), seconds, 0, True)


class Failing(Judge):
    """Fails at its second picture, and once when it is opened anew, as soon as it may be."""

    opened = 0

    def __init__(self) -> None:
        super().__init__()
        self.may_open_anew = threading.Event()

    def open(self, format: Format) -> None:
        self.opened += 1
        if self.opened == 2:
            self.may_open_anew.wait(PATIENCE_SECONDS)
            raise SinkError("out.mkv: the disk is full")

    def show(self, delivery: Delivery) -> None:
        super().show(delivery)
        if len(self.deliveries) == 2:
            raise SinkError("out.mkv: the disk is full")


def test_a_target_that_fails_is_told_of_once_and_opened_anew() -> None:
    told: list[str] = []
    target = Failing()
    worker = TargetWorker(target, told.append)
    worker.start(FORMAT)
    for count in (1, 2):
        until(lambda: worker.status.state == "open")
        worker.show(delivery(count))
        until(lambda count=count: len(target.deliveries) == count)
    until(lambda: worker.status.state == "failed")
    assert "disk is full" in worker.status.error
    target.may_open_anew.set()
    until(lambda: worker.status.state == "open")
    worker.show(delivery(3))
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    status = worker.status
    assert (status.state, status.shown, status.failures, status.error) == ("closed", 2, 2, "")
    assert target.opened == 3
    assert target.closed == 3
    assert len(told) == 1
    assert len(target.deliveries) == 3


@pytest.mark.parametrize("error", [SinkError("nowhere: cannot be"), RuntimeError("cannot be")])
def test_a_target_that_cannot_be_opened_is_given_up(error: Exception) -> None:
    class Broken(Judge):
        name = "nowhere"

        def open(self, format: Format) -> None:
            raise error

    told: list[str] = []
    target = Broken()
    worker = TargetWorker(target, told.append)
    worker.start(FORMAT)
    with pytest.raises(SinkError, match=r"^nowhere: cannot be"):
        worker.wait_until_open(PATIENCE_SECONDS)
    until(lambda: worker.is_given_up)
    assert (target.closed, told, worker.status.state) == (1, [], "failed")


def test_a_target_that_is_gone_is_given_up() -> None:
    class Left(Judge):
        def show(self, delivery: Delivery) -> None:
            raise GoneError("-: nobody reads")

    told: list[str] = []
    worker = TargetWorker(Left(), told.append)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    until(lambda: worker.is_given_up)
    assert told == ["-: nobody reads"]


class Far(Judge):
    """A server that has taken nothing yet."""

    name = "rtmp://far"
    is_reached = False


def test_a_server_is_open_once_it_has_taken_something() -> None:
    target = Far()
    worker = TargetWorker(target, lambda text: None)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    until(lambda: worker.status.shown == 1)
    assert worker.status.state == "opening"
    target.is_reached = True
    worker.show(delivery(2))
    until(lambda: worker.status.state == "open")
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert worker.status.state == "closed"


def test_a_server_that_never_took_anything_has_failed() -> None:
    worker = TargetWorker(Far(), lambda text: None)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert (worker.status.state, worker.status.error) == (
        "failed",
        "rtmp://far: was not reached in time",
    )


def test_a_server_that_stays_away_is_told_of_once() -> None:
    class Away(Far):
        def show(self, delivery: Delivery) -> None:
            raise SinkError("rtmp://far: is not reached")

    told: list[str] = []
    worker = TargetWorker(Away(), told.append)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    while worker.status.failures < 2:
        worker.show(delivery(1))
        time.sleep(0.01)
    assert worker.status.state == "failed"
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert told == ["rtmp://far: is not reached: it is tried again"]


def test_a_target_that_fails_leaves_nothing_behind() -> None:
    class Encoder:
        error: Exception | None = None

    encoders: list[weakref.ref[Encoder]] = []

    class Breaking(Judge):
        def show(self, delivery: Delivery) -> None:
            encoder = Encoder()
            encoders.append(weakref.ref(encoder))
            encoder.error = SinkError("out.mkv: the disk is full")
            raise encoder.error

    worker = TargetWorker(Breaking(), lambda text: None)
    gc.disable()  # it would come in time only by luck
    try:
        worker.start(FORMAT)
        until(lambda: worker.status.state == "open")
        worker.show(delivery(1))
        until(lambda: worker.status.failures == 1 and worker.status.state == "open")
        assert encoders[0]() is None
    finally:
        gc.enable()
        worker.stop()
        assert worker.wait(PATIENCE_SECONDS)


def test_a_slow_target_gets_the_newest_and_all_sound() -> None:
    held = threading.Event()

    class Slow(Judge):
        def show(self, delivery: Delivery) -> None:
            super().show(delivery)
            held.wait(PATIENCE_SECONDS)

    target = Slow()
    worker = TargetWorker(target, lambda text: None)
    worker.start(FORMAT)
    until(lambda: worker.status.state == "open")
    worker.show(delivery(0))
    until(lambda: len(target.deliveries) == 1)
    for count in range(1, 9):
        worker.show(delivery(count))
        worker.play(AudioChunk(np.zeros((2, 100), np.float32), count))
    held.set()
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert [each.seconds for each in target.deliveries] == [0, 8]
    assert [sound.seconds for sound in target.sounds] == list(range(1, 9))
    assert worker.status.dropped == 7


def test_a_target_that_hangs_is_left_behind() -> None:
    forever = threading.Event()

    class Hanging(Judge):
        def show(self, delivery: Delivery) -> None:
            forever.wait(PATIENCE_SECONDS)

    worker = TargetWorker(Hanging(), lambda text: None)
    worker.start(FORMAT)
    until(lambda: worker.status.state == "open")
    worker.show(delivery(0))
    worker.stop()
    assert not worker.wait(0.1)
    forever.set()
    assert worker.wait(PATIENCE_SECONDS)


@pytest.mark.shared
def test_one_target_that_fails_does_not_stop_another(shared: Path, tmp_path: Path) -> None:
    class Broken(Judge):
        def show(self, delivery: Delivery) -> None:
            raise SinkError("nowhere: cannot be")

    judge = Judge(until=lambda judge: judge.open_frames > 5)
    clip = swinging(shared / "videos" / "two_heads.mp4", tmp_path / "long.mp4")
    status = watched(clip, shared, judge, others=[Broken()])
    assert judge.open_frames > 5
    assert status.targets[0].state == "open"
    assert status.targets[1].shown == 0
    assert status.targets[1].error == "nowhere: cannot be"


def test_a_still_is_saved_for_each_wish(tmp_path: Path) -> None:
    import cv2

    controls, told, noted = Controls(["solid"]), [], []
    stills = Snapshots(tmp_path, controls, told.append, noted.append)
    stills.show(delivery(0))
    assert list(tmp_path.iterdir()) == []
    controls.save_still()
    stills.show(delivery(1))
    stills.show(delivery(2))
    (path,) = tmp_path.iterdir()
    assert cv2.imread(str(path)).shape == (48, 64, 3)
    assert (told, noted) == ([], [f"{path}: saved"])
    controls.save_still()
    Snapshots(tmp_path / "none", controls, told.append, noted.append).show(delivery(3))
    assert len(noted) == 1
    assert told[-1].endswith(f"the folder {tmp_path / 'none'} does not exist: make it (--stills)")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_a_still_is_whole_or_not_there(tmp_path: Path) -> None:
    import resource

    controls, told = Controls(["solid"]), []
    controls.save_still()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as on a full disk
    try:
        Snapshots(tmp_path, controls, told.append, print).show(delivery(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    (text,) = told
    assert "no space left to write it: free some, or choose another folder (--stills)" in text
