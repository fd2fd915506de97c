"""Chosen people of a run: which faces of a video or an image stay visible because of who they are.

The photos are read before anything is detected, so that errors in them cost no time.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from tracker_blur.core.frame import view_size
from tracker_blur.core.people_report import PeopleReport, PeopleRule, Stretch
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.people.gallery import check_photos, read_gallery
from tracker_blur.people.keeping import Hider, Keeper
from tracker_blur.people.samples import FaceReader
from tracker_blur.people.stills import hide_in_still, keep_in_still
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tracker_blur.core.frame import Frame, FrameReader
    from tracker_blur.core.tracks import Face, Tracks
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.detector_bundle import ClassDetector
    from tracker_blur.weights.store import Weights

_LONGEST_PX = 4096  # a larger image is reduced: faces in it are large enough


class PeopleChooser:
    """Leaves faces visible because of who they are. One serves one thread at a time.

    Args:
        settings: With one of `keep_people` and `hide_people`.
        detectors: What the run detects.
        weights: Where the weights are.

    Raises:
        ModelError: There is no network that tells people apart, or it is damaged.
        SettingsError: Faces are not detected, or the folder of photos is of no use.
        SourceError: A photo is of no use.
    """

    def __init__(
        self, settings: Settings, detectors: Sequence[ClassDetector], weights: Weights
    ) -> None:
        folder = settings.keep_people or settings.hide_people
        assert folder is not None  # the caller has checked
        self._rule: PeopleRule = "keep" if settings.keep_people is not None else "hide"
        detector = next((one for one in detectors if one.label == FACE), None)
        if detector is None:
            raise SettingsError(
                "needs faces among what is detected: name them with",
                setting=f"{self._rule}_people",
                remedy="hide",
            )
        needs_all = self._rule == "hide"
        check_photos(folder, needs_all=needs_all)  # the folder is wrong more often than networks
        self._reader = _reader(weights)
        gallery = read_gallery(
            folder, detector, self._reader, settings.max_megapixels, needs_all=needs_all
        )
        self._people, self._unused = gallery.people, gallery.unused
        self._thresholds = self._reader.embedder.thresholds

    @property
    def is_measured(self) -> bool:
        """Whether it is known how often its network takes one person for another."""
        return self._thresholds.are_measured

    def check_measured(self) -> None:
        """Check that who stays visible may be published without a look.

        Raises:
            SettingsError: How often the network is wrong is not known.
        """
        if not self.is_measured:
            raise SettingsError(
                f"leaves no one visible before you have looked: {self._unmeasured}. Use it with "
                "'trackblur track', then 'trackblur review'; review images without it",
                setting=f"{self._rule}_people",
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What users should know before they publish anyone who stays visible."""
        if self.is_measured:
            return ()
        return (f"look at who stays visible with 'trackblur review': {self._unmeasured}",)

    @property
    def _unmeasured(self) -> str:
        name = self._reader.embedder.name
        return f"how often {name} takes one person for another was not measured"

    @property
    def report(self) -> PeopleReport:
        """The message where nothing stays visible and nothing is in doubt."""
        return PeopleReport(
            self._rule,
            self._reader.embedder.name,
            unused_photos=self._unused,
            is_measured=self.is_measured,
        )

    def choose(
        self, source: FrameReader, tracks: Tracks, progress: Callable[[], None]
    ) -> tuple[Tracks, PeopleReport]:
        """Return a video's tracks, parts of which may stay visible, and what to say about them.

        Args:
            source: The video, at its first frame.
            tracks: Its tracks.
            progress: Called after each frame.

        Raises:
            SourceError: The video cannot be read.
            ModelError: A network fails.
        """
        faces = self._reader.track_faces(
            _counted(source, progress), tracks, source.info.pixel_aspect
        )
        judge = Keeper if self._rule == "keep" else Hider
        choice = judge(self._people, self._thresholds, self._reader.parameters).choose(
            tracks, faces
        )
        return choice.tracks, replace(self.report, kept=choice.kept, doubts=choice.doubts)

    def hidden(self, frame: Frame, faces: Sequence[Face]) -> tuple[tuple[Face, ...], PeopleReport]:
        """Return what is hidden of the faces of an image, and what to say about it.

        Args:
            frame: The image.
            faces: What would be hidden; what is no face, such as a zone, always is.
        """
        size = view_size(frame.size, _LONGEST_PX)
        ratios = size[0] / frame.size[0], size[1] / frame.size[1]
        judged = [face for face in faces if face.label == FACE]
        if not judged:
            return tuple(faces), self.report
        boxes = [face.box.scaled(*ratios) for face in judged]
        vectors = self._reader.vectors(frame.view(size), boxes)
        judge = keep_in_still if self._rule == "keep" else hide_in_still
        decisions = judge(self._people, self._thresholds, vectors)
        visible: list[Stretch] = []
        doubts: list[Stretch] = []
        kept_ids: set[int] = set()
        for face, vector, decision in zip(judged, vectors, decisions, strict=True):
            stretch = Stretch(
                *(face.track_id, frame.index, frame.index, Fraction(0), Fraction(0)),
                *(decision.person, decision.likeness, int(vector is not None), decision.reason),
            )
            if decision.is_visible:
                visible.append(stretch)
                kept_ids.add(face.track_id)
            elif decision.reason is not None:
                doubts.append(stretch)
        hidden = tuple(face for face in faces if face.track_id not in kept_ids)
        return hidden, replace(self.report, kept=tuple(visible), doubts=tuple(doubts))


def _reader(weights: Weights) -> FaceReader:
    """Return what embeds faces; raises ModelError where a network is missing."""
    reader = FaceReader.of(weights)
    if reader is None:
        raise ModelError(
            "no network that tells people apart is installed: get one with 'trackblur models pull "
            "sface'"
        )
    if not reader.aligner.finds_landmarks:
        raise ModelError(
            "people can be told apart well enough only with YuNet: get it with 'trackblur models "
            "pull yunet'"
        )
    return reader


def _counted(frames: Iterable[Frame], progress: Callable[[], None]) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        progress()
