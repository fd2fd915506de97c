"""`trackblur render`: hides in a video what its track file says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.cli.conftest import GREEN, QUICK, green_shares
from tests.command_line import error_line, run
from tracker_blur import Redactor
from tracker_blur.annotations import track_file
from tracker_blur.errors import TrackFileError
from tracker_blur.review.state import ReviewState

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Tracks


@pytest.fixture
def tracks(tracked: Path, tmp_path: Path) -> Path:
    """Return a track file that the test may change."""
    return Path(shutil.copy(tracked, tmp_path / "in.tracks.jsonl"))


def read(path: Path) -> Tracks:
    return track_file.read(path).tracks


def test_the_tracks_are_hidden_and_nothing_is_detected(
    small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run("render", small_clip, tracks, out, *GREEN, "--json") == 0
    summary = json.loads(capsys.readouterr().out)["files"][0]
    assert (summary["frames"], summary["tracks"]) == (10, len(read(tracks).tracks))
    assert summary["detector"] is None
    assert min(green_shares(out)) > 0.05


def test_edits_of_the_track_file_are_obeyed(
    small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tracks", tracks, "--show", "all") == 0
    shown = tmp_path / "shown.mp4"
    assert run("render", small_clip, tracks, shown, *GREEN, "--quiet") == 0
    assert max(green_shares(shown)) == 0
    assert "hides nothing: the output shows every face" in capsys.readouterr().err
    drawing = "7@3=20,20,100,100..6=20,20,100,100"
    assert run("tracks", tracks, "--drop", "all", "--draw", drawing) == 0
    drawn = tmp_path / "drawn.mp4"
    assert run("render", small_clip, tracks, drawn, *GREEN, "--quiet") == 0
    assert [share > 0.1 for share in green_shares(drawn)] == [3 <= i <= 6 for i in range(10)]


def test_people_whom_no_one_has_looked_at_are_not_shown(
    small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = track_file.read(tracks)
    marked = replace(content, settings=content.settings | {"unreviewed_people": True})
    assert not marked.is_unreviewed  # all are hidden
    track_file.write(tracks, marked, overwrite=True)
    assert run("tracks", tracks, "--show", "all") == 0
    capsys.readouterr()
    out = tmp_path / "out.mp4"
    assert run("render", small_clip, tracks, out, "--quiet") == 1
    assert "shows people whom a network chose that was never measured" in error_line(capsys)
    with pytest.raises(TrackFileError, match="look at them in 'trackblur review'"):
        Redactor().render(small_clip, tracks, out)
    assert not out.exists()
    shown = track_file.read(tracks)
    state = ReviewState(shown.tracks)
    assert not state.edited(shown).is_unreviewed


def test_two_commands_hide_what_one_run_of_both_passes_hides(
    small_clip: Path, tracks: Path, tmp_path: Path
) -> None:
    whole, apart, also = tmp_path / "whole.mp4", tmp_path / "apart.mp4", tmp_path / "also.jsonl"
    assert run(small_clip, whole, "--tracks", also, *QUICK, *GREEN) == 0
    assert run("render", small_clip, tracks, apart, *GREEN, "--quiet") == 0
    assert green_shares(whole) == green_shares(apart)
    for one, two in zip(read(also).tracks, read(tracks).tracks, strict=True):
        np.testing.assert_array_equal(one.frames, two.frames)
        np.testing.assert_array_equal(one.boxes, two.boxes)


@pytest.mark.parametrize("made_by", ["track", "redact"])
def test_the_tracks_of_a_gif_render_to_a_gif_and_to_a_video(
    made_by: str, small_clip: Path, tmp_path: Path
) -> None:
    gif, tracks = tmp_path / "in.gif", tmp_path / "in.tracks.jsonl"
    with av.open(str(small_clip)) as container:
        first, *others = [frame.to_image() for frame in container.decode(video=0)]
    first.save(gif, save_all=True, append_images=others, duration=[80, 10] * 5)
    if made_by == "track":
        assert run("track", gif, "-o", tracks, *QUICK) == 0
    else:
        assert run(gif, tmp_path / "seen.mp4", "--tracks", tracks, *QUICK) == 0
    for name in ("out.gif", "out.mp4"):
        assert run("render", gif, tracks, tmp_path / name, *GREEN) == 0
        with av.open(str(tmp_path / name)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 10


def test_the_tracks_of_another_video_are_refused(
    other_small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", other_small_clip, tracks, tmp_path / "out.mp4") == 1
    assert "is not the video that the tracks were made for (in.mp4" in error_line(capsys)
    assert not (tmp_path / "out.mp4").exists()


def test_an_existing_output_is_kept_unless_it_may_be_overwritten(
    small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(b"mine")
    assert run("render", small_clip, tracks, mine) == 1
    assert "already exists" in error_line(capsys)
    assert mine.read_bytes() == b"mine"
    assert run("render", small_clip, tracks, mine, "--overwrite", "--quiet") == 0


def test_the_output_may_not_be_the_input(
    small_clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    assert run("render", source, tracks, source, "--overwrite") == 2
    assert "is the input itself" in error_line(capsys)
    assert source.read_bytes() == small_clip.read_bytes()


@pytest.mark.parametrize("name", ["-", "rtmp://host/key"])
def test_only_files_are_written(
    small_clip: Path, tracks: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", small_clip, tracks, name) == 2
    assert "is not a file" in error_line(capsys)


@pytest.mark.parametrize("arguments", [("--detector", "haar"), ("--margin", "1"), ("--one-pass",)])
def test_it_takes_no_options_of_detection(
    small_clip: Path, tracks: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert run("render", small_clip, tracks, tmp_path / "out.mp4", *arguments) == 2
