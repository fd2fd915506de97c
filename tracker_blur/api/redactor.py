"""Redactor: detection and redaction with everything loaded once, for images and videos."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tracker_blur.api.arguments import (
    check_callable,
    check_share,
    check_view_size,
    is_iterable,
    path_of,
    rate_of,
    settings_of,
    shown,
)
from tracker_blur.api.boxes import check_pixels, detections_of
from tracker_blur.api.custom_detector import CustomDetector
from tracker_blur.api.images import array_like, check_order, frame_of, frames_of
from tracker_blur.api.tracks import read_tracks
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.frame import VideoInfo
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.errors import InputError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.jobs import Job
from tracker_blur.files.paths import MediaKind, media_kind
from tracker_blur.pipeline import Engine, FrameEngine
from tracker_blur.tracking.predicting import predict
from tracker_blur.verification.accepted import read_journal
from tracker_blur.verification.track_check import check_tracks
from tracker_blur.verification.verifier import Verifier

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from tracker_blur.api.boxes import Boxes
    from tracker_blur.api.custom_detector import DetectorInput
    from tracker_blur.api.images import Array, ChannelOrder, ImageInput
    from tracker_blur.core.box import Detection
    from tracker_blur.core.predictions import Predictions
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.images.frame import ImageFrame
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Progress as VerifyProgress


class Redactor:
    """Detects and hides faces; loads its networks once, when they are first needed.

    An image is a path, the bytes of a file, or an array: uint8 or uint16, in gray (height, width),
    in color (height, width, 3) or with alpha (height, width, 4). Boxes are in pixels of the upright
    image.

    Threads may share a Redactor. Its calls on images wait for each other; those on videos run side
    by side, except for a detector of your own, which is called by one thread at a time.

    Args:
        settings: how faces are detected, tracked and hidden; the defaults if None.
        detector: a detector of your own, instead of the one that the settings name: a function, or
            an object with `detect`. It gets an image, shape (height, width, 3), BGR, uint8, of a
            different size at each call, and returns boxes in that image's pixels, in any form that
            `hide` takes. A `detect(image, confidence)` also gets the lowest score to return. All
            that it returns counts, unless `settings.confidence` or its attribute
            `default_confidence` says from which score. With an attribute `labels`, a tuple of class
            names, it detects these classes; otherwise faces.

    Raises:
        InputError: The settings are no `Settings`, or the detector cannot be called.
        SettingsError: A setting makes no sense.
    """

    def __init__(
        self, settings: Settings | None = None, *, detector: DetectorInput | None = None
    ) -> None:
        self._settings = settings_of(settings)
        self._detector = None if detector is None else CustomDetector(detector)
        self._stills = self._frame_engine()
        self._lock = threading.Lock()  # for _stills, whose networks and memory serve one call

    def detect(
        self,
        image: ImageInput,
        *,
        confidence: float | None = None,
        overlap: float | None = None,
        channels: ChannelOrder = "bgr",
    ) -> list[Detection]:
        """Return what `redact` would hide in an image, in no particular order.

        The image is searched at several scales, and the classifier has the last word; `predict`
        returns what the detector alone reports.

        What zones and limits of the settings leave visible is not among it.

        Args:
            image: see the class.
            confidence: instead of `Settings.confidence`, with the same meaning.
            overlap: of two detections of a class whose intersection over union is larger, 0 to 1,
                the one with the higher score stays; None: all stay that would be hidden.
            channels: the order of an array's color channels.

        Raises:
            InputError: The image is in another form, a number is not from 0 to 1, or the detector's
                answer is no boxes.
            SourceError: Its file cannot be read, or holds several images.
            ModelError: A weight file is missing or damaged.
            MissingPackageError: The detector needs a package that is not installed.
        """
        check_share(confidence, "confidence")
        check_share(overlap, "overlap")
        frame = frame_of(image, channels, self._settings.max_megapixels)
        detections = self._detect(frame, confidence)
        return detections if overlap is None else suppress_overlaps(detections, overlap)

    def predict(
        self,
        image: ImageInput,
        *,
        confidence: float | None = None,
        overlap: float | None = None,
        max_size: int | None = None,
        with_odds: bool = True,
        channels: ChannelOrder = "bgr",
    ) -> Predictions:
        """Return what the detector reports in an image, and what the classifier says about it.

        This is no promise of what is hidden: `redact` searches the image at several scales, leaves
        out what the classifier refuses, and adds what it confirms; `detect` returns that. Of each
        class, the 1000 detections with the highest scores are returned.

        Args:
            image: see the class.
            confidence: the lowest score; None: `Settings.confidence`, or the detector's own.
            overlap: of two detections of a class whose intersection over union is larger, 0 to 1,
                the one with the higher score stays; None: the detector's own threshold.
            max_size: the longest side, 64 to 8192 pixels, to which a larger image is reduced for
                the detector; None: 1920.
            with_odds: ask the classifier, which takes a few milliseconds for each detection.
            channels: the order of an array's color channels.

        Returns:
            The detections; `to_dict` makes JSON of them that readers of Roboflow's take.

        Raises:
            InputError: As `detect` does, or for another wrong argument.
            TrackerBlurError: As `detect` does.
        """
        check_share(confidence, "confidence")
        check_share(overlap, "overlap")
        check_view_size(max_size, "max_size")
        frame = frame_of(image, channels, self._settings.max_megapixels)
        with self._lock:
            return predict(
                self._stills.bundle,
                frame,
                confidence=confidence,
                overlap=overlap,
                max_size=max_size,
                with_odds=with_odds,
            )

    def hide(self, image: ImageInput, boxes: Boxes, *, channels: ChannelOrder = "bgr") -> Array:
        """Return a copy of an image in which these boxes, and nothing else, are hidden.

        Args:
            image: see the class.
            boxes: what `detect` returned, rows (left, top, right, bottom) with or without a score,
                an array of such rows, or `supervision.Detections`. `Settings.padding_ratio` is
                added to them.
            channels: the order of an array's color channels, also of the array that is returned.

        Returns:
            An array of the same shape and type. For a file, an array of its own samples: (height,
            width) in gray, (height, width, 3), or (height, width, 4) if it has alpha.

        Raises:
            InputError: The image or the boxes are in another form.
            SourceError: Its file cannot be read, or holds several images.
        """
        frame = frame_of(image, channels, self._settings.max_megapixels)
        detections = detections_of(boxes, "boxes")
        check_pixels(detections, frame.size, "boxes")
        faces = tuple(
            Face(number, each.box, each.score, Origin.DRAWN, label=each.label)
            for number, each in enumerate(detections)
        )
        return array_like(self._hide(frame, faces), image, channels)

    def redact(self, image: ImageInput, *, channels: ChannelOrder = "bgr") -> Array:
        """Return a copy of an image in which every face is hidden: `detect` and `hide` in one.

        Zones that are always hidden are hidden, too.

        Args:
            image: see the class.
            channels: the order of an array's color channels, also of the array that is returned.

        Returns:
            An array as `hide` returns it.

        Raises:
            TrackerBlurError: As `detect` and `hide` do.
        """
        frame = frame_of(image, channels, self._settings.max_megapixels)
        with self._lock:
            faces = self._stills.faces(frame)
        return array_like(self._hide(frame, faces), image, channels)

    def redact_frames(
        self, images: Iterable[ImageInput], rate: float, *, channels: ChannelOrder = "bgr"
    ) -> Iterator[Array]:
        """Yield a copy of each frame of one video with every face hidden, as the frames come.

        Args:
            images: frames of the same size and type.
            rate: frames per second.
            channels: the order of an array's color channels, also of the arrays that are yielded.

        Yields:
            Arrays as `hide` returns them.

        Raises:
            InputError: The rate is not a number from 0.001 to 100,000, or a frame is no image, or
                not like the first.
            TrackerBlurError: As `redact` does.
        """
        check_order(channels)
        if isinstance(images, (str, bytes)) or not is_iterable(images):
            raise InputError(f"images is {shown(images)}: give the frames one after the other")
        return self._redact_frames(iter(images), rate_of(rate), channels)

    def redact_image(
        self, source: str | os.PathLike[str], target: str | os.PathLike[str]
    ) -> Report:
        """Write a copy of an image file, still or animated, in which every face is hidden.

        Args:
            source: the image.
            target: where to write the copy; its suffix says in which format.

        Returns:
            What was done.

        Raises:
            TrackerBlurError: The image cannot be redacted; `tracker_blur.errors` says why. Then no
                target is left.
        """
        return self._redact_file(source, target, "image")

    def redact_video(
        self,
        source: str | os.PathLike[str],
        target: str | os.PathLike[str],
        progress: Progress | None = None,
    ) -> Report:
        """Write a copy of a video in which every face is hidden and everything else is as it was.

        Args:
            source: the video.
            target: where to write the copy; its suffix says in which container.
            progress: called with the report so far after each frame; raise in it to stop the run.

        Returns:
            What was done.

        Raises:
            TrackerBlurError: The video cannot be redacted; `tracker_blur.errors` says why. Then no
                target is left.
        """
        return self._redact_file(source, target, "video", progress)

    def track(
        self,
        source: str | os.PathLike[str],
        progress: Progress | None = None,
        *,
        is_reviewed: bool = False,
    ) -> Tracks:
        """Return the tracks of all faces in a video; nothing is written.

        Args:
            source: the video.
            progress: called with the report so far after each frame; raise in it to stop the run.
            is_reviewed: whether a person looks at who stays visible before anything is rendered.

        Raises:
            TrackerBlurError: The video cannot be read to its end, or is a still image; or without
                a look no one may stay visible because of photos.
        """
        check_callable(progress, "progress")
        path = path_of(source, "source")
        identity = FileIdentity.of(path, hashed=True)
        kind = media_kind(path, path)
        report = self._engine().track_file(
            path, kind, progress, identity, is_reviewed=bool(is_reviewed)
        )
        tracks = report.video_tracks
        assert tracks is not None  # `track_file` refuses what has none
        return replace(tracks, source_sha256=identity.sha256)

    def render(
        self,
        source: str | os.PathLike[str],
        tracks: Tracks | str | os.PathLike[str],
        target: str | os.PathLike[str],
        progress: Progress | None = None,
    ) -> Report:
        """Write a copy of a video in which the tracks that say so are hidden; detects nothing.

        Args:
            source: the video.
            tracks: its tracks, or the path of its track file.
            target: where to write the copy; its suffix says in which container.
            progress: called with the report so far after each frame; raise in it to stop the run.

        Returns:
            What was done.

        Raises:
            TrackFileError: The track file is invalid, or the tracks are another video's.
            TrackerBlurError: The video cannot be read or written. Then no target is left.
        """
        check_callable(progress, "progress")
        job = _job(source, target)
        known, identity = read_tracks(tracks, job.source, is_shown=True)
        return self._engine().render_file(job, known, progress, identity)

    def verify(
        self,
        output: str | os.PathLike[str],
        *,
        source: str | os.PathLike[str] | None = None,
        tracks: Tracks | str | os.PathLike[str] | None = None,
        accepted: str | os.PathLike[str] | None = None,
        progress: VerifyProgress | None = None,
    ) -> Verdict:
        """Search a finished video or image for exposed faces, as an attacker would.

        Args:
            output: the file.
            source: the file that it was made of: its pixels decide, and the rest is compared.
            tracks: what was hidden: tracks, or the path of a track file.
            accepted: a journal of accepted places, which are left out; `trackblur verify --dismiss`
                adds to it.
            progress: called after each frame with how many are done, and how many there are.

        Raises:
            TrackerBlurError: A file cannot be read to its end, the tracks are certainly another
                video's, or there is no detector for what is hidden.
        """
        check_callable(progress, "progress")
        settings = self._settings
        path = path_of(output, "output")
        original = None if source is None else path_of(source, "source")
        known, identity = (None, None) if tracks is None else read_tracks(tracks, original)
        if known is not None and original is None:
            check_tracks(known, path, settings)
        return Verifier(settings, detector=self._detector).verify(
            path,
            source=identity or original,
            tracks=known,
            padding_ratio=settings.padding_ratio,
            partial=settings.partial,
            accepted=None if accepted is None else read_journal(path_of(accepted, "accepted")),
            progress=progress,
        )

    def _engine(self) -> Engine:
        return Engine(self._settings, self._detector)

    def _frame_engine(self) -> FrameEngine:
        return FrameEngine(self._settings, self._detector)

    def _detect(self, frame: ImageFrame, confidence: float | None = None) -> list[Detection]:
        with self._lock:
            return self._stills.detect(frame, confidence)

    def _hide(self, frame: ImageFrame, faces: tuple[Face, ...]) -> ImageFrame:
        with self._lock:
            self._stills.redact(frame, faces)
        return frame

    def _redact_frames(
        self, images: Iterator[ImageInput], rate: Fraction, channels: ChannelOrder
    ) -> Iterator[Array]:
        first = next(images, _NOTHING)  # it says the size
        if first is _NOTHING:
            return
        engine = self._frame_engine()
        inputs: list[Any] = []  # those of the frames that wait
        every = itertools.chain([first], images)
        limit = self._settings.max_megapixels
        frames = frames_of(every, rate, channels, inputs, limit)
        leading = next(frames)
        detect = engine.single_pass(VideoInfo(leading.size, Fraction(1), rate, None))
        for frame, faces in detect(itertools.chain([leading], frames)):
            engine.redact(frame, faces)
            assert isinstance(frame, type(leading))
            yield array_like(frame, inputs.pop(0), channels)

    def _redact_file(
        self, source: object, target: object, kind: MediaKind, progress: Progress | None = None
    ) -> Report:
        check_callable(progress, "progress")
        job = Job(path_of(source, "source"), path_of(target, "target"), kind)
        return self._engine().redact_file(job, progress)


_NOTHING: Any = object()


def _job(source: object, target: object) -> Job:
    from_path, to_path = path_of(source, "source"), path_of(target, "target")
    return Job.of(from_path, to_path)
