"""The window, on a screen that only the test has, with keys pressed as a user does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.realtime.targets.screen import Screen, virtual_screen

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is for Linux")

SHOWER = """
import sys, threading
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.realtime.targets import open_target
controls = Controls(("pixelated", "solid"))
fares = Status(state="live", rate=25.0, delay_median_ms=30.0, faces=2, method="pixelated")
def run():  # as in a session: in a thread of its own
    target = open_target("window", context(controls=controls, status=lambda: fares))
    try:
        target.open(FORMAT)
        seen = None
        for turn in range(1000):
            send(target, deliveries(begin=turn * 1.2), sounds(begin=turn * 1.2), pace=1)
            if not turn:
                print("shown", flush=True)
            if controls.wishes != seen:
                seen = controls.wishes
                print(seen, flush=True)
            if controls.is_over:
                break
    except SinkError as error:
        print(error, flush=True)
    target.close()
    print("closed", controls.is_over, flush=True)
thread = threading.Thread(target=run)
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
def start(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SHOWER],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as shower:
        try:
            yield shower
        finally:
            shower.kill()


@needs_linux
def test_keys_act_and_q_ends_it(screen: Screen) -> None:
    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        assert "hide_all=False, method='pixelated', strength=0" in shower.stdout.readline()
        find = ["xdotool", "search", "--sync", "--name", "trackblur"]
        window = subprocess.run(
            find, env=screen.environment, capture_output=True, text=True, check=True
        )
        number = window.stdout.split()[0]
        subprocess.run(["xdotool", "windowfocus", number], env=screen.environment, check=True)
        for keys, wish in (
            (["space"], "hide_all=True"),
            (["space", "m"], "hide_all=False, method='solid'"),
            (["plus", "plus", "minus"], "strength=1"),
            (["s"], "stills=1"),
        ):
            subprocess.run(
                ["xdotool", "key", "--delay", "200", *keys], env=screen.environment, check=True
            )
            line = shower.stdout.readline()
            while line and wish not in line:
                line = shower.stdout.readline()
            assert wish in line
            time.sleep(1)  # or the next space would count as the same one, held
        subprocess.run(["xdotool", "key", "q"], env=screen.environment, check=True)
        assert shower.stdout.read().endswith("closed True\n")


@needs_linux
def test_holding_space_keeps_all_hidden(screen: Screen) -> None:
    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        keys = ["key", "--delay", "100", *["space"] * 6, "m"]  # what a keyboard sends
        for words in (["search", "--sync", "--name", "trackblur", "windowfocus"], keys):
            subprocess.run(
                ["xdotool", *words], env=screen.environment, capture_output=True, check=True
            )
        line = shower.stdout.readline()
        while "method='solid'" not in line:
            line = shower.stdout.readline()
        assert "hide_all=True" in line


@needs_linux
def test_closing_it_ends_the_session(screen: Screen) -> None:
    xlib = pytest.importorskip("Xlib.display")
    from Xlib.protocol.event import ClientMessage

    with start(screen.environment) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        display = xlib.Display(screen.display)
        (window,) = (
            child
            for child in display.screen().root.query_tree().children
            if child.get_wm_name() == "trackblur"
        )
        protocols, close = map(display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        message = ClientMessage(
            window=window, client_type=protocols, data=(32, [close, 0, 0, 0, 0])
        )
        window.send_event(message)  # as a window manager does
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
