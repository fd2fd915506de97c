"""Observes the frames of a video: the trackers' work, without decisions about their tracks.

What is seen of each frame can be kept, and added to a first pass elsewhere, as if that had seen the
frame itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from tracker_blur.core.tracks import Face, Origin
from tracker_blur.settings import FACE
from tracker_blur.tracking.appearance import color_histogram
from tracker_blur.tracking.final_tracks import Target
from tracker_blur.tracking.first_pass import FirstPass, Seen, SeenFace
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.scene_cuts import CutDetector
from tracker_blur.tracking.schedule import long_interval_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Frame, Image, VideoInfo
    from tracker_blur.core.state import State
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.backtracking import Backtracked
    from tracker_blur.tracking.detector_bundle import ClassDetector, DetectorBundle
    from tracker_blur.tracking.online import Step
    from tracker_blur.tracking.scene_cuts import Change


class RawTracker(Protocol):
    """What an `OnlineTracker` does."""

    @property
    def track_count(self) -> int:
        """How many tracks there have been."""
        ...

    @property
    def max_flash_frames(self) -> int:
        """Within how many frames a cut may turn out to be only a flash of light."""
        ...

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The identifiers of the tracks, in the order of `state`."""
        ...

    def state(self) -> State:
        """Return what the next steps depend on."""
        ...

    def see(self, view: LazyView, seconds: float, /) -> Step:
        """Return the faces of the next frame."""
        ...


class RawBacktracker(Protocol):
    """What a `Backtracker` does."""

    @property
    def reach_frames(self) -> int:
        """How many frames before its first detection a face is tracked back to at most."""
        ...

    @property
    def track_ids(self) -> tuple[int, ...]:
        """The identifiers of the tracks that it may name, in an order without regard to them."""
        ...

    def state(self, index: int, ranks: Mapping[int, int], /) -> State:
        """Return what the steps after a frame depend on; the ranks stand for identifiers."""
        ...

    def step(self, index: int, image: Image, step: Step, /) -> Iterator[tuple[Face, Backtracked]]:
        """Yield each new face of this frame and its earlier positions."""
        ...


class Identifiers(NamedTuple):
    """The tracks that an observer knows.

    Attributes:
        next_id: That of the next track.
        known: Those that may be named again, in an order that does not depend on numbers.
    """

    next_id: int
    known: tuple[int, ...]


class Observer:
    """Takes a video's frames in order, and returns what is seen in each.

    Args:
        tracker: Tracks forwards, in pixels of the views.
        backtracker: Tracks new faces backwards; None: no earlier frame waits for that.
        size: (width, height) in pixels of the upright frames.
        time_base: Unit of the frames' times, in seconds; exact.
        with_colors: Whether the faces' colors are noted, by which they are linked.
    """

    def __init__(
        self,
        tracker: RawTracker,
        backtracker: RawBacktracker | None,
        size: tuple[int, int],
        time_base: Fraction,
        *,
        with_colors: bool = True,
    ) -> None:
        self._tracker = tracker
        self._backtracker = backtracker
        self._size = size
        self._time_base = time_base
        self._with_colors = with_colors
        self._index = -1

    def new_first_pass(self) -> FirstPass:
        """Return a first pass that what is seen can be added to."""
        reach = 0 if self._backtracker is None else self._backtracker.reach_frames
        return FirstPass(self._tracker.max_flash_frames, reach, self._size, self._time_base)

    @property
    def track_count(self) -> int:
        """Number of raw tracks so far; a face may have several."""
        return self._tracker.track_count

    @property
    def identifiers(self) -> Identifiers:
        """The tracks that it knows; equal states have as many."""
        backtracked = () if self._backtracker is None else self._backtracker.track_ids
        known = dict.fromkeys((*self._tracker.track_ids, *backtracked))
        return Identifiers(self._tracker.track_count, tuple(known))

    def is_like(self, other: Observer) -> bool:
        """Return whether both see the same from now on, except for the identifiers of tracks."""
        return (
            self._tracker.state() == other._tracker.state()
            and self._backtracker_state() == other._backtracker_state()
        )

    def _backtracker_state(self) -> State:
        if self._backtracker is None:
            return None
        ranks = {track_id: rank for rank, track_id in enumerate(self.identifiers.known)}
        return self._backtracker.state(self._index, ranks)

    def step(self, view: LazyView, pts: int) -> Seen:
        """Take the view of the next frame, whose time is `pts` in units of the time base."""
        self._index += 1
        step = self._tracker.see(view, float(pts * self._time_base))
        if step.is_left_out:
            return Seen(pts, step.change, False, (), (), ())
        image = view.image
        faces = [self._seen(0, image, face) for face in step.faces]
        links = []
        backtracker = self._backtracker
        new = () if backtracker is None else backtracker.step(self._index, image, step)
        for face, before in new:
            faces += [self._seen(self._index - at, past, one) for at, past, one in before.faces]
            if before.link is not None:
                links.append((before.link, face.track_id))
        return Seen(
            pts,
            step.change,
            step.is_detection_frame,
            tuple(faces),
            step.evidence,
            tuple(links),
            tuple((self._upright(image, one), log_odds) for one, log_odds in step.untracked),
        )

    def _seen(self, back: int, image: Image, face: Face) -> SeenFace:
        """Return a face of an earlier frame, or of this one, in pixels of the upright frames."""
        is_detected = face.origin is Origin.DETECTED
        colors = color_histogram(image, face.box) if is_detected and self._with_colors else None
        return SeenFace(back, face.scaled(*self._ratios(image)), colors)

    def _upright(self, image: Image, detection: Detection) -> Detection:
        """Return a detection in pixels of the upright frames."""
        return replace(detection, box=detection.box.scaled(*self._ratios(image)))

    def _ratios(self, image: Image) -> tuple[float, float]:
        height, width = image.shape[:2]
        return self._size[0] / width, self._size[1] / height


class Views(Protocol):
    """Makes the views of a video."""

    def view(self, frame: Frame, change: Change, /) -> Image:
        """Return the view of the next frame, given how it relates to the previous one."""
        ...

    def state(self) -> State:
        """Return what the next views depend on."""
        ...


@dataclass(frozen=True)
class VideoObserver:
    """Observes all target classes of a video.

    Attributes:
        cuts: Compares each frame with the previous one.
        thumbnail_px: (width, height) at which it does.
        views: Make the views.
        observers: One for each class.
        targets: What the classes' tracks are made of; their first passes are empty.
    """

    cuts: CutDetector
    thumbnail_px: tuple[int, int]
    views: Views
    observers: tuple[Observer, ...]
    targets: tuple[Target, ...]

    @classmethod
    def of(
        cls, bundle: DetectorBundle, info: VideoInfo, time_base: Fraction, settings: Settings
    ) -> Self:
        """Return a new observer of a video that is read ahead.

        Frames that can be interpolated are skipped.
        """
        views = bundle.views(settings.view_px, info.pixel_aspect)
        pairs = [_read_ahead(detector, info, time_base, settings) for detector in bundle.detectors]
        return cls._of(views, pairs, settings)

    @classmethod
    def of_frames(
        cls,
        bundle: DetectorBundle,
        views: Views,
        first: Frame,
        rate: float,
        settings: Settings,
    ) -> Self:
        """Return a new observer of frames that go out as they come, or soon after.

        Args:
            bundle: What is detected.
            views: Make the views.
            first: The first frame; the others have its size and time base.
            rate: Frames per second.
            settings: Those of the run.
        """
        pairs = [_as_they_come(detector, first, rate, settings) for detector in bundle.detectors]
        return cls._of(views, pairs, settings)

    @classmethod
    def _of(
        cls, views: Views, pairs: Sequence[tuple[Observer, Target]], settings: Settings
    ) -> Self:
        limits = settings.tracking.scene_cuts
        observers, targets = zip(*pairs, strict=True)
        return cls(CutDetector(limits), limits.thumbnail_px, views, observers, targets)

    def step(self, frame: Frame) -> tuple[Seen, ...]:
        """Return what is seen of the next frame, for each class."""
        change = self.cuts.change(frame.view(self.thumbnail_px))
        view = LazyView(change, partial(self.views.view, frame, change))
        return tuple(observer.step(view, frame.pts) for observer in self.observers)

    @property
    def identifiers(self) -> tuple[Identifiers, ...]:
        """The tracks of each class."""
        return tuple(observer.identifiers for observer in self.observers)

    def is_like(self, other: VideoObserver) -> bool:
        """Return whether both see the same from now on, except for the identifiers of tracks."""
        return (
            self.cuts.state() == other.cuts.state()
            and self.views.state() == other.views.state()
            and all(
                one.is_like(another)
                for one, another in zip(self.observers, other.observers, strict=True)
            )
        )


def _read_ahead(
    detector: ClassDetector, info: VideoInfo, time_base: Fraction, settings: Settings
) -> tuple[Observer, Target]:
    rate, every = float(info.rate), settings.detect_every_frames
    limits = settings.tracking.first_pass
    tracker = detector.online_tracker(
        every,
        rate,
        limits.hold_seconds,
        redetect=True,
        is_first_pass=True,
        skip_frames=every == "auto" or every <= limits.max_skipped_seconds * rate,
    )
    observer = Observer(tracker, detector.backtracker(rate), info.size, time_base)
    target = Target(
        detector.label,
        observer.new_first_pass(),
        detector.confidence,
        detector.parameters,
        long_interval_frames(every, rate, settings.tracking.schedule),
    )
    return observer, target


def _as_they_come(
    detector: ClassDetector, first: Frame, rate: float, settings: Settings
) -> tuple[Observer, Target]:
    # What is not a face is detected on every frame: trackers lose it sooner.
    every = settings.detect_every_frames if detector.label == FACE else 1
    tracker = detector.online_tracker(every, rate, settings.hold_seconds, redetect=True)
    observer = Observer(
        tracker,
        detector.backtracker(rate) if settings.delay_seconds else None,
        first.size,
        first.time_base,
        with_colors=False,
    )
    target = Target(
        detector.label, observer.new_first_pass(), detector.confidence, detector.parameters
    )
    return observer, target


def renumbered(seen: Seen, number: Callable[[int], int]) -> Seen:
    """Return what was seen with other identifiers, which `number` gives."""
    return seen._replace(
        faces=tuple(
            one._replace(face=one.face.numbered(number(one.face.track_id))) for one in seen.faces
        ),
        evidence=tuple(one._replace(track_id=number(one.track_id)) for one in seen.evidence),
        links=tuple((number(one), number(other)) for one, other in seen.links),
    )
