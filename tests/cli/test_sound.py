"""Parts of the audio are muted or bleeped by options and by track files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.cli.conftest import QUICK
from tests.command_line import error_line, run
from tests.video.test_audio_editing import heard
from tests.video.test_lossless_audio import with_audio
from tests.video_files import AudioTrack, CaptionTrack, write_clip
from tracker_blur.annotations import track_file

if TYPE_CHECKING:
    from pathlib import Path

SPANS = ("--mute", "0.3s..0.5s", "--bleep", "0:00.6..0:00.8")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_audio(tmp_path_factory.mktemp("sound") / "in.mp4", "aac")


def levels(path: Path) -> list[float]:
    """Return the loudest sample of each tenth of the first second."""
    return [float(np.abs(part).max()) for part in np.split(heard(path), 10)]


def assert_edited(path: Path) -> None:
    found = levels(path)
    assert found[3:5] == [0, 0]
    assert found[6:8] == pytest.approx([0.1, 0.1], rel=0.05)
    assert min(found[1], found[2], found[5], found[8]) > 0.5


@pytest.mark.parametrize("passes", [(), ("--one-pass",)])
def test_options_replace_parts_and_verify_accepts_it(
    passes: tuple[str, ...],
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.mp4"
    assert run(clip, out, *QUICK, *SPANS, *passes) == 0
    assert_edited(out)
    assert "is stored as flac: what was chosen is replaced" in capsys.readouterr().err
    assert run("verify", out, "--against", clip, *SPANS, "--every", "25") == 0
    assert "everything else is intact" in capsys.readouterr().out


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "subrip"), (".mp4", "mov_text")])
def test_words_that_are_muted_are_not_in_the_subtitles_either(
    suffix: str, codec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [(0.0, 0.2, "Good evening"), (0.3, 0.6, "My name is Jane Roe"), (0.7, 0.9, "Hello")]
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write_clip(
        source, frames=25, audio_tracks=[AudioTrack()], captions=[CaptionTrack(codec, lines)]
    )
    assert run(source, out, *QUICK, "--mute", "0.4s..0.5s") == 0
    warning = "1 subtitle is left out: the audio is muted or bleeped while shown"
    assert capsys.readouterr().err.count(warning) == 1
    assert b"Jane Roe" in source.read_bytes()
    assert b"Jane Roe" not in out.read_bytes()
    assert b"Good evening" in out.read_bytes()
    assert b"Hello" in out.read_bytes()
    check = ("verify", out, "--against", source, "--every", "25")
    assert run(*check, "--mute", "0.4s..0.5s") == 0
    assert "everything else is intact" in capsys.readouterr().out
    assert run(*check, "--mute", "0.8s..") == 1  # then another one had to be left out
    assert "failed checks: subtitle" in capsys.readouterr().out


def test_all_of_the_audio_is_muted_or_bleeped(clip: Path, tmp_path: Path) -> None:
    for rule, level in (("mute", 0), ("bleep", 0.1)):
        out = tmp_path / f"{rule}.mkv"
        assert run(clip, out, *QUICK, "--audio", rule) == 0
        assert levels(out)[1:9] == pytest.approx([level] * 8, rel=0.05)


def test_track_files_hold_spans_that_render_obeys(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks, out = tmp_path / "in.tracks.jsonl", tmp_path / "out.mov"
    assert run("track", clip, "-o", tracks, *QUICK) == 0
    assert run("tracks", tracks, *SPANS, "--mute", "0s..0.9s") == 0
    capsys.readouterr()
    assert run("tracks", tracks, "--drop-sound", "3") == 0
    assert run("tracks", tracks) == 0
    listed = capsys.readouterr().out
    assert "sound 1: mute 0.3s..0.5s\nsound 2: bleep 0:00.6..0:00.8\n" in listed
    assert "audio replaced 2 times" in listed
    assert [span.effect for span in track_file.read(tracks).tracks.rules.audio] == ["mute", "bleep"]
    assert run("render", clip, tracks, out, "--quiet") == 0
    assert_edited(out)
    assert run("render", clip, tracks, out, "--quiet", "--overwrite", "--mute", "0.9s..") == 0
    assert_edited(out)
    assert levels(out)[9] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mute", "5s"), "--mute '5s' is no span of time: give one such as 10s..15s"),
        (("--mute", "-1s..3s"), "--mute '-1s..3s' has '-1s', which is negative"),
        (("--mute", "50s..60s"), "and mute 50s..60s begins only at 0:00:50.000: give an earlier"),
        (("--bleep", "9s..5s"), "--bleep '9s..5s' ends before it begins: swap the two"),
        (
            ("--mute", "1s..2s", "--audio", "drop"),
            "--mute needs audio, which is dropped: leave out",
        ),
    ],
)
def test_nonsense_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(clip, tmp_path / "out.mp4", *QUICK, *arguments) == 2
    assert message in error_line(capsys)
    assert not (tmp_path / "out.mp4").exists()


def test_a_video_without_audio_is_written_all_the_same_and_said(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent, out = tmp_path / "silent.mp4", tmp_path / "out.mp4"
    with av.open(str(clip)) as reader, av.open(str(silent), "w") as writer:
        stream: Any = writer.add_stream_from_template(reader.streams.video[0])
        for packet in reader.demux(video=0):
            if packet.size:
                packet.stream = stream
                writer.mux(packet)
    capsys.readouterr()
    assert run(silent, out, *QUICK, *SPANS) == 0
    assert "silent.mp4: has no audio: nothing is muted or bleeped" in capsys.readouterr().err
    with av.open(str(out)) as container:
        assert not container.streams.audio
