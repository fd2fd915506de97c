"""Clips for the tests of the commands."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.command_line import run

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
VIDEO = SAMPLES / "crossing.mp4"
IMAGE = SAMPLES / "people.jpg"
QUICK = ("--detector", "haar", "--view-size", "160", "--quiet")  # for the small clips
GREEN = ("--method", "solid", "--color", "#00ff00")
TWO_FACES = np.s_[190:430, 780:1100]  # where they are in the video, 100 pixels wide


@pytest.fixture
def models(shared: Path) -> str:
    """Return the folder of weight files."""
    return str(shared / "models")


@pytest.fixture(scope="session")
def clip_with_audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first 12 frames of the sample video, at half its size, with audio."""
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    with av.open(str(VIDEO)) as reader, av.open(str(path), "w") as writer:
        video = writer.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = writer.add_stream_from_template(reader.streams.audio[0])
        for index, frame in enumerate(reader.decode(video=0)):
            if index == 12:
                break
            small = frame.reformat(640, 360)
            small.pict_type = 0
            writer.mux(video.encode(small))
        writer.mux(video.encode(None))
        reader.seek(0)
        for packet in reader.demux(audio=0):
            if packet.pts is not None and packet.pts * packet.time_base < 12 / 25:
                packet.stream = audio
                writer.mux(packet)
    return path


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 10 small frames with two faces."""
    return _write_small_clip(tmp_path_factory.mktemp("small") / "in.mp4", first=0)


@pytest.fixture(scope="session")
def other_small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 10 frames that begin one frame later."""
    return _write_small_clip(tmp_path_factory.mktemp("other") / "other.mp4", first=1)


@pytest.fixture(scope="session")
def tracked(small_clip: Path) -> Path:
    """Return the track file of the small clip."""
    path = small_clip.with_name("made.tracks.jsonl")
    assert run("track", small_clip, "-o", path, *QUICK) == 0
    return path


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small still image of people."""
    path = tmp_path_factory.mktemp("image") / "still.png"
    with Image.open(IMAGE) as image:
        image.resize((image.width // 6, image.height // 6)).save(path)
    return path


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Leave only the detectors that need no downloaded weights."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def green_shares(path: Path) -> list[float]:
    """Return, for each frame of a video, the share of its pixels that GREEN hides."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [float(((rgb[..., 1] > 180) & (rgb[..., 0] < 90)).mean()) for rgb in frames]


def _write_small_clip(path: Path, first: int, frame_count: int = 10) -> Path:
    """Write a part of the sample video at half its size, without audio."""
    with av.open(str(VIDEO)) as reader, av.open(str(path), "w") as writer:
        video = writer.add_stream("libx264", rate=25, options={"crf": "12"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for index, frame in enumerate(reader.decode(video=0)):
            if index >= first + frame_count:
                break
            if index >= first:
                part = np.array(frame.to_ndarray(format="rgb24")[TWO_FACES], np.uint8, order="C")
                small = av.VideoFrame.from_ndarray(part, "rgb24").reformat(160, 120, "yuv420p")
                small.pts = index - first
                writer.mux(video.encode(small))
        writer.mux(video.encode(None))
    return path
