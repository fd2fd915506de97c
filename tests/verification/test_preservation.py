"""What must stay as it was is compared, and each difference is named."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verify_cases import rendered, told, tracks_of
from tests.video_files import MIRRORED, ROTATED_90_CLOCKWISE, Captions, Clip, Sound, write_clip
from tracker_blur.core.box import Box
from tracker_blur.settings import MetadataRule, Settings
from tracker_blur.verification.verdict import Check
from tracker_blur.verification.verifier import Verifier
from tracker_blur.verification.visibility import FrameComparison

RICH: dict[str, Any] = {
    "frames": 20,
    "sounds": (Sound(language="eng", title="speech"), Sound(start=0.2)),
    "captions": (Captions(),),
    "chapters": ((0.0, 0.4, "one"), (0.4, 0.8, "two")),
    "metadata": {"title": "private", "comment": "private"},
    "video_metadata": {"title": "a camera's model"},
}


def clip(path: Path, **changes: Any) -> Path:
    subtitles = "mov_text" if path.suffix in (".mp4", ".mov") else "subrip"
    fields = {**RICH, "captions": (Captions(subtitles),), **changes}
    return write_clip(path, Clip(**fields))


def checks(output: Path, source: Path, metadata: MetadataRule = "drop") -> tuple[Check, ...]:
    with pytest.MonkeyPatch.context() as patch:
        told(patch)
        return Verifier(Settings()).verify(output, source=source, metadata=metadata).checks


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
def test_what_trackblur_writes_is_intact(tmp_path: Path, source: str, target: str) -> None:
    before = clip(tmp_path / f"in{source}")
    found = checks(rendered(before, tmp_path / f"out{target}", {}), before)
    assert [check for check in found if not check.passed] == []
    target_classes = [check.name for check in found]
    assert "sound, track 1 (eng)" in target_classes
    assert any(name.startswith("subtitles") for name in target_classes)
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
        {"sounds": (), "captions": (), "chapters": ()},
    ],
)
def test_also_of_unusual_videos(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = clip(tmp_path / "in.mp4", **changes)
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}


def test_also_of_broadcasts_and_gifs(tmp_path: Path) -> None:
    before = write_clip(tmp_path / "in.ts", frames=20, sounds=(Sound(),))
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}
    assert failed(rendered(before, tmp_path / "out.mkv", {}), before) == {}
    assert failed(rendered(before, tmp_path / "out.gif", {}), before).keys() <= {"pictures"}


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"frames": 18}, "frames", "18, and 20 in the input"),
        (
            {"pts": [*range(19), 20]},
            "times of frames",
            "frame 19 is off by 40.00 ms",
        ),
        ({"size": (128, 64)}, "shape", "128x64, and 96x64 in the input"),
        ({"matrix": ROTATED_90_CLOCKWISE}, "rotation", "rotated 90 clockwise, and upright"),
        ({"color": (1, 1, 1, 2)}, "color", "primaries 1 for 9"),
        ({"sounds": ()}, "sound and subtitles", "1 tracks, and 3 in the input"),
        (
            {"sounds": (Sound(language="deu", title="speech"), Sound(start=0.2))},
            "sound, track 1 (eng)",
            "says its language is deu",
        ),
        (
            {"sounds": (Sound(language="eng", title="song"), Sound(start=0.2))},
            "sound, track 1 (eng)",
            "is called 'song', and 'speech' in the input",
        ),
        (
            {"sounds": (Sound(language="eng", title="speech", seconds=0.5), Sound(start=0.2))},
            "sound, track 1 (eng)",
            "holds other bytes (aac)",
        ),
        (
            {
                "sounds": (
                    Sound(language="eng", title="speech", codec="libmp3lame"),
                    Sound(start=0.2),
                )
            },
            "sound, track 1 (eng)",
            "holds something else (mp3, and aac in the input)",
        ),
        (
            {"captions": (Captions("mov_text", ((0.2, 0.6, "one"), (0.8, 1.1, "three"))),)},
            "subtitles, track 3 (eng)",
            "holds other bytes (mov_text)",
        ),
        (
            {"captions": (Captions("mov_text", ((0.3, 0.6, "one"), (0.8, 1.1, "two"))),)},
            "subtitles, track 3 (eng)",
            "packet 0 is off by 100.0 ms",
        ),
        ({"chapters": ()}, "chapters", "0, other than the 2 of the input"),
        ({"chapters": ((0, 0.4, "one"), (0.4, 0.8, "2"))}, "chapters", "2, other than the 2"),
        ({"metadata": {"comment": "mine"}}, "dropped tags", "still there: comment"),
        ({"video_metadata": {"title": "X100"}}, "dropped tags", "still there: "),
        ({"cover": True}, "nothing else", "1 cover art"),
    ],
)
def test_each_difference_is_named(
    tmp_path: Path, changes: dict[str, Any], name: str, detail: str
) -> None:
    was: dict[str, Any] = {"metadata": {}, "video_metadata": {}, "color": (9, 1, 1, 1)}
    before = clip(tmp_path / "in.mp4", **was)
    after = clip(tmp_path / "out.mp4", **{**was, **changes})
    found = failed(after, before)
    assert name in found
    assert detail in found[name]


def test_what_a_muxer_calls_a_track_is_no_title(tmp_path: Path) -> None:
    before = clip(tmp_path / "in.mov", sounds=(Sound(),))
    # The name that cameras and sites write is dropped, and that is as promised.
    data = before.read_bytes().replace(b"SoundHandler", b"Jane's phone")
    before.write_bytes(data)
    assert failed(rendered(before, tmp_path / "out.mp4", {}), before) == {}
    assert "handler_name" in failed(before, before)["dropped tags"]


def test_tags_may_be_kept(tmp_path: Path) -> None:
    before = clip(tmp_path / "in.mkv")
    names = [check.name for check in checks(before, before, "keep")]
    assert "dropped tags" not in names


def test_where_almost_all_is_hidden_the_rest_tells_of_no_other_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch)
    before = write_clip(tmp_path / "in.mp4", frames=3, size=(128, 96), noise=True)
    truth = {frame: [(0, Box(-30, -30, 158, 126))] for frame in range(3)}
    after = rendered(before, tmp_path / "out.mp4", truth, method="solid")
    tracks = tracks_of(truth, (128, 96), 3)
    verdict = Verifier(Settings()).verify(after, source=before, tracks=tracks)
    assert verdict.is_clean, verdict.failed_checks
    assert (
        "nothing is left to compare"
        in {check.name: check.detail for check in verdict.checks}["pictures"]
    )
    assert "or hide almost all of it" in failed(after, before)["pictures"]
    small = tracks_of({frame: [(0, Box(10, 10, 40, 40))] for frame in range(3)}, (128, 96), 3)
    assert Verifier(Settings()).verify(after, source=before, tracks=small).signs_of_another


def test_pictures_that_became_worse_are_noticed() -> None:
    cells = np.full((10, 16), 4.0, np.float32)
    record = FrameComparison()
    record.after_seconds.append(0.0)
    record.before_seconds.append(0.0)
    record.compared(0, cells, (128, 80), [])
    (*_, good) = record.checks(0.001)
    assert good.passed
    assert "42.1 dB" in good.detail
    cells[:, 8:] = 9000.0
    record.compared(1, cells, (128, 80), [Box(60, -10, 140, 90)])  # hidden there
    assert record.checks(0.001)[-1].passed
    cells[:] = 9000.0
    record.compared(2, cells, (128, 80), [Box(-10, -10, 200, 200)])  # hidden all over
    assert record.checks(0.001)[-1].passed
    record.compared(3, cells, (128, 80), [])
    assert not record.checks(0.001)[-1].passed
    assert "(frame 3)" in record.checks(0.001)[-1].detail
