"""Runs whose input is replaced or rewritten between two readings end without an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import QUICK
from tests.command_line import error_line, run
from tests.video.rewriting import names
from tests.video_files import AudioTrack, write_clip
from tracker_blur import Settings
from tracker_blur.annotations import track_file
from tracker_blur.errors import SourceError
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.verification.verifier import Verifier
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.core.report import Report
    from tracker_blur.files.identity import FileIdentity

FRAMES = 6
SETTINGS = Settings(detector="haar", view_px=160)
CHANGED = "in.mp4: was replaced or changed while it was being read"


def clip(path: Path, **options: str) -> Path:
    return write_clip(path, frames=FRAMES, audio_tracks=[AudioTrack()], options=options)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return clip(tmp_path / "in.mp4")


@pytest.fixture
def other(tmp_path: Path) -> bytes:
    """Return the bytes of another video with as many frames, at the same times."""
    (tmp_path / "other").mkdir()
    return clip(tmp_path / "other" / "in.mp4", crf="40").read_bytes()


@pytest.fixture(params=["rename", "in place"])
def swap(request: pytest.FixtureRequest, video: Path, other: bytes) -> Callable[[], None]:
    """Return a function that puts another video of the same length in place of the first."""

    def put() -> None:
        content = other.ljust(video.stat().st_size, b"\0")[: video.stat().st_size]
        if request.param == "rename":
            video.rename(video.with_suffix(".old"))
            video.write_bytes(content)
        else:
            with video.open("r+b") as file:
                file.write(content)

    return put


def swap_after(monkeypatch: pytest.MonkeyPatch, name: str, swap: Callable[[], None]) -> None:
    """Let the video be swapped as soon as a method of the engine is done."""
    method = getattr(Engine, name)

    def run_then_swap(*arguments: object, **options: object) -> Report:
        report: Report = method(*arguments, **options)
        swap()
        return report

    monkeypatch.setattr(Engine, name, run_then_swap)


@pytest.mark.parametrize("written", [1, FRAMES])
def test_redact(video: Path, tmp_path: Path, swap: Callable[[], None], written: int) -> None:
    target = tmp_path / "out.mp4"

    def progress(report: Report) -> None:
        if report.frames == written:
            swap()

    with pytest.raises(SourceError, match=CHANGED):
        Engine(SETTINGS).redact_file(Job(video, target, "video"), progress)
    assert not target.exists()
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_one_pass_whose_audio_is_read_by_its_own(
    video: Path, tmp_path: Path, swap: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    entering = VideoWriter.__enter__

    def swap_then_enter(writer: VideoWriter) -> VideoWriter:
        swap()
        return entering(writer)

    monkeypatch.setattr(VideoWriter, "__enter__", swap_then_enter)
    target = tmp_path / "out.mp4"
    settings = Settings(detector="haar", view_px=160, one_pass=True)
    with pytest.raises(SourceError, match=CHANGED):
        Engine(settings).redact_file(Job(video, target, "video"))
    assert not target.exists()


def test_track_writes_no_file(
    video: Path,
    tmp_path: Path,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    swap_after(monkeypatch, "track_file", swap)
    tracks = tmp_path / "t.jsonl"
    assert run("track", video, "-o", tracks, *QUICK) == 1
    assert CHANGED in error_line(capsys)
    assert not tracks.exists()


def test_a_track_file_has_the_hash_of_the_file_that_was_tracked(
    video: Path,
    tmp_path: Path,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    swap_after(monkeypatch, "redact_file", swap)
    tracks = tmp_path / "t.jsonl"
    assert run(video, tmp_path / "out.mp4", "--tracks", tracks, *QUICK) == 1
    assert CHANGED in error_line(capsys)
    assert not tracks.exists()


def test_render_after_the_hash_was_checked(
    video: Path,
    tmp_path: Path,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tracks, target = tmp_path / "t.jsonl", tmp_path / "out.mp4"
    assert run("track", video, "-o", tracks, *QUICK) == 0
    check = track_file.check_source

    def check_then_swap(content: track_file.TrackFile, path: Path) -> FileIdentity:
        identity = check(content, path)
        swap()
        return identity

    monkeypatch.setattr(track_file, "check_source", check_then_swap)
    capsys.readouterr()
    assert run("render", video, tracks, target, "--quiet") == 1
    assert CHANGED in error_line(capsys)
    assert not target.exists()


@pytest.mark.parametrize("changed", ["input", "output"])
def test_verify(
    video: Path,
    tmp_path: Path,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
) -> None:
    copy = clip(tmp_path / "copy.mp4")
    output, source = (copy, video) if changed == "input" else (video, copy)

    def progress(frames: int, _: int | None) -> None:
        if frames == FRAMES:
            swap()

    monkeypatch.setattr("tracker_blur.verification.verifier.load_probes", lambda *_: ())
    with pytest.raises(SourceError, match=CHANGED):
        Verifier(SETTINGS).verify(output, source=source, progress=progress)


def test_verify_after_redacting_compares_with_the_file_that_was_redacted(
    video: Path,
    tmp_path: Path,
    swap: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    swap_after(monkeypatch, "redact_file", swap)
    assert run(video, tmp_path / "out.mp4", "--verify", *QUICK) == 1
    assert CHANGED in error_line(capsys)


def test_compare_shows_the_image_that_was_redacted(
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = tmp_path / "in.png"
    image.write_bytes(small_image.read_bytes())
    redact = Engine.redact_file

    def redact_then_change(*arguments: Any) -> Report:
        report = redact(*arguments)
        image.write_bytes(small_image.read_bytes())
        return report

    monkeypatch.setattr(Engine, "redact_file", redact_then_change)
    assert run(image, tmp_path / "out.png", "--compare", "--detector", "haar", "--quiet") == 1
    assert "in.png: was replaced or changed" in error_line(capsys)
    assert names(tmp_path) == ["in.png", "out.png"]
