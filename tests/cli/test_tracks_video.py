"""`trackblur tracks` with the video: drawn boxes that are followed, and the contact sheet."""

from __future__ import annotations

import stat
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.command_line import error_line, run
from tests.video_files import write_frames
from tracker_blur.annotations.track_file import TrackFile, read, write
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FRAMES, CUT, DRAWN = 32, 24, 12
SIZE = (192, 144)
DRAWING = "9@12=44,42,80,78"  # where the square is in frame 12


def place(frame: int) -> Box:
    """Return where the textured square is."""
    return Box.from_xywh(20 + 2 * frame, 30 + frame, 36, 36)


def picture(frame: int, gone: int) -> npt.NDArray[np.uint8]:
    """Return a frame: a textured square that moves until it is gone, and a cut."""
    rng = np.random.default_rng(1 if frame < CUT else 2)
    coarse = rng.integers(60, 120, (18, 24, 3)).astype(np.uint8)
    image = np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)
    if frame < gone:
        texture = np.random.default_rng(7).integers(0, 255, (4, 4, 3)).astype(np.uint8)
        left, top, right, bottom = place(frame).outward()
        image[top:bottom, left:right] = cv2.resize(texture, (36, 36), interpolation=cv2.INTER_CUBIC)
    return image


def write_tracked(folder: Path, gone: int = FRAMES) -> Path:
    """Write the clip, and a track file of one track in its upper left corner; return the latter."""
    frames = [av.VideoFrame.from_ndarray(picture(at, gone), "bgr24") for at in range(FRAMES)]
    video = write_frames(folder / "clip.mkv", [frame.reformat(format="bgr0") for frame in frames])
    builder = TracksBuilder()
    for frame in range(4):
        builder.add(frame, Face(0, Box(0, 0, 20, 20), 0.5 + frame / 10, Origin.DETECTED))
    times = np.arange(FRAMES, dtype=np.int64)
    tracks = Tracks(SIZE, Fraction(1, 25), times, (CUT,), builder.tracks())
    path = folder / "clip.tracks.jsonl"
    identity = FileIdentity.of(video, hashed=True)
    write(path, TrackFile.of(identity, tracks, Settings(), "yunet"), False)
    return path


def track(path: Path, track_id: int) -> Track:
    return next(track for track in read(path).tracks.tracks if track.track_id == track_id)


def frames_of(found: Track, origin: Origin) -> list[int]:
    return found.frames[found.origins == ORIGINS.index(origin)].tolist()


def test_a_drawn_box_is_followed_both_ways_within_its_shot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_tracked(tmp_path)
    assert run("tracks", file, "--draw", DRAWING, "--follow") == 0
    found = track(file, 9)
    assert found.frames.tolist() == list(range(CUT))
    assert frames_of(found, Origin.DRAWN) == [DRAWN]
    assert min(found.box(row).iou(place(row)) for row in range(CUT)) > 0.6
    printed = capsys.readouterr().out
    assert "track 9: followed from 0:00:00.000 to 0:00:00.920\n" in printed
    assert track(file, 0).frames.tolist() == list(range(4))


def test_following_stops_where_it_is_not_sure_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_tracked(tmp_path, gone=18)
    assert run("tracks", file, "--draw", DRAWING, "--follow") == 0
    found = track(file, 9)
    assert frames_of(found, Origin.TRACKED) == [*range(DRAWN), *range(DRAWN + 1, 18)]
    assert frames_of(found, Origin.MARGIN) == list(range(18, 23))  # 0.2 seconds
    assert "it stopped within the shot at 0:00:00.680: check what comes there" in (
        capsys.readouterr().out
    )


def test_following_needs_a_drawn_box_and_the_video_of_the_tracks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_tracked(tmp_path)
    before = file.read_bytes()
    assert run("tracks", file, "--show", "0", "--follow") == 2
    assert "--follow follows drawn boxes: add --draw" in error_line(capsys)
    (tmp_path / "clip.mkv").write_bytes(b"another")
    assert run("tracks", file, "--draw", DRAWING, "--follow") == 1
    line = error_line(capsys)
    assert "clip.mkv: has the name of the track file's video, but is another one" in line
    assert line.endswith("say where the video is, with --video")
    named = ("--video", tmp_path / "clip.mkv")
    assert run("tracks", file, "--draw", DRAWING, "--follow", *named) == 1
    assert "is not the video that the tracks were made for" in error_line(capsys)
    (tmp_path / "clip.mkv").unlink()
    assert run("tracks", file, "--draw", DRAWING, "--follow") == 1
    assert error_line(capsys).endswith("say where the video of the track file is, with --video")
    assert file.read_bytes() == before


def test_times_after_the_end_are_refused_where_the_video_is_at_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only `render` refused them: the file named a span in which nothing was muted."""
    file = write_tracked(tmp_path)
    before = file.read_bytes()
    assert run("tracks", file, "--mute", "50s..60s") == 2
    ends = "clip.mkv: ends at 0:00:01.280, and mute 50s..60s begins only at 0:00:50.000"
    assert ends in error_line(capsys)
    assert file.read_bytes() == before
    assert run("tracks", file, "--mute", "1s..60s") == 0
    (tmp_path / "clip.mkv").rename(tmp_path / "elsewhere.mkv")
    assert run("tracks", file, "--mute", "50s..60s") == 0  # no one can know here
    (tmp_path / "elsewhere.mkv").rename(tmp_path / "clip.mkv")
    assert run("tracks", file, "--show", "0") == 0  # what is not about times


def test_a_sheet_shows_each_track_with_its_number_to_its_owner_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_tracked(tmp_path)
    before = file.read_bytes()
    assert run("tracks", file, "--draw", DRAWING, "-o", tmp_path / "two.jsonl") == 0
    sheet = tmp_path / "sheet.png"
    arguments = ("tracks", tmp_path / "two.jsonl", "--video", tmp_path / "clip.mkv")
    assert run(*arguments, "--sheet", sheet) == 0
    assert f"{sheet}: shows faces: do not publish it" in capsys.readouterr().err
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    with Image.open(sheet) as image:
        tiles = np.asarray(image.convert("RGB"))
    assert tiles.shape == (188, 320, 3)
    square = cv2.cvtColor(picture(DRAWN, FRAMES)[42:78, 44:80], cv2.COLOR_BGR2RGB)
    shown = cv2.resize(tiles[42:118, 202:278], (36, 36), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - square).mean() < 30  # the textures differ by 85
    for left in (0, 160):
        assert tiles[160:, left : left + 160].max() > 200  # the number
    assert run(*arguments, "--sheet", sheet) == 1
    assert "already exists" in error_line(capsys)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [("clip.mkv", "is no image"), ("sheet.txt", "is no image"), ("none/a.jpg", "does not exist")],
)
def test_a_sheet_that_cannot_be_written_is_refused_first(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_tracked(tmp_path)
    before = file.read_bytes()
    code = 1 if "none" in name else 2
    assert run("tracks", file, "--show", "0", "--sheet", tmp_path / name) == code
    assert message in error_line(capsys)
    assert file.read_bytes() == before


def test_the_sheet_takes_the_place_of_no_input_and_no_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = (Image.new("RGB", (64, 48), (40 * at, 90, 90)) for at in range(4))
    video = tmp_path / "in.png"
    first.save(video, save_all=True, append_images=others, duration=100)
    tracks = tmp_path / "in.tracks.jsonl"
    assert run("track", video, "-o", tracks, "--detector", "haar", "--quiet") == 0
    (tmp_path / "link.png").hardlink_to(video)
    before = video.read_bytes()
    for name in ("in.png", "link.png"):
        assert run("tracks", tracks, "--sheet", tmp_path / name, "--overwrite") == 2
        assert f"{name}: is an input" in error_line(capsys)
    sheet = tmp_path / "sheet.png"
    assert run("tracks", tracks, "--sheet", sheet, "--export", "mot", sheet) == 2
    assert "is also the name after --sheet" in error_line(capsys)
    assert video.read_bytes() == before
    assert not sheet.exists()


def test_a_truncated_video_is_read_as_far_as_its_tracks_go(tmp_path: Path) -> None:
    write_tracked(tmp_path)
    video = tmp_path / "part.mkv"
    video.write_bytes((tmp_path / "clip.mkv").read_bytes()[:-20_000])
    file = tmp_path / "part.tracks.jsonl"
    detected = ("--detector", "haar", "--quiet")
    assert run("track", video, "-o", file, *detected) == 1
    assert run("track", video, "-o", file, "--partial", *detected) == 0
    assert 0 < read(file).tracks.frame_count < FRAMES
    assert run("tracks", file, "--draw", "9@2=24,32,60,68", "--follow") == 0
    assert len(track(file, 9)) > 1
    assert run("tracks", file, "--sheet", tmp_path / "sheet.png") == 0
    assert (tmp_path / "sheet.png").is_file()
