"""Tuning parameters are checked at construction, and a swept value reaches the tracker."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from tracker_blur.core.parameters import (
    LinkingParameters,
    OnlineParameters,
    RedetectionParameters,
    SceneCutParameters,
    ScheduleParameters,
    SmoothingParameters,
    StillImageParameters,
    TrackingParameters,
)
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle

SENSELESS = [
    (TrackingParameters, {"same_face_iou": 1.5}, "from 0 to 1"),
    (TrackingParameters, {"drift_size_ratio": 0}, "of at least 1"),
    (TrackingParameters, {"linking": None}, "give LinkingParameters"),
    (OnlineParameters, {"low_confidence_seconds": -0.1}, "of at least 0"),
    (OnlineParameters, {"agreeing_detections": 0}, "of at least 1"),
    (OnlineParameters, {"agreeing_detections": 2.5}, "give a whole number"),
    (LinkingParameters, {"split_gap_seconds": float("nan")}, "give a number"),
    (LinkingParameters, {"split_gap_seconds": "1"}, "give a number"),
    (ScheduleParameters, {"cost_share": True}, "give a number"),
    (RedetectionParameters, {"crop_px": 0}, "of at least 1"),
    (SceneCutParameters, {"thumbnail_px": (64, 0)}, "of at least 1"),
    (SceneCutParameters, {"thumbnail_px": 64}, "give a tuple of 2 numbers"),
    (SceneCutParameters, {"thumbnail_px": (64,)}, "give a tuple of 2 numbers"),
    (SceneCutParameters, {"adaptive_ratio": (2.5,)}, "give a number"),
    (SmoothingParameters, {"envelope_share_per_second": 1.5}, "from 0 to 1"),
    (StillImageParameters, {"detection_px": ()}, "give a tuple of one number or more"),
    (StillImageParameters, {"detection_px": (640.0,)}, "give a whole number"),
    (TrackingParameters, {"online": LinkingParameters()}, "give OnlineParameters"),
]


@pytest.mark.parametrize(("group", "values", "message"), SENSELESS)
def test_a_value_that_makes_no_sense_is_refused(
    group: type[Any], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=f"`tracking` has {next(iter(values))}=.*{message}"):
        group(**values)


def test_every_parameter_has_a_unit() -> None:
    """A value is refused only by its unit, so one without would go unchecked."""
    parameters = TrackingParameters()
    values: list[Any] = [getattr(parameters, field.name) for field in fields(parameters)]
    groups = [parameters, *filter(is_dataclass, values)]
    group: Any
    for group in groups:
        for field in fields(group):
            if field.name.endswith("_log_odds"):  # any number is possible
                continue
            with pytest.raises(SettingsError, match=f"has {field.name}=-1"):
                replace(group, **{field.name: -1})


def test_a_list_of_sizes_may_have_any_length() -> None:
    assert StillImageParameters(detection_px=(640,)).detection_px == (640,)


def test_settings_take_nothing_else_for_tracking() -> None:
    wrong: Any = {"same_face_iou": 0.5}
    with pytest.raises(SettingsError, match="`tracking` is"):
        Settings(tracking=wrong)


def test_the_options_of_settings_are_without_tracking() -> None:
    settings = Settings(hold_seconds=2.0)
    assert settings.options()["hold_seconds"] == 2.0
    assert settings.options().keys() | {"tracking"} == {field.name for field in fields(Settings)}


def detection_frames(parameters: TrackingParameters) -> list[int]:
    """Return the frames on which a tracker for 30 frames a second runs its detector."""
    settings = Settings(detector="haar", detect_every_frames=4, tracking=parameters)
    (detector,) = DetectorBundle.of(settings).detectors
    tracker = detector.online_tracker(4, 30.0, settings.hold_seconds)
    blank = np.zeros((64, 64, 3), np.uint8)
    return [index for index in range(8) if tracker.step(blank, index / 30).is_detection_frame]


def test_a_swept_value_reaches_the_tracker() -> None:
    parameters = TrackingParameters()
    schedule = replace(parameters.schedule, after_cut_frames=1)
    swept = replace(parameters, schedule=schedule)
    assert detection_frames(parameters) == [0, 1, 2, 4]
    assert detection_frames(swept) == [0, 4]
