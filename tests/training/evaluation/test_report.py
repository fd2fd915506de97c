"""The HTML report is self-contained and shows the errors."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tests.annotated_files import BOX, SIZE, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.evaluation.measure import score_detections
from tracker_blur.training.evaluation.report import Section, render_report, write_report

if TYPE_CHECKING:
    from pathlib import Path


def test_the_report_shows_misses_and_false_alarms(tmp_path: Path) -> None:
    file = write_image(tmp_path / "folder" / "a<b.png")
    images = [AnnotatedImage(file, SIZE, (("face", BOX),))]
    scores = score_detections(images, [[Detection(Box(60, 10, 90, 40), 0.75)]], "face", 12)
    text = render_report("A <title>", ["one"], [["0.5 & more"]], [Section("net", scores, images)])
    write_report(tmp_path / "report.html", text)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert text.count("data:image/jpeg;base64,") == 2
    assert "score 0.75" in text
    assert "folder/a&lt;b.png, 24x24 px" in text
    assert "A &lt;title&gt;" in text
    assert "0.5 &amp; more" in text
    for outside in ("http://", "https://", "src='/", "<script", "<link"):
        assert outside not in text
