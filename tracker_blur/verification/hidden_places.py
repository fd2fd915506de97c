"""Whether what the tracks hide is hidden: without the source, the only sign that they belong here.

Hidden places have no fine detail. Where many show a picture as a camera saw it, the tracks are
another video's, or were not applied to this one, and then they prove nothing about its faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.text import counted
from tracker_blur.verification import visibility
from tracker_blur.verification.verdict import Check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker_blur.core.box import Box
    from tracker_blur.verification.frame_comparison import Gray
    from tracker_blur.verification.parameters import VerificationParameters


class HiddenPlaces:
    """Counts the places that tracks hide, and those of them that show a picture all the same."""

    def __init__(self, parameters: VerificationParameters) -> None:
        self._parameters = parameters
        self._places = 0
        self._unhidden = 0

    def add(self, gray: Gray, boxes: Iterable[Box]) -> None:
        """Add the places of a frame, in its pixels."""
        parameters = self._parameters
        for box in boxes:
            core = visibility.face_core(box, parameters)
            patch = visibility.face_patch(gray, core, parameters)
            if patch is not None:
                self._places += 1
                self._unhidden += visibility.shows_detail(patch, parameters)

    def checks(self) -> tuple[Check, ...]:
        """Return a failed check if too many places are not hidden."""
        least = max(
            self._parameters.min_unhidden_views,
            self._parameters.unhidden_places_share * self._places,
        )
        if self._unhidden < least:
            return ()
        text = (
            f"{self._unhidden} of {counted(self._places, 'place')} that the tracks hide show a "
            "picture here: the tracks are another video's, or were not applied to this one (if an "
            "image was laid over the faces, give the original with --against)"
        )
        return (Check("hidden places", False, text),)
