"""Whether tracks may be those of a finished video.

A track file names the video that it was made for by its hash, and what was made of that video has
another one. But every output has as many frames as its input, at the same times and of the same
shape. A video that differs in one of these was made of another input, and its faces must not be
looked for where that one has them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.errors import TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_image
from tracker_blur.images.reader import ImageReader
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.video.frame_times import frame_times
from tracker_blur.video.missing_bytes import missing_bytes
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.settings import Settings

_PADDED_PX = 1  # by which an encoder enlarges an odd side


def check_tracks(
    tracks: Tracks,
    output: Path,
    settings: Settings,
    *,
    name: str = "tracks",
    source_name: str | None = None,
) -> None:
    """Check that a video may have been made of the one that the tracks were made for.

    Args:
        tracks: what was hidden.
        output: the finished video.
        settings: `partial` and the largest size matter here.
        name: of the track file, for messages.
        source_name: of the video that the tracks were made for.

    Raises:
        TrackFileError: the output was certainly made of another video, or is the input itself.
        SourceError: the output cannot be read.
    """
    identity = FileIdentity.of(output, hashed=tracks.source_sha256 is not None)
    if identity.sha256 is not None and identity.sha256 == tracks.source_sha256:
        raise TrackFileError(
            f"{output}: is the video that {name} was made for, in which nothing is hidden yet: "
            "name what was made of it"
        )
    difference = _difference(tracks, output, identity, settings)
    if difference is not None:
        other = "another video" if source_name is None else f"another video ({source_name})"
        raise TrackFileError(
            f"{name}: made for {other}: {output} {difference}: name the tracks of its own input, "
            "or leave them out"
        )


def _difference(
    tracks: Tracks,
    output: Path,
    identity: FileIdentity,
    settings: Settings,
) -> str | None:
    """Return how an output differs from what was tracked; None: not, as far as can be known."""
    limit, partial, parameters = settings.max_megapixels, settings.partial, VerificationParameters()
    if is_image(output):
        image = ImageReader(output, partial=partial, identity=identity, max_megapixels=limit)
        # A GIF may lack frames that came too fast for it, and may have other proportions.
        return None if image.info.is_moving else "is a still image, which has no tracks"
    with VideoReader(output, partial=partial, identity=identity, max_megapixels=limit) as video:
        size = video.info.size
    times = frame_times(output)
    if times is None:
        return None
    if not _is_of_shape(size, tracks.size, parameters.aspect_tolerance):
        shapes = [f"{width}x{height}" for width, height in (size, tracks.size)]
        return f"has frames of {shapes[0]} pixels, and the tracks are for {shapes[1]}"
    if missing_bytes(output):  # frames that refer to others are missing before the end, too
        return None
    if len(times) != tracks.frame_count:
        return f"has {len(times)} frames, and the tracks are for {tracks.frame_count}"
    return _other_times(times, tracks.seconds, parameters)


def _is_of_shape(size: tuple[int, int], tracked: tuple[int, int], tolerance: float) -> bool:
    """Return whether frames are as wide for their height as those that were tracked."""
    is_padded = all(
        0 <= side - before <= _PADDED_PX for side, before in zip(size, tracked, strict=True)
    )
    ratios = (width / height for width, height in (size, tracked))
    return is_padded or math.isclose(*ratios, rel_tol=tolerance)


def _other_times(
    times: npt.NDArray[np.float64],
    tracked: npt.NDArray[np.float64],
    parameters: VerificationParameters,
) -> str | None:
    """Return where frames come at other times than those that were tracked.

    A frame that is off by half the time between two frames is another one. Other programs round
    times in their own way.
    """
    if len(times) < 2:
        return None
    after, before = times - times[0], tracked - tracked[0]
    tolerance = max(float(np.median(np.diff(before))) / 2, parameters.time_tolerance_seconds)
    offsets = np.abs(after - before)
    if offsets.max() <= tolerance:
        return None
    frame = int(np.argmax(offsets > tolerance))
    return (
        f"shows frame {frame} after {after[frame]:.3f} seconds, and the tracks are for one that "
        f"shows it after {before[frame]:.3f}"
    )
