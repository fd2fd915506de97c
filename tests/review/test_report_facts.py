"""What a report is made of: facts about files, verdicts, faces."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import onnxruntime
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.identity import sha256
from tracker_blur.review.file_facts import FileFacts, dropped_metadata, dropped_streams
from tracker_blur.review.report_facts import faces_of, read_verification, versions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ten frames, gray levels 0 to 180, with audio, a title and a place."""
    path = tmp_path_factory.mktemp("facts") / "in.mkv"
    with av.open(str(path), "w") as writer:
        writer.metadata.update({"title": "Anna", "LOCATION": "+52+13/"})
        video = writer.add_stream("ffv1", 10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = writer.add_stream("pcm_s16le", 8000, layout="mono")
        for number in range(10):
            image = np.full((48, 64, 3), 20 * number, np.uint8)
            writer.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
        sound.rate = 8000
        writer.mux(audio.encode(sound))
        writer.mux(video.encode(None))
        writer.mux(audio.encode(None))
    return path


def test_a_video_has_its_hash_streams_and_names_of_metadata(clip: Path) -> None:
    facts = FileFacts.of(clip)
    assert (facts.name, facts.sha256) == ("in.mkv", sha256(clip))
    assert facts.size_bytes == clip.stat().st_size
    assert facts.container == "matroska,webm"
    assert facts.seconds == pytest.approx(1.0)
    assert [(one.kind, one.codec, one.details) for one in facts.streams] == [
        ("video", "ffv1", "64x48, yuv420p, 10 frames a second"),
        ("audio", "pcm_s16le", "8000 Hz, 1 channels"),
    ]
    assert facts.metadata == ("location", "title")
    assert "Anna" not in repr(replace(facts, name=""))


def test_an_image_has_a_size(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    facts = FileFacts.of(path)
    assert (facts.container, facts.seconds) == ("png", None)
    assert [(one.kind, one.details) for one in facts.streams] == [("image", "30x20")]


def test_what_has_no_counterpart_was_dropped(clip: Path) -> None:
    before = FileFacts.of(clip)
    after = replace(before, streams=before.streams[:1], metadata=("title",))
    assert [stream.kind for stream in dropped_streams(before, after)] == ["audio"]
    assert dropped_metadata(before, after) == ["location"]
    assert dropped_streams(before, before) == []


def test_what_is_no_video_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"a\.mp4"):
        FileFacts.of(path)
    with pytest.raises(SourceError, match="no such file"):
        FileFacts.of(tmp_path / "b.mp4")


def test_the_best_face_of_each_track_is_shown(clip: Path) -> None:
    builder = TracksBuilder()
    for frame in range(10):
        score = 0.9 if frame == 7 else 0.4
        builder.add(frame, Face(1, Box(10, 10, 30, 30), score, Origin.DETECTED))
        builder.add(frame, Face(2, Box(40, 10, 60, 30), 0.99, Origin.HELD))
    times = np.arange(10, dtype=np.int64)
    tracks = Tracks((64, 48), Fraction(1, 10), times, (), builder.tracks())
    faces = faces_of(clip, tracks)
    assert faces.keys() == {1, 2}
    image = cv2.imdecode(np.frombuffer(faces[1], np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (96, 96, 3)
    assert abs(float(image[48, 48].mean()) - 140) < 6


VERDICT: dict[str, Any] = {"output": "/a/out.mp4", "verdict": "nothing found", "clean": True}


@pytest.mark.parametrize(
    "content",
    [
        VERDICT,
        {"files": [{**VERDICT, "output": "b.mp4"}, VERDICT]},
        {"files": [{"output": "/a/out.mp4", "verified": VERDICT}]},
        {**VERDICT, "output": "C:\\a\\out.mp4"},
    ],
)
def test_a_verdict_is_read_from_each_report_that_has_one(
    content: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(content))
    assert read_verification(path, tmp_path / "out.mp4")["verdict"] == "nothing found"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 100_000,
        "{}",
        '{"files": 3}',
        '{"files": [{"verified": null}]}',
        '{"output": "out.mp4", "verdict": "exposed", "clean": "no"}',
        '{"output": "out.mp4", "verdict": "exposed", "clean": false, "runs": [3]}',
        '{"output": "out.mp4", "verdict": "exposed", "clean": false, "checks": {}}',
        '{"output": "out.mp4", "verdict": "exposed", "clean": false, "dismissed": "x"}',
    ],
)
def test_what_is_no_verdict_is_refused_in_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"verify\.json: is no report of"):
        read_verification(path, tmp_path / "out.mp4")


def test_a_verdict_on_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    path, output = tmp_path / "verify.json", tmp_path / "out.mp4"
    output.write_bytes(b"as it was verified")
    good = {**VERDICT, "output_sha256": sha256(output)}
    bad = {**VERDICT, "verdict": "exposed", "output_sha256": "ab" * 32}
    path.write_text(json.dumps({"files": [bad, good]}))
    assert read_verification(path, output)["verdict"] == "nothing found"
    output.write_bytes(b"rendered again")
    with pytest.raises(SettingsError, match=r"is about another out\.mp4, or about it before"):
        read_verification(path, output)


def test_a_verdict_on_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(VERDICT))
    with pytest.raises(SettingsError, match=r"says nothing about other\.mp4"):
        read_verification(path, tmp_path / "other.mp4")
    with pytest.raises(SourceError, match="no such file"):
        read_verification(tmp_path / "missing.json", tmp_path / "out.mp4")


def test_all_versions_are_known() -> None:
    assert all(versions().values())
    assert versions()["onnxruntime"] == onnxruntime.__version__
