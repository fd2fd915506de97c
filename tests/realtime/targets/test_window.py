"""The window, on a screen that only the test has, with keys pressed as a user does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.realtime.targets.screen import Screen, virtual_screen
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.realtime import controls

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is for Linux")

SHOWER = f"""
import itertools, sys, threading
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.realtime import controls as deeds
from tracker_blur.realtime.targets import open_target, window
window._OPENING_SECONDS = {PATIENCE_SECONDS}
deeds._REST_SECONDS = float(sys.argv[1])
controls = Controls(("pixelated", "solid"))
fares = Status(state="live", rate=25.0, delay_median_ms=30.0, faces=2, method="pixelated")
def run():  # as in a session: in a thread of its own
    target = open_target("window", context(controls=controls, status=lambda: fares))
    try:
        target.open(FORMAT)
        seen = None
        for number, picture in enumerate(itertools.cycle(deliveries())):
            target.show(picture)
            if number == 30:
                print("shown", flush=True)
            if number >= 30 and controls.wishes != seen:
                seen = controls.wishes
                print(seen, flush=True)
            if controls.wait(1 / float(RATE)):
                break
    except SinkError as error:
        print(error, flush=True)
    target.close()
    print("closed", controls.is_over, flush=True)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
USUAL_HELD_SECONDS = controls._REST_SECONDS


@pytest.fixture
def screen() -> Iterator[Screen]:
    """Give a screen without a window manager."""
    if shutil.which("xdotool") is None:
        pytest.skip("the program xdotool is not installed")
    with virtual_screen() as screen:
        yield screen


@contextmanager
def start(
    environment: dict[str, str], held_seconds: float = USUAL_HELD_SECONDS
) -> Iterator[subprocess.Popen[str]]:
    """Start a program that shows pictures in a window; one that hangs is ended."""
    with subprocess.Popen(
        [sys.executable, "-c", SHOWER, str(held_seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as shower:
        watch = threading.Timer(PATIENCE_SECONDS, shower.kill)
        watch.start()
        try:
            yield shower
        finally:
            watch.cancel()
            shower.kill()


def read_until(shower: subprocess.Popen[str], text: str) -> str:
    """Return the first of the lines to come that holds a text."""
    assert shower.stdout is not None
    for line in shower.stdout:
        if text in line:
            return line
    pytest.fail(f"it has ended without '{text}'")


def press(screen: Screen, *words: str) -> None:
    subprocess.run(["xdotool", *words], env=screen.environment, capture_output=True, check=True)


FOCUS = ("search", "--sync", "--name", "trackblur", "windowfocus", "--sync")


@needs_linux
def test_keys_act_and_q_ends_it(screen: Screen) -> None:
    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        assert "hide_all=False, method='pixelated', strength=0" in shower.stdout.readline()
        press(screen, *FOCUS)
        for key, wish in (
            ("space", "hide_all=True"),
            ("space", "hide_all=False"),
            ("m", "hide_all=False, method='solid'"),
            ("plus", "strength=1"),
            ("plus", "strength=2"),
            ("minus", "strength=1"),
            ("s", "stills=1"),
        ):
            press(screen, "key", key)
            read_until(shower, wish)
            if key == "space":
                time.sleep(1.5 * USUAL_HELD_SECONDS)  # or the next would count as the same, held
        press(screen, "key", "q")
        assert shower.stdout.read().endswith("closed True\n")


@needs_linux
def test_holding_space_keeps_all_hidden(screen: Screen) -> None:
    with start(screen.environment, held_seconds=PATIENCE_SECONDS) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        press(screen, *FOCUS)
        press(screen, "key", "--delay", "100", *["space"] * 6)  # what a keyboard sends
        read_until(shower, "hide_all=True")
        press(screen, "key", "m")
        assert "hide_all=True" in read_until(shower, "method='solid'")


@needs_linux
def test_closing_it_ends_the_session(screen: Screen) -> None:
    xlib = pytest.importorskip("Xlib.display", reason="needs python-xlib: [test]")
    from Xlib.protocol.event import ClientMessage

    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        display = xlib.Display(screen.display)
        (shown,) = (
            child
            for child in display.screen().root.query_tree().children
            if child.get_wm_name() == "trackblur"
        )
        protocols, close = map(display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        message = ClientMessage(window=shown, client_type=protocols, data=(32, [close, 0, 0, 0, 0]))
        shown.send_event(message)  # as a window manager does
        display.flush()
        assert shower.stdout.read().endswith("closed True\n")
        display.close()


@needs_linux
def test_a_screen_that_goes_away_is_told(screen: Screen) -> None:
    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        os.kill(screen.server.pid, signal.SIGKILL)
        said = shower.stdout.read().splitlines()
    assert said[-2:] == ["window: it is gone: use web instead", "closed False"]


@needs_linux
@pytest.mark.parametrize("display", [None, ":4321"], ids=["unset", "nothing there"])
def test_no_screen_is_told(display: str | None) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if display is not None:
        environment["DISPLAY"] = display
    with start(environment) as shower:
        assert shower.stdout is not None
        said = shower.stdout.read().splitlines()
    assert said == [
        "window: there is no screen to show it on: use web instead",
        "closed False",
    ]
