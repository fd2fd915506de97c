"""Makes the screenshots of docs/page.md, on the sample, as someone sees the page who uses it.

    python benchmarks/page_screenshots.py [--out docs]

It needs Playwright (extra `test`) and Chromium. The pictures show the faces of
samples/crossing.mp4, which anyone may pass on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from playwright import sync_api

from tracker_blur.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PATIENCE_MS = 300_000
QUALITY = 66  # of JPEG: each picture stays below 150 KB
NAMES = ("chromium", "chromium-browser", "google-chrome")
_FACES_ARE_THERE = """() => [...document.querySelectorAll(".card img:not([hidden])")].every(
    (face) => face.naturalWidth || face.getBoundingClientRect().top > innerHeight)"""


def main() -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs"), metavar="FOLDER")
    out: Path = parser.parse_args().out
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise SystemExit("Chromium is not installed: apt install chromium")
    with _served() as url, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with _tab(browser, url, "light") as tab:
            _files(tab, out)
            _review(tab, out)
        with _tab(browser, url, "dark") as tab:
            _areas(tab, out)
        browser.close()
    return 0


@contextmanager
def _served() -> Iterator[str]:
    """Serve a folder with the samples; give its address."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "Videos")
        folder.mkdir()
        for sample in ("crossing.mp4", "people.jpg"):
            shutil.copy(SAMPLES / sample, folder)
        with mock.patch.dict(os.environ, TRACKBLUR_STATE=str(Path(name, "state"))):
            site = Site(folder, ("127.0.0.1", 0), lambda text: print(text, file=sys.stderr))
        with site:
            yield site.url()


@contextmanager
def _tab(browser: sync_api.Browser, url: str, scheme: str) -> Iterator[sync_api.Page]:
    with browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme=scheme
    ) as context:
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        tab.goto(url)
        yield tab


def _save(tab: sync_api.Page, path: Path) -> None:
    tab.wait_for_function(_FACES_ARE_THERE)
    tab.wait_for_timeout(1500)  # until messages are there
    tab.screenshot(path=path, type="jpeg", quality=QUALITY)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def _files(tab: sync_api.Page, out: Path) -> None:
    tab.get_by_label("Choose crossing.mp4").check()
    tab.get_by_role("button", name="Find people, then decide").click()
    tab.locator(".job.running").wait_for()
    tab.get_by_label("Choose people.jpg").check()
    tab.locator(".job.running", has_text="left").wait_for()  # its speed is known
    _save(tab, out / "page_files.jpg")


def _review(tab: sync_api.Page, out: Path) -> None:
    tab.get_by_role("button", name="Review crossing.mp4").click()  # as soon as it is there
    _ready(tab)
    tab.locator(".card").nth(1).get_by_role("switch").click()
    tab.locator(".card.kept").wait_for()
    tab.keyboard.press("n")
    _ready(tab)
    _save(tab, out / "page_review.jpg")
    tab.keyboard.press("Escape")
    tab.keyboard.press("3")
    _ready(tab)
    _save(tab, out / "page_compare.jpg")


def _areas(tab: sync_api.Page, out: Path) -> None:
    tab.get_by_role("button", name="Review crossing.mp4").click()
    _ready(tab)
    tab.locator("#goto").fill("0:03.40")
    tab.locator("#goto").press("Enter")
    tab.get_by_role("tab", name="Areas").click()
    tab.locator("[data-rule=hide][data-tool=zone-box]").click()
    box = tab.locator("#canvas").bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.7)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.9, steps=4)
    tab.mouse.up()
    tab.locator("[data-zone='1']").wait_for()
    _save(tab, out / "page_areas.jpg")


def _ready(tab: sync_api.Page) -> None:
    tab.locator("#stage[data-ready=true]").wait_for()
    tab.locator(".card").first.wait_for()


if __name__ == "__main__":
    sys.exit(main())
