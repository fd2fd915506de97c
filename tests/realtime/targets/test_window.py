"""The window, on a virtual screen, with keys pressed as a user presses them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.realtime.targets.virtual_screen import Screen, virtual_screen
from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is for Linux"),
]

SESSION = f"""
import itertools, sys, threading
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.targets import open_target
timing = LiveTiming(open_window_seconds={PATIENCE_SECONDS}, repeat_press_seconds=float(sys.argv[1]))
controls = Controls(("pixelated", "solid"), timing=timing)
status = Status(state="live", rate=25.0, delay_median_ms=30.0, faces=2, method="pixelated")
def run():
    context = make_context(controls=controls, status=lambda: status, timing=timing)
    target = open_target("window", context)
    try:
        target.open(FORMAT)
        printed = None
        for number, delivery in enumerate(itertools.cycle(make_deliveries())):
            target.show(delivery)
            if number == 30:
                print("shown", flush=True)
            if number >= 30 and controls.control_state != printed:
                printed = controls.control_state
                print(printed, flush=True)
            if controls.wait(1 / float(RATE)):
                break
    except SinkError as error:
        print(error, flush=True)
    target.close()
    print("closed", controls.is_over, flush=True)
thread = threading.Thread(target=run)  # as in a session
thread.start()
thread.join()
"""


@pytest.fixture
def screen() -> Iterator[Screen]:
    """Give a screen without a window manager."""
    if shutil.which("xdotool") is None:
        pytest.skip("the program xdotool is not installed")
    with virtual_screen() as screen:
        yield screen


@contextmanager
def showing(
    environment: dict[str, str], repeat_press_seconds: float = 0.0
) -> Iterator[subprocess.Popen[str]]:
    """Run a program that shows the sample in a window; if it hangs, it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, str(repeat_press_seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as session:
        watchdog = threading.Timer(PATIENCE_SECONDS, session.kill)
        watchdog.start()
        try:
            yield session
        finally:
            watchdog.cancel()
            session.kill()


def read_until(session: subprocess.Popen[str], text: str) -> str:
    """Read lines until one contains a text, and return it."""
    assert session.stdout is not None
    for line in session.stdout:
        if text in line:
            return line
    pytest.fail(f"it ended without '{text}'")


def xdotool(screen: Screen, *arguments: str) -> None:
    command = ["xdotool", *arguments]
    subprocess.run(command, env=screen.environment, capture_output=True, check=True)


FOCUS = ("search", "--sync", "--name", "trackblur", "windowfocus", "--sync")


def test_keys_act_and_q_ends_the_session(screen: Screen) -> None:
    with showing(screen.environment) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "shown\n"
        assert "hide_all=False, method='pixelated', strength=0" in session.stdout.readline()
        xdotool(screen, *FOCUS)
        for key, state in (
            ("space", "hide_all=True"),
            ("space", "hide_all=False"),
            ("m", "hide_all=False, method='solid'"),
            ("plus", "strength=1"),
            ("plus", "strength=2"),
            ("minus", "strength=1"),
            ("s", "snapshots=1"),
        ):
            xdotool(screen, "key", key)
            read_until(session, state)
        xdotool(screen, "key", "q")
        assert session.stdout.read().endswith("closed True\n")


def test_holding_space_keeps_everything_hidden(screen: Screen) -> None:
    with showing(screen.environment, repeat_press_seconds=PATIENCE_SECONDS) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "shown\n"
        xdotool(screen, *FOCUS)
        xdotool(screen, "key", "--delay", "100", *["space"] * 6)  # as a keyboard repeats
        read_until(session, "hide_all=True")
        xdotool(screen, "key", "m")
        assert "hide_all=True" in read_until(session, "method='solid'")


def test_closing_the_window_ends_the_session(screen: Screen) -> None:
    xlib = pytest.importorskip("Xlib.display", reason="needs python-xlib: [test]")
    from Xlib.protocol.event import ClientMessage

    with showing(screen.environment) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "shown\n"
        display = xlib.Display(screen.display)
        (window,) = (
            child
            for child in display.screen().root.query_tree().children
            if child.get_wm_name() == "trackblur"
        )
        protocols, close = map(display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        data = (32, [close, 0, 0, 0, 0])
        message = ClientMessage(window=window, client_type=protocols, data=data)
        window.send_event(message)  # as a window manager does
        display.flush()
        assert session.stdout.read().endswith("closed True\n")
        display.close()


def test_screen_that_disappears_is_reported(screen: Screen) -> None:
    with showing(screen.environment) as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "shown\n"
        os.kill(screen.server.pid, signal.SIGKILL)
        lines = session.stdout.read().splitlines()
    assert lines[-2:] == ["window: it is gone: use the target web instead", "closed False"]


@pytest.mark.parametrize("display", [None, ":4321"], ids=["unset", "no server"])
def test_missing_screen_is_reported(display: str | None) -> None:
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in screens}
    if display is not None:
        environment["DISPLAY"] = display
    with showing(environment) as session:
        assert session.stdout is not None
        lines = session.stdout.read().splitlines()
    assert lines == [
        "window: there is no screen to show it on: use the target web instead",
        "closed False",
    ]
