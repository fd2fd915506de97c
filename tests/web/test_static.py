"""The files of the page: nothing from elsewhere, nothing inline, every text in one place."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

STATIC = Path(str(resources.files("tracker_blur.web") / "static"))
SCRIPTS = sorted(STATIC.glob("*.js"))
PAGES = sorted(STATIC.glob("*.html"))
KEY = re.compile(r"^( +)(?:\"([^\"]+)\"|(\w+)):")


def text_paths() -> set[str]:
    """Return the dotted paths of all texts, from the indentation of texts.js."""
    paths = set()
    stack: list[str] = []
    for line in (STATIC / "texts.js").read_text().splitlines():
        if match := KEY.match(line):
            depth = len(match[1]) // 2 - 1
            stack[depth:] = [match[2] or match[3]]
            paths.add(".".join(stack))
            rest = line[match.end() :]
            if rest.startswith(" { "):  # a small object on one line
                paths.update(".".join([*stack, key]) for key in re.findall(r"[{,] (\w+):", rest))
    return paths


@pytest.mark.parametrize(
    "path", [*SCRIPTS, *PAGES, STATIC / "style.css"], ids=lambda path: path.name
)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"')]+", path.read_text()))
    assert addresses <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_parses_text_as_markup_or_code(path: Path) -> None:
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc",
        path.read_text(),
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_imported_files_exist(path: Path) -> None:
    for name in re.findall(r"from \"\./([\w.]+)\"", path.read_text()):
        assert (STATIC / name).is_file()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_load_all_their_scripts_at_once(path: Path) -> None:
    """What a script imports would only be requested once it has arrived."""
    (script,) = re.findall(r"<script type=\"module\" src=\"/static/([\w.]+)\"", path.read_text())
    needed: set[str] = {script}
    found: set[str] = set()
    while needed - found:
        name = (needed - found).pop()
        found.add(name)
        needed.update(re.findall(r"from \"\./([\w.]+)\"", (STATIC / name).read_text()))
    named = re.findall(r"rel=\"modulepreload\" href=\"/static/([\w.]+)\"", path.read_text())
    assert sorted(named) == sorted(needed - {script})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_have_no_inline_scripts_styles_or_texts(path: Path) -> None:
    markup = path.read_text()
    assert not re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", markup)
    body = markup.partition("<body")[2].partition(">")[2]
    shown = {text.strip() for text in re.sub(r"<[^>]+>", "\n", body).split("\n")} - {""}
    assert shown <= {"1", "2", "3", "?", "+", "−", "trackblur"}  # noqa: RUF001  # minus


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_text_that_a_page_names_exists(path: Path) -> None:
    named = set(re.findall(r"data-(?:text|label|tip)=\"([\w.]+)\"", path.read_text()))
    assert named
    assert named <= text_paths()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_text_that_a_script_names_exists(path: Path) -> None:
    named = set(re.findall(r"(?<!/)\btexts((?:\.[a-z]\w*)+)", path.read_text()))
    missing = {name[1:] for name in named} - text_paths()
    built_in = {"join", "filter", "map"}
    assert {name for name in missing if name.rpartition(".")[2] not in built_in} == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_ids_that_scripts_ask_for_are_in_a_page(path: Path) -> None:
    ids = set(re.findall(r"\bid=\"([\w-]+)\"", "".join(page.read_text() for page in PAGES)))
    assert set(re.findall(r"byId\(\"([\w-]+)\"\)", path.read_text())) <= ids


def test_every_key_has_a_description() -> None:
    source = (STATIC / "key_map.js").read_text()
    named = set(re.findall(r"^    \[\[.*?\], \"(\w+)\",", source, re.MULTILINE))
    assert len(named) > 30
    assert {f"keys.{name}" for name in named} <= text_paths()


def test_colors_of_text_have_enough_contrast() -> None:
    """WCAG AA: 4.5 to 1, in both schemes."""
    style = (STATIC / "style.css").read_text()
    light, dark = re.findall(r"--ground: .*?--origin-detected", style, re.DOTALL)
    for block in (light, dark):
        colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for ink, grounds in {
            "ink": ("ground", "surface", "raised", "soft"),
            "quiet": ("ground", "surface", "raised"),
            "accent": ("surface", "soft"),
            "on-accent": ("accent", "good", "danger"),
            "good": ("surface", "soft-good"),
            "warn": ("surface", "soft-warn"),
            "danger": ("surface", "soft-danger"),
        }.items():
            for ground in grounds:
                assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
