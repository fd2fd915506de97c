"""The library's functions: hide faces in one video, one image, one array, or frames of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.api.redactor import Redactor

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from tracker_blur.api.images import Array, ChannelOrder, ImageInput
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.settings import Settings


def redact_video(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Write a copy of a video in which every face is hidden and everything else is as it was.

    Args:
        source: the video.
        target: where to write the copy; its suffix says in which container.
        settings: how faces are detected and hidden; the defaults if None.
        progress: called with the report so far after each frame; raise in it to stop the run.

    Returns:
        What was done.

    Raises:
        TrackerBlurError: The video cannot be redacted; `tracker_blur.errors` says why. Then no
            target is left.
    """
    return Redactor(settings).redact_video(source, target, progress)


def redact_image(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    settings: Settings | None = None,
) -> Report:
    """Write a copy of an image, still or animated, in which every face is hidden.

    Args:
        source: the image.
        target: where to write the copy; its suffix says in which format.
        settings: how faces are detected and hidden; the defaults if None.

    Returns:
        What was done.

    Raises:
        TrackerBlurError: The image cannot be redacted; `tracker_blur.errors` says why. Then no
            target is left.
    """
    return Redactor(settings).redact_image(source, target)


def redact_picture(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    settings: Settings | None = None,
) -> Report:
    """Do the same as `redact_image`, under its older name."""
    return redact_image(source, target, settings)


def redact_array(
    image: ImageInput, settings: Settings | None = None, *, channels: ChannelOrder = "bgr"
) -> Array:
    """Return a copy of one image in which every face is hidden.

    It loads the detector at each call. For several images, use a `Redactor`.

    Args:
        image: an array, as `Redactor` takes it; or the path or the bytes of a file.
        settings: how faces are detected and hidden; the defaults if None.
        channels: the order of the color channels, also of the array that is returned.

    Returns:
        An array of the same shape and type.

    Raises:
        InputError: The image is in another form.
        TrackerBlurError: A setting makes no sense, or a weight file is missing.
    """
    return Redactor(settings).redact(image, channels=channels)


def redact_frames(
    images: Iterable[ImageInput],
    rate: float,
    settings: Settings | None = None,
    *,
    channels: ChannelOrder = "bgr",
) -> Iterator[Array]:
    """Yield a copy of each frame of one video with every face hidden, as the frames come.

    Args:
        images: frames of the same size and type, as `Redactor` takes them.
        rate: frames per second.
        settings: how faces are detected, tracked and hidden; the defaults if None.
        channels: the order of the color channels, also of the arrays that are yielded.

    Yields:
        Arrays of the same shape and type.

    Raises:
        InputError: The rate is not a number above 0, or a frame is no image, or not like the
            first.
        TrackerBlurError: A setting makes no sense, or a weight file is missing.
    """
    return Redactor(settings).redact_frames(images, rate, channels=channels)
