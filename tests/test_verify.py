"""Exposed faces are found, and hidden ones are not reported whatever detectors say of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.verify_cases import (
    FRAMES,
    SAMPLES,
    Truth,
    finds_of,
    read_truth,
    rendered,
    told,
    tracks_of,
)
from tests.video_files import write_clip
from tracker_blur.boxes import Box
from tracker_blur.errors import SourceError
from tracker_blur.redact import Redactor
from tracker_blur.settings import Settings
from tracker_blur.sinks.video import VideoSink
from tracker_blur.sources.video import VideoSource
from tracker_blur.tracks import Tracks
from tracker_blur.verification.adversary import Find, lookers, without_doubles
from tracker_blur.verification.exposed_runs import RunBuilder
from tracker_blur.verification.verdict import Exposure, Verdict
from tracker_blur.verify import Verifier
from tracker_blur.weights import Weights

SIZE = (1280, 720)
METHODS = ("pixelated", "gaussian", "fog", "solid", "image")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return read_truth(SAMPLES / "crossing.csv", FRAMES)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("clip") / "in.mp4"
    return rendered(SAMPLES / "crossing.mp4", target, {}, frames=FRAMES)


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    cells = np.indices((64, 64)).sum(axis=0) // 8 % 2 * 255
    cv2.imwrite(str(path), cells.astype(np.uint8))
    return path


def in_hole(frame: int, track: int) -> bool:
    return track == 1 and 3 <= frame < 6


@pytest.fixture(scope="module")
def leaky(clip: Path, truth: Truth) -> Path:
    return rendered(clip, clip.with_name("leaky.mp4"), truth, shown=in_hole)


@pytest.fixture(scope="module")
def whole(clip: Path, truth: Truth) -> Path:
    return rendered(clip, clip.with_name("whole.mp4"), truth)


def verify(output: Path, source: Path | None = None, tracks: Tracks | None = None) -> Verdict:
    return Verifier(Settings()).verify(output, source=source, tracks=tracks)


def exposed(verdict: Verdict) -> list[int]:
    return [exposure.frame for run in verdict.runs for exposure in run.exposures]


@pytest.mark.parametrize("method", METHODS)
def test_a_find_over_a_hidden_face_is_no_exposure(
    clip: Path,
    truth: Truth,
    logo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    image = logo if method == "image" else None
    out = rendered(clip, tmp_path / "out.mp4", truth, method=method, image=image)
    told(monkeypatch, finds_of(truth))
    verdict = verify(out, clip)
    assert verdict.runs == ()
    assert verdict.is_clean, verdict.failed_checks
    assert verdict.evidence == "pixels"
    assert (verdict.frames, verdict.looked) == (FRAMES, FRAMES)
    assert verdict.finds == sum(len(truth[frame]) for frame in range(FRAMES))


def test_every_shown_face_is_reported(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, finds_of(truth))
    verdict = verify(leaky, clip)
    (run,) = verdict.runs
    assert exposed(verdict) == [3, 4, 5]
    assert not verdict.is_clean
    assert run.first.time_code == "0:00:00.120"
    assert run.first.track_id is None
    assert all(exposure.visible > 0.9 for exposure in run.exposures)
    assert run.worst.crop is not None
    assert cv2.imdecode(np.frombuffer(run.worst.crop, np.uint8), 1) is not None


def test_also_where_much_is_lost_to_the_encoder(
    clip: Path, truth: Truth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = rendered(clip, tmp_path / "out.mp4", truth, shown=in_hole, quality=38)
    told(monkeypatch, finds_of(truth))
    assert exposed(verify(out, clip)) == [3, 4, 5]


def test_tracks_tell_what_is_hidden(
    truth: Truth, leaky: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looker = told(monkeypatch, finds_of(truth))
    verdict = verify(leaky, tracks=tracks_of(truth, SIZE, FRAMES, in_hole))
    assert verdict.evidence == "tracks"
    assert exposed(verdict) == [3, 4, 5]
    assert verdict.runs[0].track_id == 1
    # The gap is looked at closely, and the frames at each end are there to see.
    assert any(box.iou(truth[4][2][1]) > 0.5 for box in looker.close_looks)
    moments = [view.moment for view in verdict.ends if view.track_id == 1]
    assert moments == ["first", "last"]
    told(monkeypatch, finds_of(truth))
    assert verify(whole, tracks=tracks_of(truth, SIZE, FRAMES)).is_clean


def test_tracks_that_were_not_hidden_are_noticed(
    clip: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, finds_of(truth))
    verdict = verify(clip, tracks=tracks_of(truth, SIZE, FRAMES))
    assert len(exposed(verdict)) >= 0.9 * verdict.finds


def test_a_face_that_is_meant_to_be_seen_is_none(
    truth: Truth, clip: Path, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = tracks_of(truth, SIZE, FRAMES)
    left_open = replace(
        tracks,
        tracks=tuple(replace(track, hide=track.track_id != 1) for track in tracks.tracks),
    )
    for source in (None, clip):
        told(monkeypatch, finds_of(truth))
        assert verify(leaky, source, left_open).is_clean


def test_without_anything_else_detail_decides(
    truth: Truth, leaky: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, finds_of(truth))
    verdict = verify(leaky)
    assert verdict.evidence == "detail"
    assert verdict.checks == ()
    assert exposed(verdict) == [3, 4, 5]
    told(monkeypatch, finds_of(truth))
    assert verify(whole).is_clean


def test_tracks_of_another_video_fail(
    truth: Truth, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch)
    verdict = verify(whole, tracks=tracks_of(truth, SIZE, FRAMES + 5))
    assert [check.name for check in verdict.failed_checks] == ["tracks"]


def test_tracks_fit_a_picture_of_another_size(
    truth: Truth, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, finds_of(truth))
    half = {
        frame: [(track, box.scaled(0.5, 0.5)) for track, box in faces]
        for frame, faces in truth.items()
    }
    assert verify(whole, tracks=tracks_of(half, (640, 360), FRAMES)).is_clean


def test_every_nth_frame(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds = finds_of(truth)
    told(monkeypatch, [finds[0], finds[4], finds[8]])
    progress: list[tuple[int, int | None]] = []
    verdict = Verifier(Settings()).verify(
        leaky, source=clip, every=4, progress=lambda *args: progress.append(args)
    )
    assert (verdict.frames, verdict.looked) == (FRAMES, 3)
    assert exposed(verdict) == [4]
    assert progress == [(done, FRAMES) for done in range(1, FRAMES + 1)]


def test_a_turned_video_is_looked_at_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    clip = write_clip(tmp_path / "in.mp4", size=(192, 128), frames=3, noise=True, matrix=turned)
    box = Box(40, 100, 90, 170)  # the upright picture is 128 wide and 192 high
    truth = {frame: [(0, box)] for frame in range(3)}
    out = rendered(clip, tmp_path / "out.mp4", truth, method="solid")
    told(monkeypatch, finds_of(truth, 3))
    assert verify(out, clip).is_clean
    told(monkeypatch, finds_of(truth, 3))
    bare = rendered(clip, tmp_path / "bare.mp4", {})
    assert exposed(verify(bare, clip)) == [0, 1, 2]


def test_another_video_is_no_input_of_it(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch)
    other = write_clip(tmp_path / "other.mp4", size=SIZE, frames=FRAMES)
    failed = {check.name for check in verify(clip, other).failed_checks}
    assert "pictures" in failed


def test_a_missing_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch)
    with pytest.raises(SourceError, match="no such file"):
        verify(tmp_path / "none.mp4")


def exposure(frame: int, box: Box, score: float, is_agreed: bool = False) -> tuple[Find, Exposure]:
    find = Find(box, score, "told", is_agreed)
    return find, Exposure(frame, frame / 25, None, box, score, "told", 1.0, b"jpeg")


BOX = Box(10, 10, 50, 60)


@pytest.mark.parametrize(
    ("scores", "is_agreed", "is_face"),
    [
        ((0.6,), False, True),
        ((0.59,), False, False),
        ((0.3,), True, True),
        ((0.5, 0.5), False, True),
        ((0.5, 0.4), False, False),
        ((0.49,) * 50, False, False),
    ],
)
def test_what_makes_a_face(scores: tuple[float, ...], is_agreed: bool, is_face: bool) -> None:
    runs = RunBuilder()
    for frame, score in enumerate(scores):
        runs.add([exposure(frame, BOX.moved(frame / 9, 0), score, is_agreed)], [], [])
    assert len(runs.runs()) == is_face


@pytest.mark.parametrize(
    ("scores", "is_doubtful"),
    [
        ((0.7,), True),
        ((0.8,), False),
        ((0.6, 0.6), False),
        ((0.6, None, None, 0.6), False),
        ((0.6, 0.5, 0.5), True),
        ((0.55,) * 9, True),
    ],
)
@pytest.mark.parametrize("is_agreed", [False, True])
def test_what_is_doubtful(
    scores: tuple[float | None, ...], is_agreed: bool, is_doubtful: bool
) -> None:
    runs = RunBuilder()
    for frame, score in enumerate(scores):
        runs.add([] if score is None else [exposure(frame, BOX, score, is_agreed)], [], [])
    (run,) = runs.runs()
    assert run.is_doubtful == is_doubtful


def test_doubtful_places_are_told_apart(
    clip: Path, truth: Truth, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, finds_of(truth, score=0.55))
    verdict = verify(leaky, clip)
    (run,) = verdict.doubtful
    assert [face.frame for face in run.exposures] == [3, 4, 5]
    assert verdict.runs == ()
    assert verdict.is_clean


def test_an_input_that_breaks_off_is_accepted_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_clip(tmp_path / "in.mkv", size=(128, 96), frames=40, noise=True)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 3 // 4])
    out = tmp_path / "out.mkv"
    settings = Settings(method="solid")
    with (
        VideoSource(source, partial=True) as video,
        VideoSink(out, source, video, settings) as sink,
    ):
        for frame in video:
            sink.write(Redactor(settings).redact(frame, []))
    told(monkeypatch)
    with pytest.raises(SourceError, match="breaks off"):
        verify(out, source)
    verdict = Verifier(Settings()).verify(out, source=source, partial=True)
    assert verdict.is_clean, verdict.failed_checks
    assert 0 < verdict.frames < 40


def test_a_weak_find_is_a_face_where_one_was_hidden_or_is_awaited() -> None:
    for hidden, awaited, after in (([BOX], [], []), ([], [], [BOX]), ([], [BOX], [])):
        runs = RunBuilder()
        runs.add([], hidden, [])
        runs.add([exposure(1, BOX.moved(3, 0), 0.4)], [], awaited)
        runs.add([], after, [])
        assert len(runs.runs()) == 1


def test_a_run_bridges_looks_that_missed() -> None:
    runs = RunBuilder()
    for frame in range(30):
        runs.add([] if frame in (4, 5, 15, 16, 17, 18) else [exposure(frame, BOX, 0.8)], [], [])
    spans = [(run.first.frame, run.last.frame) for run in runs.runs()]
    assert spans == [(0, 14), (19, 29)]


def test_a_long_run_keeps_few_pictures() -> None:
    runs = RunBuilder()
    for frame in range(200):
        runs.add([exposure(frame, BOX, 0.9 if frame == 70 else 0.6)], [], [])
    (run,) = runs.runs()
    assert [face.frame for face in run.exposures if face.crop is not None] == [0, 70, 199]
    assert run.worst.frame == 70
    assert len(run.exposures) == 200


def test_two_faces_are_two_runs() -> None:
    runs = RunBuilder()
    for frame in range(4):
        faces = [exposure(frame, BOX, 0.9), exposure(frame, BOX.moved(100, 0), 0.9)]
        runs.add(faces if frame % 2 else faces[::-1], [], [])
    assert [len(run.exposures) for run in runs.runs()] == [4, 4]


def test_a_plate_and_a_face_in_one_place_do_not_agree() -> None:
    box = Box(10, 10, 50, 50)
    face, plate = Find(box, 0.4, "yunet"), Find(box, 0.45, "plate.onnx", label="plate")
    assert without_doubles([face, plate]) == [plate, face]


def test_plates_are_looked_for_where_they_are_hidden() -> None:
    names = [looker.name for looker in lookers(Settings(hide=("faces", "plates")), Weights())]
    assert names[-1] == "plate.onnx"
    (only,) = lookers(Settings(hide=("plates",)), Weights())
    assert (only.name, only.label) == ("plate.onnx", "plate")


def test_without_weights_the_last_resort_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def needs_none(
        weights: Weights, choices: tuple[tuple[str, ...], ...]
    ) -> tuple[str, ...] | None:
        return next((names for names in choices if not names), None)

    monkeypatch.setattr(Weights, "complete", needs_none)
    assert [looker.name for looker in lookers(Settings(), Weights())] == ["haar"]


@pytest.mark.shared
@pytest.mark.parametrize("method", ["pixelated", "gaussian", "solid"])
def test_real_detectors_and_faces(shared: Path, tmp_path: Path, method: str) -> None:
    frames = 12
    truth = read_truth(shared / "videos" / "two_heads.csv", frames)
    clip = rendered(shared / "videos" / "two_heads.mp4", tmp_path / "in.mp4", {}, frames=frames)
    first = min(track for track, _ in truth[0])

    def shown(frame: int, track: int) -> bool:
        return track == first and 4 <= frame < 8

    verifier = Verifier(Settings(models_folder=shared / "models"))
    assert verifier.detectors == ("yunet", "centerface")
    whole = rendered(clip, tmp_path / "whole.mp4", truth, method=method)
    assert verifier.verify(whole, source=clip).is_clean
    leaky = rendered(clip, tmp_path / "leaky.mp4", truth, method=method, shown=shown)
    verdict = verifier.verify(leaky, source=clip)
    assert exposed(verdict) == [4, 5, 6, 7]
    tracks = tracks_of(truth, (480, 270), frames, shown)
    assert exposed(verifier.verify(leaky, tracks=tracks)) == [4, 5, 6, 7]
    assert set(exposed(verifier.verify(leaky))) == {4, 5, 6, 7}


def test_a_looker_finds_faces_in_an_enlarged_part(shared: Path) -> None:
    (looker, *_) = lookers(Settings(), Weights(shared / "models"))
    capture = cv2.VideoCapture(str(shared / "videos" / "walkers_1080p.mp4"))
    _, image = capture.read()
    capture.release()
    truth = read_truth(shared / "videos" / "walkers_1080p.csv", 1)
    smallest = min((box for _, box in truth[0]), key=lambda box: box.size)
    finds = looker.look_closely(np.asarray(image, np.uint8), smallest.moved(5, 5))
    assert any(find.box.iou(smallest) > 0.4 for find in finds)
    assert looker.look_closely(np.asarray(image, np.uint8), Box(-500, 0, -400, 100)) == []


def test_one_face_is_found_once_and_detectors_may_agree() -> None:
    first, second = Find(BOX, 0.4, "yunet"), Find(BOX.moved(2, 2), 0.35, "centerface")
    far = Find(BOX.moved(200, 0), 0.5, "yunet")
    again = Find(BOX.moved(201, 0), 0.4, "yunet")
    kept = without_doubles([second, again, first, far])
    assert [(find.score, find.is_agreed) for find in kept] == [(0.5, False), (0.4, True)]
