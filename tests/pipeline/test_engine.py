"""Whole runs on annotated clips: outputs are judged against the true boxes."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from skimage import data

from tests.clips import first_frames
from tests.video_files import write_clip
from tracker_blur import Settings, redact_video
from tracker_blur.core.box import Box
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.report import Report

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "crossing.mp4"
MIN_HIDDEN_SHARE = 0.85
DARK = 40


def exposed_share(redacted: Path, truth_file: Path) -> float:
    """Return the share of true (face, frame) pairs of which less than 85 % is black."""
    truth = defaultdict(list)
    with truth_file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            truth[int(row["frame"])].append([float(row[key]) for key in ("x", "y", "w", "h")])
    judged = exposed = 0
    with av.open(str(redacted)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            hidden = (frame.to_ndarray(format="gray") < DARK).astype(np.uint8)
            for x, y, width, height in truth.get(index, ()):
                face = np.zeros(hidden.shape, np.uint8)
                cv2.ellipse(face, ((x + width / 2, y + height / 2), (width, height), 0), 1, -1)
                if face.any():
                    judged += 1
                    exposed += cv2.mean(hidden, face)[0] < MIN_HIDDEN_SHARE
    assert judged > 0
    return exposed / judged


def times(path: Path) -> list[Fraction]:
    """Return when each frame of a video is shown, in seconds."""

    def time_of(frame: av.VideoFrame) -> Fraction:
        assert frame.pts is not None
        assert frame.time_base is not None
        return frame.pts * frame.time_base

    with av.open(str(path)) as container:
        return [time_of(frame) for frame in container.decode(video=0)]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("clip", "limit"),
    [
        ("signer.mkv", 0.0),
        ("two_heads.mp4", 0.0),
        ("walking_pause.mp4", 0.0),
    ],
)
def test_annotated_faces_are_hidden_and_times_stay_exact(
    shared: Path, tmp_path: Path, clip: str, limit: float
) -> None:
    source = shared / "videos" / clip
    out = tmp_path / f"out{source.suffix}"
    settings = Settings(models_folder=shared / "models", method="solid")
    report = redact_video(source, out, settings)
    assert report.detector == "yunet"
    assert exposed_share(out, source.with_suffix(".csv")) <= limit
    assert times(out) == times(source)


@pytest.mark.slow
def test_with_our_own_weights_no_face_of_the_sample_is_exposed(tmp_path: Path) -> None:
    redact_video(SAMPLE, tmp_path / "out.mp4", Settings(detector="onnx", method="solid"))
    assert exposed_share(tmp_path / "out.mp4", SAMPLE.with_suffix(".csv")) == 0


@pytest.mark.slow
@pytest.mark.shared
def test_a_baby_that_sleeps_is_hidden_to_the_end(shared: Path) -> None:
    engine = Engine(Settings(detector="onnx"))
    tracks = engine.track_file(shared / "videos" / "hard" / "baby_sleep.mp4", "video").video_tracks
    assert tracks is not None
    face = Box.from_xywh(235, 174, 116, 98)  # benchmarks/hard_clips/baby_sleep.csv
    timeline = Timeline(tracks)
    for index in range(tracks.frame_count):
        hidden = [one.box.padded(0.3).intersection_area(face) for one in timeline.faces(index)]
        assert max(hidden, default=0.0) > MIN_HIDDEN_SHARE * face.area


@pytest.mark.slow
@pytest.mark.shared
def test_a_clip_without_faces_stays_as_it_was(shared: Path) -> None:
    source = shared / "videos" / "no_faces.mp4"
    settings = Settings(models_folder=shared / "models")
    tracks = Engine(settings).track_file(source, "video").video_tracks
    assert tracks is not None
    width, height = tracks.size
    timeline = Timeline(tracks)
    faces = [face for index in range(tracks.frame_count) for face in timeline.faces(index)]
    hidden = sum(face.box.clipped(width, height).area for face in faces)
    assert hidden / (tracks.frame_count * width * height) < 0.002


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("delay_seconds", [0.0, 0.2])
def test_one_pass_hides_nearly_every_face(
    shared: Path, tmp_path: Path, delay_seconds: float
) -> None:
    settings = Settings(
        models_folder=shared / "models",
        method="solid",
        one_pass=True,
        delay_seconds=delay_seconds,
    )
    beginning = first_frames(SAMPLE, tmp_path / "in.mp4", 40)
    report = redact_video(beginning, tmp_path / "out.mp4", settings)
    assert report.passes == 1
    assert report.frames == 40
    assert exposed_share(tmp_path / "out.mp4", SAMPLE.with_suffix(".csv")) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("one_pass", [False, True])
def test_a_face_in_one_frame_of_a_time_lapse_is_hidden(tmp_path: Path, one_pass: bool) -> None:
    """Detecting on every second frame would miss a passer-by in one of the others."""
    scene = cv2.resize(data.coffee(), (640, 400))
    passers_by = {7: 40, 12: 150, 17: 260, 21: 370}
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 640, 400, "yuv420p"
        for index in range(25):
            image = scene.copy()
            if index in passers_by:
                x = passers_by[index]
                face = cv2.resize(data.astronaut()[0:200, 120:320], (110, 110))
                image[100:210, x : x + 110] = face
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    settings = Settings(method="solid", one_pass=one_pass)
    redact_video(tmp_path / "in.mp4", tmp_path / "out.mp4", settings)
    with av.open(str(tmp_path / "out.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in passers_by:
                middle = slice(passers_by[index] + 50, passers_by[index] + 70)
                assert frame.to_ndarray(format="gray")[140:165, middle].max() < DARK


@pytest.mark.slow
def test_tracks_of_other_frames_hide_nothing(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=30)
    job = Job(source, tmp_path / "out.mp4", "video")
    with VideoReader(source) as video:
        times = [frame.pts for frame in video]
        size, time_base = video.info.size, video.track.time_base
    engine = Engine(Settings())
    for wrong in (times[:-1], [*times, times[-1] + 1], [*times[:9], times[9] + 1, *times[10:]]):
        tracks = Tracks(size, time_base, np.array(wrong, np.int64))
        with pytest.raises(SourceError, match="not those of the tracks"):
            engine.render_file(job, tracks)
        assert list(tmp_path.iterdir()) == [source]
    assert engine.render_file(job, Tracks(size, time_base, np.array(times, np.int64))).frames == 30


def test_an_impossible_output_is_refused_before_the_first_pass(tmp_path: Path) -> None:
    reports: list[Report] = []
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(SinkError, match="already exists"):
        redact_video(SAMPLE, tmp_path / "out.mp4", progress=reports.append)
    with pytest.raises(SinkError, match="does not exist"):
        redact_video(SAMPLE, tmp_path / "none" / "out.mp4", progress=reports.append)
    with pytest.raises(SinkError):
        redact_video(SAMPLE, tmp_path / "out.xyz", progress=reports.append)
    assert reports == []


@pytest.mark.shared
def test_a_failing_detector_means_an_error_and_no_output(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker_blur.detectors import yunet

    calls = []

    def fail_later(self: object, image: Image, confidence: float) -> list[Detection]:
        calls.append(image.shape)
        if len(calls) == 5:
            raise RuntimeError("the network fell over")
        return []

    monkeypatch.setattr(yunet.YuNet, "detect", fail_later)
    settings = Settings(models_folder=shared / "models", detect_every_frames=1)
    with pytest.raises(RuntimeError, match="fell over"):
        redact_video(shared / "videos" / "two_heads.mp4", tmp_path / "out.mp4", settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.shared
def test_two_runs_hide_the_same_pixels(shared: Path, tmp_path: Path) -> None:
    source = first_frames(shared / "videos" / "two_heads.mp4", tmp_path / "in.mp4", 40)
    # Lossless: what is compared is what was hidden, not what an encoder leaves of it.
    settings = Settings(models_folder=shared / "models", quality=0)
    frames = []
    for name in ("one.mp4", "two.mp4"):
        redact_video(source, tmp_path / name, settings)
        with av.open(str(tmp_path / name)) as container:
            frames.append([frame.to_ndarray() for frame in container.decode(video=0)])
    assert all(np.array_equal(one, two) for one, two in zip(*frames, strict=True))


def test_a_missing_input_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        redact_video(tmp_path / "no.mp4", tmp_path / "out.mp4", Settings(detector="haar"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["video", "image"])
def test_people_cannot_be_chosen_where_faces_are_not_detected(kind: str, tmp_path: Path) -> None:
    settings = Settings(keep_people=tmp_path, hide=("plates",))
    source = SAMPLE if kind == "video" else SAMPLE.with_name("people.jpg")
    job = Job.of(source, tmp_path / f"out{source.suffix}")
    with pytest.raises(SettingsError, match="needs faces among what is detected"):
        Engine(settings).redact_file(job)
    assert list(tmp_path.iterdir()) == []
