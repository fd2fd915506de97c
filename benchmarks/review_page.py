"""What a reviewer waits for on the page, and how much work a task is, in a real browser.

    python benchmarks/review_page.py hour CLIP.mp4
    python benchmarks/review_page.py task

`hour` repeats a clip, without encoding it again, until it lasts an hour, and writes a track file of
500 tracks, 300,000 boxes and 1,200 candidates. It opens the review of it in a new browser, and
measures from going to the address. The server has just started, as by `trackblur review`; nothing
of the review is kept.

`task` leaves one person of samples/crossing.mp4 visible, draws a face from second 2 to second 4,
hides an area, and starts to render: on the page, and by editing the track file on the command line.
It counts what a person does, and says what that takes by the keystroke-level model of Card, Moran
and Newell, without the time to think: 0.28 seconds for a key, 1.3 to point and click, 2.4 to drag.
With the command line, numbers of tracks and pixels must also be looked up elsewhere.

Needs Playwright (extra `test`) and Chromium. Both print Markdown tables.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from playwright import sync_api

from tracker_blur.annotations import track_file
from tracker_blur.core.box import Box
from tracker_blur.core.candidates import Candidate
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "crossing.mp4"
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOUR_SECONDS = 3600
TRACKS, BOXES_OF_A_TRACK, DETECT_EVERY = 500, 600, 6
CANDIDATES = 1200  # the most that are written for an hour
PATIENCE_MS = 60_000
KEY_SECONDS, CLICK_SECONDS, DRAG_SECONDS = 0.28, 1.3, 2.4
MISSED = ((100, 100, 160, 180), (220, 100, 280, 180))  # pixels, at second 2 and at second 4
SCREEN = (900, 520, 1100, 660)


def write_hour(clip: Path, folder: Path) -> Path:
    """Write an hour of a clip and its track file; return the video."""
    video = folder / "hour.mp4"
    with av.open(str(clip)) as container:
        seconds = float((container.duration or 0) / av.time_base)
    loops = str(round(HOUR_SECONDS / seconds) - 1)
    arguments = ["-stream_loop", loops, "-i", str(clip), "-map", "0", "-c", "copy", str(video)]
    subprocess.run(["ffmpeg", "-v", "error", *arguments], check=True)
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        size, time_base = (stream.width, stream.height), Fraction(stream.time_base or 1)
        packets = [packet.pts for packet in container.demux(stream) if packet.size]
    times = np.sort(np.array(packets, np.int64))
    chance, builder = random.Random(0), TracksBuilder()
    for track in range(TRACKS):
        first = chance.randrange(len(times) - BOXES_OF_A_TRACK)
        side = chance.uniform(24, size[1] / 4)
        left, top = chance.uniform(0, size[0] - side), chance.uniform(0, size[1] - side)
        for at in range(BOXES_OF_A_TRACK):
            is_detected = at % DETECT_EVERY == 0
            box = Box(left, top, left + side, top + side).moved(at * 0.1, 0)
            origin = Origin.DETECTED if is_detected else Origin.TRACKED
            builder.add(first + at, Face(track, box, 0.9 if is_detected else 0.5, origin))
    digest = hashlib.sha256()
    with video.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    candidates = []
    for first in np.linspace(0, len(times) - 1, CANDIDATES, endpoint=False).astype(int).tolist():
        left, top = chance.uniform(0, size[0] - 40), chance.uniform(0, size[1] - 40)
        frames = range(first, min(first + 24, len(times)), 2)
        box = Box(left, top, left + 40, top + 40)
        candidates.append(Candidate(tuple((frame, box) for frame in frames), 0.4, 1.2))
    tracks = Tracks(size, time_base, times, (), builder.tracks(), candidates=tuple(candidates))
    written = track_file.TrackFile(
        tracks, video.name, digest.hexdigest(), video.stat().st_size, {}, "onnx"
    )
    track_file.write(folder / "hour.tracks.jsonl", written, overwrite=False)
    return video


@contextmanager
def served(video: Path, state: Path) -> Iterator[tuple[str, int]]:
    """Serve the review of a video; give its address and the number of the process."""
    command = [sys.executable, "-m", "tracker_blur", "review", str(video), "--no-browser"]
    environment = {**os.environ, "TRACKBLUR_STATE": str(state)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        found = None
        while found is None:
            found = re.search(r"http://\S+", process.stderr.readline())
        try:
            yield found[0], process.pid
        finally:
            process.send_signal(signal.SIGINT)


@contextmanager
def opened() -> Iterator[sync_api.Page]:
    """Give a tab of a new browser."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise SystemExit("Chromium is not installed: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        tab = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        tab.set_default_timeout(PATIENCE_MS)
        yield tab
        browser.close()


def show_frame(tab: sync_api.Page, frame: int) -> None:
    """Wait until a frame is shown."""
    tab.wait_for_selector(f"#stage[data-frame='{frame}'][data-ready=true]")


def hour(clip: Path) -> None:
    """Print how long the review of an hour takes to open, and what it takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = write_hour(clip, folder)
        with opened() as tab, served(video, folder / "state") as (url, pid):
            requests: list[str] = []
            tab.on("request", lambda request: requests.append(request.url))
            start = time.perf_counter()
            rows = []

            def passed(what: str) -> None:
                rows.append(f"| {what} | {time.perf_counter() - start:.1f} s |")

            tab.goto(url, wait_until="commit")
            tab.wait_for_selector(".card")
            passed("people are shown")
            show_frame(tab, 0)
            passed("the first frame is shown")
            tab.keyboard.press("ArrowRight")
            show_frame(tab, 1)
            passed("a key has shown the next frame")
            needed = len(requests)
            start = time.perf_counter()
            tab.keyboard.press("n")
            tab.wait_for_selector(".doubt-card")
            tab.wait_for_selector("#stage[data-ready=true]:not([data-frame='1'])")
            passed("then, a place to look at is shown within")
            status = Path(f"/proc/{pid}/status").read_text()
            memory = re.search(r"VmHWM:\s+(\d+)", status)
        print("| an hour, 500 tracks | |\n|---|---|")
        print(*rows, sep="\n")
        print(f"| requests until then | {needed} |")
        if memory:
            print(f"| memory of the server, at most | {int(memory[1]) / 1024:.0f} MiB |")


class Effort(NamedTuple):
    """What a person has done."""

    clicks: int = 0
    drags: int = 0
    keys: int = 0

    @property
    def seconds(self) -> float:
        """How long it takes a practiced person, without thinking."""
        return self.clicks * CLICK_SECONDS + self.drags * DRAG_SECONDS + self.keys * KEY_SECONDS


class Person:
    """Does the task on the page, and counts."""

    def __init__(self, tab: sync_api.Page, size: tuple[int, int]) -> None:
        self._tab, self._size = tab, size
        self.effort = Effort()

    def click(self, place: sync_api.Locator) -> None:
        """Click on something."""
        place.click()
        self.effort = self.effort._replace(clicks=self.effort.clicks + 1)

    def press(self, *keys: str) -> None:
        """Press keys one after the other; Shift counts as one of its own."""
        for key in keys:
            self._tab.keyboard.press(key)
            self.effort = self.effort._replace(keys=self.effort.keys + 1 + key.count("+"))

    def drag(self, box: tuple[int, int, int, int]) -> None:
        """Drag over a box of the picture."""
        area = self._tab.locator("#canvas").bounding_box()
        assert area is not None
        scale = min(area["width"] / self._size[0], area["height"] / self._size[1])
        left = area["x"] + (area["width"] - self._size[0] * scale) / 2
        top = area["y"] + (area["height"] - self._size[1] * scale) / 2
        mouse = self._tab.mouse
        mouse.move(left + box[0] * scale, top + box[1] * scale)
        mouse.down()
        mouse.move(left + box[2] * scale, top + box[3] * scale, steps=3)
        mouse.up()
        self.effort = self.effort._replace(drags=self.effort.drags + 1)


def task_on_page(video: Path, state: Path) -> tuple[Effort, float]:
    """Do the task on the page; return the effort, and how long the page took for it."""
    with opened() as tab, served(video, state) as (url, _):
        tab.goto(url)
        show_frame(tab, 0)
        tab.wait_for_selector(".card")
        person = Person(tab, (1280, 720))
        people = tab.locator(".card").count()
        start = time.perf_counter()
        person.click(tab.locator(".card").nth(1).get_by_role("switch"))
        for box in MISSED:
            person.press("Shift+ArrowRight", "Shift+ArrowRight", "d")
            tab.wait_for_selector("#stage[data-ready=true]")
            person.drag(box)
            sync_api.expect(tab.locator(".card")).to_have_count(people + 1)
            tab.locator("#stage-hint").wait_for(state="hidden")  # the box is drawn
        sync_api.expect(tab.locator("#undo")).to_be_enabled()
        person.click(tab.get_by_role("tab", name="Areas"))
        person.click(tab.locator("[data-rule=hide][data-tool=zone-box]"))
        person.drag(SCREEN)
        tab.locator("[data-zone='1']").wait_for()
        person.click(tab.get_by_role("button", name="Make the video"))
        person.click(tab.get_by_role("button", name="Make it"))
        tab.locator("#job").wait_for()
        took = time.perf_counter() - start
        tab.get_by_role("link", name="Download").wait_for()
    return person.effort, took


def task_by_hand(video: Path) -> tuple[Effort, float]:
    """Do the task on the command line; return the effort, and how long its commands took."""
    first, last = (",".join(map(str, box)) for box in MISSED)
    tracks, edited = "crossing.tracks.jsonl", "edited.jsonl"
    commands = [
        f"trackblur tracks {tracks}",
        f"trackblur tracks {tracks} --show 1 --draw 99@2s={first}..4s={last} "
        f"--hide-zone {','.join(map(str, SCREEN))} -o {edited}",
    ]
    render = f"trackblur render {video.name} {edited} out.mp4"
    keys = sum(len(command) + 1 for command in (*commands, render))
    start = time.perf_counter()
    for command in commands:
        arguments = [sys.executable, "-m", "tracker_blur", *command.split()[1:]]
        subprocess.run(arguments, cwd=video.parent, check=True, stdout=subprocess.DEVNULL)
    return Effort(keys=keys), time.perf_counter() - start


def task() -> None:
    """Print what the task takes on the page and by hand."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = Path(shutil.copy(SAMPLE, folder))
        command = [sys.executable, "-m", "tracker_blur", "track", video.name, "--quiet"]
        subprocess.run([*command, "-o", "crossing.tracks.jsonl"], cwd=folder, check=True)
        by_hand = task_by_hand(video)
        on_page = task_on_page(video, folder / "state")
    print("| | clicks | drags | keys | seconds of a person | seconds of the program |")
    print("|---|---|---|---|---|---|")
    for where, (effort, took) in (("page", on_page), ("command line", by_hand)):
        counts = " | ".join(map(str, effort))
        print(f"| {where} | {counts} | {effort.seconds:.0f} | {took:.1f} |")


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("hour").add_argument("clip", type=Path, help="a clip of some seconds")
    commands.add_parser("task")
    options = parser.parse_args()
    if options.command == "hour":
        hour(options.clip)
    else:
        task()


if __name__ == "__main__":
    main()
