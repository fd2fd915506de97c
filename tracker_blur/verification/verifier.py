"""Looks for faces in a finished file, as an adversary would, and judges by evidence what it finds.

Every detector at hand looks at every frame at several scales. That a detector fires says little: it
does so over blurred heads too. What decides is, best first: the input's own pixels, where the input
is given (`evidence.visible_share`); the places that the tracks hide; and whether the place has the
detail of a face (`evidence.shows_detail`). Decoding, the detectors and judging overlap, and memory
does not depend on the length, but for a few numbers a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.core.tracks import Tracks
from tracker_blur.settings import MetadataRule, Settings
from tracker_blur.verification import preservation
from tracker_blur.verification.probes import probes
from tracker_blur.verification.run import QUEUED_LOOKS, Look, VerificationRun
from tracker_blur.verification.track_index import TrackIndex
from tracker_blur.verification.verdict import Check, Verdict
from tracker_blur.video.reader import VideoReader
from tracker_blur.weights.store import Weights

_PADDING_RATIO = Settings().padding_ratio

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called after each frame with how many are done, and how many there will be, if known."""


class Verifier:
    """Detectors, loaded once for any number of files.

    detectors   names of those at work

    settings    what is hidden, who finds it, and the folder of weights

    Raises ModelError when a weight file is damaged, and SettingsError when a folder is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self._lookers = probes(settings, Weights(settings.models_folder))
        self.detectors = tuple(looker.name for looker in self._lookers)

    def verify(
        self,
        output: Path,
        *,
        source: Path | None = None,
        tracks: Tracks | None = None,
        padding_ratio: float = _PADDING_RATIO,
        every: int = 1,
        metadata: MetadataRule = "drop",
        partial: bool = False,
        progress: Progress | None = None,
    ) -> Verdict:
        """Look for faces in `output` and return what is there.

        source         the input it was made of: a find is judged by it, and the rest compared
        tracks         what is hidden in it
        padding_ratio  what was added on each side of a face
        every          looks at every Nth frame, and at all frames around the ends of tracks
        metadata       whether what identifies a file was to be dropped
        partial        accept an input that breaks off; also an output, looked at up to there, which
                       then fails the check "whole"

        Raises SourceError when a file cannot be read to its end.
        """
        started = time.perf_counter()
        frames = 0
        with ExitStack() as stack:
            after = stack.enter_context(VideoReader(output, partial=partial))
            where = None
            if tracks is not None:
                where = TrackIndex(_fitted(tracks, after.info.size), padding_ratio)
            case = VerificationRun(where, "pixels" if source else None, every, self._lookers)
            before = (
                None
                if source is None
                else stack.enter_context(VideoReader(source, partial=partial))
            )
            expected = after.info.frame_count
            looks: Iterable[Look] = case.looks(after, before)
            for looker in self._lookers:
                ahead = stack.enter_context(
                    Prefetcher(looks, QUEUED_LOOKS, f"before {looker.name}")
                )
                looks = case.with_finds(ahead, looker, after.info.pixel_aspect)
            for look in looks:
                case.judge(look)
                frames += 1
                if progress is not None:
                    progress(frames, expected)
        checks: tuple[Check, ...] = ()
        if after.is_partial:
            checks = (Check("whole", False, "it breaks off, and nobody looked at what follows"),)
        elif source is not None:
            checks = preservation.compare(output, source, case.pictures, metadata, partial=partial)
        if tracks is not None and tracks.frame_count != frames:
            text = f"are of a video of {tracks.frame_count} frames, and this one has {frames}"
            checks += (Check("tracks", False, text),)
        runs = case.runs.runs()
        return Verdict(
            output=str(output),
            source=None if source is None else str(source),
            evidence=case.evidence,
            detectors=self.detectors,
            frames=frames,
            looked=case.looked,
            finds=case.finds,
            runs=tuple(run for run in runs if not run.is_doubtful),
            ends=tuple(sorted(case.ends, key=lambda view: (view.track_id, view.frame))),
            more_ends=0 if case.where is None else case.where.more_views,
            checks=checks,
            took=time.perf_counter() - started,
            doubtful=tuple(run for run in runs if run.is_doubtful),
        )


def _fitted(tracks: Tracks, size: tuple[int, int]) -> Tracks:
    """Return the tracks in a picture of another (width, height): some encoders need one."""
    if tracks.size == size:
        return tracks
    ratios = np.array([size[0] / tracks.size[0], size[1] / tracks.size[1]] * 2, np.float32)
    moved = (replace(track, boxes=track.boxes * ratios) for track in tracks.tracks)
    return replace(tracks, size=size, tracks=tuple(moved))
