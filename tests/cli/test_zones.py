"""Zones and limits on the command line and in track files, on real files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import GREEN, QUICK, green_shares
from tests.command_line import error_line, run
from tracker_blur.annotations import track_file

if TYPE_CHECKING:
    from pathlib import Path


def green(path: Path) -> list[np.ndarray]:
    """Return which pixels GREEN hides in each frame."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [(rgb[..., 1] > 180) & (rgb[..., 0] < 90) for rgb in frames]


def test_an_ignore_zone_leaves_a_face_visible_that_never_leaves_it_and_says_so(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, doubtful = tmp_path / "out.mp4", tmp_path / "doubtful.mp4"
    zone = ("--ignore-zone", "15%,10%,75%,85%")  # around the clip's face, which is near its middle
    assert run(small_clip, out, *QUICK, *GREEN, *zone, "--json") == 0
    printed = capsys.readouterr()
    assert max(green_shares(out)) == 0
    summary = json.loads(printed.out)
    assert summary["files"][0]["left_visible"] == {"zone": 1}
    assert summary["settings"]["ignore_zones"] == ["15%,10%,75%,85%"]
    assert "out.mp4: left visible by choice: 1 track in ignore zones" in printed.err
    # In its first frames, the face lies too far to the right of this one.
    zone = ("--ignore-zone", "20,10,88,110")
    assert run(small_clip, doubtful, *QUICK, *GREEN, *zone) == 0
    assert min(green_shares(doubtful)) > 0.05


def test_zones_hide_rectangles_and_polygons_for_their_time_in_one_pass_and_two(
    small_clip: Path, tmp_path: Path
) -> None:
    zones = ("--hide-zone", "0.08s..0.2s=100,80,140,110", "--hide-zone", "0,80,40,80,0,120")
    for number, passes in enumerate(((), ("--one-pass",))):
        out = tmp_path / f"{number}.mp4"
        assert run(small_clip, out, *QUICK, *GREEN, *zones, "--min-size", "99%", *passes) == 0
        masks = green(out)
        assert len(masks) == 10
        assert [mask[84:106, 104:136].all() for mask in masks] == [2 <= at <= 5 for at in range(10)]
        for mask in masks:
            assert mask[80:118, :4].mean() > 0.9
            assert not mask[104:, 30:60].any()  # within the polygon's bounds, outside of it
            assert not mask[:70].any()  # no face is that large


def test_only_the_chosen_time_is_hidden_and_the_rest_is_written_with_a_warning(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run(small_clip, out, *QUICK, *GREEN, "--from", "0.13s", "--to", "0:00.2") == 0
    assert [share > 0 for share in green_shares(out)] == [3 <= at <= 5 for at in range(10)]
    printed = capsys.readouterr().err
    assert (
        "faces are hidden from 0:00:00.130 to 0:00:00.200 only: all others can be seen" in printed
    )


def test_track_files_hold_zones_that_render_obeys_and_tracks_changes(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, out = tmp_path / "in.tracks.jsonl", tmp_path / "out.mp4"
    limits = ("--ignore-zone", "0%,0%,100%,100%", "--hide-zone", "0,100,20,120")
    assert run("track", small_clip, "-o", tracks, *QUICK, *limits, "--to", "0.2s") == 0
    assert '"version":2' in tracks.read_text(encoding="utf-8").splitlines()[0]
    assert run("render", small_clip, tracks, out, *GREEN, "--quiet") == 0
    assert all(mask[104:116, 2:16].all() and not mask[:90].any() for mask in green(out))
    capsys.readouterr()
    assert run("tracks", tracks) == 0
    listed = capsys.readouterr().out
    assert "zone 1: ignore 0%,0%,100%,100%" in listed
    assert "zone 2: hide 0,100,20,120" in listed
    assert "2 zones, hidden to 0:00:00.200 only" in listed
    edits = ("--drop-zone", "1", "--to", "none", "--hide-zone", "140,0,160,20", "--min-size", "1%")
    assert run("tracks", tracks, *edits) == 0
    rules = track_file.read(tracks).tracks.rules
    assert [zone.text for zone in rules.zones] == ["0,100,20,120", "140,0,160,20"]
    assert (rules.end, str(rules.min_size)) == (None, "1%")
    assert run("render", small_clip, tracks, out, *GREEN, "--quiet", "--overwrite") == 0
    assert all(mask[4:16, 144:158].all() and mask[:90, :130].any() for mask in green(out))
    assert run("tracks", tracks, "--drop-zone", "1,2", "--min-size", "none") == 0
    assert '"version":1' in tracks.read_text(encoding="utf-8").splitlines()[0]


def test_images_have_zones_too(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    arguments = (small_image, out, "--detector", "haar", *GREEN)
    zones = ("--ignore-zone", "0%,0%,100%,100%", "--hide-zone", "0%,0%,10%,10%")
    assert run(*arguments, *zones) == 0
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (small_image, out))
    changed = (before != after).any(axis=2)
    height, width = changed.shape
    assert changed[: height // 10, : width // 10].mean() > 0.95
    assert not changed[height // 10 + 12 :].any()
    assert "left visible by choice" in capsys.readouterr().err
    assert run(*arguments, "--overwrite", "--hide-zone", "1s..=0,0,9,9") == 2
    assert "is a still image, and a zone has times" in error_line(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hide-zone", "1,2,3"), "--hide-zone '1,2,3' has 3 numbers: give left,top,right,bottom"),
        (("--ignore-zone", "170,0,190,9"), "lies outside of the frame, which has 160x120 pixels"),
        (("--min-size", "big"), "--min-size is 'big': give pixels, such as 24, or a share"),
        (("--from", "9s", "--to", "5s"), "from 9s to 5s ends before it begins: swap the two"),
        (("--from", "20s"), "in.mp4: ends at 0:00:00.400, and hiding faces begins only at"),
        (("--hide-zone", "9s..=0,0,9,9"), "the zone 9s..=0,0,9,9 begins only at 0:00:09.000"),
        (("--from", "20s", "--one-pass"), "hiding faces begins only at 0:00:20.000: give an"),
        (("--from", "-1s"), "'-1s' is negative, and times count from the first frame: give sec"),
        (
            ("--from", "10"),
            "'10' has no unit, as in 10s: give seconds (12.5s) or a time (1:02:03.4)",
        ),
    ],
)
def test_nonsense_is_one_line_and_writes_nothing(
    arguments: tuple[str, ...],
    message: str,
    small_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.mp4"
    assert run(small_clip, out, *QUICK, *arguments) == 2
    assert message in error_line(capsys)
    assert not out.exists()


def test_live_video_has_no_times(small_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (small_clip, "--realtime", "--to", "null:", "--detector", "haar")
    assert run("live", *arguments, "--hide-zone", "1s..2s=0,0,9,9") == 2
    assert "live video has no times to choose from" in capsys.readouterr().err
