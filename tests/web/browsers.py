"""Chromium for the tests of the page, and the page as a person uses it."""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import sync_api
from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright import sync_api
else:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: [test]")

expect = sync_api.expect

SIZE: sync_api.ViewportSize = {"width": 1280, "height": 720}
_DROP = """([name, text]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: "video/mp4"}));
    return transfer;
}"""

# Messages stay until they are closed: on a busy machine they are read, and their buttons pressed,
# after the seconds that they are shown for.
_KEEP_MESSAGES = """
const wait = window.setTimeout;
window.setTimeout = (run, delay, ...rest) => (delay >= 5000 ? 0 : wait(run, delay, ...rest));
"""


@contextmanager
def opened_tab(
    browser: sync_api.Browser,
    url: str,
    refused: int = 0,
    *,
    may_lose: bool = False,
    keeps_messages: bool = True,
    **options: Any,
) -> Iterator[sync_api.Page]:
    """Open a tab with cookies of its own; any error in it, or a dialog, fails the test.

    Args:
        browser: Shows it.
        url: Its address.
        refused: A status of answers that is no error.
        may_lose: Whether the server may be gone for a while.
        keeps_messages: Whether messages stay until they are closed.
        options: Of the context.
    """
    problems: list[str] = []

    def collect(message: sync_api.ConsoleMessage) -> None:
        is_refusal = refused and f"status of {refused}" in message.text
        is_loss = may_lose and "net::ERR_" in message.text
        if message.type == "error" and not is_refusal and not is_loss:
            problems.append(message.text)

    def refuse(dialog: sync_api.Dialog) -> None:
        problems.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    with browser.new_context(viewport=SIZE, **options) as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        if keeps_messages:
            context.add_init_script(_KEEP_MESSAGES)
        tab = context.new_page()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", collect)
        tab.on("dialog", refuse)
        tab.goto(url)
        yield tab
        assert not problems, problems


def drop(tab: sync_api.Page, path: Path, name: str) -> None:
    """Drop a file onto the page, under another name."""
    content = base64.b64encode(path.read_bytes()).decode()
    transfer = tab.evaluate_handle(_DROP, [name, content])
    tab.dispatch_event("main", "drop", {"dataTransfer": transfer})


class Reviewer:
    """Someone who uses the review page.

    Args:
        tab: The page.
        size: Width and height of the video.
    """

    def __init__(self, tab: sync_api.Page, size: tuple[int, int]) -> None:
        self.tab = tab
        self._size = size
        self.stage = tab.locator("#stage")

    def wait(self) -> None:
        """Wait until the frame that is wanted is shown as it should be."""
        expect(self.stage).to_have_attribute("data-ready", "true")
        expect(self.tab.locator(".card").first).to_be_visible()

    def at(self, frame: int) -> None:
        """Assert which frame is shown."""
        expect(self.stage).to_have_attribute("data-frame", str(frame))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the screen a point of the video is, while all of it is shown."""
        box = self.tab.locator("#canvas").bounding_box()
        assert box is not None
        width, height = self._size
        scale = min(box["width"] / width, box["height"] / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return left + x * scale, top + y * scale

    def drag(self, box: tuple[float, float, float, float]) -> None:
        """Drag over the picture from the upper left of a box to its lower right."""
        mouse = self.tab.mouse
        mouse.move(*self.place(*box[:2]))
        mouse.down()
        mouse.move(*self.place(*box[2:]), steps=3)
        mouse.up()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.tab.keyboard.press(key)

    def cards(self) -> sync_api.Locator:
        """Return the cards of people."""
        return self.tab.locator(".card")

    def see_all(self) -> None:
        """Mark all places to look at as seen, and say that all was looked through, by keys."""
        status = self.tab.locator("#status")
        self.press("n")
        while "to check" in status.inner_text():
            before = status.inner_text()
            self.press("Enter")
            expect(status).not_to_have_text(re.compile(f"^{re.escape(before)}$"))
        expect(status).to_have_text("Not looked through yet")
        self.press("Shift+Enter")
