"""The audio of a session: in step with the frames, and silent while the whole frame is hidden."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.realtime.detector_fault import PATIENT
from tests.realtime.judging import Judge, run_session
from tests.waiting import until as wait_until
from tracker_blur.realtime.delivery import AUDIO_RATE, Delivery
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.target_worker import TargetWorker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture
def dancer(shared: Path) -> Path:
    """Return a clip with audio."""
    return shared / "videos" / "dancer.mp4"


def played_seconds(judge: Judge) -> float:
    return sum(chunk.samples.shape[1] for chunk in judge.audio) / AUDIO_RATE


def test_audio_is_in_step(shared: Path, dancer: Path) -> None:
    judge = Judge(until=lambda judge: played_seconds(judge) > 0.5)
    run_session(dancer, shared, judge, PATIENT)
    assert judge.format is not None
    assert judge.format.audio_rate == 48000
    spans = [(c.seconds, c.seconds + c.samples.shape[1] / AUDIO_RATE) for c in judge.audio]
    assert all(start >= end - 1e-6 for (_, end), (start, _) in pairwise(spans))
    assert 0.5 < played_seconds(judge) <= spans[-1][1] - spans[0][0] + 0.001
    assert spans[-1][0] <= judge.deliveries[-1].seconds
    assert any(np.abs(chunk.samples).max() > 0.001 for chunk in judge.audio)
    assert all(chunk.samples.shape[0] == 2 for chunk in judge.audio)
    assert all(chunk.samples.dtype == np.float32 for chunk in judge.audio)


def test_nothing_is_heard_while_all_is_hidden(shared: Path, dancer: Path) -> None:
    shown_at: list[float] = []

    def show_again() -> None:
        wait_until(lambda: judge.deliveries and judge.deliveries[-1].seconds > 1.5)
        assert judge.audio == []
        shown_at.append(judge.deliveries[-1].seconds)
        assert judge.controls is not None
        judge.controls.show()

    judge = Judge(until=lambda judge: bool(judge.audio))
    shower = threading.Thread(target=show_again)
    shower.start()
    run_session(dancer, shared, judge, LiveSettings(hide_all=True, watchdog_seconds=60))
    shower.join()
    assert judge.audio[0].seconds > shown_at[0]


def test_audio_from_while_all_was_hidden_is_not_heard_later(
    shared: Path, dancer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TargetWorker.show
    shown_at: list[float] = []

    def slow(worker: TargetWorker, delivery: Delivery) -> None:
        real(worker, delivery)
        time.sleep(0.05)  # the target shows the frame, and a person acts, before its audio

    def until(judge: Judge) -> bool:
        assert judge.controls is not None
        if judge.controls.control_state.hide_all and judge.deliveries[-1].seconds > 1.5:
            judge.controls.show()
            shown_at.append(judge.deliveries[-1].seconds)
        return bool(judge.audio)

    monkeypatch.setattr(TargetWorker, "show", slow)
    judge = Judge(until)
    run_session(dancer, shared, judge, LiveSettings(hide_all=True, watchdog_seconds=60))
    assert judge.audio[0].seconds > shown_at[0]
