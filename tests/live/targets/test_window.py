"""The window, on a screen that only the test has, with keys pressed as a user does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is for Linux")

SHOWER = """
import sys, threading
from tests.live.targets.deliveries import *
from tracker_blur.errors import SinkError
from tracker_blur.live.targets import open_target
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
def screen() -> Iterator[dict[str, str]]:
    """Give the environment in which there is a screen, without a window manager."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"the program {program} is not installed")
    ours, theirs = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    with os.fdopen(ours) as told:
        number = told.readline().strip()
    yield {**os.environ, "DISPLAY": f":{number}", "XVFB": str(server.pid)}
    server.terminate()
    server.wait()


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
def test_keys_act_and_q_ends_it(screen: dict[str, str]) -> None:
    with start(screen) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        assert "hide_all=False, method='pixelated', strength=0" in shower.stdout.readline()
        find = ["xdotool", "search", "--sync", "--name", "trackblur"]
        window = subprocess.run(find, env=screen, capture_output=True, text=True, check=True)
        number = window.stdout.split()[0]
        subprocess.run(["xdotool", "windowfocus", number], env=screen, check=True)
        for keys, wish in (
            (["space"], "hide_all=True"),
            (["space", "m"], "hide_all=False, method='solid'"),
            (["plus", "plus", "minus"], "strength=1"),
            (["s"], "stills=1"),
        ):
            subprocess.run(["xdotool", "key", "--delay", "200", *keys], env=screen, check=True)
            line = shower.stdout.readline()
            while line and wish not in line:
                line = shower.stdout.readline()
            assert wish in line
        subprocess.run(["xdotool", "key", "q"], env=screen, check=True)
        assert shower.stdout.read().endswith("closed True\n")


@needs_linux
def test_a_screen_that_goes_away_is_told(screen: dict[str, str]) -> None:
    with start(screen) as shower:
        assert shower.stdout is not None
        assert shower.stdout.readline() == "shown\n"
        os.kill(int(screen["XVFB"]), signal.SIGKILL)
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
