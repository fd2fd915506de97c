"""The controls: what keys and buttons change."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.realtime.controls import Controls

if TYPE_CHECKING:
    from types import FrameType

    import pytest
    from _typeshed import TraceFunction


def test_controls_change_method_and_strength() -> None:
    controls = Controls(["pixelated", "solid"])
    settings = Settings()
    assert controls.control_state.applied(settings) == settings
    controls.next_method()
    controls.stronger()
    controls.save_still()
    controls.hide_all()
    state = controls.control_state
    assert state.applied(settings).method == "solid"
    assert state.applied(settings).blocks < settings.blocks
    assert state.applied(settings).padding_ratio > settings.padding_ratio
    assert (state.hide_all, state.snapshots) == (True, 1)
    controls.next_method()
    for _ in range(100):
        controls.weaker()
    weak = controls.control_state.applied(settings)
    assert (weak.method, weak.padding_ratio) == ("pixelated", settings.padding_ratio)
    for _ in range(100):
        controls.stronger()
    assert controls.control_state.applied(settings).blocks == 1
    assert not controls.is_over
    controls.quit()
    assert controls.is_over
    assert controls.wait(10)


def test_a_signal_handler_may_quit_at_any_point_of_waiting() -> None:
    def wait(number: int) -> None:
        """Quit after this many trace events of `wait`, in its thread, as a handler does."""
        events, controls = iter(range(number)), Controls(["solid"])

        def trace(frame: FrameType, event: str, argument: Any, /) -> TraceFunction:
            if next(events, None) is None:
                controls.quit()
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        controls.wait(0.01)
        sys.settrace(before)
        controls.quit()
        assert controls.wait(PATIENCE_SECONDS)
        passed.append(number)

    passed: list[int] = []
    for number in range(60):
        waiting = threading.Thread(target=wait, args=(number,), daemon=True)
        waiting.start()
        waiting.join(PATIENCE_SECONDS)
        assert passed[-1:] == [number]


def test_accidental_presses_reveal_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    controls = Controls(["solid"])
    controls.press_hide()
    for _ in range(10):  # a key that is held, or many clicks
        now[0] += 0.7
        controls.press_hide()
        controls.press_show()
        assert controls.control_state.hide_all
    now[0] += 0.9
    controls.press_hide()
    assert not controls.control_state.hide_all
    controls.hide_all()
    controls.show()  # a program means it
    assert not controls.control_state.hide_all
    controls = Controls(["solid"], hide_all=True)
    controls.press_show()
    assert not controls.control_state.hide_all


def test_older_names_of_attributes_work() -> None:
    controls = Controls(["solid"])
    controls.save_still()
    assert controls.wishes is controls.control_state
    assert controls.wishes.stills == 1
