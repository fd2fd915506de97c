"""The analyzer: how many frames wait, and the age of its last detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.realtime import analyzer as analyzer_module
from tracker_blur.realtime.analyzer import Analyzer
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.handoff import Latest
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.tracking.lookahead import Delay


def test_a_detection_that_is_reset_meanwhile_has_an_age_or_none() -> None:
    class ResettingAnalyzer(Analyzer):
        """Fails in another thread just after its last detection was requested."""

        answers: tuple[float | None, ...] = (3.0,)

        @property
        def _last_detection(self) -> float | None:
            answer, *rest = self.answers or (None,)
            self.answers = tuple(rest)
            return answer

        @_last_detection.setter
        def _last_detection(self, seconds: float | None) -> None:
            pass

    detectors = cast("DetectorBundle", None)  # nothing is detected here
    analyzer = ResettingAnalyzer(
        Settings(), detectors, Controls(["solid"]), Latest(), print, LiveTiming()
    )
    assert analyzer.detection_age(5.0) == 2.0
    assert analyzer.detection_age(5.0) is None


@pytest.mark.parametrize(("delay_seconds", "most"), [(1.0, 7), (0.0, 0)])
def test_as_many_frames_wait_as_in_one_pass(
    delay_seconds: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []

    def record(_frames: object, _observer_of: object, delay: Delay, *_: object) -> Iterator[Any]:
        waiting.append(delay.frames)
        return iter(())

    monkeypatch.setattr(analyzer_module, "look_ahead", record)
    settings = Settings(
        detector="haar",
        one_pass=True,
        delay_seconds=delay_seconds,
        tracking=TrackingParameters(max_delay_frames=7),
    )
    detectors = DetectorBundle.of(settings)
    analyzer = Analyzer(settings, detectors, Controls(["solid"]), Latest(), print, LiveTiming())
    analyzer._analyze()
    assert waiting == [most]
