"""`trackblur IN OUT` as users meet it: real files in and out, one line where it fails."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import IMAGE
from tests.command_line import error_line, run

HAAR = ("--detector", "haar")


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.shared
def test_a_video_keeps_its_frames_and_audio_and_changes_where_faces_are(
    clip_with_audio: Path, tmp_path: Path, models: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run(clip_with_audio, out, "--face", models, "--method", "solid", "--json") == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert summary["files"][0]["frames"] == 12 == frame_count(out)
    assert summary["files"][0]["tracks"] >= 3
    assert summary["files"][0]["detector"] == "yunet"
    stages = set(summary["files"][0]["stage_seconds"])
    assert stages == {"decode ahead", "see", "decode", "redact", "write"}
    assert len(summary["files"][0]["output_sha256"]) == 64
    assert "yunet" in printed.err
    with av.open(str(out)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert (next(container.decode(video=0)).to_ndarray(format="gray") < 20).mean() > 0.01


@pytest.mark.parametrize("method", ["mosaic", "solid", "pixelated", "gaussian", "simple", "fog"])
def test_every_method_changes_the_faces_of_an_image(
    method: str, small_image: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    assert run(small_image, out, "--method", method, *HAAR, "--quiet") == 0
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (small_image, out))
    changed = (before != after).any(axis=2)
    assert 0.01 < changed.mean() < 0.4


def test_decisions_of_a_review_that_have_no_effect_are_named(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = small_image.with_name(f"{small_image.stem}.journal.jsonl")
    journal.touch()
    try:
        assert run(small_image, tmp_path / "out.png", *HAAR) == 0
    finally:
        journal.unlink()
    assert (
        f"({journal.name}) has no effect here: make it from its review" in capsys.readouterr().err
    )


def test_without_out_the_name_is_predictable_and_a_second_run_does_not_overwrite(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(small_image, tmp_path / "a.png")
    arguments = (tmp_path / "a.png", *HAAR)
    assert run(*arguments) == 0
    written = (tmp_path / "a_redacted.png").read_bytes()
    capsys.readouterr()
    assert run(*arguments) == 1
    refused = "a_redacted.png: already exists: choose another name or use --overwrite"
    assert refused in error_line(capsys)
    assert run(*arguments, "--json") == 1
    assert refused in json.loads(capsys.readouterr().out)["failed"][0]["error"]
    assert run(tmp_path / "none.png", *HAAR, "--json") == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["files"], summary["skipped"], len(summary["failed"])) == ([], [], 1)
    assert (tmp_path / "a_redacted.png").read_bytes() == written
    assert run(*arguments, "--overwrite") == 0


def test_one_bad_file_in_a_folder_does_not_stop_the_others(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(small_image, folder / "deep" / "good.png")
    (folder / "bad.jpg").write_bytes(b"not an image")
    assert run(folder, tmp_path / "out", *HAAR) == 1
    printed = capsys.readouterr().err
    assert "bad.jpg" in printed
    assert "1 done, 0 skipped, 1 failed" in printed
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["good.png"]
    assert run(folder, tmp_path / "out", *HAAR) == 1
    assert "0 done, 1 skipped, 1 failed" in capsys.readouterr().err


def test_an_unreadable_folder_is_reported_and_does_not_stop_the_others(
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        shutil.copy(small_image, tmp_path / "in" / name / "a.png")
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: Path(path).name != "y" and access(path, how)
    )
    assert run(tmp_path / "in", tmp_path / "out", *HAAR) == 1
    assert f"{tmp_path / 'in' / 'y'}: cannot be read" in error_line(capsys)
    assert (tmp_path / "out" / "x" / "a.png").exists()


def test_compare_writes_before_and_after_next_to_the_input_for_its_owner_only(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    source, target = tmp_path / "in" / "a.png", tmp_path / "out" / "b.png"
    shutil.copy(small_image, source)
    assert run(source, target, *HAAR, "--compare") == 0
    page = tmp_path / "in" / "a_compare.png"
    with Image.open(page) as both, Image.open(source) as one:
        assert both.width > 2 * one.width
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]
    assert f"{page}: shows the original faces" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--compare", "--show"])
@pytest.mark.parametrize("name", ["in", "in/*.png"])
def test_faces_of_a_folder_are_not_shown(
    flag: str, name: str, small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(small_image, tmp_path / "in" / "a.png")
    assert run(tmp_path / name, "-o", tmp_path / "out", *HAAR, flag) == 2
    assert f"{flag} shows faces, so it works only on images that are named one by one" in (
        error_line(capsys)
    )
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.png"]


@pytest.mark.parametrize("flag", ["--compare", "--show"])
def test_compare_and_show_refuse_a_video_before_the_work(
    flag: str, small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_clip, tmp_path / "out.mp4", *HAAR, flag) == 2
    assert f"{flag} works only on images, and {small_clip} is a video" in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_replaces_no_input(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.png", tmp_path / "a_compare.png"
    for path in (first, second):
        shutil.copy(small_image, path)
    arguments = (first, second, "-o", tmp_path / "out", *HAAR, "--compare", "--overwrite")
    assert run(*arguments) == 2
    assert f"{second}: is an input or an output" in error_line(capsys)
    assert second.read_bytes() == small_image.read_bytes()
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_show_without_a_screen_is_a_warning_not_a_crash(
    small_image: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert run(small_image, tmp_path / "b.png", *HAAR, "--show") == 0
    assert "there is no screen" in capsys.readouterr().err


def write_bad_input(kind: str, folder: Path, clip: Path) -> Path:
    """Write a bad input of this kind and return its path."""
    path = folder / "in.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("these are words\n" * 100)
    elif kind == "truncated":
        content = clip.read_bytes()
        path.write_bytes(content[: len(content) * 2 // 3])
    elif kind == "audio only":
        with av.open(str(clip)) as reader, av.open(str(path), "w") as writer:
            audio = writer.add_stream_from_template(reader.streams.audio[0])
            for packet in reader.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = audio
                    writer.mux(packet)
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "audio only"])
def test_a_bad_input_is_one_line_and_leaves_nothing(
    kind: str, tmp_path: Path, clip_with_audio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_bad_input(kind, tmp_path, clip_with_audio)
    before = source.read_bytes() if source.exists() else None
    assert run(source, tmp_path / "out.mp4", *HAAR, "--method", "gaussian") == 1
    (line,) = capsys.readouterr().err.splitlines()  # nothing else is said of such a run
    assert line.startswith(f"trackblur: error: {source}")
    assert run("track", source, "-o", tmp_path / "out.jsonl", *HAAR) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    if kind in ("text", "audio only"):  # the input is what is wrong, not that its output has no
        other = source.rename(source.with_suffix(".txt"))  # suffix of videos
        assert run(other, tmp_path / "out.txt", *HAAR) == 1
        assert error_line(capsys).startswith(f"trackblur: error: {other}: ")
        other.rename(source)
    assert [path for path in tmp_path.iterdir() if path != source] == []
    assert before is None or source.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "image"], "--method image needs an image: give one with --image"),
        (["--blocks", "0"], "--blocks is 0"),
        (["--confidence", "1.5"], "--confidence is 1.5"),
        (["--confidence", "nan"], "--confidence is nan"),
        (["--detector", "psychic"], "--detector is 'psychic'"),
        (["--hide", "badge"], "--hide "),
        (["--hide", ""], "--hide: '': give names separated by commas"),
        (["--hide", "faces,"], "--hide: 'faces,': give names separated by commas"),
        (["--tracker", "dog"], "--tracker is 'dog'"),
        (["--color", "reddish", "--method", "solid"], "--color is 'reddish'"),
        (["--hold", "-1"], "--hold is -1"),
        (["--view-size", "3"], "--view-size is 3"),
        (["--delay", "1"], "--delay works only in one pass: add --one-pass"),
        (["--detect-every", "0"], "--detect-every is 0"),
        (
            ["--face", "no/such/folder"],
            "no such folder of weight files: name one that exists with ",
        ),
        (["--detect-every", "often"], "--detect-every: 'often': give a whole number, or 'auto'"),
        (["--view-size", "large"], "--view-size: 'large': give a whole number"),
        (["--view-size", "640.5"], "--view-size: '640.5': give a whole number"),
        (["--confidence", "high"], "--confidence: 'high': give a number"),
        (["--method", "magic"], "invalid choice: 'magic'"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_option_value_is_wrong_usage(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(IMAGE, tmp_path / "out.jpg", *arguments) == 2
    assert message in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--encoder", "h265_magic"], "--encoder is 'h265_magic'"),
        (["--preset", "warp"], "--preset is 'warp'"),
        (["--quality", "99"], "--quality is 99"),
    ],
)
def test_a_value_that_no_encoder_takes_is_wrong_usage(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    clip_with_audio: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(clip_with_audio, tmp_path / "out.mp4", *HAAR, *arguments) == 2
    assert message in error_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_detector_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(IMAGE, tmp_path / "out.jpg", "--detector", "none.onnx") == 1
    assert "none.onnx: no such file" in error_line(capsys)


def test_a_video_with_the_name_of_an_image_is_explained(
    tmp_path: Path, clip_with_audio: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(clip_with_audio, tmp_path / "vid.jpg")
    assert run(tmp_path / "vid.jpg", *HAAR) == 1
    assert "vid.jpg: holds a video, but its name is that of an image: rename it" in error_line(
        capsys
    )


def test_a_suffix_that_is_not_written_is_wrong_usage_said_before_anything_else(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_clip, tmp_path / "out.xyz", *HAAR) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "out.xyz: videos are written as .mp4, " in line
    assert run(tmp_path / "none.mp4", small_clip, *HAAR) == 1
    assert f"; the input comes first: if it is {small_clip}, swap them" in error_line(capsys)
    assert run("track", tmp_path / "none" / "in.mp4", "--quiet") == 1  # not: create that folder
    assert "in.mp4: no such file: check the name" in error_line(capsys)


def test_options_without_effect_are_noted(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--quality", "20", "--factor", "2", "--hold", "3", "--blocks", "6"]
    assert run(small_image, tmp_path / "out.png", *HAAR, *arguments) == 0
    notes = capsys.readouterr().err
    assert "trackblur: warning: --quality has no effect here: it applies only to videos" in notes
    assert (
        "trackblur: warning: --factor has no effect here: it applies only to the method gaussian"
        in notes
    )
    assert "trackblur: warning: --hold has no effect here: it applies only to one pass" in notes
    assert "--blocks has no effect here: it applies only to the method pixelated" in notes
    assert "--margin" not in notes


def test_missing_weights_are_named_with_the_command_that_gets_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(IMAGE, tmp_path / "out.jpg", "--detector", "centerface") == 1
    assert "trackblur models pull centerface" in error_line(capsys)


@pytest.mark.shared
def test_a_damaged_weight_file_is_refused(
    tmp_path: Path, models: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "face_detection_yunet_2023mar.onnx"
    content = bytearray(Path(models, name).read_bytes())
    content[1000] ^= 0xFF
    (tmp_path / name).write_bytes(content)
    assert run(IMAGE, tmp_path / "o.jpg", "--detector", "yunet", "--face", tmp_path) == 1
    assert name in error_line(capsys)
    assert not (tmp_path / "o.jpg").exists()


def test_the_output_may_not_be_the_input(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(small_image, tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    assert run(tmp_path / "a.png", tmp_path / "a.png", "--overwrite") == 2
    assert "is an input" in error_line(capsys)
    assert (tmp_path / "a.png").read_bytes() == before


def test_an_unquoted_pattern_with_two_matches_loses_no_image(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    for path in (first, second):
        shutil.copy(small_image, path)
    before = second.read_bytes()
    for options in ([], ["--overwrite"]):
        assert run(first, second, *HAAR, *options) == 2
        assert error_line(capsys).endswith(
            f"{second}: already exists next to {first} and may be an input: quote patterns, or use "
            f"-o {second} --overwrite"
        )
    assert second.read_bytes() == before
    assert run(first, "-o", second, *HAAR, "--overwrite") == 0
    assert second.read_bytes() != before


def test_with_o_all_other_names_are_inputs(small_image: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        shutil.copy(small_image, tmp_path / name)
    names = [tmp_path / "a.png", tmp_path / "b.png"]
    assert run(*names, "-o", tmp_path / "hidden", *HAAR) == 0
    assert sorted(path.name for path in (tmp_path / "hidden").iterdir()) == ["a.png", "b.png"]


def test_an_output_in_another_folder_is_replaced_with_overwrite(
    small_image: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.png"
    for _ in range(2):
        assert run(small_image, target, *HAAR, "--overwrite") == 0


def test_a_bug_is_reported_in_one_line_and_does_not_stop_the_others(
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tracker_blur.pipeline import Engine

    redact_file = Engine.redact_file

    def fail_once(self: Engine, *arguments: object) -> object:
        monkeypatch.setattr(Engine, "redact_file", redact_file)
        raise RuntimeError("oops")

    for name in ("a.png", "b.png"):
        shutil.copy(small_image, tmp_path / name)
    monkeypatch.setattr(Engine, "redact_file", fail_once)
    names = [tmp_path / "a.png", tmp_path / "b.png"]
    assert run(*names, "-o", tmp_path / "hidden", *HAAR) == 1
    assert "a.png: failed (RuntimeError: oops): this is a bug" in error_line(capsys)
    assert [path.name for path in (tmp_path / "hidden").iterdir()] == ["b.png"]
