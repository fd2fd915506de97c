"""The command line as a user meets it: real files in, real files out, one line where it fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests import heeding
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.cli.main import _COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "samples" / "crossing.mp4"
PICTURE = ROOT / "samples" / "people.jpg"


@pytest.fixture
def models(shared: Path) -> str:
    return str(shared / "models")


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample's first 12 frames, small, with its sound."""
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    with av.open(str(CLIP)) as reader, av.open(str(path), "w") as writer:
        video = writer.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        sound = writer.add_stream_from_template(reader.streams.audio[0])
        for index, frame in enumerate(reader.decode(video=0)):
            if index == 12:
                break
            small = frame.reformat(640, 360)
            small.pict_type = 0
            writer.mux(video.encode(small))
        writer.mux(video.encode(None))
        reader.seek(0)
        for packet in reader.demux(audio=0):
            if packet.dts is not None and packet.pts * packet.time_base < 12 / 25:
                packet.stream = sound
                writer.mux(packet)
    return path


def run(*words: str | Path) -> int:
    """Run the command line in this process; return its exit code."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only error line that was printed."""
    lines = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(lines) == 1, lines
    return lines[0]


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.shared
def test_a_video_keeps_its_frames_and_sound_and_changes_where_faces_are(
    short_clip: Path, tmp_path: Path, models: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run(short_clip, out, "--face", models, "--method", "solid", "--json") == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert summary["files"][0]["frames"] == 12 == frame_count(out)
    assert summary["files"][0]["tracks"] >= 3
    assert summary["files"][0]["detector"] == "yunet"
    assert set(summary["files"][0]["stage_seconds"]) == {"decode", "see", "redact", "write"}
    assert len(summary["files"][0]["output_sha256"]) == 64
    assert "yunet" in printed.err
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert (next(container.decode(video=0)).to_ndarray(format="gray") < 20).mean() > 0.01


@pytest.mark.parametrize("method", ["solid", "pixelated", "gaussian", "simple", "fog"])
def test_every_method_changes_the_faces_of_a_picture(method: str, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert run(PICTURE, out, "--method", method, "--detector", "haar", "--quiet") == 0
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (PICTURE, out))
    changed = (before != after).any(axis=2)
    assert 0.01 < changed.mean() < 0.4


def test_without_out_the_name_is_predictable_and_a_second_run_refuses_to_overwrite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(PICTURE, tmp_path / "a.jpg")
    words = (tmp_path / "a.jpg", "--detector", "haar")
    assert run(*words) == 0
    made = (tmp_path / "a_redacted.jpg").read_bytes()
    capsys.readouterr()
    assert run(*words) == 1
    refused = "a_redacted.jpg: exists already: choose another name, or --overwrite it"
    assert refused in error_line(capsys)
    assert run(*words, "--json") == 1
    assert refused in json.loads(capsys.readouterr().out)["failed"][0]["error"]
    assert (tmp_path / "a_redacted.jpg").read_bytes() == made
    assert run(*words, "--overwrite") == 0


def test_one_bad_file_in_a_folder_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(PICTURE, folder / "deep" / "good.jpg")
    (folder / "bad.jpg").write_bytes(b"no picture at all")
    assert run(folder, tmp_path / "out", "--detector", "haar") == 1
    printed = capsys.readouterr().err
    assert "bad.jpg" in printed
    assert "1 done, 0 skipped, 1 failed" in printed
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["good.jpg"]
    assert run(folder, tmp_path / "out", "--detector", "haar") == 1
    assert "0 done, 1 skipped, 1 failed" in capsys.readouterr().err


def test_an_unreadable_folder_does_not_stop_the_others_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        shutil.copy(PICTURE, tmp_path / "in" / name / "a.jpg")
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: Path(path).name != "y" and access(path, how)
    )
    assert run(tmp_path / "in", tmp_path / "out", "--detector", "haar") == 1
    assert f"{tmp_path / 'in' / 'y'}: cannot be looked into" in error_line(capsys)
    assert (tmp_path / "out" / "x" / "a.jpg").exists()


def test_compare_writes_before_and_after_and_says_that_it_shows_faces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PICTURE, tmp_path / "b.jpg", "--detector", "haar", "--compare") == 0
    with Image.open(tmp_path / "b_compare.jpg") as both, Image.open(PICTURE) as one:
        assert both.width > 2 * one.width
    assert "shows the faces as they were" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_show_without_a_screen_is_a_warning_not_a_crash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert run(PICTURE, tmp_path / "b.jpg", "--detector", "haar", "--show") == 0
    assert "there is no screen" in capsys.readouterr().err


def make_input(kind: str, folder: Path, short_clip: Path) -> Path:
    """Return a bad input of a kind."""
    path = folder / "in.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("these are words\n" * 100)
    elif kind == "truncated":
        content = short_clip.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3])
    elif kind == "no pictures":
        with av.open(str(short_clip)) as reader, av.open(str(path), "w") as writer:
            sound = writer.add_stream_from_template(reader.streams.audio[0])
            for packet in reader.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = sound
                    writer.mux(packet)
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "no pictures"])
def test_bad_inputs_are_one_line_and_leave_nothing(
    kind: str, tmp_path: Path, short_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_input(kind, tmp_path, short_clip)
    before = source.read_bytes() if source.exists() else None
    assert run(source, tmp_path / "out.mp4", "--detector", "haar") == 1
    assert str(source) in error_line(capsys)
    assert [path for path in tmp_path.iterdir() if path != source] == []
    assert before is None or source.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--method", "image"], "--method 'image' needs a picture: name one with --image"),
        (["--blocks", "0"], "--blocks is 0"),
        (["--confidence", "1.5"], "--confidence is 1.5"),
        (["--confidence", "nan"], "--confidence is nan"),
        (["--detector", "psychic"], "--detector is 'psychic'"),
        (["--tracker", "dog"], "--tracker is 'dog'"),
        (["--color", "reddish", "--method", "solid"], "--color is 'reddish'"),
        (["--hold", "-1"], "--hold is -1"),
        (["--view-size", "3"], "--view-size is 3"),
        (["--delay", "1"], "--delay is for one pass: add --one-pass"),
        (["--detect-every", "0"], "--detect-every is 0"),
        (["--face", "no/such/folder"], "no such folder of weight files: name one with --face"),
    ],
)
def test_wrong_option_values_are_usage_errors(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PICTURE, tmp_path / "out.jpg", *words) == 2
    assert says in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--detect-every", "often"], "--detect-every: 'often': give a whole number, or 'auto'"),
        (["--view-size", "large"], "--view-size: 'large': give a whole number"),
        (["--view-size", "640.5"], "--view-size: '640.5': give a whole number"),
        (["--confidence", "high"], "--confidence: 'high': give a number"),
    ],
)
def test_a_wrong_number_is_told_in_words(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PICTURE, tmp_path / "out.jpg", *words) == 2
    assert says in error_line(capsys)


def test_a_name_that_begins_with_a_dash_is_told_how_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(PICTURE, "-people.jpg")
    assert run("-people.jpg", "out.jpg") == 2
    assert "to name the file -people.jpg, write ./-people.jpg" in error_line(capsys)
    assert run("./-people.jpg", "out.jpg", "--detector", "haar") == 0


def test_a_detector_file_that_is_missing_is_no_such_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PICTURE, tmp_path / "out.jpg", "--detector", "none.onnx") == 1
    assert "none.onnx: no such file" in error_line(capsys)


def test_a_video_under_a_pictures_name_is_told(
    tmp_path: Path, short_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(short_clip, tmp_path / "vid.jpg")
    assert run(tmp_path / "vid.jpg", "--detector", "haar") == 1
    assert "vid.jpg: holds a video, by its name a picture: rename it" in error_line(capsys)


@pytest.mark.parametrize(
    "words", [["--detect-every", "often"], ["--method", "magic"], ["--nonsense"]]
)
def test_what_argparse_refuses_is_a_usage_error(words: list[str], tmp_path: Path) -> None:
    assert run(PICTURE, tmp_path / "out.jpg", *words) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--encoder", "h265_magic"], "--encoder is 'h265_magic'"),
        (["--preset", "warp"], "--preset is 'warp'"),
        (["--quality", "99"], "--quality is 99"),
    ],
)
def test_wishes_that_no_encoder_knows_are_usage_errors(
    words: list[str],
    says: str,
    tmp_path: Path,
    short_clip: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(short_clip, tmp_path / "out.mp4", "--detector", "haar", *words) == 2
    assert says in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_options_that_change_nothing_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--quality", "20", "--factor", "2", "--hold", "3", "--blocks", "6"]
    assert run(PICTURE, tmp_path / "out.jpg", "--detector", "haar", *words) == 0
    said = capsys.readouterr().err
    assert "trackblur: --quality changes nothing here: it is for videos" in said
    assert "trackblur: --factor changes nothing here: it is for the method gaussian" in said
    assert "trackblur: --hold changes nothing here: it is for one pass" in said
    assert "--blocks" not in said
    assert "--margin" not in said


def test_missing_weights_are_named_with_the_way_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(PICTURE, tmp_path / "out.jpg", "--detector", "centerface") == 1
    assert "trackblur models pull centerface" in error_line(capsys)


@pytest.mark.shared
def test_a_corrupt_weight_file_is_refused(
    tmp_path: Path, models: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "face_detection_yunet_2023mar.onnx"
    content = bytearray(Path(models, name).read_bytes())
    content[1000] ^= 0xFF
    (tmp_path / name).write_bytes(content)
    assert run(PICTURE, tmp_path / "o.jpg", "--detector", "yunet", "--face", tmp_path) == 1
    assert name in error_line(capsys)
    assert not (tmp_path / "o.jpg").exists()


def test_the_output_may_not_be_the_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(PICTURE, tmp_path / "a.jpg")
    before = (tmp_path / "a.jpg").read_bytes()
    assert run(tmp_path / "a.jpg", tmp_path / "a.jpg", "--overwrite") == 2
    assert "is an input" in error_line(capsys)
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_two_names_of_an_unquoted_pattern_lose_no_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.jpg", tmp_path / "b.jpg"
    for path in (first, second):
        shutil.copy(PICTURE, path)
    before = second.read_bytes()
    assert run(first, second, "--detector", "haar", "--overwrite") == 2
    assert error_line(capsys).endswith(
        f"{second}: exists beside {first} and may be an input: quote patterns, or replace it with "
        f"-o {second}"
    )
    assert second.read_bytes() == before
    assert run(first, "-o", second, "--detector", "haar", "--overwrite") == 0
    assert second.read_bytes() != before


def test_with_o_all_other_names_are_inputs(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(PICTURE, tmp_path / name)
    names = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    assert run(*names, "-o", tmp_path / "hidden", "--detector", "haar") == 0
    assert sorted(path.name for path in (tmp_path / "hidden").iterdir()) == ["a.jpg", "b.jpg"]


def test_an_output_elsewhere_is_replaced_by_overwrite(tmp_path: Path) -> None:
    target = tmp_path / "out.jpg"
    for _ in range(2):
        assert run(PICTURE, target, "--detector", "haar", "--overwrite") == 0


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    for flag in ("--detector", "--method", "--hold", "--codec", "--overwrite", "--json"):
        assert flag in text


@pytest.mark.parametrize("command", [None, *_COMMANDS])
def test_no_help_waits_for_opencv(command: str | None) -> None:
    words = [command, "--help"] if command else ["--help"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tracker_blur", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert imported & {"cv2", "av", "scipy", "PIL", "tqdm"} == set()


@pytest.mark.shared
@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_half_written(
    number: signal.Signals, tmp_path: Path, models: str
) -> None:
    process = subprocess.Popen(
        [
            *heeding.PROGRAM,
            str(CLIP),
            str(tmp_path / "out.mp4"),
            "--face",
            models,
            "--preset",
            "placebo",  # it is not done before it is interrupted, however late that comes
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: list(tmp_path.iterdir()))
    time.sleep(0.3)  # some pictures may be in it
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, errors
    assert list(tmp_path.iterdir()) == []
    assert "interrupted" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_names_the_options(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--print-completion", shell) == 0
    assert "detect-every" in capsys.readouterr().out
