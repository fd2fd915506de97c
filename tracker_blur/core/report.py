"""Report: what a run has done so far, or did."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tracker_blur.core.hidden_share import HiddenShare
from tracker_blur.core.separate_tracks import separate_tracks
from tracker_blur.core.timeline import split
from tracker_blur.core.zones import ZONE

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.people_report import PeopleReport
    from tracker_blur.core.rules import Reason
    from tracker_blur.core.tracks import Face, Tracks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PieceCounts:
    """The pieces of a video that is redacted in pieces.

    Attributes:
        total: How many there are.
        done: How many are written.
        lost: How often one failed, or was lost with its process, and was begun again.
    """

    total: int
    done: int = 0
    lost: int = 0


@dataclass(slots=True)
class Report:
    """What a run has done so far, or did.

    Attributes:
        source: The input.
        target: The output.
        detector: Name of the detector; None if none ran.
        method_class: "destructive" if nothing of what was hidden is left, "cosmetic" if a program
            may still recognize some of it; None if nothing was to be hidden.
        passes: How often the frames are counted for progress: 2 to detect first and write later, 1
            to do both at once.
        expected_frames: How many frames there will be, if the source says. For progress only.
        first_pass_frames: Frames that were detected in, ahead of those written.
        frames: Frames written.
        faces: Faces hidden, counted in each frame.
        track_counts: How many tracks there are of each target class, by its label; also those
            that lie within others, which `separate_counts` leaves out.
        added_places: How many places each round of a careful run added; none in other runs.
        left_visible: How many tracks zones and limits leave visible at some time, by reason.
        people: What was decided because of who is seen; None if no people were chosen.
        pieces: Of a video that is redacted in pieces, how many there are; None of any other.
        is_still: Whether the input is one image or several pages, none of which moves.
        seconds: Wall-clock time.
        stage_seconds: Time spent in each stage: decode ahead, see, decode, redact, write. Stages
            overlap.
        warnings: What the user should know, such as why a partial input ended early.
        video_tracks: The tracks of the whole video, once they are known; None in one pass.
        image_tracks: What is hidden in an image in which people were chosen, and what stays
            visible, with a track for each face; None in all others.
        hidden_share: How much of the frame is hidden, on average.
    """

    source: Path
    target: Path
    detector: str | None = None
    method_class: str | None = None
    passes: int = 1
    expected_frames: int | None = None
    first_pass_frames: int = 0
    frames: int = 0
    faces: int = 0
    track_counts: dict[str, int] = field(default_factory=dict)
    added_places: tuple[int, ...] | None = None
    left_visible: dict[Reason, int] = field(default_factory=dict)
    people: PeopleReport | None = None
    pieces: PieceCounts | None = None
    is_still: bool = False
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: tuple[str, ...] = ()
    video_tracks: Tracks | None = field(default=None, repr=False)
    image_tracks: Tracks | None = field(default=None, repr=False)
    hidden_share: HiddenShare = field(default_factory=HiddenShare, init=False, repr=False)
    _counted_ids: set[int] = field(default_factory=set, init=False, repr=False)

    @property
    def tracks(self) -> int:
        """Tracks of all target classes, each counted once."""
        return sum(self.track_counts.values())

    @property
    def separate_counts(self) -> dict[str, int]:
        """How many tracks of each target class are hidden on their own, as reported to users.

        A track that lies within another hidden one's area in nearly all of its frames is no
        further person: see `core.separate_tracks`. Where tracks are not known as a whole, as in
        one pass, and of still images, these are all tracks.
        """
        if self.video_tracks is None:
            return self.track_counts
        hidden, _ = split(self.video_tracks)
        counts = Counter(track.label for track in separate_tracks(hidden))
        counts[ZONE] = len(self.video_tracks.rules.hide_zones)
        return {label: counts[label] for label in self.track_counts}

    @property
    def looked(self) -> int:
        """The older name of `first_pass_frames`."""
        return self.first_pass_frames

    @property
    def found(self) -> Tracks | None:
        """The older name of `video_tracks`."""
        return self.video_tracks

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - started

    def timed(self, items: Iterable[T], stage: str) -> Iterator[T]:
        """Yield these items, and add the time that it takes to get them to a stage."""
        iterator = iter(items)
        while True:
            with self.timing(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item

    @contextmanager
    def timing_all(self) -> Iterator[None]:
        """Add the time that the block takes to the wall-clock time."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started

    def count(self, faces: Sequence[Face], size: tuple[int, int]) -> None:
        """Count a frame of this (width, height) that was written with these faces hidden."""
        self.frames += 1
        self.faces += len(faces)
        self.hidden_share.add(faces, size)
        if self.video_tracks is not None:  # then the tracks are known, and counted
            return
        for face in faces:
            if face.track_id not in self._counted_ids:
                self._counted_ids.add(face.track_id)
                self.track_counts[face.label] = self.track_counts.get(face.label, 0) + 1

    def count_tracks(self, labels: Iterable[str]) -> None:
        """Count the tracks of the whole video, by their labels."""
        self.track_counts = dict.fromkeys(self.track_counts, 0)
        for label in labels:
            self.track_counts[label] = self.track_counts.get(label, 0) + 1

    def count_known(self, tracks: Tracks) -> None:
        """Count what tracks and their rules hide, by labels, and what they show, by reasons."""
        hidden, visible = split(tracks)
        zones = [ZONE] * len(tracks.rules.hide_zones)
        self.count_tracks([*(track.label for track in hidden), *zones])
        self.left_visible = dict(Counter(reason for reason, _ in visible if reason != "track"))


Progress: TypeAlias = Callable[[Report], None]
"""Called after each written frame; where all frames are read first, also after each of them."""
