"""The online tracker, and the first pass that runs it over a video."""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.parameters._group import ParameterGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineParameters(ParameterGroup):
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

    max_tracked_faces: int = 16
    """At most this many faces have their own trackers in one view, those that were detected last. A
    crowd's others are held where their velocity leads: a tracker takes 3 to 13 milliseconds."""

    max_occluded_share: float = 0.5
    """A track has no tracker if another face hides more of its box: it would jump to that face."""

    hold_growth_per_second: float = 0.5
    """Share of its size by which a held box grows, on each side: the face may have moved."""

    max_hold_growth_share: float = 1.0
    """Largest share of its size by which a held box grows, on each side."""

    min_missed_detections: int = 3
    """A track is never given up before this many detection frames have missed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchangedFaceParameters(ParameterGroup):
    """When a face that the detector misses is still there, because nothing has changed."""

    min_log_odds: float = 3.0
    """Only what is a face with higher odds is kept: at 1.4, where tracks started, a part of the
    background was kept in makeup."""

    max_levels: float = 6.0
    """Largest mean change, of 255 levels of gray, in any sixteenth of its box since the last
    detection."""

    min_contrast_levels: float = 4.0
    """Least standard deviation of these levels: a flat surface contains no information."""

    max_seconds: float = 3.0
    """For so long after the last detection, as long as a gap that is filled
    (`LinkingParameters.max_still_gap_seconds`): reading ahead relies on that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedetectionParameters(ParameterGroup):
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

    max_occluded_share: float = 0.5
    """A face gets no crop if another one hides more of where it is expected."""

    others_occluded_share: float = 1.0
    """The same for other classes than faces, where it was not measured."""

    max_crops: int = 32
    """Most crops for the missed faces of one view. Each face is searched for as it was last
    detected, then, while crops are left, in other ways. Those detected last come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdParameters(ParameterGroup):
    """What changes where many faces are seen at once, so that the cost of a view stays bounded.

    Of a crowd, some faces are missed in every view. What few faces get one by one, a crop, a
    tracker or another view, a crowd gets from what one detection in the whole view shows.
    """

    min_faces: int = 32
    """So many tracks are a crowd."""

    faint_share: float = 0.6
    """Share of the low confidence from which a detection in the whole view counts where a track's
    face is expected: as in a crop (`RedetectionParameters.confidence_share`)."""

    max_crops: int = 6
    """Most crops for the missed faces of one view that no such detection shows."""

    max_tracked_faces: int = 2
    """Most faces with their own trackers in one view, where the frames between are left out."""

    max_backtracking_crops: int = 32
    """Most crops for the new faces of one view, where no such detection shows them earlier."""

    max_backtracking_gap_frames: int = 6
    """A new face is tracked back no further than to where earlier views show it no more for so many
    frames, or in the next view. Nothing drifts here: it has no tracker."""

    max_restless_share: float = 0.15
    """When more of the faces were missed, or are new, the detector runs on the next frame, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktrackingParameters(ParameterGroup):
    """How far a new face is tracked back in time."""

    window_seconds: float = 1.0
    """Longest time to track a new face back."""

    max_window_frames: int = 30
    """Most frames to track a new face back through. They are kept as images."""

    max_window_megabytes: int = 384
    """Most memory for these images: 15 of 4K, which are detected on only when needed."""

    max_unconfirmed_frames: int = 3
    """A tracker that no re-detection confirms is trusted for this many frames, and at least for one
    view (docs/decisions/0087 compares 2 to 6)."""

    others_unconfirmed_frames: int = 6
    """The same for other classes than faces, where fewer were not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingParameters(ParameterGroup):
    """When a box that a person drew is followed no further. A detector need not confirm it.

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

    redetect_frames: int = 5
    """Where a detector helps: after this many frames it detects near the box, and corrects it."""

    max_seconds: float = 60.0
    """On the review page, a box is followed no longer to each side in one go."""

    margin_seconds: float = 0.2
    """The last box on each side stays for this long, unless a cut or the video ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPassParameters(ParameterGroup):
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

    piece_seconds: float = 1.0
    """Tracks are handed over in pieces of this length. Shorter ones take more processor time: each
    is refined with all that may change it, before and after."""
