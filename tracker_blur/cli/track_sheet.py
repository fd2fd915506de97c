"""The sheet of `trackblur tracks`: an image with a numbered face for each track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.cli.video_views import views
from tracker_blur.core.tracks import Origin
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.files.identity import FileIdentity

_MAX_TILES = 1000
_TILE_PX = 160
_CAPTION_PX = 28
_COLUMNS = 8
_FACE_SHARE = 0.5  # of a tile's side
_WHITE, _RED, _MARK_BGR = (255, 255, 255), (80, 80, 255), (0, 215, 255)


def write_sheet(
    path: Path, tracks: Tracks, video: FileIdentity, overwrite: bool, *, partial: bool
) -> int:
    """Write an image with a numbered tile for each track, for its owner only: it shows faces.

    Args:
        path: a JPEG or PNG file.
        tracks: the tracks; the longest ones if there are very many.
        video: their video.
        overwrite: replace an existing file.
        partial: accept a truncated video.

    Returns:
        How many tracks have no tile.

    Raises:
        SourceError: the video cannot be read, or has changed.
        SinkError: the file cannot be written.
    """
    shown = sorted(tracks.tracks, key=len, reverse=True)[:_MAX_TILES]
    best: dict[int, list[tuple[Track, int]]] = {}
    for track in shown:
        row = _best_row(track)
        best.setdefault(int(track.frames[row]), []).append((track, row))
    tiles: dict[int, Image] = {}
    for frame, image in views(video, tracks.size, best, partial):
        for track, row in best[frame]:
            tiles[track.track_id] = _tile(image, track, track.box(row))
    video.check_end()
    ordered = [tiles[track_id] for track_id in sorted(tiles)]
    columns = max(1, min(_COLUMNS, len(ordered)))
    blank = np.zeros((_TILE_PX + _CAPTION_PX, _TILE_PX, 3), np.uint8)
    ordered += [blank] * (-len(ordered) % columns or columns * (not ordered))
    rows = [np.hstack(ordered[at : at + columns]) for at in range(0, len(ordered), columns)]
    _, content = cv2.imencode(path.suffix, np.vstack(rows))
    with replacing(path, overwrite, is_private=True) as temporary:
        temporary.write_bytes(content.tobytes())
    return len(tracks.tracks) - len(shown)


def _best_row(track: Track) -> int:
    """Return the row of the detection with the highest score, and of several the largest."""
    sizes = (track.boxes[:, 2:] - track.boxes[:, :2]).prod(axis=1)
    scores = np.where(track.has(Origin.DETECTED), track.scores, -1)
    return int(np.lexsort((sizes, scores))[-1])


def _tile(image: Image, track: Track, box: Box) -> Image:
    """Return a square around the box, and under it the track's number and what happens to it."""
    side = max(box.width, box.height) / _FACE_SHARE
    scale = _TILE_PX / side
    x, y = box.center
    middle = _TILE_PX / 2
    matrix = np.array(((scale, 0, middle - x * scale), (0, scale, middle - y * scale)), np.float64)
    tile = cv2.warpAffine(image, matrix, (_TILE_PX, _TILE_PX), flags=cv2.INTER_AREA)
    half = round(box.width * scale / 2), round(box.height * scale / 2)
    start, end = (
        (round(middle) + sign * half[0], round(middle) + sign * half[1]) for sign in (-1, 1)
    )
    cv2.rectangle(tile, start, end, _MARK_BGR, 1)
    caption = np.zeros((_CAPTION_PX, _TILE_PX, 3), np.uint8)
    text = f"{track.track_id}" if track.hide else f"{track.track_id} visible"
    color = _WHITE if track.hide else _RED
    cv2.putText(caption, text, (6, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.65, color, 1, cv2.LINE_AA)
    return np.asarray(np.vstack([tile, caption]), np.uint8)
