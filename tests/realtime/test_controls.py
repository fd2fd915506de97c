"""The controls: what keys and buttons change."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tests.realtime.scripted_source import ScriptedSource
from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.core import plugins
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.session import Session
from tracker_blur.realtime.settings import LiveSettings, LiveTiming

if TYPE_CHECKING:
    from types import FrameType

    import pytest
    from _typeshed import TraceFunction


def test_controls_change_method_and_strength() -> None:
    controls = Controls(["pixelated", "solid"])
    settings = Settings(method="pixelated")
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
    assert weak == replace(settings, method="pixelated")
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


METHODS = plugins.names("tracker_blur.redaction.methods")
PRESSES = (
    "next_method",
    "press_method",
    "weaker",
    "press_weaker",
    "stronger",
    "press_hide",
    "show",
)


@given(st.sampled_from(METHODS), st.lists(st.sampled_from(PRESSES), max_size=40), st.integers(1, 9))
def test_no_control_hides_less_than_at_the_start(
    method: str, presses: list[str], blocks: int
) -> None:
    settings = Settings(method=method, blocks=blocks, image=Path("logo.png"))
    controls = Controls([method, *METHODS], timing=LiveTiming(repeat_press_seconds=0.0))
    controls.begin_with(method)
    for press in presses:
        getattr(controls, press)()
        applied = controls.control_state.applied(settings)
        assert applied.blocks <= blocks
        assert applied.factor <= settings.factor
        assert applied.padding_ratio >= settings.padding_ratio
        assert applied.method == method or applied.method_class == "destructive"


def test_weaker_is_possible_if_allowed_but_not_by_an_accidental_press(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    controls = Controls(["solid", "pixelated", "gaussian"], allow_weaker=True)
    controls.press_weaker()
    for _ in range(20):  # a key that is held, or one pressed in the dark
        now[0] += 0.5
        controls.press_weaker()
        controls.press_method()
        assert (controls.control_state.method, controls.control_state.strength) == ("solid", -1)
    now[0] += 0.9
    controls.press_method()
    assert controls.control_state.method == "pixelated"
    assert controls.control_state.applied(Settings(method="pixelated", blocks=5)).blocks == 6
    controls.press_method()
    assert controls.control_state.method == "pixelated"
    now[0] += 0.9
    controls.press_method()
    assert controls.control_state.method == "gaussian"
    controls.press_method()  # what hides more needs no second thought
    assert controls.control_state.method == "solid"


def test_controls_begin_as_the_settings_say() -> None:
    controls = Controls(["pixelated", "solid"])
    controls.begin_with("mosaic")
    assert controls.control_state.method == "mosaic"
    controls.next_method()
    assert controls.control_state.method == "solid"
    controls.next_method()
    assert controls.control_state.method == "mosaic"
    controls = Controls(["solid"])
    controls.begin_with("pixelated")
    assert controls.control_state.method == "solid"


def test_a_session_does_not_begin_weaker_than_its_settings() -> None:
    controls = Controls(["pixelated", "gaussian", "solid"])
    settings = Settings(method="mosaic", detector="onnx", one_pass=True)
    Session(ScriptedSource([]), settings, LiveSettings(), controls, print, print)
    methods = []
    for _ in range(3):
        methods.append(controls.control_state.method)
        controls.next_method()
    assert methods == ["mosaic", "solid", "mosaic"]


def test_older_names_of_attributes_work() -> None:
    controls = Controls(["solid"])
    controls.save_still()
    assert controls.wishes is controls.control_state
    assert controls.wishes.stills == 1


def test_what_was_captured_while_all_was_hidden_stays_hidden() -> None:
    controls = Controls(["solid"])
    before = time.monotonic()
    assert not controls.control_state.hides(before)
    controls.show()  # nothing was hidden
    assert not controls.control_state.hides(before)
    controls.hide_all()
    hidden = time.monotonic()
    assert controls.control_state.hides(hidden)
    controls.show()
    assert controls.control_state.hides(hidden)
    assert not controls.control_state.hides(time.monotonic())


def test_no_one_hides_everything_in_the_middle_of_a_press_that_shows_it() -> None:
    class InterruptedControls(Controls):
        def show(self) -> None:
            other.start()
            other.join(0.2)  # it waits
            super().show()

    controls = InterruptedControls(["solid"], hide_all=True)
    other = threading.Thread(target=controls.hide_all)
    controls.press_show()
    other.join(PATIENCE_SECONDS)
    assert controls.control_state.hide_all
