"""What the watcher tells of itself while it works in a thread of its own."""

from __future__ import annotations

from typing import cast

from tracker_blur.realtime.analyzer import Analyzer
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.handoff import Latest
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle


def test_a_look_that_is_forgotten_meanwhile_has_an_age_or_none() -> None:
    class Forgetting(Analyzer):
        """Fails in another thread just after it was asked when it has looked."""

        answers = (3.0,)

        @property
        def _last_look(self) -> float | None:
            answer, *rest = self.answers or (None,)
            self.answers = tuple(rest)
            return answer

        @_last_look.setter
        def _last_look(self, seconds: float | None) -> None:
            pass

    eyes = cast(DetectorBundle, None)  # nobody looks here
    analyzer = Forgetting(Settings(), eyes, Controls(["solid"]), Latest(), print)
    assert analyzer.look_age(5.0) == 2.0
    assert analyzer.look_age(5.0) is None
