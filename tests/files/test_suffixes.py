"""What a file is, by its suffix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import kind_of


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("a.jpg", "b.png", "picture"),
        ("a.GIF", "b.gif", "picture"),
        ("a.gif", "b.webp", "picture"),
        ("a.gif", "b.mp4", "video"),
        ("a.mp4", "b.gif", "video"),
        ("a.avi", "b.mkv", "video"),
        ("a.xyz", "b.mp4", "video"),
    ],
)
def test_the_way_follows_from_both_names(source: str, target: str, kind: str) -> None:
    assert kind_of(Path(source), Path(target)) == kind


@pytest.mark.parametrize(
    ("source", "target"), [("a.jpg", "b.mp4"), ("a.webp", "b.mp4"), ("a.mp4", "b.jpg")]
)
def test_a_picture_is_no_video(source: str, target: str) -> None:
    with pytest.raises(SettingsError, match=target):
        kind_of(Path(source), Path(target))
