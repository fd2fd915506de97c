"""MOTChallenge text, as evaluation tools read it: ten columns, one line for each face and frame.

Columns: frame (from 1), track, left, top, width, height, score, and three times -1. Pixels count
from 0, as everywhere in trackblur. Any file with at least the first six columns is read; columns
after the score are ignored. It cannot carry labels, whether a track is hidden, its method, and
where a box comes from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracker_blur.annotations.reading import lines, reading
from tracker_blur.annotations.rows import TrackCollector, rows
from tracker_blur.annotations.values import InvalidValueError, parsed, parsed_whole
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks


def write(tracks: Tracks, path: Path, overwrite: bool) -> None:
    """Write one track after the other."""
    with (
        replacing(path, overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for track in tracks.tracks:
            for row in rows(track):
                x, y, width, height = row.x_y_width_height
                file.write(
                    f"{row.frame + 1},{track.track_id},{x},{y},{width},{height},"
                    f"{row.score},-1,-1,-1\n"
                )


def read(path: Path, like: Tracks) -> Tracks:
    """Read the first seven columns, separated by commas or spaces."""
    collector = TrackCollector(like.frame_count)
    with reading(path) as location, path.open("rb") as file:
        for line in lines(file, location):
            if line.strip():
                _read_line(line, collector)
    return replace(like, tracks=collector.tracks())


def _read_line(line: str, collector: TrackCollector) -> None:
    columns = line.replace(",", " ").split()
    if len(columns) < 6:
        raise InvalidValueError(
            "has fewer than six columns: give frame,track,left,top,width,height"
        )
    frame = parsed_whole(columns[0], "frame")
    if frame < 1:
        raise InvalidValueError(
            f"frame is {frame}, but the first frame of this format is 1: give a number from 1"
        )
    track_id = parsed_whole(columns[1], "track")
    if track_id < 0:
        raise InvalidValueError(
            "track is negative, so these are detections without tracks: give each track a number"
        )
    x, y, width, height = (parsed(text, "the box") for text in columns[2:6])
    # Scores of other detectors may have any range; nothing depends on them here.
    score = min(max(parsed(columns[6], "score"), 0.0), 1.0) if len(columns) > 6 else 1.0
    collector.add(track_id, frame - 1, (x, y, x + width, y + height), score)
