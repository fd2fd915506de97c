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
from typing import Self

from tracker_blur.core.parameter_checks import CheckedParameters


class _Group(CheckedParameters):
    __slots__ = ()
    setting = "tracking"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCutParameters(_Group):
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
class ScheduleParameters(_Group):
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
class OnlineParameters(_Group):
    """How detections confirm tracks, and how long a track lives without.

    High-confidence detections are matched first, then low-confidence ones with what is left over,
    as in ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection
    Box", ECCV 2022).
    """

    gate_sizes: float = 0.8
    """How far a detection may lie from where its track is expected."""

    gate_growth_sizes_per_second: float = 1.5
    """How much farther a detection may lie for each second since the last one."""

    max_gate_sizes: float = 2.0
    """Largest gate, in face sizes."""

    high_confidence_gate_share: float = 0.7
    """Share of the gate within which a high-confidence detection is matched."""

    high_confidence_size_ratio: float = 2.0
    """Largest ratio between the sizes of a high-confidence detection and its track."""

    low_confidence_gate_share: float = 0.5
    """Share of the gate within which a low-confidence detection is matched. It may be anything, so
    it must be where a face is expected."""

    low_confidence_size_ratio: float = 1.6
    """Largest ratio between the sizes of a low-confidence detection and its track."""

    low_confidence_seconds: float = 1.5
    """Low-confidence detections confirm a track for this long after the last reliable one."""

    agreeing_detections: int = 4
    """Low-confidence detections in this many detection frames in a row, at one place, are a
    face."""

    agreeing_share: float = 0.8
    """Each of these agreeing detections scores at least this share of the confidence."""

    agreeing_best_ratio: float = 1.0
    """The best of them scores at least this many times what each must score."""

    velocity_share: float = 0.5
    """Weight of the newest measurement in the smoothed velocity."""

    max_velocity_seconds: float = 0.5
    """A face is expected to keep its velocity for this long after it was last seen."""

    max_speed_sizes: float = 20.0
    """Largest speed, in face sizes per second. Anything faster comes from jittering time stamps."""

    max_unconfirmed_holds: float = 2.0
    """A tracker that no detection confirms is trusted for this many times the hold."""

    max_occluded_share: float = 0.5
    """A track is held if another face hides more of its box: a tracker would jump to that face."""

    hold_growth_per_second: float = 0.5
    """Share of its size by which a held box grows, on each side: the face may have moved."""

    max_hold_growth_share: float = 1.0
    """Largest share of its size by which a held box grows, on each side."""

    min_missed_detections: int = 3
    """A track is never given up before this many detection frames have missed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewScaleParameters(_Group):
    """How large the views of a video are."""

    large_view_px: int = 1920
    """Longest side of the large view that decides it."""

    interval_seconds: float = 2.0
    """Time between two large views of one scene."""

    hold_seconds: float = 6.0
    """Views stay as large as they were needed within this time."""

    smallest_px: float = 8.0
    """Smaller faces in the large view do not count."""

    max_detections: int = 40
    """At most this many detections are classified, the smallest first, until one is a face; if none
    of them is, the next one counts as a face."""

    min_log_odds: float = 1.0
    """A detection counts when the odds that it is a face are higher."""

    wanted_px: float = 14.0
    """The view shows the smallest face at least at this size."""

    steps_px: tuple[int, ...] = (640, 960, 1280, 1920)
    """The sizes of views: each change costs a detector some time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraDetectionParameters(_Group):
    """When the detector also sees turned copies of the view, and other detectors the view."""

    interval_seconds: float = 0.4
    """Time between two of them; in a new scene, each is taken at once."""

    start_log_odds: float = 1.2
    """A detection with higher odds starts a track. Copies that are turned show faces in bushes."""

    min_share: float = 0.5
    """Share of the way from the low confidence to the confidence that such a detection scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedetectionParameters(_Group):
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
class BacktrackingParameters(_Group):
    """How far a new face is tracked back in time."""

    window_seconds: float = 1.0
    """Longest time to track a new face back."""

    max_window_frames: int = 30
    """Most frames to track a new face back through. They are kept as images."""

    max_window_megabytes: int = 384
    """Most memory for these images: 15 of 4K, which are detected on only when asked for."""

    max_unconfirmed_frames: int = 6
    """A tracker that no re-detection confirms is trusted for this many frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingParameters(_Group):
    """When a box that a person drew is followed no further: no detector confirms it.

    Chosen on five faces of samples/crossing.mp4, where people pass before each other and behind
    poles: 241 of 336 frames were followed rightly, none wrongly; without limits, 395 and 24 (a
    face was then followed beyond its track).
    """

    min_color_share: float = 0.4
    """Share of the drawn box's colors that must be there."""

    min_likeness_share: float = 0.4
    """Least correlation of the pixels in the box with that of the view before."""

    max_back_seconds: float = 10.0
    """Longest time to follow back. The views before the drawn frame are kept as images."""

    max_back_frames: int = 300
    """Most of these views."""

    min_face_px: int = 48
    """Shorter side of the drawn box in the views, where the video has that much."""

    margin_seconds: float = 0.2
    """The last box on each side stays for this long, unless a cut or the video ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPassParameters(_Group):
    """The first pass over a video, which can come back to what it leaves out."""

    hold_seconds: float = 0.15
    """A lost face is not held for long, but backtracked from where it is detected again."""

    max_skipped_seconds: float = 0.12
    """Frames between detection frames are left out when these are no farther apart: a new face is
    seen by the next detection frame only."""

    min_interval_frames: int = 1
    """Shortest interval between detection frames, if that leaves frames out, and unless the
    detector is to run on every frame."""

    start_score_share: float = 0.0
    """How far from the confidence to 1 a detection must score to start a track by itself. Lower
    ones start one when several agree; it is then backtracked to the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibilityParameters(_Group):
    """What size and place say about detections.

    Chosen on the hard clips, by exposed faces against false area (docs/leaks.md).
    """

    frame_filling_share: float = 0.7
    """A face fills the frame when its size is more than this share of the frame's shorter side."""

    usual_aspects: tuple[float, float] = (0.0, 1e6)
    """Smallest and largest width over height; a box that is cut off may have any. Faces may lie."""

    unusual_score_share: float = 0.33
    """How far from the confidence to 1 a detection that fills the frame, or whose aspect is not a
    usual one, must score: the larger a face, the better it is seen. Low-confidence detections of
    that size or aspect never start a track."""

    sure_score_share: float = 0.5
    """How far from the confidence to 1 a detection must score to be a face whatever its size and
    place."""

    large_share: float = 0.25
    """A face is large when its median size is more than this share of the frame's shorter side.
    From 0.2 downwards, a blurred face in a crowd is exposed."""

    large_reliable_share: float = 0.5
    """Share of the detections of a large face that must be reliable: of nearly all true ones more
    than half were; of coats, chairs, walls and backs, 10 to 60 %."""

    large_window_detections: int = 30
    """In how many successive detections that share is reached: a face that turns away after it
    was seen well is still hidden."""

    container_size_ratio: float = 2.0
    """A detection that contains a surer one, and is this many times its size (by side) or more, is
    no face, but the body that the other one belongs to, or the background."""

    contained_share: float = 0.7
    """A box contains another one when this share of the other's area lies inside."""

    surer_ratio: float = 1.15
    """A surer detection scores at least this many times as much."""

    container_time_share: float = 0.5
    """A track that contains surer, much smaller ones for this share of its frames is no face."""

    oversized_ratio: float = 4.0
    """A weak track that is this many times larger (by side) than the largest sure face of its scene
    is no face. It is weak when its detections score less than the confidence on average."""

    sure_score_ratio: float = 1.3
    """The detections of a sure face score at least this many times the confidence on average."""

    sure_detections: int = 4
    """A sure face has at least this many detections."""

    @classmethod
    def for_any_size(cls) -> Self:
        """Return the parameters for what is no face: people and cars have any size and place."""
        return cls(
            frame_filling_share=1.0,
            unusual_score_share=0.0,
            large_reliable_share=0.0,
            container_size_ratio=1e6,
            oversized_ratio=1e6,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationParameters(_Group):
    """When a classifier is asked, and what its answer decides. Odds are natural logarithms.

    Chosen on the raw tracks of the annotated and of the hard clips (docs/leaks.md).
    """

    first_crops: int = 6
    """Each of a track's first detections is classified, this many."""

    interval_seconds: float = 0.4
    """Later ones are classified once in this time: the same view of a face tells nothing new."""

    remembered_crops: int = 100
    """Live and in one pass, the newest crops of a track decide, this many: a track may last for
    hours."""

    pooled_crops: int = 3
    """The odds of a track are the mean of its highest ones, of this many crops,"""

    pooled_share: float = 0.1
    """or of this share, if that is more: among many crops of a wall, some look like a face."""

    small_log_odds: float = -1.8
    """A track of the smallest faces with lower odds is no face."""

    large_log_odds: float = 2.0
    """The same, of large faces."""

    large_share: float = 0.2
    """A face of this share of the frame's shorter side, or more, is large."""

    certain_log_odds: float = 3.8
    """How much lower the odds may be when a detection scores 1; proportionally less above the
    confidence."""

    cut_off_log_odds: float = 1.0
    """How much lower they may be, in a video, of what the left, right or upper border cuts off."""

    plausible_log_odds: float = 2.0
    """A track with higher odds may be a face though it contains a surer, much smaller one."""

    at_once_log_odds: float = -5.0
    """Live and in one pass, a track with lower odds so far is not hidden: more may follow."""

    start_log_odds: float = 2.2
    """A low-confidence detection with higher odds starts a track at once."""

    max_candidate_detections: int = 3
    """At most this many low-confidence detections of a frame are classified: the best ones, and one
    of the others in turn, or false alarms that score better would keep a face from being seen."""

    max_still_detections: int = 100
    """The same, of a still image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkingParameters(_Group):
    """Which parts of a raw track are trusted, and which tracklets are one face."""

    max_unsupported_seconds: float = 0.08
    """What only a tracker reports, at the end of a tracklet, is trusted this close to a
    detection."""

    split_gap_seconds: float = 0.3
    """Detections farther apart, with missed detection frames between them, split a tracklet."""

    min_missed_detections: int = 2
    """At least this many missed detection frames between two detections split a tracklet."""

    max_moving_gap_seconds: float = 2.0
    """The longest gap in which a face may have moved."""

    max_still_gap_seconds: float = 3.0
    """The longest gap in which a face stayed where it was."""

    max_still_sizes: float = 0.5
    """A face that moved less has stayed where it was."""

    gate_sizes: float = 0.8
    """How far a face may be from where its velocity leads."""

    gate_growth_sizes_per_second: float = 0.5
    """How much farther a face may be for each second of the gap."""

    max_size_ratio: float = 1.6
    """Largest ratio between the face sizes at the end of one tracklet and the start of the next."""

    min_color_share: float = 0.7
    """Smallest share of colors that both ends have in common."""

    velocity_seconds: float = 0.4
    """A tracklet's velocity is measured over this time before its end, and assumed for as long
    after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingParameters(_Group):
    """How gaps are filled and boxes are smoothed."""

    gap_growth_per_second: float = 0.5
    """Share of its size by which a box grows, on each side, with the time to the nearest known
    one."""

    max_gap_growth_share: float = 0.5
    """Largest share of its size by which a box in a gap grows, on each side."""

    max_gap_size_ratio: float = 3.0
    """Largest ratio (by side) between a box in a gap and the larger of the boxes before and after
    it: a face does not swell where it is not seen, but a tracker may jump away."""

    border_sizes: float = 1.5
    """How far from the border of the frame a face may be to have come, or go, that way."""

    border_seconds: float = 1.0
    """A margin lasts this long at most until a face that moves to the border has left the frame."""

    velocity_seconds: float = 0.4
    """A face's velocity at an end of its track is measured over this time."""

    min_margin_frames: int = 3
    """A margin lasts at least this many frames: 0.2 seconds are five frames at 25 frames a second,
    but two at 10, and a face that enters is seldom detected in its first."""

    half_window_seconds: float = 0.06
    """Half the time over which boxes are averaged."""

    median_half_window_seconds: float = 0.2
    """Half the time over which boxes without a detection are median-filtered: trackers jump."""

    max_half_window_frames: int = 15
    """Largest half window of either kind. Frame rates may be very high, and times odd."""

    envelope_share_per_second: float = 0.5
    """Live: what is left, a second later, of a size that was once hidden."""

    kept_frames: int = 3
    """Live: frames that went out and are still smoothed over."""

    max_waiting_megabytes: int = 1024
    """Most memory for frames that wait for later ones; then they go out early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillImageParameters(_Group):
    """Detection in a still image, where no other frame helps."""

    detection_px: tuple[int, ...] = (320, 640, 1280, 2560)
    """Longest sides of the views to detect in: a detector sees a narrow range of face sizes."""

    turned_px: int = 1280
    """Views up to this size are also seen turned by quarters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateParameters(_Group):
    """What holds for license plates instead of the values of faces, which have the same names.

    Plates are flat, and wider than high. They are as fast as vehicles, but seldom near each other.
    They do not turn away, so what is seen once is seen again, and gaps can be interpolated. Any
    lettering looks like a plate. Chosen on moving views of annotated scenes (docs/detectors.md).
    """

    min_interval_frames: int = 3
    """At 25 frames a second, these are the 0.12 seconds after which a new one is seen."""

    start_score_share: float = 0.33
    """Of true plates, 13 % never score that much, of what is none, but scores more than the
    confidence, 80 %."""

    agreeing_detections: int = 2
    """One weak detection is none."""

    agreeing_best_ratio: float = 1.4
    """With this, 10 % fewer tracks that are none start than if both had to reach the confidence,
    and 1 % more true ones."""

    gate_sizes: float = 2.0
    """A vehicle that passes moves by this much between two detection frames."""

    gate_growth_sizes_per_second: float = 6.0

    max_gate_sizes: float = 4.0

    velocity_share: float = 1.0
    """Vehicles do not turn back at once, and boxes of plates do not tremble much."""

    max_speed_sizes: float = 60.0

    low_confidence_seconds: float = 0.6
    """Plates do not turn away: what scores little for longer is something else."""

    link_gate_sizes: float = 1.5
    """`LinkingParameters.gate_sizes`."""

    frame_filling_share: float = 0.6
    """The largest of 444 annotated ones has a size of 0.56 of the frame's shorter side."""

    usual_aspects: tuple[float, float] = (1.25, 6.5)
    """99.7 % of the detections of 444 annotated ones are wider, none is this wide; of those in
    clips without plates, 15 % are narrower."""

    unusual_score_share: float = 0.5
    """Walls and floors that fill the frame score up to 0.68."""

    large_share: float = 0.2
    """From here downwards, true ones in made clips are lost."""

    small_log_odds: float = -2.0
    """With the next two, of 71 plates in made clips one is lost, that leaves the frame; of tracks
    in clips without plates that are left by all the rest, a third."""

    large_log_odds: float = 2.0

    certain_log_odds: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingParameters(_Group):
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
    redetection: RedetectionParameters = field(default_factory=RedetectionParameters)
    backtracking: BacktrackingParameters = field(default_factory=BacktrackingParameters)
    following: FollowingParameters = field(default_factory=FollowingParameters)
    first_pass: FirstPassParameters = field(default_factory=FirstPassParameters)
    plausibility: PlausibilityParameters = field(default_factory=PlausibilityParameters)
    classification: ClassificationParameters = field(default_factory=ClassificationParameters)
    linking: LinkingParameters = field(default_factory=LinkingParameters)
    smoothing: SmoothingParameters = field(default_factory=SmoothingParameters)
    still_images: StillImageParameters = field(default_factory=StillImageParameters)
    plates: PlateParameters = field(default_factory=PlateParameters)
