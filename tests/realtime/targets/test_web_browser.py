"""The web page in a real browser, used as a person uses it."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import launched, sync_api
from tests.realtime.scripted_source import solid_frame
from tests.realtime.targets.deliveries import (
    FORMAT,
    RATE,
    make_context,
    make_deliveries,
    redacted_frames,
)
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.status import Status, TargetStatus
from tracker_blur.realtime.targets import open_target
from tracker_blur.realtime.targets.web import WebPageTarget
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

BLANK_VARIANCE, VIDEO_VARIANCE = 1000, 2000  # of red: of a blank frame at most, of video at least


class FakeSession:
    """Does for its page what a session does: shows frames, or blank ones, and counts them."""

    def __init__(self, text: str = "web:0", timing: LiveTiming | None = None) -> None:
        self.controls = Controls(("pixelated", "solid"), timing=timing)
        self.status = Status(method="pixelated", targets=(TargetStatus("web", "open"),))
        target = open_target(text, make_context(controls=self.controls, status=lambda: self.status))
        assert isinstance(target, WebPageTarget)
        self.page = target
        self.page.open(FORMAT)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self.controls.quit()
        self._thread.join()
        self.page.close()

    def _run(self) -> None:
        redactor = FrameRedactor(Settings(method="solid"))
        deliveries = make_deliveries()
        blank = Delivery(redactor.blank(redacted_frames.__wrapped__(1)[0]), 0.0, 0.0, True)
        number = 0
        while not self.controls.wait(1 / float(RATE)):
            number += 1
            state = self.controls.control_state
            self.page.show(blank if state.hide_all else deliveries[number % len(deliveries)])
            self.status = replace(
                self.status,
                state="covered" if state.hide_all else "live",
                reason="asked for" if state.hide_all else "",
                seconds=number / float(RATE),
                frames_out=number,
                rate=24.9,
                delay_median_ms=31.0,
                delay_p95_ms=58.0,
                faces=4,
                method=state.method,
                strength=state.strength,
                targets=(TargetStatus("web", "open", shown=number),),
            )


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with launched() as browser:
        yield browser


@contextmanager
def new_tab(browser: sync_api.Browser, **options: Any) -> Iterator[sync_api.Page]:
    """Open an empty tab with cookies of its own."""
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield context.new_page()


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[FakeSession]:
    """Give a session; a test may parametrize its timing."""
    session = FakeSession(timing=getattr(request, "param", None))
    yield session
    session.end()


@pytest.fixture
def tab(browser: sync_api.Browser, session: FakeSession) -> Iterator[sync_api.Page]:
    """Give the loaded page; any error in it fails the test."""
    with new_tab(browser, viewport={"width": 1280, "height": 800}) as tab:
        errors: list[str] = []

        def collect(message: sync_api.ConsoleMessage) -> None:
            if message.type == "error":
                errors.append(message.text)

        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", collect)
        tab.goto(session.page.url)
        sync_api.expect(tab.locator("#state")).to_have_text("live")
        video_pixels(tab)
        yield tab
        assert errors == []


VIDEO_PIXELS = """() => {
  const canvas = document.createElement("canvas");
  const video = document.getElementById("video");
  [canvas.width, canvas.height] = [video.naturalWidth, video.naturalHeight];
  if (!canvas.width) return null;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0, squares = 0;
  for (let i = 0; i < bytes.length; i += 4) { sum += bytes[i]; squares += bytes[i] ** 2; }
  const count = bytes.length / 4;
  return [canvas.width, sum / count, squares / count - (sum / count) ** 2];
}"""


def video_pixels(tab: sync_api.Page) -> tuple[float, float, float]:
    """Wait for a frame; return its width, and mean and variance of its red samples.

    It does not use `wait_for_function`, which evaluates text in the page: the page's policy
    forbids that.
    """
    width, mean, variance = until(lambda: tab.evaluate(VIDEO_PIXELS))
    return width, mean, variance


def video_variance(tab: sync_api.Page) -> float:
    return video_pixels(tab)[2]


def shown_frame_count(tab: sync_api.Page) -> int:
    return int(tab.inner_text("#frames"))


def test_video_moves_and_status_changes(tab: sync_api.Page) -> None:
    means = set()

    def is_moving() -> bool:
        width, mean, variance = video_pixels(tab)
        assert (width, variance > 500) == (640, True)
        means.add(round(mean, 3))
        return len(means) > 3

    until(is_moving)
    before = shown_frame_count(tab)
    until(lambda: shown_frame_count(tab) > before + 10)
    expected: dict[str, str | re.Pattern[str]] = {
        "rate": "24.9 fps",
        "delay": "31 ms",
        "faces": "4",
        "targets": re.compile("web"),
        "seconds": re.compile(r"^00:\d\d:\d\d$"),
    }
    for name, text in expected.items():
        sync_api.expect(tab.locator(f"#{name}")).to_have_text(text)


LAYOUT = """() => {
  const [video, stage] = ["#video", ".stage"].map((name) => document.querySelector(name));
  const sides = (part) => {
    const box = part.getBoundingClientRect();
    return [[box.left, box.right], [box.top, box.bottom]];
  };
  return {
    loaded: video.naturalWidth,
    video: sides(video),
    stage: sides(stage),
    fit: getComputedStyle(video).objectFit,
    width: document.documentElement.scrollWidth,
  };
}"""


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (270, 480), (1280, 360)])
def test_phone_shows_the_whole_frame(browser: sync_api.Browser, size: tuple[int, int]) -> None:
    target = open_target("web:0", make_context(controls=Controls(("solid",))))
    assert isinstance(target, WebPageTarget)
    target.open(replace(FORMAT, size=size))
    frame = LiveFrameConverter(None).convert(solid_frame(size), 0, 0)
    delivery = Delivery(FrameRedactor(Settings(method="solid")).blank(frame), 0.0, 0.0, True)
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(0.05):
            target.show(delivery)

    thread = threading.Thread(target=show)
    thread.start()
    try:
        with new_tab(browser, viewport={"width": 390, "height": 844}) as tab:
            tab.goto(target.url)
            layout = until(lambda: (now := tab.evaluate(LAYOUT))["loaded"] == size[0] and now)
            for (start, end), (stage_start, stage_end) in zip(
                layout["video"], layout["stage"], strict=True
            ):
                assert stage_start <= start
                assert end <= stage_end
            assert layout["fit"] == "contain"
            assert layout["width"] <= 390
            (left, right), (top, bottom) = layout["video"]
            assert (right - left) * (bottom - top) > 30_000
    finally:
        ended.set()
        thread.join()
        target.close()


@pytest.mark.parametrize("session", [LiveTiming(repeat_press_seconds=0.0)], indirect=True)
def test_hide_everything_blanks_the_video(tab: sync_api.Page, session: FakeSession) -> None:
    assert video_variance(tab) > VIDEO_VARIANCE
    tab.click("#hide-all")
    sync_api.expect(tab.locator("#state")).to_have_text("blanked: asked for")
    sync_api.expect(tab.locator("#hide-all")).to_have_attribute("aria-pressed", "true")
    until(lambda: video_variance(tab) < BLANK_VARIANCE)
    tab.keyboard.press("Space")  # works also after the button was clicked
    sync_api.expect(tab.locator("#state")).to_have_text("live")
    assert not session.controls.control_state.hide_all
    until(lambda: video_variance(tab) > VIDEO_VARIANCE)


@pytest.mark.parametrize(
    "session", [LiveTiming(repeat_press_seconds=PATIENCE_SECONDS)], indirect=True
)
def test_double_click_hides(tab: sync_api.Page, session: FakeSession) -> None:
    tab.dblclick("#hide-all")
    sync_api.expect(tab.locator("#state")).to_have_text("blanked: asked for")
    sync_api.expect(tab.locator("#hide-all")).to_have_attribute("aria-pressed", "true")
    with tab.expect_response(re.compile("controls/show")):
        tab.click("#hide-all")
    assert session.controls.control_state.hide_all


@pytest.mark.parametrize("session", [LiveTiming(repeat_press_seconds=0.0)], indirect=True)
def test_keys_and_buttons_do_the_same(tab: sync_api.Page, session: FakeSession) -> None:
    method, strength = tab.locator("#method"), tab.locator("#strength")
    tab.keyboard.press("m")
    sync_api.expect(method).to_have_text("solid")
    tab.get_by_role("button", name="Method").click()
    sync_api.expect(method).to_have_text("pixelated")
    tab.keyboard.press("+")
    sync_api.expect(strength).to_have_text("1")
    tab.get_by_role("button", name="Stronger").click()
    sync_api.expect(strength).to_have_text("2")
    tab.keyboard.press("-")
    sync_api.expect(strength).to_have_text("1")
    tab.keyboard.press("Space")
    sync_api.expect(tab.locator("#state")).to_have_text("blanked: asked for")
    assert session.controls.control_state.strength == 1


def test_nothing_gets_weaker_than_at_the_start(tab: sync_api.Page, session: FakeSession) -> None:
    weaker, stronger = (
        tab.get_by_role("button", name=name, exact=True) for name in ("Weaker", "Stronger")
    )
    sync_api.expect(weaker).to_be_disabled()
    tab.keyboard.press("-")
    stronger.click()
    sync_api.expect(weaker).to_be_enabled()
    assert session.controls.control_state.strength == 1


def test_still_is_downloaded(tab: sync_api.Page, tmp_path: Path) -> None:
    actions: list[Callable[[], None]] = [
        lambda: tab.click("#still"),
        lambda: tab.keyboard.press("s"),
    ]
    for action in actions:
        with tab.expect_download() as download:
            action()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name.startswith("trackblur-")
        assert path.read_bytes().startswith(b"\xff\xd8")


def test_quitting_asks_first(tab: sync_api.Page, session: FakeSession) -> None:
    tab.keyboard.press("q")
    tab.get_by_role("button", name="Cancel").click()
    assert not session.controls.is_over
    tab.click("#quit")
    tab.get_by_role("button", name="End session").click()
    assert session.controls.wait(PATIENCE_SECONDS)


def test_no_frame_is_left_after_the_session_ends(
    browser: sync_api.Browser, session: FakeSession
) -> None:
    with new_tab(browser) as tab:
        tab.goto(session.page.url)
        sync_api.expect(tab.locator("#state")).to_have_text("live")
        session.end()
        sync_api.expect(tab.locator("#disconnected")).to_be_visible()
        label, stage = (tab.locator(name).bounding_box() for name in ("#state", ".stage"))
        assert label is not None
        assert stage is not None
        assert label["height"] < 40  # it covers neither the frame nor the controls
        assert label["y"] + label["height"] < stage["y"]
        sync_api.expect(tab.get_by_text("Connection lost")).to_be_visible()
        assert tab.get_attribute("#video", "src") is None


def test_a_tab_that_no_one_sees_takes_no_stream(tab: sync_api.Page, session: FakeSession) -> None:
    server = session.page._server
    assert server is not None
    until(lambda: len(server.connections._streams) == 1)
    see = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    tab.evaluate(see, True)
    until(lambda: len(server.connections._streams) == 0)
    tab.evaluate(see, False)
    until(lambda: len(server.connections._streams) == 1)
    video_pixels(tab)


def test_token_leaves_the_address(browser: sync_api.Browser) -> None:
    session = FakeSession("web:0.0.0.0:0")
    try:
        address = session.page.url.split("/", 3)
        port = address[2].rpartition(":")[2]
        with new_tab(browser) as tab:
            response = tab.goto(f"http://127.0.0.1:{port}/")
            assert response is not None
            assert response.status == 403
            tab.goto(f"http://127.0.0.1:{port}/{address[3]}")
            assert tab.url == f"http://127.0.0.1:{port}/"
            sync_api.expect(tab.locator("#state")).to_have_text("live")
            assert video_pixels(tab)[0] == 640
            tab.keyboard.press("m")
            sync_api.expect(tab.locator("#method")).to_have_text("solid")
    finally:
        session.end()


def test_two_tabs_show_the_same(
    tab: sync_api.Page, browser: sync_api.Browser, session: FakeSession
) -> None:
    with new_tab(browser) as other:
        other.goto(session.page.url)
        other.keyboard.press("Space")
        sync_api.expect(tab.locator("#state")).to_have_text("blanked: asked for")
        until(lambda: max(video_variance(tab), video_variance(other)) < BLANK_VARIANCE)
        assert abs(video_pixels(tab)[1] - video_pixels(other)[1]) < 1
