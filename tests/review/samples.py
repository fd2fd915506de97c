"""A small video with a track file, for tests of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.video_files import write_clip
from tracker_blur.annotations import track_file
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 40
SIZE = (96, 64)


def write_video(path: Path, **changes: Any) -> Path:
    """Write a video with a key frame in every tenth frame."""
    options = {"x264-params": "keyint=10:min-keyint=10:scenecut=0:bframes=2"}
    return write_clip(path, **{"frames": FRAMES, "size": SIZE, "options": options, **changes})


def write_tracks(video: Path) -> Path:
    """Write a track file: track 1 in frames 5 to 30, track 2 in frames 10 to 39."""
    identity = FileIdentity.of(video, hashed=True)
    with VideoReader(video) as reader:
        frames = [(frame.pts, frame.time_base) for frame in reader]
        size = reader.info.size
    builder = TracksBuilder()
    for frame in range(5, 31):
        builder.add(
            frame, Face(1, Box(10 + frame / 2, 10, 30 + frame / 2, 34), 0.9, Origin.DETECTED)
        )
    for frame in range(10, len(frames)):
        builder.add(frame, Face(2, Box(60, 20, 80, 44), 0.8, Origin.TRACKED))
    tracks = Tracks(
        size,
        frames[0][1],
        np.array([pts for pts, _ in frames], np.int64),
        tracks=builder.tracks(),
    )
    target = video.with_name(f"{video.stem}.tracks.jsonl")
    made = track_file.TrackFile.of(identity, tracks, Settings(method="solid"), "yunet")
    track_file.write(target, made, overwrite=True)
    return target
