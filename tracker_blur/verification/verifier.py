"""Verifier: searches a finished file for exposed faces, as an attacker would.

Every probe sees every frame at several scales. That a detector fires says little, since detectors
also fire on blurred heads. Evidence decides what is visible, best first: the source's own pixels,
where the source is given; the areas that the tracks hide; and whether the place has the detail of
a face (`tracker_blur.verification.visibility`). A classifier decides whether it is a face
(`tracker_blur.verification.exposure_runs`). Decoding, probing and judging overlap. Memory grows
with the video's length only by a few numbers for each frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tracker_blur.errors import SettingsError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_animation, is_image
from tracker_blur.images.reader import ImageReader
from tracker_blur.settings import Settings
from tracker_blur.verification import image_preservation, preservation
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probes import load_classifiers, load_probes
from tracker_blur.verification.run import VerificationRun, probed_by_all
from tracker_blur.verification.track_index import TrackIndex
from tracker_blur.verification.verdict import Check, Verdict, VerifiedFile
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from tracker_blur.core.frame import VideoInfo
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.verification.accepted import AcceptedPlace

_PADDING_RATIO = Settings().padding_ratio

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called after each frame with how many are done, and how many there are, if known."""


class Verifier:
    """Probes, loaded once for any number of files.

    Args:
        settings: those the output was made with; what is hidden, zones and limits, the detector,
            the folder of weights, metadata, the choice of tracks and the largest size matter here.
            Tracks bring zones and limits of their own.
        parameters: thresholds.
        detector: the caller's own, which probes as well.

    Attributes:
        detectors: names of the detectors that probe.

    Raises:
        ModelError: A weight file is damaged.
        SettingsError: A folder is missing.
    """

    def __init__(
        self,
        settings: Settings,
        parameters: VerificationParameters | None = None,
        detector: LabelledDetector | None = None,
    ) -> None:
        self._settings = settings
        self._parameters = parameters or VerificationParameters()
        weights = Weights(settings.models_folder)
        self._probes = load_probes(settings, weights, self._parameters, detector)
        self.detectors = tuple(probe.name for probe in self._probes)
        self._classifiers = load_classifiers(self._probes, weights, detector)

    def verify(
        self,
        output: Path,
        *,
        source: Path | FileIdentity | None = None,
        tracks: Tracks | None = None,
        padding_ratio: float = _PADDING_RATIO,
        every: int = 1,
        partial: bool = False,
        accepted: Sequence[AcceptedPlace] | None = None,
        progress: Progress | None = None,
    ) -> Verdict:
        """Search a file for exposed faces.

        Args:
            output: the file.
            source: the input it was made from: its pixels decide, and the rest is compared. Its
                identity, if the caller has read it, too.
            tracks: what was hidden.
            padding_ratio: what was hidden on each side of a face.
            every: probe every Nth frame, and all frames around the ends of tracks.
            partial: accept a truncated source, and a truncated output: that one is probed as far
                as it goes and fails the check "whole".
            accepted: places that a person has accepted, in any files: they are left out. If
                given, the verdict says which file it is about, so that more can be accepted.
            progress: called after each frame.

        Raises:
            SourceError: A file cannot be read to its end, or was changed meanwhile.
        """
        started = time.perf_counter()
        frames = 0
        is_hashed = accepted is not None
        after = FileIdentity.of(output, hashed=True)  # for reports: names of files are no evidence
        before = source if not isinstance(source, Path) else FileIdentity.of(source)
        if before is not None and is_hashed and before.sha256 is None:
            known, before = before, FileIdentity.of(before.path, hashed=True)
            known.check()
        with ExitStack() as stack:
            kind = _reader_of(output, None if before is None else before.path)
            limit = self._settings.max_megapixels
            reader = kind(output, partial=partial, identity=after, max_megapixels=limit)
            stack.enter_context(reader)
            index, rules = None, self._settings.rules()
            if tracks is not None:
                scaled = _scaled(tracks, reader.info.size)
                rules = scaled.rules
                index = TrackIndex(scaled, padding_ratio, self._parameters)
            # A still image is seen once, so one detection has to do.
            parameters = (
                self._parameters if reader.info.is_moving else self._parameters.for_stills()
            )
            file = None
            if accepted is not None:
                file = _verified_file(after, before, reader.info)
            run = VerificationRun(
                index,
                self._probes,
                parameters,
                rules=rules,
                classifiers=self._classifiers,
                accepted=[
                    place.within(reader.info.size)
                    for place in accepted or ()
                    if file is not None and place.file.shows_the_same_as(file)
                ],
                every=every,
                has_source=before is not None,
            )
            source_reader: ImageReader | VideoReader | None = None
            if before is not None:
                source_reader = kind(
                    before.path, partial=partial, identity=before, max_megapixels=limit
                )
                stack.enter_context(source_reader)
            decoded = run.frames(reader, source_reader)
            aspect = reader.info.pixel_aspect
            for frame in probed_by_all(run, decoded, self._probes, aspect, stack):
                run.judge(frame)
                frames += 1
                if progress is not None:
                    progress(frames, reader.info.frame_count)
        checks: tuple[Check, ...] = ()
        if reader.is_partial:
            checks = (Check("whole", False, "it is truncated; what is missing was not verified"),)
        elif isinstance(reader, ImageReader) and isinstance(source_reader, ImageReader):
            checks = image_preservation.compare(
                output, reader, source_reader, run.comparison, self._settings.metadata
            )
        elif before is not None:
            checks = preservation.compare(
                output,
                before.path,
                run.comparison,
                self._settings,
                self._parameters,
                partial=partial,
                audio_spans=(*rules.audio, *self._settings.rules().audio),
            )
        if tracks is not None and tracks.frame_count != frames:
            text = f"made for a video of {tracks.frame_count} frames; this one has {frames}"
            checks += (Check("tracks", False, text),)
        checks += run.places.checks()
        for identity in (after, before):
            if identity is not None:
                identity.check_end()
        runs = run.runs.runs()
        return Verdict(
            output=str(output),
            source=None if before is None else str(before.path),
            evidence=run.evidence,
            detectors=self.detectors,
            frames=frames,
            probed_frames=run.probed_frames,
            detections=run.detections,
            runs=tuple(place for place in runs if place.finding == "exposed"),
            ends=tuple(sorted(run.ends, key=lambda view: (view.track_id, view.frame))),
            omitted_ends=0 if index is None else index.omitted_ends,
            checks=checks,
            seconds=time.perf_counter() - started,
            look_here=tuple(place for place in runs if place.finding == "look here"),
            dismissed=len(run.dismissed),
            file=file,
            left_visible=run.left_visible.places(),
            output_sha256=after.sha256,
        )


def _verified_file(
    output: FileIdentity, source: FileIdentity | None, info: VideoInfo
) -> VerifiedFile:
    assert output.sha256 is not None  # it was hashed
    return VerifiedFile(
        output.path.name,
        output.sha256,
        info.size,
        info.frame_count,
        None if source is None else source.sha256,
    )


def _reader_of(output: Path, source: Path | None) -> type[ImageReader | VideoReader]:
    """Return what reads both files.

    Raises:
        SettingsError: one is a still image and the other a video.
    """
    if source is None or is_image(source) == is_image(output):
        return ImageReader if is_image(output) else VideoReader
    for path, other in ((output, source), (source, output)):
        if is_image(path) and not is_animation(path):
            raise SettingsError(
                f"{path}: is an image, and {other} is not: name the image that it was made of or "
                "became"
            )
    return VideoReader  # a GIF that became a video, or the other way round


def _scaled(tracks: Tracks, size: tuple[int, int]) -> Tracks:
    """Return the tracks at another (width, height): some encoders change the frame size."""
    if tracks.size == size:
        return tracks
    ratios = np.array([size[0] / tracks.size[0], size[1] / tracks.size[1]] * 2, np.float32)
    scaled = (replace(track, boxes=track.boxes * ratios) for track in tracks.tracks)
    x_ratio, y_ratio = size[0] / tracks.size[0], size[1] / tracks.size[1]
    rules = tracks.rules.scaled(x_ratio, y_ratio)
    return replace(tracks, size=size, tracks=tuple(scaled), rules=rules)
