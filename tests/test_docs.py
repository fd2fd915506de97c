"""The documents agree with the tree."""

from __future__ import annotations

import configparser
import itertools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "tracker_blur"
CODE = re.compile(r"`([\w./-]+/[\w./-]*)`")


def layers() -> list[set[str]]:
    """Return the modules of each layer that setup.cfg states, the highest first."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser["importlinter:contract:floors"]["layers"].split("\n")
    return [{name.strip() for name in re.split("[:|]", line)} for line in lines if line]


def test_the_figure_shows_the_layers() -> None:
    boxes = re.findall(
        r'<rect x="\d+" y="(\d+)"[^>]*stroke[^>]*/>\n<text class="n"[^>]*>(\w+)<',
        (DOCS / "architecture.svg").read_text(),
    )
    rows = [
        {name for _, name in row}
        for _, row in itertools.groupby(boxes, key=lambda box: int(box[0]))
    ]
    assert rows == [layer - {"__main__"} for layer in layers()]


def test_every_path_that_is_named_exists() -> None:
    for document in (DOCS / "architecture.md", ROOT / "CONTRIBUTING.md"):
        for name in CODE.findall(document.read_text()):
            if name.startswith(("../", "/", "origin/")):
                continue
            places = (ROOT / name, PACKAGE / name, PACKAGE / "realtime" / name)
            assert any(place.exists() for place in places), f"{document.name}: {name}"


def test_every_decision_has_a_number_and_is_listed_once() -> None:
    folder = DOCS / "decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(
        r"^(\d+)\. \[([^\]]+)\]\(([\w-]+\.md)\)$", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert [name for _, _, name in listed] == files
    for count, (number, title, name) in enumerate(listed, 1):
        assert int(number) == int(name[:4]) == count
        heading = (folder / name).read_text().splitlines()[0]
        assert heading.lstrip("# ").removeprefix(f"{count}. ") == title, name
