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

import math
from dataclasses import dataclass, field, fields
from typing import Any

from tracker_blur.errors import SettingsError

_LIMITS = {  # by the last word of a field's name
    "detections": (1, math.inf),
    "frames": (0, math.inf),
    "holds": (0, math.inf),
    "iou": (0, 1),
    "px": (1, math.inf),
    "ratio": (1, math.inf),
    "second": (0, math.inf),
    "seconds": (0, math.inf),
    "share": (0, 1),
    "sizes": (0, math.inf),
    "scale": (1, math.inf),
    "threshold": (0, 255),
}


class _Checked:
    """Checks each number of a parameter class at construction, by its unit."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for parameter in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value, unit = getattr(self, parameter.name), parameter.name.rpartition("_")[2]
            if unit in _LIMITS:
                for number in value if isinstance(value, tuple) and value else (value,):
                    self._check(parameter.name, number, parameter.default, *_LIMITS[unit])
            elif not isinstance(value, _Checked):
                raise SettingsError(
                    f"has {parameter.name}={value!r}: give parameters", setting="tracking"
                )

    def _check(self, name: str, value: Any, default: Any, low: float, high: float) -> None:
        example = default[0] if isinstance(default, tuple) else default
        is_whole = isinstance(example, int)
        is_number = isinstance(value, int if is_whole else (int, float))
        if isinstance(value, bool) or not is_number or not math.isfinite(value):
            what = "a whole number" if is_whole else "a number"
            raise SettingsError(f"has {name}={value!r}: give {what}", setting="tracking")
        if not low <= value <= high:
            limits = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
            raise SettingsError(f"has {name}={value!r}: give a number {limits}", setting="tracking")


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCutParameters(_Checked):
    """When a frame begins another scene.

    The score and its threshold are those of PySceneDetect's content detector; the ratio to the
    frames before is that of its adaptive detector.
    """

    thumbnail_px: tuple[int, int] = (64, 36)
    """(width, height) at which frames are compared; small enough to cost nothing."""

    content_threshold: float = 27.0
    """Mean change of hue, saturation and value, 0 to 255. PySceneDetect's default."""

    adaptive_ratio: float = 2.5
    """A cut changes the frame this many times more than the frames before it did, so that fast
    motion and shaking cameras are no cuts."""

    usual_change_share: float = 0.2
    """Weight of the newest frame in the average change that `adaptive_ratio` is measured by."""

    max_flash_frames: int = 5
    """A flash of light ends within this many frames; then the scene before it goes on."""

    return_share: float = 0.5
    """After a flash, the frame differs from the one before it by less than this share of
    `content_threshold`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleParameters(_Checked):
    """Which frames the detector runs on, between the extremes that users may choose."""

    max_interval_frames: int = 5
    """The longest interval between detection frames that "auto" chooses."""

    max_interval_seconds: float = 0.12
    """The longest time between detection frames: a new face is seen by the next one only."""

    max_travel_sizes: float = 0.5
    """How far a face may move between two detection frames, with "auto"."""

    unmeasured_interval_frames: int = 2
    """The interval of "auto" until the cost of tracking has been measured."""

    after_cut_frames: int = 3
    """The detector runs on this many frames of a new scene, one after the other."""

    cost_share: float = 0.2
    """Weight of the newest measurement in the average cost of detection and tracking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineParameters(_Checked):
    """How detections confirm tracks, and how long a track lives without.

    High-confidence detections are matched first, then low-confidence ones with what is left over,
    as in ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
    Box", ECCV 2022).
    """

    gate_sizes: float = 0.8
    """How far a detection may lie from where its track is expected."""

    gate_growth_sizes_per_second: float = 1.5
    """How much farther, for each second without a detection."""

    max_gate_sizes: float = 2.0
    """How far at the most."""

    high_confidence_gate_share: float = 0.7
    """Share of the gate within which a high-confidence detection is matched."""

    high_confidence_size_ratio: float = 2.0
    """Size of the detection against that of the track, at the most."""

    low_confidence_gate_share: float = 0.5
    """The same for a low-confidence detection: it may be anything, so it must be where expected."""

    low_confidence_size_ratio: float = 1.6
    """And about as large as expected."""

    low_confidence_seconds: float = 1.5
    """Low-confidence detections confirm a track for so long after the last reliable one."""

    agreeing_detections: int = 4
    """A low-confidence detection in so many detection frames in a row, in one place, is a face."""

    agreeing_share: float = 0.8
    """Share of the confidence that each of them scores at least."""

    velocity_share: float = 0.5
    """Weight of the newest measurement in the smoothed velocity."""

    max_velocity_seconds: float = 0.5
    """A face is expected to keep its velocity for so long after it was last seen."""

    max_speed_sizes: float = 20.0
    """Sizes a second. What seems faster comes from time stamps that jitter."""

    max_unconfirmed_holds: float = 2.0
    """A tracker that no detection confirms is trusted for this many times the hold."""

    max_occluded_share: float = 0.5
    """A track of whose box another face hides more is held: a tracker would go over to that."""

    hold_growth_per_second: float = 0.5
    """Share of its size by which a held box grows, on each side: the face may have moved."""

    min_missed_detections: int = 3
    """A track is never given up before so many detection frames have missed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedetectionParameters(_Checked):
    """The second detection in an enlarged crop, where a face must be."""

    crop_px: int = 160
    """Side of the crop. It is always the same: a network takes as long to change its input size as
    to detect."""

    face_px: float = 53.0
    """How large the face is in the crop: a third of it, which detectors see well."""

    max_scale: float = 4.0
    """Enlarging a face further shows nothing new."""

    confidence_share: float = 0.6
    """Share of the detector's low confidence that is enough here, where a face was or will be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktrackingParameters(_Checked):
    """How far a new face is tracked back in time."""

    window_seconds: float = 1.0
    """Through how much time at the most."""

    max_window_frames: int = 30
    """And through how many frames: they are kept as images."""

    max_unconfirmed_frames: int = 6
    """A tracker that no re-detection confirms is trusted for so many frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPassParameters(_Checked):
    """The first pass over a video, which can come back to what it leaves out."""

    hold_seconds: float = 0.15
    """A lost face is not held for long, but backtracked from where it is detected again."""

    max_skipped_seconds: float = 0.12
    """Frames between detection frames are left out when these are no farther apart: a new face is
    seen by the next detection frame only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkingParameters(_Checked):
    """What of a raw track is believed, and which tracklets are one face."""

    max_unsupported_seconds: float = 0.08
    """What only a tracker says, at the end of a tracklet, is believed so near to a detection."""

    max_gap_seconds: float = 0.3
    """Two detections that are farther apart, with vain detection frames between them, end and begin
    a tracklet."""

    min_missed_detections: int = 2
    """So many vain detection frames, at least."""

    max_moving_seconds: float = 2.0
    """The longest gap in which a face may have moved."""

    max_still_seconds: float = 3.0
    """The longest gap in which a face stayed where it was."""

    max_still_sizes: float = 0.5
    """A face that moved less has stayed where it was."""

    gate_sizes: float = 0.8
    """How far a face may be from where its velocity leads."""

    gate_growth_sizes_per_second: float = 0.5
    """How much farther, for each second of the gap."""

    max_size_ratio: float = 1.6
    """Size of the one tracklet's end against the other's start, at the most."""

    min_color_share: float = 0.7
    """Share of the colors that both ends have in common, at least."""

    velocity_seconds: float = 0.4
    """The time before its end over which a tracklet's velocity is measured, and for which it
    holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingParameters(_Checked):
    """How gaps are filled and boxes are smoothed."""

    gap_growth_per_second: float = 0.5
    """Share of its size by which a box grows, on each side, with the time to the nearest known
    one."""

    max_gap_growth_share: float = 0.5
    """And by which share at the most."""

    half_window_seconds: float = 0.06
    """Half the time over which boxes are averaged."""

    median_half_window_seconds: float = 0.2
    """Half the time over which boxes that no detector gave are median-filtered: trackers jump."""

    max_half_window_frames: int = 15
    """Either half window at the most: rates may be very high, and times odd."""

    envelope_share_per_second: float = 0.5
    """Live: what is left, a second later, of a size that was once hidden."""

    kept_frames: int = 3
    """Live: frames that went out and are still smoothed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillImageParameters(_Checked):
    """Detection in a still image, where no other frame helps."""

    detection_px: tuple[int, ...] = (320, 640, 1280, 2560)
    """The longest sides at which it is detected in: a detector sees a narrow range of face
    sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingParameters(_Checked):
    """All tuning parameters of detection and tracking.

    Raises:
        SettingsError: a value makes no sense, such as a negative time.
    """

    same_face_iou: float = 0.4
    """Two boxes that overlap by more are the same face."""

    drift_size_ratio: float = 1.6
    """A tracker that changes the size of its box by more, unconfirmed, has drifted."""

    min_inside_share: float = 0.25
    """A face of whose box less is inside the frame has left it."""

    max_delay_frames: int = 30
    """One pass: frames that wait for later ones, at the most. They are kept at full size, and no
    face is backtracked further anyway."""

    scene_cuts: SceneCutParameters = field(default_factory=SceneCutParameters)
    schedule: ScheduleParameters = field(default_factory=ScheduleParameters)
    online: OnlineParameters = field(default_factory=OnlineParameters)
    redetection: RedetectionParameters = field(default_factory=RedetectionParameters)
    backtracking: BacktrackingParameters = field(default_factory=BacktrackingParameters)
    first_pass: FirstPassParameters = field(default_factory=FirstPassParameters)
    linking: LinkingParameters = field(default_factory=LinkingParameters)
    smoothing: SmoothingParameters = field(default_factory=SmoothingParameters)
    still_images: StillImageParameters = field(default_factory=StillImageParameters)
