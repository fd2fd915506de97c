"""Redactor: one object that detects, hides, tracks, renders and verifies."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import PIL.Image
import pytest

import tracker_blur
from tests.api.bright import SIZE, bright_clip, detect_bright
from tests.detectors.face_images import FACE, best_iou, portrait
from tracker_blur import Box, Detection, Redactor, Settings
from tracker_blur.annotations import track_file
from tracker_blur.detectors import onnx
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.verification.accepted import AcceptedPlace, write_journal

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

SETTINGS = Settings(detector="onnx", method="solid", color="#ff0000", feather_ratio=0.0)
RED_BGR = (0, 0, 255)


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor(SETTINGS)


def at(image: Any, box: Box) -> tuple[int, ...]:
    """Return the pixel in the middle of a box."""
    x, y = box.center
    return tuple(int(value) for value in np.atleast_1d(image[int(y), int(x)]))


def test_detects_in_pixels_of_the_whole_image(redactor: Redactor) -> None:
    detections = redactor.detect(portrait(2.0))
    assert best_iou(detections, FACE.scaled(2, 2)) > 0.5
    assert all(isinstance(detection, Detection) for detection in detections)


def test_redact_hides_what_detect_detects_and_leaves_the_rest(redactor: Redactor) -> None:
    image = portrait()
    hidden = redactor.redact(image)
    np.testing.assert_array_equal(hidden, redactor.hide(image, redactor.detect(image)))
    assert at(hidden, FACE) == RED_BGR
    assert 0.01 < (hidden != image).any(axis=2).mean() < 0.3
    np.testing.assert_array_equal(image, portrait())


def test_rgb_is_redacted_like_bgr(redactor: Redactor) -> None:
    hidden = redactor.redact(portrait()[..., ::-1], channels="rgb")
    np.testing.assert_array_equal(hidden[..., ::-1], redactor.redact(portrait()))
    assert at(hidden, FACE) == (255, 0, 0)


def test_alpha_gray_and_16_bits_are_redacted_too(redactor: Redactor) -> None:
    opaque = np.full((512, 512, 1), 200, np.uint8)
    hidden = redactor.redact(np.concatenate((portrait(), opaque), 2))
    assert at(hidden, FACE) == (*RED_BGR, 200)
    gray = np.asarray(cv2.cvtColor(portrait(), cv2.COLOR_BGR2GRAY))
    assert redactor.redact(gray).shape == (512, 512)
    assert at(redactor.redact(gray), FACE) == (76,)  # the luma of red
    deep = redactor.redact(portrait().astype(np.uint16) * 257)
    assert at(deep, FACE) == (0, 0, 65535)


def test_files_and_their_bytes_are_redacted_too(redactor: Redactor, tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), portrait())
    for image in (path, str(path), path.read_bytes()):
        np.testing.assert_array_equal(redactor.redact(image), redactor.redact(portrait()))
    assert best_iou(redactor.detect(path), FACE) > 0.5


@pytest.mark.parametrize(
    "boxes", [[Box(40, 40, 60, 60)], [(40, 40, 60, 60)], np.array([[40, 40, 60, 60, 0.9]])]
)
def test_hide_hides_boxes_of_any_form_and_nothing_else(redactor: Redactor, boxes: Any) -> None:
    image = np.full((100, 100, 3), 7, np.uint8)
    hidden = redactor.hide(image, boxes)
    assert at(hidden, Box(40, 40, 60, 60)) == RED_BGR
    changed = (hidden != image).any(axis=2)
    assert changed[40:60, 40:60].all()
    changed[20:80, 20:80] = False  # padding, and no more
    assert not changed.any()


def test_hiding_nothing_returns_a_copy(redactor: Redactor) -> None:
    image = portrait()
    same = redactor.hide(image, [])
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)


def test_a_box_outside_of_the_image_hides_nothing(redactor: Redactor) -> None:
    np.testing.assert_array_equal(redactor.hide(portrait(), [(900, 900, 950, 950)]), portrait())


@pytest.mark.parametrize("far", [1e5, 1e12, 1e300])
def test_a_box_of_any_size_hides_what_is_in_the_image(redactor: Redactor, far: float) -> None:
    image = np.full((60, 80, 3), 7, np.uint8)
    assert (redactor.hide(image, [(-far, -far, far, far)]) == RED_BGR).all()
    right = redactor.hide(image, [(40, 0, far, 60)])
    assert (right[:, 40:] == RED_BGR).all()


def test_detect_takes_a_confidence_and_an_overlap() -> None:
    class Reporting:
        default_confidence = 0.5

        def detect(self, image: Image, confidence: float) -> list[Detection]:
            height, width = image.shape[:2]
            return [
                Detection(Box(x, 0.2, x + 0.2, 0.5).scaled(width, height), score)
                for x, score in ((0.2, 0.9), (0.3, 0.7), (0.7, 0.3))
            ]

    redactor = Redactor(detector=Reporting())
    scores = {
        (confidence, overlap): [
            round(each.score, 1)
            for each in redactor.detect(portrait(), confidence=confidence, overlap=overlap)
        ]
        for confidence in (None, 0.2)
        for overlap in (None, 0.2)
    }
    assert scores == {
        (None, None): [0.9, 0.7],
        (None, 0.2): [0.9],
        (0.2, None): [0.9, 0.7, 0.3],
        (0.2, 0.2): [0.9, 0.3],
    }
    found = redactor.predict(portrait(), confidence=0.2, overlap=0.2)
    assert [each.score for each in found.detections] == [0.9, 0.3]
    assert found.detector == "Reporting"


@pytest.mark.parametrize(
    ("name", "value"),
    [("confidence", 1.1), ("overlap", -0.1), ("overlap", "0.5"), ("confidence", True)],
)
def test_thresholds_are_numbers_from_0_to_1(redactor: Redactor, name: str, value: Any) -> None:
    for call in (redactor.detect, redactor.predict):
        with pytest.raises(tracker_blur.InputError, match=f"^{name} is .*: give a number from 0"):
            call(portrait(), **{name: value})


@pytest.mark.parametrize("value", [63, 8193, 640.0, True, "640"])
def test_a_view_has_a_whole_number_of_pixels(redactor: Redactor, value: Any) -> None:
    with pytest.raises(tracker_blur.InputError, match=r"^max_size is .*: give a whole number"):
        redactor.predict(portrait(), max_size=value)


def test_predictions_are_in_pixels_of_the_image_and_judged(redactor: Redactor) -> None:
    found = redactor.predict(portrait(2.0), max_size=512)
    best = found.detections[0]
    assert best.box.iou(FACE.scaled(2, 2)) > 0.5
    assert best.log_odds is not None
    assert best.log_odds > 0
    assert found.to_dict()["image"] == {"width": 1024, "height": 1024}
    assert redactor.predict(portrait(2.0), confidence=1.0).detections == ()


def test_supervisions_detections_go_in_and_out(redactor: Redactor) -> None:
    pytest.importorskip("supervision", reason="needs the extra [supervision]")
    detections = redactor.detect(portrait())
    converted = tracker_blur.to_supervision(detections)
    assert len(converted) == len(detections)
    np.testing.assert_array_equal(
        redactor.hide(portrait(), converted), redactor.hide(portrait(), detections)
    )


def test_the_network_is_loaded_once_for_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    load = onnx.load

    def counting(weights: Weights, parameters: onnx.Parameters) -> Any:
        loaded.append(weights)
        return load(weights, parameters)

    monkeypatch.setattr(onnx, "load", counting)
    redactor = Redactor(SETTINGS)
    redactor.redact(portrait(0.5))
    first = len(loaded)  # one, and others for turned copies
    for _ in range(2):
        redactor.redact(portrait(0.5))
    assert len(loaded) == first > 0


def test_threads_may_share_a_redactor(redactor: Redactor) -> None:
    images = [portrait(0.5), portrait(0.5)[:, ::-1].copy(), portrait(0.4)]
    expected = [redactor.redact(image) for image in images]
    results: list[Any] = [None] * 12

    def work(place: int) -> None:
        results[place] = redactor.redact(images[place % 3])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[place % 3])


def test_a_detector_of_the_callers_own_decides(tmp_path: Path) -> None:
    redactor = Redactor(SETTINGS, detector=detect_bright)
    image = np.zeros((360, 640, 3), np.uint8)
    image[100:140, 200:240] = 255
    (detection,) = redactor.detect(image)
    assert detection.box.iou(Box(200, 100, 240, 140)) > 0.9
    assert at(redactor.redact(image), Box(200, 100, 240, 140)) == RED_BGR


def test_a_detector_with_labels_hides_only_what_the_settings_name() -> None:
    class Two:
        labels = ("face", "badge")

        def detect(self, image: Image, confidence: float) -> list[Detection]:
            height, width = image.shape[:2]
            half = Box(0, 0, width / 2, height)
            return [Detection(half, 1.0, "badge"), Detection(half.moved(width / 2, 0), 1.0)]

    image = np.zeros((64, 64, 3), np.uint8)
    every = {each.label for each in Redactor(SETTINGS, detector=Two()).detect(image)}
    badge = Redactor(replace(SETTINGS, hide=("badge",)), detector=Two()).detect(image)
    assert every == {"face", "badge"}
    assert [each.label for each in badge] == ["badge"]


def test_track_render_and_verify_a_video(tmp_path: Path) -> None:
    clip, target = bright_clip(tmp_path / "in.mkv", frames=12), tmp_path / "out.mkv"
    redactor = Redactor(SETTINGS, detector=detect_bright)
    tracks = redactor.track(clip)
    (track,) = tracks.tracks
    assert (tracks.size, tracks.frame_count, len(track)) == (SIZE, 12, 12)
    report = redactor.render(str(clip), tracks, target)
    assert (report.frames, report.faces) == (12, 12)
    verdict = redactor.verify(target, source=clip, tracks=tracks)
    assert "detect_bright" in verdict.detectors
    assert verdict.frames == 12
    assert not verdict.runs
    assert redactor.verify(clip, source=clip).runs, "the detector sees what is not hidden"


def test_verify_leaves_out_accepted_places(tmp_path: Path) -> None:
    clip = bright_clip(tmp_path / "in.mkv", frames=12)
    redactor, journal = Redactor(SETTINGS, detector=detect_bright), tmp_path / "accepted.jsonl"
    journal.touch()
    verdict = redactor.verify(clip, source=clip, accepted=journal)
    assert verdict.file is not None
    write_journal(journal, [AcceptedPlace.of(place, verdict.file) for place in verdict.places])
    again = redactor.verify(clip, source=clip, accepted=str(journal))
    assert (again.finding, again.dismissed) == ("nothing found", len(verdict.places))
    with pytest.raises(SourceError, match="no such journal"):
        redactor.verify(clip, accepted=tmp_path / "none.jsonl")


@pytest.mark.parametrize("name", ["out.gif", "out.mp4"])
def test_the_tracks_of_a_gif_render_to_a_gif_and_to_a_video(name: str, tmp_path: Path) -> None:
    gif = tmp_path / "in.gif"
    first, *others = (PIL.Image.new("RGB", (64, 48), (60 * at, 90, 90)) for at in range(4))
    first.save(gif, save_all=True, append_images=others, duration=[80, 10] * 2)
    redactor = Redactor(SETTINGS, detector=lambda image: [(8, 8, 30, 30)])
    tracks = redactor.track(gif)
    report = redactor.render(gif, tracks, tmp_path / name)
    assert (report.frames, report.faces) == (4, 4)
    assert redactor.verify(tmp_path / name, tracks=tracks).frames == 4


def test_render_takes_a_track_file_of_that_video_only(tmp_path: Path) -> None:
    clip, other = bright_clip(tmp_path / "a.mkv", 5), bright_clip(tmp_path / "b.mkv", 6)
    redactor, tracks = Redactor(SETTINGS, detector=detect_bright), tmp_path / "a.tracks.jsonl"
    identity = FileIdentity.of(clip, hashed=True)
    content = track_file.TrackFile.of(identity, redactor.track(clip), SETTINGS, "mine")
    track_file.write(tracks, content, overwrite=False)
    assert redactor.render(clip, tracks, tmp_path / "out.mkv").faces == 5
    with pytest.raises(tracker_blur.TrackFileError, match=r"b\.mkv: is not the video"):
        redactor.render(other, str(tracks), tmp_path / "b_out.mkv")
    assert not (tmp_path / "b_out.mkv").exists()
    assert redactor.verify(tmp_path / "out.mkv", tracks=tracks).frames == 5
    redactor.redact_video(other, tmp_path / "b_out.mkv")
    with pytest.raises(
        tracker_blur.TrackFileError, match=r"b_out\.mkv has 6 frames, and the tracks"
    ):
        redactor.verify(tmp_path / "b_out.mkv", tracks=tracks)


def test_tracks_are_not_applied_to_what_took_the_place_of_their_video(tmp_path: Path) -> None:
    clip, other = bright_clip(tmp_path / "a.mkv", 5), bright_clip(tmp_path / "b.mkv", 5, top=10)
    redactor = Redactor(SETTINGS, detector=detect_bright)
    tracks = redactor.track(clip)
    edited = replace(tracks, tracks=tracks.tracks[:1])
    other.replace(clip)
    for given in (tracks, edited):
        with pytest.raises(tracker_blur.TrackFileError, match=r"a\.mkv: is not the video"):
            redactor.render(clip, given, tmp_path / "out.mkv")
        with pytest.raises(tracker_blur.TrackFileError, match=r"a\.mkv: is not the video"):
            redactor.verify(clip, source=clip, tracks=given)
    assert not (tmp_path / "out.mkv").exists()


def test_a_whole_video_with_a_detector_of_the_callers_own(tmp_path: Path) -> None:
    clip = bright_clip(tmp_path / "in.mkv", frames=5)
    report = Redactor(SETTINGS, detector=detect_bright).redact_video(clip, tmp_path / "out.mkv")
    assert (report.frames, report.faces, report.detector) == (5, 5, "detect_bright")
    assert report.warnings == ()


@pytest.mark.parametrize("one_pass", [False, True])
def test_plates_that_cover_much_of_a_video_are_said(tmp_path: Path, one_pass: bool) -> None:
    class Plates:
        labels = ("plate",)

        def detect(self, image: Image, confidence: float) -> list[Detection]:
            height, width = image.shape[:2]
            return [Detection(Box(0, 0, width / 2, height), 1.0, "plate")]

    clip, target = bright_clip(tmp_path / "in.mkv", frames=5), tmp_path / "out.mkv"
    settings = replace(SETTINGS, hide=("plates",), one_pass=one_pass)
    (warning,) = Redactor(settings, detector=Plates()).redact_video(clip, target).warnings
    assert warning.startswith(f"{target}: plates cover 5")  # and what smoothing adds


def test_frames_of_any_form_come_back_in_it() -> None:
    redactor = Redactor(SETTINGS, detector=detect_bright)
    for shape in ((64, 64), (64, 64, 3), (64, 64, 4)):
        frames = [np.zeros(shape, np.uint8) for _ in range(3)]
        assert [each.shape for each in redactor.redact_frames(frames, 25)] == [shape] * 3


@pytest.mark.parametrize(
    "second", [np.zeros((32, 48, 3), np.uint8), np.zeros((48, 64), np.uint8), None]
)
def test_frames_that_are_unlike_the_first_are_refused(second: Any) -> None:
    frames = [np.zeros((48, 64, 3), np.uint8), second]
    hidden = Redactor(SETTINGS, detector=detect_bright).redact_frames(frames, 25)
    next(hidden)
    with pytest.raises(tracker_blur.InputError, match=r"frame 1 has|the image is None"):
        next(hidden)


def test_zones_hold_for_arrays(redactor: Redactor) -> None:
    image = portrait()
    height, width = image.shape[:2]
    zones = replace(SETTINGS, ignore_zones=("0%,0%,100%,100%",), hide_zones=("0,0,9,0,0,9",))
    zoned = Redactor(zones)
    assert redactor.detect(image)
    assert zoned.detect(image) == []
    hidden = zoned.redact(image)
    assert tuple(hidden[2, 2]) == RED_BGR
    np.testing.assert_array_equal(hidden[12:], image[12:])
    np.testing.assert_array_equal(hidden[8, 8], image[8, 8])
    with pytest.raises(SettingsError, match="lies outside of the frame"):
        Redactor(Settings(hide_zones=(f"{width},0,{width + 9},{height}",))).redact(image)
