"""The samples are what their README says, and the ground truth of their scenes is right."""

from __future__ import annotations

import csv
import importlib
import itertools
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"
CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

Boxes = dict[int, dict[int, tuple[float, float, float, float]]]


def read_truth(path: Path) -> Boxes:
    truth: Boxes = defaultdict(dict)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["frame", "track", "x", "y", "w", "h"]
        for row in reader:
            x, y, width, height = (float(row[name]) for name in "xywh")
            truth[int(row["frame"])][int(row["track"])] = (x, y, width, height)
    return truth


def assert_inside(truth: Boxes, size: tuple[int, int]) -> None:
    for faces in truth.values():
        for x, y, width, height in faces.values():
            assert width > 5
            assert height > 5
            assert x >= 0
            assert y >= 0
            # each number is rounded to a tenth
            assert x + width <= size[0] + 0.11
            assert y + height <= size[1] + 0.11


@pytest.fixture(scope="module")
def truth() -> Boxes:
    return read_truth(SAMPLES / "crossing.csv")


def test_clip_decodes_to_its_end_with_audio() -> None:
    with av.open(str(SAMPLES / "crossing.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (1280, 720)
        assert video.average_rate == 25
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        frames, samples, loudest = 0, 0, 0.0
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    frames += 1
                elif isinstance(frame, av.AudioFrame):
                    samples += frame.samples
                    loudest = max(loudest, float(np.abs(frame.to_ndarray()).max()))
    assert frames == 200
    assert samples / audio.rate == pytest.approx(8.0, abs=0.05)
    assert 0.1 < loudest <= 1.0


def test_files_are_small_enough_to_ship() -> None:
    assert (SAMPLES / "crossing.mp4").stat().st_size < 2_000_000
    assert (SAMPLES / "people.jpg").stat().st_size < 400_000


def test_clip_truth_is_well_formed(truth: Boxes) -> None:
    assert min(truth) == 0
    assert max(truth) == 199
    assert_inside(truth, (1280, 720))


def test_clip_truth_contains_every_difficulty(truth: Boxes) -> None:
    seen = defaultdict(list)
    for frame, faces in sorted(truth.items()):
        for track in faces:
            seen[track].append(frame)
    first_shot = {track for track in seen if seen[track][0] < 130}
    assert first_shot == {0, 1, 2, 3}
    assert set(seen) - first_shot == {4, 5, 6}
    assert all(max(seen[track]) < 130 for track in first_shot)  # the cut ends them
    longest_gap = {track: max(np.diff(frames)) for track, frames in seen.items()}
    assert longest_gap[2] > 25  # turned away for more than a second
    assert longest_gap[3] > 25  # leaves the frame, and comes back
    left = [faces[0][0] - faces[1][0] for faces in truth.values() if {0, 1} <= set(faces)]
    assert min(left) < -200 < 200 < max(left)  # 0 and 1 cross
    heights = [faces[6][3] for faces in truth.values() if 6 in faces]
    assert max(heights) > 2 * min(heights)  # comes near


def test_haar_detects_the_people_of_the_image() -> None:
    truth = read_truth(SAMPLES / "people.csv")[0]
    image = cv2.imread(str(SAMPLES / "people.jpg"), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image.shape == (800, 1200)
    assert_inside({0: truth}, (1200, 800))
    cascade = cv2.CascadeClassifier(str(CASCADE))
    found = cascade.detectMultiScale(image, 1.1, 5, minSize=(50, 50))
    centers = [(x + width / 2, y + height / 2) for x, y, width, height in found]
    hits = sum(
        any(x < across < x + width and y < down < y + height for across, down in centers)
        for x, y, width, height in truth.values()
    )
    assert len(truth) == 5
    assert hits >= 4


@pytest.mark.slow
@pytest.mark.shared
def test_yunet_detects_the_faces_of_the_clip(truth: Boxes, shared: Path) -> None:
    weights = shared / "models" / "face_detection_yunet_2023mar.onnx"
    detector = cv2.FaceDetectorYN.create(str(weights), "", (640, 360), 0.5)
    hits = faces = 0
    with av.open(str(SAMPLES / "crossing.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 5:
                continue
            view = frame.reformat(640, 360, "bgr24").to_ndarray()
            found = detector.detect(view)[1]
            centers = [] if found is None else 2 * (found[:, :2] + found[:, 2:4] / 2)
            for x, y, width, height in truth[number].values():
                faces += 1
                hits += any(
                    x < across < x + width and y < down < y + height for across, down in centers
                )
    assert hits >= 0.95 * faces


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """Return samples/make.py as a module."""
    pytest.importorskip("skimage", reason="the samples are made with scikit-image: [test]")
    pytest.importorskip("matplotlib", reason="the samples are made with matplotlib: [test]")
    return importlib.import_module("make")


@pytest.fixture(scope="module")
def trials(maker: ModuleType) -> ModuleType:
    """Return samples/trials.py as a module."""
    return importlib.import_module("trials")


def seen_tracks(maker: ModuleType, scenes: tuple[Any, ...]) -> list[set[int]]:
    """Return which faces each frame shows, at five frames per second."""
    return [
        {face.track for face in faces}
        for scene in scenes
        for _, faces in maker.render(replace(scene, rate=5))
    ]


@pytest.mark.slow
def test_rendering_is_deterministic(maker: ModuleType) -> None:
    scene = maker.crowd(2, (320, 180), 0.2, seed=3)
    first, second = list(maker.render(scene)), list(maker.render(scene))
    assert len(first) == 5
    for (image, faces), (again, faces_again) in zip(first, second, strict=True):
        assert np.array_equal(image, again)
        assert faces == faces_again


@pytest.mark.slow
def test_recorded_crowd_has_its_truth_next_to_it(maker: ModuleType, tmp_path: Path) -> None:
    clip = tmp_path / "crowd.mp4"
    maker.record(clip, (maker.crowd(3, (320, 180), 0.4),), {"preset": "ultrafast"})
    with av.open(str(clip)) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(320, 180)] * 10
    truth = read_truth(clip.with_suffix(".csv"))
    assert_inside(truth, (320, 180))
    assert set(truth[0]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("tilt", "yaw", "x", "width"),
    [(0, 0, 200, 64), (20, 0, 200, 66), (0, 50, 224, 41), (0, -50, 174, 41), (20, 50, 223, 47)],
)
def test_truth_follows_the_pose(
    maker: ModuleType, tilt: float, yaw: float, x: float, width: float
) -> None:
    actor = maker.Actor(7, maker.ORANGE, (maker.Key(0, 200, 120, 80, tilt, yaw),))
    scene = maker.Scene((400, 240), 1, 1, np.zeros((240, 400, 3), np.uint8), (actor,))
    image, (face,) = next(maker.render(scene))
    assert face.track == 7
    assert face.x + face.width / 2 == pytest.approx(x, abs=3)
    assert face.width == pytest.approx(width, abs=2)
    across, down = round(face.x + face.width / 2), round(face.y + face.height / 2)
    blue, _, red = image[down - 5 : down + 5, across - 5 : across + 5].mean(axis=(0, 1))
    assert red > 120  # the box shows skin
    assert red > 1.15 * blue


@pytest.mark.slow
def test_covered_faces_are_not_in_the_truth(maker: ModuleType) -> None:
    still = maker.Actor(0, maker.ORANGE, (maker.Key(0, 200, 120, 80),))
    passing = maker.Actor(1, maker.NAVY, (maker.Key(0, -100, 120, 90), maker.Key(4, 500, 120, 90)))
    backdrop = np.zeros((240, 400, 3), np.uint8)
    scene = maker.Scene((400, 240), 10, 4, backdrop, (still, passing))
    tracks = [{face.track for face in faces} for _, faces in maker.render(scene)]
    assert tracks[0] == {0}  # the other is still outside of the frame
    assert tracks[20] == {1}  # is in front of the first
    assert tracks[39] == {0}  # has gone
    assert {0, 1} in tracks


def test_fading_light_fades_the_frame_and_removes_faces_from_the_truth(maker: ModuleType) -> None:
    actor = maker.Actor(0, maker.ORANGE, (maker.Key(0, 200, 120, 80),))
    backdrop = np.full((240, 400, 3), 200, np.uint8)
    scene = maker.Scene((400, 240), 5, 1, backdrop, (actor,), light=((0, 1), (0.8, 0)))
    rendered = list(maker.render(scene))
    means = [image.mean() for image, _ in rendered]
    assert means == sorted(means, reverse=True)
    assert means[-1] == 0
    assert [len(faces) for _, faces in rendered] == [1, 1, 1, 1, 0]


def test_head_turned_away_shows_no_face(maker: ModuleType) -> None:
    actor = maker.Actor(0, maker.BLUE, (maker.Key(0, 200, 120, 80, 0, 150),))
    scene = maker.Scene((400, 240), 1, 1, np.zeros((240, 400, 3), np.uint8), (actor,))
    image, faces = next(maker.render(scene))
    assert faces == []
    assert image[120, 200].max() > 20  # but there is a head


def test_zoom_enlarges_everything_about_the_middle(maker: ModuleType) -> None:
    actor = maker.Actor(0, maker.ORANGE, (maker.Key(0, 240, 120, 40),))
    backdrop = np.zeros((240, 400, 3), np.uint8)
    backdrop[80:161, 150:251] = 255  # a plate behind the person
    scene = maker.Scene((400, 240), 1, 2, backdrop, (actor,), zoom=((0, 1), (1, 2)))
    (far, (face,)), (near, (nearer,)) = maker.render(scene)
    assert nearer.x == pytest.approx(2 * face.x - 200)
    assert nearer.y == pytest.approx(2 * face.y - 120)
    assert (nearer.width, nearer.height) == pytest.approx((2 * face.width, 2 * face.height))
    assert far[120, 152].min() == near[120, 104].min() == 255
    assert far[120, 148].max() == near[120, 96].max() == 0


def test_camera_moves_everything(maker: ModuleType) -> None:
    actor = maker.Actor(0, maker.ORANGE, (maker.Key(0, 240, 120, 40),))
    backdrop = np.zeros((240, 700, 3), np.uint8)
    backdrop[100:141, 480:521] = 255  # a plate next to the person, 130 pixels to the right
    scene = maker.Scene((400, 240), 1, 2, backdrop, (actor,), camera=((0, 0, 0), (1, 90, 10)))
    (still, (face,)), (moved, (later,)) = maker.render(scene)
    assert (later.x, later.y) == pytest.approx((face.x - 90, face.y - 10))
    assert still[120, 332].min() == moved[110, 242].min() == 255
    assert still[120, 328].max() == moved[110, 238].max() == 0


@pytest.mark.slow
def test_open_shutter_blurs_what_moves_around_its_true_place(maker: ModuleType) -> None:
    keys = (maker.Key(0, 60, 120, 60), maker.Key(1, 360, 120, 60))
    actors = (maker.Actor(0, maker.ORANGE, keys),)
    backdrop = np.zeros((240, 400, 3), np.uint8)
    backdrop[:, ::20] = 255  # rests
    scene = maker.Scene((400, 240), 10, 1, backdrop, actors)
    sharp = list(maker.render(scene))
    blurred = list(maker.render(replace(scene, shutter=360)))
    assert [faces for _, faces in blurred] == [faces for _, faces in sharp]
    (image, (face,)), smeared = sharp[5], blurred[5][0]
    part = np.s_[round(face.y) : round(face.y + face.height), round(face.x) : round(face.x) + 40]
    steps, smeared_steps = (
        np.abs(np.diff(shown[part].astype(np.int16), axis=1)).mean() for shown in (image, smeared)
    )
    assert smeared_steps < 0.5 * steps
    assert np.array_equal(smeared[:20], image[:20])


@pytest.mark.slow
def test_hard_trials_show_what_they_are_named_for(maker: ModuleType, trials: ModuleType) -> None:
    (pan,) = trials.panning()
    seen = seen_tracks(maker, (replace(pan, shutter=0),))
    assert set.union(*seen) == set(range(8))
    assert len(seen[0]) <= 3
    assert any(0 in earlier - later for earlier, later in itertools.pairwise(seen))
    assert 0 in seen[0] & seen[-1]  # left, and came back
    sides, others = trials.near()
    for scene, edges in ((sides, {"left", "right"}), (others, {"top", "bottom"})):
        cut_at = set()
        for _, faces in maker.render(replace(scene, rate=5)):
            for face in faces:
                cut_at |= {
                    edge
                    for edge, is_cut in (
                        ("left", face.x == 0), ("right", face.x + face.width == 640),
                        ("top", face.y == 0), ("bottom", face.y + face.height == 360),
                    )
                    if is_cut
                }  # fmt: skip
        assert cut_at == edges
    (darts,) = trials.darting()
    lives = [sum(track in faces for faces in seen_tracks(maker, (replace(darts, shutter=0),)))
             for track in range(5)]  # fmt: skip
    assert all(
        lives[track] <= 5 for track in range(4)
    )  # of five per second, so gone within a second
    (shaken,) = trials.shaking()
    turns = np.diff(np.sign(np.diff([key[1] for key in shaken.camera])))
    assert np.all(turns != 0)  # to and fro at each key
    assert all(scene.shutter >= 180 for scene in (*trials.blurred(), pan, darts, shaken))


@pytest.mark.slow
def test_trials_show_what_they_are_named_for(maker: ModuleType, trials: ModuleType) -> None:
    behind_posts = seen_tracks(maker, trials.occlusion())
    assert behind_posts[0] == behind_posts[-1] == {0, 1, 2}
    assert all(any(track not in faces for faces in behind_posts) for track in range(3))
    shots = seen_tracks(maker, trials.cut())
    assert [shots[index] for index in (7, 8, 15, 16)] == [{0, 1}, {2, 3, 4}, {2, 3, 4}, {5, 6}]
    lit = seen_tracks(maker, trials.fade())
    assert lit[0] == lit[10] == {0, 1, 2}
    assert lit[6] == set()  # the light is off
    assert lit[-1] == {3, 4}
    turned = seen_tracks(maker, trials.turning())
    assert turned[-1] == {0, 1, 2}
    assert any(0 not in faces for faces in turned)
    passing = seen_tracks(maker, trials.entering())
    assert set.union(*passing) == {0, 1, 2, 3}
    assert 0 in passing[0] & passing[-1]
    assert any(0 not in faces for faces in passing)  # it left, and came back


def test_bouncing_face_stays_in_the_frame(maker: ModuleType, trials: ModuleType) -> None:
    (scene,) = trials.bounce()
    for actor in scene.actors:
        margin = 0.6 * actor.keys[0].size - 1e-6
        across, down = (np.array([key[axis] for key in actor.keys]) for axis in (1, 2))
        assert margin <= across.min() < across.max() <= 640 - margin
        assert margin <= down.min() < down.max() <= 360 - margin
        speeds = np.hypot(np.diff(across), np.diff(down))
        assert np.median(speeds) == pytest.approx(speeds.max())


@pytest.mark.slow
def test_trials_render(maker: ModuleType, trials: ModuleType) -> None:
    names = [trial.__name__ for trial in trials.TRIALS]
    assert len(set(names)) == len(names) >= 14
    for trial in trials.TRIALS[::3]:
        image, _ = next(maker.render(trial()[0]))
        assert image.shape == (360, 640, 3)
        assert image.std() > 10
