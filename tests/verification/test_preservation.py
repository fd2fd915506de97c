"""Everything that is not hidden is compared with the input, and each difference is reported."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.verify_cases import rendered, tracks_of, use_fake_probe
from tests.video_files import (
    MIRRORED,
    ROTATED_90_CLOCKWISE,
    AudioTrack,
    CaptionTrack,
    Clip,
    write_clip,
)
from tracker_blur.core.box import Box
from tracker_blur.settings import MetadataRule, Settings
from tracker_blur.verification.verifier import Verifier

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.verification.verdict import Check

RICH: dict[str, Any] = {
    "frames": 20,
    "audio_tracks": (AudioTrack(language="eng", title="speech"), AudioTrack(start=0.2)),
    "captions": (CaptionTrack(),),
    "chapters": ((0.0, 0.4, "one"), (0.4, 0.8, "two")),
    "metadata": {"title": "private", "comment": "private"},
    "video_metadata": {"title": "a camera's model"},
}


PLAIN: dict[str, Any] = {"metadata": {}, "video_metadata": {}, "color": (9, 1, 1, 1)}


def clip(path: Path, **changes: Any) -> Path:
    subtitles = "mov_text" if path.suffix in (".mp4", ".mov") else "subrip"
    fields = {**RICH, "captions": (CaptionTrack(subtitles),), **changes}
    return write_clip(path, Clip(**fields))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip without identifying metadata."""
    return clip(tmp_path_factory.mktemp("plain") / "in.mp4", **PLAIN)


def checks(output: Path, source: Path, metadata: MetadataRule = "drop") -> tuple[Check, ...]:
    with pytest.MonkeyPatch.context() as patch:
        use_fake_probe(patch)
        return Verifier(Settings(metadata=metadata)).verify(output, source=source).checks


def failed(output: Path, source: Path) -> dict[str, str]:
    return {check.name: check.detail for check in checks(output, source) if not check.passed}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (".mp4", ".mp4"),
        (".mkv", ".mkv"),
        (".mp4", ".mkv"),
        (".mkv", ".mp4"),
        (".mov", ".mp4"),
        (".mp4", ".mov"),
    ],
)
def test_the_output_of_trackblur_is_intact(tmp_path: Path, source: str, target: str) -> None:
    before = clip(tmp_path / f"in{source}")
    found = checks(rendered(before, tmp_path / f"out{target}", {}), before)
    assert [check for check in found if not check.passed] == []
    names = [check.name for check in found]
    assert "sound, track 1 (eng)" in names
    assert any(name.startswith("subtitles") for name in names)
    assert "\n" not in "".join(check.detail for check in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"matrix": ROTATED_90_CLOCKWISE},
        {"matrix": MIRRORED},
        {"pixel_aspect": Fraction(16, 15)},
        {"color": (9, 16, 9, 1)},
        {"pts": [0, 1, 2, 5, 6, 9, 30, 31, 32, 50], "frames": 10},
        {"pixel_format": "yuv420p10le", "codec": "libx265"},
        {"rate": Fraction(30000, 1001)},
        {"audio_tracks": (), "captions": (), "chapters": ()},
    ],
)
def test_unusual_videos_are_intact(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = clip(tmp_path / "in.mp4", **changes)
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}


def test_broadcasts_and_gifs_are_intact(tmp_path: Path) -> None:
    before = write_clip(tmp_path / "in.ts", frames=20, audio_tracks=(AudioTrack(),))
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}
    assert failed(rendered(before, tmp_path / "out.mkv", {}), before) == {}
    assert failed(rendered(before, tmp_path / "out.gif", {}), before).keys() <= {"pictures"}


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"frames": 18}, "frames", "18 instead of 20"),
        (
            {"pts": [*range(19), 20]},
            "times of frames",
            "frame 19 is off by 40.00 ms",
        ),
        ({"size": (128, 64)}, "shape", "128x64 instead of 96x64"),
        ({"matrix": ROTATED_90_CLOCKWISE}, "rotation", "rotated 90 clockwise instead of upright"),
        ({"color": (1, 1, 1, 2)}, "color", "primaries 1 for 9"),
        ({"audio_tracks": ()}, "sound and subtitles", "1 tracks instead of 3"),
        (
            {"audio_tracks": (AudioTrack(language="deu", title="speech"), AudioTrack(start=0.2))},
            "sound, track 1 (eng)",
            "its language is deu",
        ),
        (
            {"audio_tracks": (AudioTrack(language="eng", title="song"), AudioTrack(start=0.2))},
            "sound, track 1 (eng)",
            "its title is 'song' instead of 'speech'",
        ),
        (
            {
                "audio_tracks": (
                    AudioTrack(language="eng", title="speech", seconds=0.5),
                    AudioTrack(start=0.2),
                )
            },
            "sound, track 1 (eng)",
            "holds other bytes (aac)",
        ),
        (
            {
                "audio_tracks": (
                    AudioTrack(language="eng", title="speech", codec="libmp3lame"),
                    AudioTrack(start=0.2),
                )
            },
            "sound, track 1 (eng)",
            "holds something else (mp3 instead of aac)",
        ),
        (
            {"captions": (CaptionTrack("mov_text", ((0.2, 0.6, "one"), (0.8, 1.1, "three"))),)},
            "subtitles, track 3 (eng)",
            "holds other bytes (mov_text)",
        ),
        (
            {"captions": (CaptionTrack("mov_text", ((0.3, 0.6, "one"), (0.8, 1.1, "two"))),)},
            "subtitles, track 3 (eng)",
            "packet 0 is off by 100.0 ms",
        ),
        ({"chapters": ()}, "chapters", "0, not the same as the 2 of the input"),
        ({"chapters": ((0, 0.4, "one"), (0.4, 0.8, "2"))}, "chapters", "2, not the same as the 2"),
        ({"metadata": {"comment": "mine"}}, "dropped tags", "still there: comment"),
        ({"video_metadata": {"title": "X100"}}, "dropped tags", "still there: "),
        ({"cover": True}, "nothing else", "1 cover art"),
    ],
)
def test_each_difference_is_reported(
    plain: Path, tmp_path: Path, changes: dict[str, Any], name: str, detail: str
) -> None:
    after = clip(tmp_path / "out.mp4", **{**PLAIN, **changes})
    found = failed(after, plain)
    assert name in found
    assert detail in found[name]


def test_a_default_handler_name_is_not_a_title(tmp_path: Path) -> None:
    before = clip(tmp_path / "in.mov", audio_tracks=(AudioTrack(),))
    # Handler names that cameras and sites write are dropped, as promised.
    data = before.read_bytes().replace(b"SoundHandler", b"Jane's phone")
    before.write_bytes(data)
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}
    assert "handler_name" in failed(before, before)["dropped tags"]


def test_tags_are_not_checked_if_they_are_kept(tmp_path: Path) -> None:
    before = clip(tmp_path / "in.mkv")
    names = [check.name for check in checks(before, before, "keep")]
    assert "dropped tags" not in names


def test_a_frame_that_is_almost_all_hidden_is_not_taken_for_another_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake_probe(monkeypatch)
    before = write_clip(tmp_path / "in.mp4", frames=3, size=(128, 96), noise=True)
    truth = {frame: [(0, Box(-30, -30, 158, 126))] for frame in range(3)}
    after = rendered(before, tmp_path / "out.mp4", truth, method="solid")
    tracks = tracks_of(truth, (128, 96), 3)
    verdict = Verifier(Settings()).verify(after, source=before, tracks=tracks)
    assert verdict.is_clean, verdict.failed_checks
    assert (
        "there is nothing to compare"
        in {check.name: check.detail for check in verdict.checks}["pictures"]
    )
    assert failed(after, before) == {}
    small = tracks_of({frame: [(0, Box(10, 10, 40, 40))] for frame in range(3)}, (128, 96), 3)
    assert Verifier(Settings()).verify(after, source=before, tracks=small).source_mismatches
