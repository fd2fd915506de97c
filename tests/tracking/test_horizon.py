"""How far ahead later frames may change what is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.fakes import PARAMETERS
from tracker_blur.tracking.horizon import Horizon

MARGIN = 0.2


def test_the_horizon_follows_from_the_parameters() -> None:
    usual = Horizon.of(PARAMETERS, MARGIN)
    linking = replace(PARAMETERS.linking, max_still_gap_seconds=5.0)
    online = replace(PARAMETERS.online, low_confidence_seconds=9.0)
    wider = Horizon.of(replace(PARAMETERS, linking=linking), MARGIN)
    assert wider.seconds == pytest.approx(usual.seconds + 2.0)
    assert Horizon.of(replace(PARAMETERS, online=online), MARGIN).seconds > usual.seconds + 5
    assert Horizon.of(PARAMETERS, 60.0).seconds > 60
    seldom = Horizon.of(PARAMETERS, MARGIN, every_frames=250)
    detections = PARAMETERS.plausibility.large_window_detections
    gap = PARAMETERS.linking.min_missed_detections
    assert seldom.frames == usual.frames + 250 * (gap + detections)
    smoothing = replace(PARAMETERS.smoothing, velocity_seconds=1.4)
    swift = Horizon.of_certain(replace(PARAMETERS, smoothing=smoothing), MARGIN)
    certain = Horizon.of_certain(PARAMETERS, MARGIN)
    assert swift.seconds == pytest.approx(certain.seconds + 1.0)
