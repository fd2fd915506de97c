"""The page in a real browser, used as a person does."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.realtime.targets.deliveries import FORMAT, RATE, context, deliveries, frames
from tests.realtime.test_arrival import rgb
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.realtime import controls
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.status import Status, TargetStatus
from tracker_blur.realtime.targets import open_target
from tracker_blur.realtime.targets.web import Page
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: [test]")

COVERED, MOVING = 1000, 2000  # variance of red: of a cover at most, of a picture at least
sync_api.expect.set_options(timeout=PATIENCE_SECONDS * 1000)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


class Session:
    """What a session does for its page: shows pictures, or covers, and counts."""

    def __init__(self, text: str = "web:0") -> None:
        self.controls = Controls(("pixelated", "solid"))
        self.fares = Status(method="pixelated", targets=(TargetStatus("web", "open"),))
        target = open_target(text, context(controls=self.controls, status=lambda: self.fares))
        assert isinstance(target, Page)
        self.page = target
        self.page.open(FORMAT)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self.controls.quit()
        self._thread.join()
        self.page.close()

    def _run(self) -> None:
        redactor = Redactor(Settings(method="solid"))
        pictures = deliveries()
        cover = Delivery(redactor.cover(frames.__wrapped__(1)[0]), 0.0, 0.0, True)
        number = 0
        while not self.controls.wait(1 / float(RATE)):
            number += 1
            control_state = self.controls.control_state
            self.page.show(cover if control_state.hide_all else pictures[number % len(pictures)])
            self.fares = replace(
                self.fares,
                state="covered" if control_state.hide_all else "live",
                reason="asked for" if control_state.hide_all else "",
                seconds=number / float(RATE),
                frames_out=number,
                rate=24.9,
                delay_median_ms=31.0,
                delay_p95_ms=58.0,
                faces=4,
                method=control_state.method,
                strength=control_state.strength,
                targets=(TargetStatus("web", "open", shown=number),),
            )


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=ARGUMENTS, timeout=PATIENCE_SECONDS * 1000
        )
        yield browser
        browser.close()


@contextmanager
def opened(browser: sync_api.Browser, **given: Any) -> Iterator[sync_api.Page]:
    """Give an empty tab of a visitor of its own."""
    with browser.new_context(**given) as visit:
        visit.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield visit.new_page()


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    yield session
    session.end()


@pytest.fixture
def tab(browser: sync_api.Browser, session: Session) -> Iterator[sync_api.Page]:
    """Give the page as a visitor sees it; whatever goes wrong in it fails the test."""
    with opened(browser, viewport={"width": 1280, "height": 800}) as tab:
        wrong: list[str] = []
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        tab.goto(session.page.url)
        sync_api.expect(tab.locator("#state")).to_have_text("live")
        sight(tab)
        yield tab
        assert wrong == []


SIGHT = """() => {
  const canvas = document.createElement("canvas");
  const picture = document.getElementById("picture");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  if (!canvas.width) return null;
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0, squares = 0;
  for (let i = 0; i < bytes.length; i += 4) { sum += bytes[i]; squares += bytes[i] ** 2; }
  const count = bytes.length / 4;
  return [canvas.width, sum / count, squares / count - (sum / count) ** 2];
}"""


def sight(tab: sync_api.Page) -> tuple[float, float, float]:
    """Return the width of the picture that is seen, its mean red, and the variance of that.

    Waits until there is one; not by `wait_for_function`, which evaluates text in the page: that is
    what the page's policy forbids.
    """
    width, mean, variance = until(lambda: tab.evaluate(SIGHT))
    return width, mean, variance


def frames_out(tab: sync_api.Page) -> int:
    return int(tab.inner_text("#frames"))


def test_the_picture_moves_and_figures_change(tab: sync_api.Page) -> None:
    seen = set()

    def moves() -> bool:
        width, mean, variance = sight(tab)
        assert (width, variance > 500) == (640, True)
        seen.add(round(mean, 3))
        return len(seen) > 3

    until(moves)
    before = frames_out(tab)
    until(lambda: frames_out(tab) > before + 10)
    for name, text in {
        "rate": "24.9 fps",
        "delay": "31 ms",
        "faces": "4",
        "targets": re.compile("web"),
        "seconds": re.compile(r"^00:\d\d:\d\d$"),
    }.items():
        sync_api.expect(tab.locator(f"#{name}")).to_have_text(text)


BOXES = """() => {
  const [picture, stage] = ["#picture", ".stage"].map((name) => document.querySelector(name));
  const sides = (part) => {
    const box = part.getBoundingClientRect();
    return [[box.left, box.right], [box.top, box.bottom]];
  };
  return {
    loaded: picture.naturalWidth,
    picture: sides(picture),
    stage: sides(stage),
    fits: getComputedStyle(picture).objectFit,
    width: document.documentElement.scrollWidth,
  };
}"""


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (270, 480), (1280, 360)])
def test_a_phone_shows_the_whole_picture(browser: sync_api.Browser, size: tuple[int, int]) -> None:
    controls = Controls(("solid",))
    target = open_target("web:0", context(controls=controls))
    assert isinstance(target, Page)
    target.open(replace(FORMAT, size=size))
    picture = LiveFrameConverter(None).arrival(rgb(size), 0, 0)
    shown = Delivery(Redactor(Settings(method="solid")).cover(picture), 0.0, 0.0, True)
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(0.05):
            target.show(shown)

    shower = threading.Thread(target=show)
    shower.start()
    try:
        with opened(browser, viewport={"width": 390, "height": 844}) as tab:
            tab.goto(target.url)
            seen = until(lambda: (boxes := tab.evaluate(BOXES))["loaded"] == size[0] and boxes)
            for (start, end), (stage_start, stage_end) in zip(
                seen["picture"], seen["stage"], strict=True
            ):
                assert stage_start <= start
                assert end <= stage_end
            assert seen["fits"] == "contain"
            assert seen["width"] <= 390
            (left, right), (top, bottom) = seen["picture"]
            assert (right - left) * (bottom - top) > 30_000
    finally:
        ended.set()
        shower.join()
        target.close()


def test_hide_all_covers_the_picture(tab: sync_api.Page, session: Session) -> None:
    assert sight(tab)[2] > MOVING
    tab.click("#hide-all")
    sync_api.expect(tab.locator("#state")).to_have_text("covered: asked for")
    sync_api.expect(tab.locator("#hide-all")).to_have_attribute("aria-pressed", "true")
    until(lambda: sight(tab)[2] < COVERED)
    time.sleep(1.5 * controls._REST_SECONDS)  # a key that follows at once uncovers nothing
    tab.keyboard.press("Space")  # also with the button clicked before
    sync_api.expect(tab.locator("#state")).to_have_text("live")
    assert not session.controls.control_state.hide_all
    until(lambda: sight(tab)[2] > MOVING)


def test_a_double_click_hides(
    tab: sync_api.Page, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "_REST_SECONDS", PATIENCE_SECONDS)
    tab.dblclick("#hide-all")
    sync_api.expect(tab.locator("#state")).to_have_text("covered: asked for")
    sync_api.expect(tab.locator("#hide-all")).to_have_attribute("aria-pressed", "true")
    with tab.expect_response(re.compile("controls/show")):
        tab.click("#hide-all")
    assert session.controls.control_state.hide_all


def test_keys_and_buttons_do_the_same(tab: sync_api.Page, session: Session) -> None:
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
    sync_api.expect(tab.locator("#state")).to_have_text("covered: asked for")
    assert session.controls.control_state.strength == 1


def test_a_still_is_saved(tab: sync_api.Page, tmp_path: Path) -> None:
    for press in (lambda: tab.click("#still"), lambda: tab.keyboard.press("s")):
        with tab.expect_download() as saving:
            press()
        path = tmp_path / saving.value.suggested_filename
        saving.value.save_as(path)
        assert path.name.startswith("trackblur-")
        assert path.read_bytes().startswith(b"\xff\xd8")


def test_quitting_asks_first(tab: sync_api.Page, session: Session) -> None:
    tab.keyboard.press("q")
    tab.get_by_role("button", name="Go on").click()
    assert not session.controls.is_over
    tab.click("#quit")
    tab.get_by_role("button", name="End it").click()
    assert session.controls.wait(PATIENCE_SECONDS)


def test_no_picture_is_left_when_the_session_is_gone(
    browser: sync_api.Browser, session: Session
) -> None:
    with opened(browser) as tab:
        tab.goto(session.page.url)
        sync_api.expect(tab.locator("#state")).to_have_text("live")
        session.end()
        sync_api.expect(tab.locator("#away")).to_be_visible()
        assert tab.get_attribute("#picture", "src") is None


def test_the_token_leaves_the_address(browser: sync_api.Browser) -> None:
    session = Session("web:0.0.0.0:0")
    try:
        address = session.page.url.split("/", 3)
        port = address[2].rpartition(":")[2]
        with opened(browser) as tab:
            answer = tab.goto(f"http://127.0.0.1:{port}/")
            assert answer is not None
            assert answer.status == 403
            tab.goto(f"http://127.0.0.1:{port}/{address[3]}")
            assert tab.url == f"http://127.0.0.1:{port}/"
            sync_api.expect(tab.locator("#state")).to_have_text("live")
            assert sight(tab)[0] == 640
            tab.keyboard.press("m")
            sync_api.expect(tab.locator("#method")).to_have_text("solid")
    finally:
        session.end()


def test_two_tabs_see_the_same(
    tab: sync_api.Page, browser: sync_api.Browser, session: Session
) -> None:
    with opened(browser) as other:
        other.goto(session.page.url)
        other.keyboard.press("Space")
        sync_api.expect(tab.locator("#state")).to_have_text("covered: asked for")
        until(lambda: max(sight(tab)[2], sight(other)[2]) < COVERED)
        assert abs(sight(tab)[1] - sight(other)[1]) < 1
