"""`trackblur track`, `render`, and what `trackblur IN OUT` has of both: real files in and out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.test_cli import PICTURE, error_line, run
from tracker_blur.annotations import track_file
from tracker_blur.core.tracks import Tracks

SAMPLE = PICTURE.with_name("crossing.mp4")
PART = np.s_[190:430, 780:1100]  # two faces of the sample, 100 pixels wide
HAAR = ("--detector", "haar")
GREEN = ("--method", "solid", "--color", "#00ff00")
QUICK = (*HAAR, "--view-size", "160")


def small_clip(path: Path, frame_count: int, first: int = 0) -> Path:
    """Write a part of the sample's picture at half its size, without sound."""
    with av.open(str(SAMPLE)) as reader, av.open(str(path), "w") as writer:
        video = writer.add_stream("libx264", rate=25, options={"crf": "12"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for index, frame in enumerate(reader.decode(video=0)):
            if index >= first + frame_count:
                break
            if index >= first:
                part = np.array(frame.to_ndarray(format="rgb24")[PART], np.uint8, order="C")
                small = av.VideoFrame.from_ndarray(part, "rgb24").reformat(160, 120, "yuv420p")
                small.pts = index - first
                writer.mux(video.encode(small))
        writer.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip(tmp_path_factory.mktemp("clip") / "in.mp4", 10)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip(tmp_path_factory.mktemp("other") / "other.mp4", 10, first=1)


@pytest.fixture(scope="module")
def tracked(clip: Path) -> Path:
    path = clip.with_name("made.tracks.jsonl")
    assert run("track", clip, "-o", path, *QUICK, "--quiet") == 0
    return path


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("still") / "still.png"
    with Image.open(PICTURE) as picture:
        picture.resize((picture.width // 6, picture.height // 6)).save(path)
    return path


@pytest.fixture
def tracks(tracked: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return Path(shutil.copy(tracked, tmp_path / "in.tracks.jsonl"))


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave only the detectors that need no weight files."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def read(path: Path) -> Tracks:
    return track_file.read(path).tracks


def hidden_share(path: Path) -> list[float]:
    """Return, for each frame, the share of its pixels that GREEN covers."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [float(((rgb[..., 1] > 180) & (rgb[..., 0] < 90)).mean()) for rgb in pictures]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_tracks_are_made_shown_and_rendered(
    clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = track_file.read(tracks)
    assert (made.source_name, made.detector, made.models) == ("in.mp4", "haar", ())
    assert (made.tracks.frame_count, made.tracks.size) == (10, (160, 120))
    assert len(made.tracks.tracks) >= 1
    out = tmp_path / "out.mp4"
    assert run("render", clip, tracks, out, *GREEN, "--json") == 0
    summary = json.loads(capsys.readouterr().out)["files"][0]
    assert (summary["frames"], summary["tracks"]) == (10, len(made.tracks.tracks))
    assert summary["detector"] is None  # rendering detects nothing
    assert min(hidden_share(out)) > 0.05


def test_what_a_person_changes_in_between_is_obeyed(
    clip: Path, tracks: Path, tmp_path: Path
) -> None:
    assert run("tracks", tracks, "--show", "all") == 0
    shown = tmp_path / "shown.mp4"
    assert run("render", clip, tracks, shown, *GREEN, "--quiet") == 0
    assert max(hidden_share(shown)) == 0
    assert (
        run("tracks", tracks, "--drop", "all", "--draw", "7@3=20,20,100,100..6=20,20,100,100") == 0
    )
    drawn = tmp_path / "drawn.mp4"
    assert run("render", clip, tracks, drawn, *GREEN, "--quiet") == 0
    assert [share > 0.1 for share in hidden_share(drawn)] == [3 <= i <= 6 for i in range(10)]


def test_rendering_hides_what_one_run_of_both_passes_hides(
    clip: Path, tracks: Path, tmp_path: Path
) -> None:
    words = (*GREEN, "--quiet")
    also = tmp_path / "also.jsonl"
    assert run(clip, tmp_path / "whole.mp4", "--tracks", also, *QUICK, *words) == 0
    assert run("render", clip, tracks, tmp_path / "apart.mp4", *words) == 0
    assert hidden_share(tmp_path / "whole.mp4") == hidden_share(tmp_path / "apart.mp4")
    for one, two in zip(read(also).tracks, read(tracks).tracks, strict=True):
        np.testing.assert_array_equal(one.frames, two.frames)
        np.testing.assert_array_equal(one.boxes, two.boxes)


@pytest.mark.parametrize("made_by", ["track", "run"])
def test_tracks_of_a_gif_render_to_a_gif_and_to_a_video(
    made_by: str, clip: Path, tmp_path: Path
) -> None:
    gif, tracks = tmp_path / "in.gif", tmp_path / "in.tracks.jsonl"
    with av.open(str(clip)) as container:
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


def test_without_a_name_the_tracks_lie_beside_the_video(clip: Path, tmp_path: Path) -> None:
    shutil.copy(clip, tmp_path / "a.b.mp4")
    assert run("track", tmp_path / "a.b.mp4", *QUICK) == 0
    assert files(tmp_path) == {"a.b.mp4", "a.b.tracks.jsonl"}


def test_tracks_of_another_video_are_refused(
    other: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", other, tracks, tmp_path / "out.mp4") == 1
    assert "is not the video that the tracks were made for (in.mp4" in error_line(capsys)
    assert not (tmp_path / "out.mp4").exists()


def test_outputs_that_exist_are_refused_and_stay(
    clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(b"mine")
    assert run("render", clip, tracks, mine) == 1
    assert "exists already" in error_line(capsys)
    before = tracks.read_bytes()
    assert run("track", clip, "-o", tracks, *QUICK) == 1
    assert "exists already" in error_line(capsys)
    assert run(clip, tmp_path / "out.mp4", "--tracks", tracks, *QUICK) == 1
    assert "exists already" in error_line(capsys)
    assert (mine.read_bytes(), tracks.read_bytes()) == (b"mine", before)
    assert files(tmp_path) == {"mine.mp4", tracks.name}  # nothing was looked at in vain
    assert run("render", clip, tracks, mine, "--overwrite", "--quiet") == 0
    assert run("track", clip, "-o", tracks, *QUICK, "--overwrite", "--quiet") == 0


@pytest.mark.parametrize("name", ["in.mp4", "link.mp4", "out.mp4"])
def test_tracks_never_take_the_place_of_a_video(
    clip: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copy(clip, tmp_path / "in.mp4"))
    (tmp_path / "link.mp4").hardlink_to(source)
    words = (source, tmp_path / "out.mp4", "--tracks", tmp_path / name, "--overwrite")
    assert run(*words, *QUICK) == 2
    assert "is the video itself" in error_line(capsys)
    if name != "out.mp4":
        assert run("track", source, "-o", tmp_path / name, "--overwrite", *QUICK) == 2
        assert "is the video itself" in error_line(capsys)
    assert source.read_bytes() == clip.read_bytes()
    assert files(tmp_path) == {"in.mp4", "link.mp4"}


def test_the_output_of_rendering_may_not_be_the_input(
    clip: Path, tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copy(clip, tmp_path / "in.mp4"))
    assert run("render", source, tracks, source, "--overwrite") == 1
    assert "is the input itself" in error_line(capsys)
    assert source.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("name", ["-", "rtmp://host/key"])
def test_rendering_writes_files(
    clip: Path, tracks: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", clip, tracks, name) == 2
    assert "is no file, and files are what is read and written here" in error_line(capsys)


def test_one_track_file_is_not_for_several_inputs(
    clip: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (clip, other, tmp_path / "out", "--tracks", tmp_path / "t.jsonl")
    assert run(*words, *QUICK) == 2
    assert "one track file for several inputs" in error_line(capsys)
    assert files(tmp_path) == set()


def test_tracks_need_both_passes(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (clip, tmp_path / "out.mp4", "--tracks", tmp_path / "t.jsonl", "--one-pass")
    assert run(*words, *QUICK) == 2
    assert "leave --one-pass out" in error_line(capsys)
    assert files(tmp_path) == set()


def test_a_still_picture_has_no_tracks(
    still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("track", still, "-o", tmp_path / "t.jsonl", *HAAR) == 1
    assert "is a still picture" in error_line(capsys)
    assert run(still, tmp_path / "p.png", "--tracks", tmp_path / "t.jsonl", *HAAR) == 2
    assert "still.png is a picture" in error_line(capsys)
    assert "t.jsonl" not in files(tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--delay", "0.2"), "--one-pass"),
        (("--one-pass", "--delay", "11"), "--delay is 11"),
        (("--one-pass", "--delay", "-1"), "--delay is -1"),
        (("--margin", "-0.1"), "--margin is -0.1"),
        (("--margin", "nan"), "--margin is nan"),
    ],
)
def test_times_without_sense_are_wrong_usage(
    clip: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(clip, tmp_path / "out.mp4", *QUICK, *words) == 2
    assert says in error_line(capsys)
    assert files(tmp_path) == set()


def test_rendering_knows_no_options_of_finding(clip: Path, tracks: Path, tmp_path: Path) -> None:
    for words in (("--detector", "haar"), ("--margin", "1"), ("--one-pass",)):
        assert run("render", clip, tracks, tmp_path / "out.mp4", *words) == 2
    for words in (("--method", "solid"), ("--one-pass",), ("--codec", "h264")):
        assert run("track", clip, "-o", tmp_path / "t.jsonl", *words) == 2


@pytest.mark.parametrize("delay", ["0", "0.2", "9"])
def test_in_one_pass_all_frames_come_out_whatever_the_delay(
    clip: Path, tmp_path: Path, delay: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    words = ("--one-pass", "--delay", delay, *GREEN, "--json")
    assert run(clip, out, *QUICK, *words) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["frames"] == 10
    assert len(hidden_share(out)) == 10
    assert hidden_share(out)[-1] > 0.05


def test_a_margin_reaches_as_far_as_it_says(clip: Path, tracked: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.jsonl"
    assert run("track", clip, "-o", wide, *QUICK, "--margin", "5", "--quiet") == 0
    assert len(read(wide).tracks) == len(read(tracked).tracks)
    assert all(len(track) == 10 for track in read(wide).tracks)


@pytest.mark.usefixtures("no_weights")
def test_a_run_that_hides_all_is_verified_as_clean(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(clip, tmp_path / "out.mp4", "--verify", *QUICK) == 0
    said = capsys.readouterr().err
    assert "no exposed face in 10 of 10 frames" in said
    assert "onnx looked: a second, independent detector sees more: trackblur models pull" in said


def test_the_verdict_is_in_the_summary_and_on_a_page(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, out = tmp_path / "look.html", tmp_path / "out.mp4"
    assert run(clip, out, "--verify-report", page, "--json", *QUICK) == 0
    said = capsys.readouterr()
    (file,) = json.loads(said.out)["files"]
    assert (file["verified"]["clean"], file["verified"]["looked"]) == (True, 10)
    assert f"trackblur: {page}: what was found, to be looked at; it shows faces" in said.err
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert run(clip, tmp_path / "o.mp4", "--json", *QUICK) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["verified"] is None


def test_a_page_that_cannot_be_written_is_said_before_looking(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(clip, tmp_path / "b.mp4")
    (tmp_path / "old.html").touch()
    for page, code, says in (
        (tmp_path / "b.mp4", 2, "is no name of a page"),
        (tmp_path / "old.html", 1, "exists already"),
        (tmp_path / "none" / "a.html", 1, "does not exist: make it"),
    ):
        assert run(clip, tmp_path / "out.mp4", "--verify-report", page, *QUICK) == code
        assert says in error_line(capsys)
    words = [clip, tmp_path / "b.mp4", "-o", tmp_path / "hidden", "--verify-report", "a.html"]
    assert run(*words, *QUICK) == 2
    assert "a.html: is one page for several inputs" in error_line(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.mp4", "old.html"]


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize("words", [(), ("--one-pass",)])
def test_a_run_that_leaves_faces_exposed_ends_with_3(
    clip: Path, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    nothing_is_sure = ("--confidence", "1", "--detect-every", "9", "--quiet")
    assert run(clip, out, "--verify", *QUICK, *nothing_is_sure, *words) == 3
    assert "a face is exposed" in capsys.readouterr().err
    assert out.exists()  # it is there to be looked at


def test_a_still_picture_is_not_verified_and_that_is_said(
    still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(still, tmp_path / "p.png", "--verify", "--quiet", *HAAR) == 0
    assert "p.png: is not verified: --verify is for videos" in capsys.readouterr().err


@pytest.mark.shared
def test_the_names_of_weight_files_are_kept(shared: Path, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    words = ("--detector", "yunet", "--face", shared / "models", "--quiet")
    assert run("track", clip, "-o", path, *words) == 0
    made = track_file.read(path)
    assert made.detector == "yunet"
    assert all(name.endswith(".onnx") for name in made.models)
    assert str(shared) not in path.read_text()
    assert len(made.tracks.tracks) >= 1
