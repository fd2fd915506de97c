"""The track file of a still image: what is detected in it, one track a face, in its only frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.annotations import track_file
from tracker_blur.errors import SettingsError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.images.reader import ImageReader
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.tracking.still_tracks import StillTracks
from tracker_blur.tracking.stills import detect_stills

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.settings import Settings


def write_image_tracks(image: Path, target: Path, settings: Settings) -> None:
    """Detect in a still image, and write its track file.

    Args:
        image: the image.
        target: the track file; it must not exist.
        settings: what to detect, and how.

    Raises:
        SourceError: the image cannot be read.
        SettingsError: it is an animation or has several pages.
        SinkError: the track file cannot be written.
    """
    identity = FileIdentity.of(image, hashed=True)
    bundle = DetectorBundle.of(settings)
    with ImageReader(image, identity=identity, max_megapixels=settings.max_megapixels) as reader:
        frames = list(zip(range(2), detect_stills(reader, bundle.detectors), strict=False))
    if len(frames) > 1:
        raise SettingsError(f"{image}: has several frames: make its tracks with 'trackblur track'")
    (_, (frame, faces)) = frames[0]
    still = StillTracks(settings.rules())
    still.add(frame, faces)
    made = track_file.TrackFile.of(
        identity, still.tracks(), settings, bundle.name, bundle.weight_files
    )
    track_file.write(target, made, overwrite=False)
