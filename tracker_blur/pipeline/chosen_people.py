"""Chosen people of a run: which faces stay visible because of who they are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError
from tracker_blur.tracking.still_tracks import StillTracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker_blur.core.frame import FrameReader
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.core.rules import Rules
    from tracker_blur.people.chooser import PeopleChooser
    from tracker_blur.pipeline.rules import FrameWithFaces
    from tracker_blur.settings import Settings
    from tracker_blur.tracking.detector_bundle import DetectorBundle


class ChosenPeople:
    """Leaves faces visible if the settings choose people; does nothing if they do not.

    Args:
        settings: Those of the run.
        rules: Its zones and limits.
        bundle: Returns what the run detects.
    """

    def __init__(
        self, settings: Settings, rules: Rules, bundle: Callable[[], DetectorBundle]
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._bundle = bundle

    @cached_property
    def _chooser(self) -> PeopleChooser:
        from tracker_blur.people.chooser import PeopleChooser
        from tracker_blur.weights.store import Weights

        settings = self._settings
        return PeopleChooser(settings, self._bundle().detectors, Weights(settings.models_folder))

    def load(self, *, is_reviewed: bool = False) -> None:
        """Read the photos of chosen people, before minutes are spent on detection.

        Args:
            is_reviewed: Whether a person looks at the tracks before anything is written.

        Raises:
            SettingsError: No one may be left visible without that.
        """
        if self._settings.chooses_people and not is_reviewed:
            self._chooser.check_measured()
        elif self._settings.chooses_people:
            _ = self._chooser

    @property
    def warnings(self) -> tuple[str, ...]:
        """What users should know before they publish anyone who stays visible."""
        return self._chooser.warnings if self._settings.chooses_people else ()

    def check_frames(self) -> None:
        """Check that no one is chosen in frames that come one by one.

        Raises:
            SettingsError: Someone is: to know who a face is takes all of its track.
        """
        if not self._settings.chooses_people:
            return
        raise SettingsError(
            "needs all of a video, and frames are redacted here as they come: leave it out, or "
            "redact a file",
            setting=next(
                name
                for name in ("keep_people", "hide_people")
                if getattr(self._settings, name) is not None
            ),
        )

    def choose(
        self, read: Callable[[], FrameReader], report: Report, progress: Progress | None
    ) -> None:
        """Leave those parts of a video's tracks visible that show people who may be seen.

        Args:
            read: Opens the video again.
            report: Has the tracks, and gets those that are left.
            progress: Called after each frame.
        """
        if not self._settings.chooses_people:
            return
        assert report.video_tracks is not None  # the first pass is over
        report.passes += 1
        with report.timing("people"), read() as source:
            report.video_tracks, report.people = self._chooser.choose(
                source, report.video_tracks, lambda: progress and progress(report)
            )

    def stills(
        self, stills: Iterable[FrameWithFaces], report: Report | None
    ) -> Iterator[FrameWithFaces]:
        """Yield still images without the faces that stay visible because of who they are."""
        if not self._settings.chooses_people:
            yield from stills
            return
        self._chooser.check_measured()
        seen = StillTracks(self._rules)
        for frame, faces in stills:
            hidden, said = self._chooser.hidden(frame, faces)
            hidden_ids = {face.track_id for face in hidden}
            seen.add(frame, faces, {face.track_id for face in faces} - hidden_ids)
            if report is not None:
                report.people = said if report.people is None else report.people.with_more(said)
            yield frame, hidden
        if report is not None:
            report.image_tracks = seen.tracks()
