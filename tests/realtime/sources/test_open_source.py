"""Which source a text means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import open_source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "plugin"),
    [
        ("0", "camera"),
        ("/dev/video2", "camera"),
        ("rtsp://user:secret@host/1", "address"),
        ("-", "standard_input"),
    ],
)
def test_the_text_chooses_the_source(text: str, plugin: str) -> None:
    source = open_source(text, LiveSettings())
    assert type(source).__module__.endswith(plugin)
    assert "secret" not in source.name


def test_a_file_needs_realtime(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with pytest.raises(SourceError, match="no such file"):
        open_source(str(clip), LiveSettings())
    clip.touch()
    with pytest.raises(SettingsError, match="--realtime"):
        open_source(str(clip), LiveSettings())
    with pytest.raises(SettingsError, match="is not a source"):
        open_source("nonsense", LiveSettings())


@pytest.mark.parametrize("text", ["100", "200", "2147483648", "9" * 5000])
def test_numbers_of_opencv_drivers_are_no_cameras(text: str) -> None:
    with pytest.raises(SettingsError, match="at most 2 digits"):
        open_source(text, LiveSettings())


def test_other_digits_are_no_camera() -> None:
    with pytest.raises(SettingsError, match="is not a source"):
        open_source("²", LiveSettings())


def test_an_unknown_protocol_is_refused_without_its_secrets() -> None:
    with pytest.raises(SettingsError, match="is not a supported protocol") as refused:
        open_source("gopher://me:secret@host", LiveSettings())
    assert "secret" not in str(refused.value)
