"""`--keep-people` and `--hide-people`: who stays visible because of photos."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from tests.command_line import error_line, run
from tests.detectors.face_images import portrait
from tracker_blur import Redactor, Settings
from tracker_blur.annotations import track_file
from tracker_blur.errors import SettingsError
from tracker_blur.people.embedders import load_embedder, mobilefacenet
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

SIZE = (640, 360)
LEFT, RIGHT = (30, 60), (380, 60)
FRAMES, RATE = 24, 12


def identity(shared: Path, person: int, number: int) -> Image:
    """Return a picture of a known person, enlarged."""
    folder = shared / "identities" / "known" / f"p{person:04}"
    picture = cv2.imread(str(folder / f"{number:02}.jpg"))
    assert picture is not None
    return np.asarray(cv2.resize(picture, None, fx=1.3, fy=1.3), np.uint8)


@pytest.fixture(scope="module")
def two_people(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three seconds with the portrait's woman on the left and a known man on the right.

    Each sways a little.
    """
    path = tmp_path_factory.mktemp("people") / "two.mp4"
    woman = cv2.resize(portrait()[20:260, 100:340], (240, 240))
    man = identity(shared, 41, 0)
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("libx264", RATE, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(FRAMES):
            canvas = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
            sway = round(6 * np.sin(number / 5))
            for picture, (x, y) in ((woman, LEFT), (man, RIGHT)):
                rows, columns = picture.shape[:2]
                canvas[y : y + rows, x + sway : x + sway + columns] = picture
            frame = av.VideoFrame.from_ndarray(canvas, format="bgr24")
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def woman(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two photos of the woman."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "eileen").mkdir()
    cv2.imwrite(str(folder / "eileen" / "1.jpg"), portrait())
    lighter = cv2.convertScaleAbs(portrait()[:300, 60:400], alpha=1.1)
    cv2.imwrite(str(folder / "eileen" / "2.png"), lighter)
    return folder


def people_in(path: Path) -> list[tuple[str, bool]]:
    """Return who is in a track file, and whether they are hidden."""
    tracks = track_file.read(path).tracks
    return sorted(
        ("woman" if track.boxes[:, 0].mean() < SIZE[0] / 2 else "man", track.hide)
        for track in tracks.tracks
    )


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("rule", ["keep", "hide"])
def test_the_people_of_the_photos_stay_visible_or_are_hidden(
    rule: str,
    two_people: Path,
    woman: Path,
    shared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, summary = tmp_path / "out.tracks.jsonl", tmp_path / "summary.json"
    code = run(
        *("track", two_people, "-o", out, f"--{rule}-people", woman, "--face", shared / "models"),
        *("--json", summary),
    )
    assert code == 0
    assert people_in(out) == [("man", rule == "keep"), ("woman", rule == "hide")]
    said = json.loads(summary.read_text())["files"][0]["people"]
    assert (said["rule"], said["embedder"]) == (rule, "mobilefacenet")
    (kept,) = said["kept"]
    assert kept["person"] == ("eileen" if rule == "keep" else None)
    assert (kept["first_frame"], kept["last_frame"]) == (0, FRAMES - 1)
    assert kept["faces"] >= 3
    who = "eileen" if rule == "keep" else "not one of the photos"
    assert f"stays visible: {who}, track {kept['track']}, 0:00:00.000 to" in capsys.readouterr().err
    assert "vector" not in summary.read_text() + out.read_text()


@pytest.mark.shared
def test_an_image_keeps_the_person_and_hides_the_other(
    two_people: Path, woman: Path, shared: Path, tmp_path: Path
) -> None:
    with av.open(str(two_people)) as reader:
        frame = next(reader.decode(video=0)).to_ndarray(format="bgr24")
    before = tmp_path / "in.png"
    cv2.imwrite(str(before), frame)
    out = tmp_path / "out.png"
    said = tmp_path / "said.json"
    given = ("--keep-people", woman, "--face", shared / "models", "--verify", "--json", said)
    assert run(before, out, *given) == 0  # who stays visible is not exposed
    (verified,) = (each["verified"] for each in json.loads(said.read_text())["files"])
    assert [each["reason"] for each in verified["left_visible"]] == ["track"]
    after = cv2.imread(str(out))
    assert after is not None
    assert np.array_equal(after[:, :320], frame[:, :320])
    assert (after[:, 320:] != frame[:, 320:]).any()


@pytest.fixture
def _unmeasured_network(monkeypatch: pytest.MonkeyPatch) -> None:
    guessed = replace(mobilefacenet.MobileFaceNet.thresholds, are_measured=False)
    monkeypatch.setattr(mobilefacenet.MobileFaceNet, "thresholds", guessed)


@pytest.mark.shared
@pytest.mark.usefixtures("_unmeasured_network")
def test_by_a_network_that_was_not_measured_no_one_is_visible_before_a_look(
    two_people: Path,
    woman: Path,
    shared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = tmp_path / "in.png"
    cv2.imwrite(str(image), portrait())
    for rule, source in (("--keep-people", two_people), ("--hide-people", image)):
        out = tmp_path / f"out{source.suffix}"
        assert run(source, out, rule, woman, "--face", shared / "models") == 2
        assert f"{rule} leaves no one visible before you have looked" in error_line(capsys)
        assert not out.exists()
    redactor = Redactor(Settings(keep_people=woman, models_folder=shared / "models"))
    with pytest.raises(SettingsError, match="leaves no one visible before you have looked"):
        redactor.track(two_people)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.usefixtures("_unmeasured_network")
def test_what_such_a_network_says_can_be_reviewed(
    two_people: Path,
    woman: Path,
    shared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.tracks.jsonl"
    given = ("--keep-people", woman, "--face", shared / "models")
    assert run("track", two_people, "-o", out, *given) == 0
    assert people_in(out) == [("man", True), ("woman", False)]
    assert "look at who stays visible with 'trackblur review'" in capsys.readouterr().err
    assert track_file.read(out).is_unreviewed


def test_both_at_once_and_one_pass_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--keep-people", tmp_path)
    assert run("in.mp4", "out.mp4", *given, "--hide-people", tmp_path) == 2
    assert "leave out --hide-people" in error_line(capsys)
    assert run("in.mp4", "out.mp4", *given, "--one-pass") == 2
    assert "leave out --one-pass" in error_line(capsys)


def test_without_a_network_the_run_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path / "none")
    if load_embedder(Weights()) is not None:
        pytest.skip("a network comes with the package")
    cv2.imwrite(str(tmp_path / "in.png"), portrait(0.5))
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "a.png"), portrait(0.5))
    out = tmp_path / "out.png"
    for wrong in ("in.png", "none"):  # the folder is named first
        assert run(tmp_path / "in.png", out, "--keep-people", tmp_path / wrong) == 2
        assert error_line(capsys).startswith(f"trackblur: error: {tmp_path / wrong}: ")
    assert run(tmp_path / "in.png", out, "--keep-people", tmp_path / "photos") == 1
    assert "trackblur models pull sface" in error_line(capsys)
    assert not out.exists()


@pytest.mark.shared
def test_a_photo_of_no_one_stops_the_run_before_anything_is_written(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), portrait(0.5))
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "wall.png"), np.full((300, 300, 3), 127, np.uint8))
    out = tmp_path / "out.png"
    arguments = ("--hide-people", tmp_path / "photos", "--face", shared / "models")
    assert run(tmp_path / "in.png", out, *arguments) == 1
    assert "wall.png: shows no face" in error_line(capsys)
    assert not out.exists()
