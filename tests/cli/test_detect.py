"""`trackblur detect`: what it prints and draws, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import stat
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.command_line import error_line, run
from tests.detectors.face_images import FACE, portrait
from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from pathlib import Path

LBP = ("--detector", "lbp", "--quiet")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return the portrait in a folder of its own."""
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), portrait())
    return path


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def boxes(document: dict[str, Any]) -> list[Box]:
    return [
        Box.around((each["x"], each["y"]), each["width"], each["height"])
        for each in document["predictions"]
    ]


def test_json_has_boxes_in_pixels_of_the_image_with_odds(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("detect", photo, "--json", "--detector", "onnx") == 0
    captured = capsys.readouterr()
    assert captured.err == "trackblur: every detection of onnx\n"
    (document,) = documents(captured.out)
    assert document["input"] == str(photo)
    assert document["detector"] == "onnx"
    assert document["image"] == {"width": 512, "height": 512}
    (box,) = boxes(document)
    assert box.iou(FACE) > 0.5
    (face,) = document["predictions"]
    assert (face["class"], face["class_id"]) == ("face", 0)
    assert face["confidence"] >= 0.4
    assert face["log_odds"] > 2


def test_people_read_a_line_for_each_detection(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(photo.parent / "wall.png"), np.full((80, 80, 3), 90, np.uint8))
    assert run("detect", photo.parent, *LBP) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{photo}: face 0.")
    assert ", log odds " in first
    assert last == f"{photo.parent / 'wall.png'}: nothing detected"


def test_boxes_of_a_turned_photo_are_those_of_the_upright_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    turned = Image.fromarray(portrait()[..., ::-1]).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert run("detect", tmp_path / "turned.jpg", "--json", *LBP) == 0
    (document,) = documents(capsys.readouterr().out)
    assert any(box.iou(FACE) > 0.4 for box in boxes(document))


def test_confidence_and_overlap_are_thresholds(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for arguments in (
        ("--confidence", "0.2"),
        ("--confidence", "1"),
        ("--confidence", "0.2", "--overlap", "0"),
        ("--confidence", "0.2", "--overlap", "1"),
    ):
        command = ("detect", photo, "--json", "--detector", "onnx", "--max-size", "256", "-q")
        assert run(*command, *arguments) == 0
        found[arguments] = boxes(documents(capsys.readouterr().out)[0])
    usual, none, strict, loose = found.values()
    assert none == []
    assert 1 <= len(strict) <= len(usual) < len(loose)
    assert all(one.iou(two) == 0 for one in strict for two in strict if one is not two)
    assert max(one.iou(two) for one in loose for two in loose if one is not two) > 0.6


def test_each_file_has_a_document_and_a_bad_one_stops_no_other(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = photo.parent / "bad.jpg"
    bad.write_bytes(b"no image")
    assert run("detect", photo.parent, "--json", *LBP) == 1
    captured = capsys.readouterr()
    failed, done = documents(captured.out)
    assert failed["input"] == str(bad)
    assert failed["error"] in captured.err
    assert done["predictions"]
    results = tmp_path / "found.jsonl"
    assert run("detect", f"{photo.parent}/*.png", f"--json={results}", *LBP) == 0
    assert capsys.readouterr().out == ""
    assert documents(results.read_text("utf-8")) == [done]


def test_frames_of_a_video_are_chosen_by_number_and_time(
    small_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {}
    for arguments in ((), ("--frames", "2,0.2s"), ("--every", "4"), ("--every", "0.2s")):
        assert run("detect", small_clip, "--json", "--max-size", "160", *arguments, *LBP) == 0
        (document,) = documents(capsys.readouterr().out)
        chosen[arguments] = [(one["frame"], one["time_seconds"]) for one in document["frames"]]
    every, some, fourth, timed = chosen.values()
    assert [number for number, _ in every] == list(range(10))
    assert [number for number, _ in some] == [2, round(0.2 / every[1][1])]
    assert [number for number, _ in fourth] == [0, 4, 8]
    assert timed == [every[0], every[round(0.2 / every[1][1])]]
    assert run("detect", small_clip, "--frames", "10", *LBP) == 2
    assert "there is no frame 10: the last frame is 9" in error_line(capsys)


@pytest.mark.skipif(os.name != "posix", reason="permissions are others there")
def test_a_drawn_image_shows_the_box_and_is_private(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "drawn.png"
    assert run("detect", photo, "--draw", drawn, "--json", *LBP) == 0
    captured = capsys.readouterr()
    assert "drawn.png: shows the original faces: do not publish it" in captured.err
    assert stat.S_IMODE(drawn.stat().st_mode) == 0o600
    changed = np.any(np.asarray(cv2.imread(str(drawn))) != portrait(), axis=2)
    box = boxes(documents(captured.out)[0])[0]
    assert changed[round(box.center[1]), round(box.left)]
    assert not changed[round(box.center[1]), round(box.center[0])]
    assert run("detect", photo, "--draw", drawn, *LBP) == 1
    assert "already exists" in error_line(capsys)
    assert run("detect", photo, "--draw", drawn, "--overwrite", *LBP) == 0


def test_a_folder_of_images_mirrors_the_inputs(
    photo: Path, small_clip: Path, tmp_path: Path
) -> None:
    below = photo.parent / "below"
    below.mkdir()
    shutil.copy(small_clip, below / "clip.mp4")
    drawn = tmp_path / "drawn"
    frames = ("--frames", "0,3", "--max-size", "160")
    assert run("detect", photo.parent, "--draw", drawn, *frames, *LBP) == 0
    assert sorted(path.relative_to(drawn).as_posix() for path in drawn.rglob("*.*")) == [
        "below/clip.mp4_000000.jpg",
        "below/clip.mp4_000003.jpg",
        "photo.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{photo}", "--draw", "{photo}", "--overwrite"), "is an input: choose another place"),
        (("{folder}", "--draw", "{folder}"), "is the input folder"),
        (("{folder}", "--draw", "{tmp}/a.png"), "is a file, but there may be several images"),
        (("{photo}", "--draw", "{tmp}/a.mp4"), "images are not written with this suffix"),
        (("{clip}", "--draw", "{tmp}/a.png"), "name a folder, or one frame with --frames"),
        (("{clip}", "--hidden"), "--hidden is for single images"),
        (("{photo}", "--hidden", "--max-size", "640"), "leave out --max-size"),
        (("{photo}", "--max-size", "0"), "--max-size is 0: give a whole number from 64"),
        (("{photo}", "--max-size", "10"), "--max-size is 10: give a whole number from 64"),
        (("{clip}", "--frames", "1", "--every", "2"), "give one of them"),
        (("{clip}", "--frames", "soon"), "'soon' is no time"),
        (("{clip}", "--every", "0"), "give more than 0"),
        (("{photo}", "--overlap", "2"), "give a number from 0 to 1"),
        (("{photo}", "--confidence", "2"), "--confidence is 2: give a number from 0 to 1"),
        (("{photo}", "--classes", "cats"), "--classes includes 'cats'"),
        (("{photo}", "--json={photo}"), "is the name of a video or an image"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_changes_nothing(
    photo: Path,
    small_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    names = {"photo": photo, "folder": photo.parent, "clip": small_clip, "tmp": tmp_path}
    content = photo.read_bytes()
    before = sorted(tmp_path.rglob("*"))
    assert run("detect", *(argument.format(**names) for argument in arguments), *LBP) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert sorted(tmp_path.rglob("*")) == before
    assert photo.read_bytes() == content


def test_a_failure_is_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detect", tmp_path / "none.jpg", "--json", *LBP) == 1
    (document,) = documents(capsys.readouterr().out)
    assert document["input"] is None
    assert "no such file or folder" in document["error"]


def test_classes_of_plates_have_their_number(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--hide", "plates,faces", "--detector", "onnx", "-q")
    assert run("detect", photo, "--json", *arguments) == 0
    (document,) = documents(capsys.readouterr().out)
    numbers = {each["class"]: each["class_id"] for each in document["predictions"]}
    assert numbers["face"] == 1
    assert numbers.get("plate", 0) == 0


@pytest.mark.slow
def test_what_would_be_hidden_is_listed(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detect", photo, "--hidden", "--json", "--detector", "onnx") == 0
    captured = capsys.readouterr()
    assert "what redaction would hide of onnx" in captured.err
    (box,) = boxes(documents(captured.out)[0])
    assert box.iou(FACE) > 0.5
