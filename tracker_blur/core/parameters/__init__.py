"""The tuning parameters of detection and tracking: a benchmark can sweep them.

Users do not set them; they are no command-line options. Pass other values with the settings:

    parameters = TrackingParameters()
    schedule = replace(parameters.schedule, max_interval_seconds=0.2)
    Settings(tracking=replace(parameters, schedule=schedule))

Units stand in the names: `_seconds`, `_frames`, `_detections`, `_px`; `_sizes` are face sizes (the
square root of a box's area); `_share` and `_iou` run from 0 to 1; a `_ratio` compares the larger
to the smaller, so it is at least 1. Values without a source were chosen on the annotated clips, by
exposed faces against hidden area (docs/decisions, docs/tracking.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tracker_blur.core.parameters._group import ParameterGroup
from tracker_blur.core.parameters.candidates import CandidateParameters
from tracker_blur.core.parameters.detection import (
    ExtraDetectionParameters,
    SceneCutParameters,
    ScheduleParameters,
    StillImageParameters,
    ViewScaleParameters,
)
from tracker_blur.core.parameters.plates import PlateParameters
from tracker_blur.core.parameters.refinement import (
    ClassificationParameters,
    LinkingParameters,
    PlausibilityParameters,
    SmoothingParameters,
)
from tracker_blur.core.parameters.tracking import (
    BacktrackingParameters,
    CrowdParameters,
    FirstPassParameters,
    FollowingParameters,
    OnlineParameters,
    RedetectionParameters,
    UnchangedFaceParameters,
)

__all__ = [
    "BacktrackingParameters",
    "CandidateParameters",
    "ClassificationParameters",
    "CrowdParameters",
    "ExtraDetectionParameters",
    "FirstPassParameters",
    "FollowingParameters",
    "LinkingParameters",
    "OnlineParameters",
    "PlateParameters",
    "PlausibilityParameters",
    "RedetectionParameters",
    "SceneCutParameters",
    "ScheduleParameters",
    "SmoothingParameters",
    "StillImageParameters",
    "TrackingParameters",
    "UnchangedFaceParameters",
    "ViewScaleParameters",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingParameters(ParameterGroup):
    """All tuning parameters of detection and tracking.

    Raises:
        SettingsError: a value makes no sense, such as a negative time.
    """

    same_face_iou: float = 0.4
    """Two boxes that overlap by more are the same face."""

    drift_size_ratio: float = 1.6
    """A tracker that changes the size of its box by more, unconfirmed, has drifted."""

    min_inside_share: float = 0.25
    """A face has left the frame when less of its box is inside."""

    max_delay_frames: int = 30
    """One pass and live: most frames that wait for later ones. They are kept at full size, and no
    face is backtracked further anyway."""

    scene_cuts: SceneCutParameters = field(default_factory=SceneCutParameters)
    schedule: ScheduleParameters = field(default_factory=ScheduleParameters)
    online: OnlineParameters = field(default_factory=OnlineParameters)
    view_scale: ViewScaleParameters = field(default_factory=ViewScaleParameters)
    extra_detections: ExtraDetectionParameters = field(default_factory=ExtraDetectionParameters)
    unchanged_faces: UnchangedFaceParameters = field(default_factory=UnchangedFaceParameters)
    redetection: RedetectionParameters = field(default_factory=RedetectionParameters)
    crowds: CrowdParameters = field(default_factory=CrowdParameters)
    backtracking: BacktrackingParameters = field(default_factory=BacktrackingParameters)
    following: FollowingParameters = field(default_factory=FollowingParameters)
    first_pass: FirstPassParameters = field(default_factory=FirstPassParameters)
    plausibility: PlausibilityParameters = field(default_factory=PlausibilityParameters)
    classification: ClassificationParameters = field(default_factory=ClassificationParameters)
    linking: LinkingParameters = field(default_factory=LinkingParameters)
    smoothing: SmoothingParameters = field(default_factory=SmoothingParameters)
    candidates: CandidateParameters = field(default_factory=CandidateParameters)
    still_images: StillImageParameters = field(default_factory=StillImageParameters)
    plates: PlateParameters = field(default_factory=PlateParameters)
