"""What `trackblur tracks` needs the video for: following drawn boxes, and a sheet of all tracks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.annotations import edits
from tracker_blur.core.frame import default_view_px, view_size
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.core.tracks import Origin
from tracker_blur.files.atomic import replacing
from tracker_blur.files.paths import is_image
from tracker_blur.images.reader import ImageReader
from tracker_blur.trackers import csrt
from tracker_blur.tracking.following import Follower
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.files.identity import FileIdentity

_MAX_BACK_BYTES = 256 << 20
_MAX_TILES = 1000
_TILE_PX = 160
_CAPTION_PX = 28
_COLUMNS = 8
_FACE_SHARE = 0.5  # of a tile's side
_WHITE, _RED, _MARK_BGR = (255, 255, 255), (80, 80, 255), (0, 215, 255)


@dataclass(frozen=True, slots=True)
class Followed:
    """Tracks with a drawn box that was followed.

    Attributes:
        tracks: all tracks.
        first: the first frame that it was followed to.
        last: the last one.
        goes_on: whether the shot goes on before the first and after the last frame.
    """

    tracks: Tracks
    first: int
    last: int
    goes_on: tuple[bool, bool]


def follow(
    tracks: Tracks, track_id: int, keyframes: Mapping[int, Box], video: FileIdentity
) -> Followed:
    """Draw boxes, then follow the first one back and the last one on, each within its shot.

    Args:
        tracks: all tracks.
        track_id: number of the track.
        keyframes: drawn boxes by frame.
        video: the video of the tracks.

    Raises:
        SettingsError: the boxes cannot be drawn.
        SourceError: the video cannot be read, or has changed.
    """
    parameters = TrackingParameters()
    limits = parameters.following
    drawn = edits.draw(tracks, track_id, keyframes)
    first, last = min(keyframes), max(keyframes)
    shot_start = max((cut for cut in tracks.cuts if cut <= first), default=0)
    shot_end = min((cut for cut in tracks.cuts if cut > last), default=tracks.frame_count)
    new_tracker = csrt.load(Weights())
    scale = _Scale(tracks.size, keyframes.values(), limits.min_face_px)
    rate = _rate(tracks)
    kept = min(
        round(limits.max_back_seconds * rate),
        limits.max_back_frames,
        _MAX_BACK_BYTES // (3 * scale.pixels),
    )
    before: deque[Image] = deque(maxlen=max(1, kept))
    boxes: dict[int, Box] = {}
    follower: Follower | None = None
    for frame, image in _views(video, scale.size, range(shot_start, shot_end)):
        if frame < first:
            before.append(image)
        if frame == first:
            back = Follower(image, scale.down(keyframes[first]), new_tracker(), parameters)
            for distance, earlier in enumerate(reversed(before), 1):
                box = back.step(earlier)
                if box is None:
                    break
                boxes[first - distance] = scale.up(box)
            before.clear()
        if frame == last:
            follower = Follower(image, scale.down(keyframes[last]), new_tracker(), parameters)
        elif follower is not None:
            box = follower.step(image)
            if box is None:
                break
            boxes[frame] = scale.up(box)
    video.check_end()
    reached = min((first, *boxes)), max((last, *boxes))
    margin = max(parameters.smoothing.min_margin_frames, round(limits.margin_seconds * rate))
    added = {frame: (box, Origin.TRACKED) for frame, box in boxes.items()}
    ends = boxes | {frame: keyframes[frame] for frame in (first, last)}
    for frame in range(max(shot_start, reached[0] - margin), reached[0]):
        added[frame] = ends[reached[0]], Origin.MARGIN
    for frame in range(reached[1] + 1, min(shot_end, reached[1] + 1 + margin)):
        added[frame] = ends[reached[1]], Origin.MARGIN
    return Followed(
        edits.add_boxes(drawn, track_id, added),
        *reached,
        (reached[0] > shot_start, reached[1] + 1 < shot_end),
    )


def write_sheet(path: Path, tracks: Tracks, video: FileIdentity, overwrite: bool) -> int:
    """Write an image with a numbered tile for each track, for its owner only: it shows faces.

    Args:
        path: a JPEG or PNG file.
        tracks: the tracks; the longest ones if there are very many.
        video: their video.
        overwrite: replace an existing file.

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
    for frame, image in _views(video, tracks.size, best):
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


class _Scale:
    """Between pixels of the frame and of a view in which drawn boxes are large enough to follow."""

    def __init__(self, frame_size: tuple[int, int], boxes: Iterable[Box], min_face_px: int) -> None:
        smallest = min(min(box.width, box.height) for box in boxes)
        longest = max(frame_size)
        px = max(default_view_px(frame_size), round(longest * min_face_px / smallest))
        self.size = view_size(frame_size, min(longest, px))
        self.pixels = self.size[0] * self.size[1]
        self._x, self._y = (view / full for view, full in zip(self.size, frame_size, strict=True))

    def down(self, box: Box) -> Box:
        return box.scaled(self._x, self._y)

    def up(self, box: Box) -> Box:
        return box.scaled(1 / self._x, 1 / self._y)


def _rate(tracks: Tracks) -> float:
    """Return the frames per second, on average."""
    if tracks.frame_count < 2:
        return 1.0
    seconds = float((int(tracks.times[-1]) - int(tracks.times[0])) * tracks.time_base)
    return (tracks.frame_count - 1) / seconds


def _views(
    video: FileIdentity, size: tuple[int, int], wanted: Container[int]
) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames of a video with their numbers, as BGR of this size."""
    reader = ImageReader if is_image(video.path) else VideoReader
    with reader(video.path, identity=video) as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                yield number, frame.view(size)


def _best_row(track: Track) -> int:
    """Return the row of the surest detection, and of several the largest."""
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
