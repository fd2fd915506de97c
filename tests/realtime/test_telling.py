"""Nobody can be told anything, as with standard error on a full disk: all go on all the same."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from tests.realtime.judging import Judge, watched
from tests.realtime.test_intake import Script, shown
from tests.realtime.test_session import PATIENT, Trouble
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SinkError, SourceError, TrackerBlurError
from tracker_blur.realtime import session
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.redaction.redactor import Redactor

pytestmark = pytest.mark.shared


class Deaf:
    """Somebody to tell, who takes nothing."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, text: str) -> None:
        self.told.append(text)
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_watcher_starts_anew(shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Raising(Trouble):
        def strike(self) -> None:
            if self.looks == 3:
                raise RuntimeError("the network fell over")

    trouble, deaf = Raising(monkeypatch), Deaf()
    judge = Judge(until=lambda judge: trouble.looks > 5)
    assert watched(long, shared, judge, PATIENT, deaf).restarts == 1
    assert trouble.looks > 5
    assert len(deaf.told) == 1


def test_the_intake_connects_anew(shared: Path) -> None:
    breaks_off = SourceError("script: breaks off")
    source = Script([shown(1), breaks_off], [shown(2), breaks_off], ends=False)
    deaf = Deaf()
    judge = Judge(until=lambda judge: source.opened > 3)
    assert watched(Path(), shared, judge, PATIENT, deaf, source).reconnects == 1
    assert source.opened > 3
    assert len(deaf.told) > 1


def test_a_target_is_closed_and_opened_anew(shared: Path, long: Path) -> None:
    class Failing(Judge):
        def show(self, delivery: Delivery) -> None:
            super().show(delivery)
            if len(self.deliveries) == 1:
                raise SinkError("out.mkv: the disk is full")

    failing, deaf = Failing(), Deaf()
    judge = Judge(until=lambda judge: len(failing.deliveries) > 3)
    watched(long, shared, judge, PATIENT, deaf, others=[failing])
    assert len(failing.deliveries) > 3
    assert failing.closed == 2
    assert deaf.told == ["out.mkv: the disk is full: it is tried again"]


def test_the_outlet_goes_on(shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Trouble):
        def strike(self) -> None:
            if self.looks == 1:
                until(lambda: judge.status.restarts)

    def fail(self: object, frame: object) -> None:
        raise RuntimeError("no cover")

    monkeypatch.setattr(Redactor, "cover", fail)
    Late(monkeypatch)
    deaf = Deaf()
    judge = Judge(until=lambda judge: len(judge.deliveries) > 3)
    watched(long, shared, judge, PATIENT, deaf)
    assert len(judge.deliveries) > 3
    assert any("no cover" in text for text in deaf.told)


def test_a_look_that_hangs_ends_nothing(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    since: list[Delivery] = []

    class Hanging(Trouble):
        def strike(self) -> None:
            if self.looks > 2:
                free.wait(PATIENCE_SECONDS)

    def is_enough(judge: Judge) -> bool:
        if deaf.told:
            since.append(judge.deliveries[-1])
        if len(since) > 20:
            free.set()
        return free.is_set()

    monkeypatch.setattr(session, "_HANGING_SECONDS", 0.5)
    Hanging(monkeypatch)
    deaf = Deaf()
    watched(long, shared, Judge(is_enough), LiveSettings(watchdog_seconds=0.1), deaf)
    assert free.is_set()


@pytest.mark.filterwarnings("ignore:Exception in thread watcher")
def test_a_session_whose_watcher_is_gone_is_no_success(
    shared: Path, long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Trouble):
        def strike(self) -> None:
            if self.looks == 3:
                raise SystemExit  # ends the thread, and nothing catches it

    Gone(monkeypatch)
    with pytest.raises(TrackerBlurError, match="nobody looks at the pictures any more"):
        watched(long, shared, Judge(), PATIENT)
