"""Targets that fail, hang or are slow affect no other target."""

from __future__ import annotations

import gc
import threading
import weakref
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.clips import swinging
from tests.realtime.judging import Judge, run_session
from tests.realtime.scripted_source import solid_frame
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur import Settings
from tracker_blur.errors import SinkError
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.target_worker import TargetWorker
from tracker_blur.realtime.targets import GoneError
from tracker_blur.redaction.redactor import FrameRedactor

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = Format((64, 48), Fraction(30))


def delivery(seconds: float) -> Delivery:
    frame = LiveFrameConverter(None).convert(solid_frame((64, 48)), seconds, 0)
    return Delivery(FrameRedactor(Settings()).blank(frame), seconds, 0, True)


class FailingTarget(Judge):
    """Fails at its second frame, and once when it is opened again, as soon as it may be."""

    opened = 0

    def __init__(self) -> None:
        super().__init__()
        self.may_open_again = threading.Event()

    def open(self, format: Format) -> None:
        self.opened += 1
        if self.opened == 2:
            self.may_open_again.wait(PATIENCE_SECONDS)
            raise SinkError("out.mkv: the disk is full")

    def show(self, delivery: Delivery) -> None:
        super().show(delivery)
        if len(self.deliveries) == 2:
            raise SinkError("out.mkv: the disk is full")


def test_a_target_that_fails_is_reported_once_and_opened_again() -> None:
    warnings: list[str] = []
    target = FailingTarget()
    worker = TargetWorker(target, warnings.append)
    worker.start(FORMAT)
    until(lambda: worker.status.state == "open")
    worker.show(delivery(1))
    until(lambda: len(target.deliveries) == 1)
    worker.show(delivery(2))
    until(lambda: len(target.deliveries) == 2)
    until(lambda: worker.status.state == "failed")
    assert "disk is full" in worker.status.error
    target.may_open_again.set()
    until(lambda: worker.status.state == "open")
    worker.show(delivery(3))
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    status = worker.status
    assert (status.state, status.shown, status.failures, status.error) == ("closed", 2, 2, "")
    assert target.opened == 3
    assert target.closed == 3
    assert len(warnings) == 1
    assert len(target.deliveries) == 3


@pytest.mark.parametrize("error", [SinkError("nowhere: cannot be"), RuntimeError("cannot be")])
def test_a_target_that_cannot_be_opened_is_given_up(error: Exception) -> None:
    class BrokenTarget(Judge):
        name = "nowhere"

        def open(self, format: Format) -> None:
            raise error

    warnings: list[str] = []
    target = BrokenTarget()
    worker = TargetWorker(target, warnings.append)
    worker.start(FORMAT)
    with pytest.raises(SinkError, match=r"^nowhere: cannot be"):
        worker.wait_until_open(PATIENCE_SECONDS)
    until(lambda: worker.is_given_up)
    assert (target.closed, warnings, worker.status.state) == (1, [], "failed")


def test_a_target_that_is_gone_is_given_up() -> None:
    class GoneTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            raise GoneError("-: no one reads")

    warnings: list[str] = []
    worker = TargetWorker(GoneTarget(), warnings.append)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    until(lambda: worker.is_given_up)
    assert warnings == ["-: no one reads"]


@pytest.mark.parametrize("is_final", [False, True])
def test_settings_in_messages_are_named_as_they_are_for_the_reader(is_final: bool) -> None:
    class FullTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            error = GoneError if is_final else SinkError
            raise error("already exists: use", subject="out.mkv", remedy="overwrite")

    warnings: list[str] = []
    flags = {"overwrite": "--overwrite"}
    worker = TargetWorker(FullTarget(), warnings.append, describe=lambda error: error.text(flags))
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    until(lambda: bool(warnings))
    text = "out.mkv: already exists: use --overwrite"
    assert worker.status.error == text
    assert warnings == [text if is_final else f"{text}: retrying"]
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)


class ServerTarget(Judge):
    """A server that has taken nothing yet."""

    name = "rtmp://far"
    is_reached = False


def test_a_server_is_open_once_it_has_taken_something() -> None:
    target = ServerTarget()
    worker = TargetWorker(target, lambda text: None)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    until(lambda: worker.status.shown == 1)
    until(lambda: worker.status.state == "opening")
    target.is_reached = True
    worker.show(delivery(2))
    until(lambda: worker.status.state == "open")
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert worker.status.state == "closed"


def test_a_server_that_never_took_anything_has_failed() -> None:
    worker = TargetWorker(ServerTarget(), lambda text: None)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)
    worker.show(delivery(1))
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert (worker.status.state, worker.status.error) == (
        "failed",
        "rtmp://far: was not reached in time",
    )


def test_an_unreachable_server_is_reported_once() -> None:
    class UnreachableTarget(ServerTarget):
        def show(self, delivery: Delivery) -> None:
            raise SinkError("rtmp://far: is not reached")

    warnings: list[str] = []
    worker = TargetWorker(UnreachableTarget(), warnings.append)
    worker.start(FORMAT)
    assert worker.wait_until_open(PATIENCE_SECONDS)

    def has_failed_twice() -> bool:
        worker.show(delivery(1))  # it is ignored while the target is not open
        return worker.status.failures >= 2

    until(has_failed_twice)
    assert worker.status.state == "failed"
    worker.stop()
    assert worker.wait(PATIENCE_SECONDS)
    assert warnings == ["rtmp://far: is not reached: retrying"]


def test_a_target_that_fails_leaves_nothing_behind() -> None:
    class Encoder:
        error: Exception | None = None

    encoders: list[weakref.ref[Encoder]] = []

    class BreakingTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            encoder = Encoder()
            encoders.append(weakref.ref(encoder))
            encoder.error = SinkError("out.mkv: the disk is full")
            raise encoder.error

    worker = TargetWorker(BreakingTarget(), lambda text: None)
    gc.disable()  # it would collect in time only by luck
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


def test_a_slow_target_gets_the_newest_frame_and_all_audio() -> None:
    held = threading.Event()

    class SlowTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            super().show(delivery)
            held.wait(PATIENCE_SECONDS)

    target = SlowTarget()
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
    assert [chunk.seconds for chunk in target.audio] == list(range(1, 9))
    assert worker.status.dropped == 7


def test_a_target_that_hangs_is_left_behind() -> None:
    forever = threading.Event()

    class HangingTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            forever.wait(PATIENCE_SECONDS)

    worker = TargetWorker(HangingTarget(), lambda text: None)
    worker.start(FORMAT)
    until(lambda: worker.status.state == "open")
    worker.show(delivery(0))
    worker.stop()
    assert not worker.wait(0.1)
    forever.set()
    assert worker.wait(PATIENCE_SECONDS)


@pytest.mark.slow
@pytest.mark.shared
def test_one_target_that_fails_does_not_stop_another(shared: Path, tmp_path: Path) -> None:
    class BrokenTarget(Judge):
        def show(self, delivery: Delivery) -> None:
            raise SinkError("nowhere: cannot be")

    judge = Judge(until=lambda judge: judge.redacted_count > 5)
    clip = swinging(shared / "videos" / "two_heads.mp4", tmp_path / "long.mp4")
    status = run_session(clip, shared, judge, others=[BrokenTarget()])
    assert judge.redacted_count > 5
    assert status.targets[0].state == "open"
    assert status.targets[1].shown == 0
    assert status.targets[1].error == "nowhere: cannot be"
