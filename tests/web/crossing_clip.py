"""A short clip of the sample with its true boxes as tracks."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.video_files import write_frames
from tracker_blur.annotations import track_file
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SIZE = (640, 360)
FRAMES = 20
KEPT = 15  # frames in which a track has boxes that is lost
FIRST = 95  # four people can be seen


def write_crossing(path: Path) -> Path:
    """Write some frames of the sample, half as large."""
    with av.open(str(SAMPLES / "crossing.mp4")) as reader:
        frames = [
            frame.reformat(*SIZE, format="yuv420p")
            for number, frame in enumerate(reader.decode(video=0))
            if FIRST <= number < FIRST + FRAMES
        ]
    return write_frames(path, frames, codec="libx264")


def write_crossing_tracks(clip: Path, lost: int | None = None) -> Path:
    """Write the track file next to the clip: the true boxes, as if they were detected.

    Args:
        clip: The clip.
        lost: A track that ends before the clip does.
    """
    rows = defaultdict(list)
    with (SAMPLES / "crossing.csv").open() as file:
        for row in csv.DictReader(file):
            frame = int(row["frame"]) - FIRST
            left, top, width, height = (float(row[name]) / 2 for name in "xywh")
            rows[frame].append((int(row["track"]), Box(left, top, left + width, top + height)))
    builder = TracksBuilder()
    for frame in range(FRAMES):
        for track_id, box in rows[frame]:
            if track_id == lost and frame >= KEPT:
                continue
            builder.add(frame, Face(track_id, box, 0.9, Origin.DETECTED))
    with av.open(str(clip)) as container:
        (stream,) = container.streams.video
        time_base = stream.time_base
        assert time_base is not None
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    tracks = Tracks(SIZE, Fraction(time_base), np.sort(np.array(times)), (), builder.tracks())
    content = clip.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    target = clip.with_name(f"{clip.stem}.tracks.jsonl")
    made = track_file.TrackFile(tracks, clip.name, digest, len(content), {}, "onnx")
    track_file.write(target, made, overwrite=False)
    return target
