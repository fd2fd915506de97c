"""Settings that have no effect are noted, so that no one relies on them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tracker_blur.cli.console import Console
from tracker_blur.cli.settings_notes import describe, note_unused_settings, unused_settings
from tracker_blur.settings import Settings


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"factor": 2.0}, "the method gaussian"),
        ({"blocks": 7, "method": "fog"}, "the method pixelated"),
        ({"tone": "mean", "method": "solid"}, "the method mosaic"),
        ({"feather_ratio": 0.1}, "the method fog, gaussian, image, pixelated or solid"),
        ({"color": "#ffffff"}, "the method solid or image"),
        ({"hold_seconds": 2.0}, "one pass"),
        (
            {"margin_seconds": 1.0, "one_pass": True},
            "runs that read ahead, or to one pass with a delay",
        ),
    ],
)
def test_a_setting_of_another_method_or_mode_is_unused(
    settings: dict[str, Any], where: str
) -> None:
    (name,) = settings.keys() - {"method", "one_pass"}
    assert list(unused_settings(Settings(**settings), {"video"})) == [(name, where)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"factor": 2.0, "method": "simple"},
        {"blocks": 7, "method": "pixelated"},
        {"tone": "scene"},
        {"method": "fog", "accept_cosmetic": True},
        {"color": "#ffffff", "method": "solid"},
        {"hold_seconds": 2.0, "one_pass": True, "delay_seconds": 0.5},
        {"margin_seconds": 1.0},
        {"margin_seconds": 1.0, "one_pass": True, "delay_seconds": 0.5},
        {"codec": "vp9", "quality": 30.0, "preset": "4"},
    ],
)
def test_a_setting_with_an_effect_is_used(settings: dict[str, Any]) -> None:
    assert not list(unused_settings(Settings(**settings), {"video", "image"}))


def test_encoder_settings_are_unused_where_only_images_are_written() -> None:
    settings = Settings(codec="h264", encoder="libx264", quality=20, preset="fast")
    unused = [name for name, _ in unused_settings(settings, {"image"})]
    assert unused == ["codec", "encoder", "quality", "preset"]


def test_the_note_names_the_flag(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(flags={"hold_seconds": "--hold"})
    note_unused_settings(Settings(hold_seconds=2), {"video"}, console)
    printed = capsys.readouterr().err
    assert printed == "trackblur: warning: --hold has no effect here: it applies only to one pass\n"


@pytest.mark.parametrize(
    ("detector", "labels", "settings", "line"),
    [
        (
            "yunet",
            ("face",),
            {},
            "detecting with yunet; videos in every 2nd frame, tracking with csrt",
        ),
        (
            "onnx",
            ("face",),
            {"detect_every_frames": 1},
            "detecting with onnx; videos in every frame, tracking with csrt; for a better "
            "detector, run 'trackblur models pull yunet'",
        ),
        (
            "yunet, onnx",
            ("face", "plate"),
            {"detect_every_frames": 111, "detector": "yunet"},
            "hiding face, plate; detecting with yunet, onnx; videos in every 111th frame, tracking "
            "with csrt",
        ),
        (
            "yunet",
            ("face",),
            {"detect_every_frames": "auto", "tracker": "none"},
            "detecting with yunet; videos in every frame, without a tracker",
        ),
        (
            "yunet",
            ("face",),
            {"detect_every_frames": "auto"},
            "detecting with yunet; videos at an adaptive interval, tracking with csrt",
        ),
    ],
)
def test_one_line_describes_how_faces_are_detected(
    detector: str, labels: tuple[str, ...], settings: dict[str, Any], line: str
) -> None:
    engine: Any = SimpleNamespace(detector_name=detector, labels=labels)
    assert describe(engine, Settings(**settings)) == line
