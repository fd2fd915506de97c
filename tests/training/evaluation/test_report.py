"""The page stands alone, and shows what was missed."""

from __future__ import annotations

from pathlib import Path

from tests.annotated_files import BOX, SIZE, write_picture
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import scores
from tracker_blur.training.evaluation.report import Section, page, write


def test_the_page_shows_misses_and_false_alarms(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "folder" / "a<b.png")
    pictures = [Annotated(file, SIZE, (("face", BOX),))]
    reached = scores(pictures, [[Detection(Box(60, 10, 90, 40), 0.75)]], "face", 12)
    text = page("A <title>", ["one"], [["0.5 & more"]], [Section("net", reached, pictures)])
    write(tmp_path / "report.html", text)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
    assert text.count("data:image/jpeg;base64,") == 2
    assert "score 0.75" in text
    assert "folder/a&lt;b.png, 24x24 px" in text
    assert "A &lt;title&gt;" in text
    assert "0.5 &amp; more" in text
    for outside in ("http://", "https://", "src='/", "<script", "<link"):
        assert outside not in text
