"""What happens to raw tracks: which are faces, and how they are linked and smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tracker_blur.core.parameters._group import ParameterGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibilityParameters(ParameterGroup):
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

    unconditional_score_share: float = 0.5
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
    """A detection that contains a higher-scoring one, and is this many times its size (by side) or
    more, is no face, but the body that the other one belongs to, or the background."""

    contained_share: float = 0.7
    """A box contains another one when this share of the other's area lies inside."""

    part_share: float = 0.7
    """A box of which this share lies in a higher-scoring, somewhat larger face is a part of it: its
    chin, or one half of it behind a pole. What lies outside is hidden as that face's margin."""

    part_size_ratio: float = 3.0
    """A face that is this many times the size (by side) or more has no such part: what is much
    smaller may be a face, and the larger one the body around it."""

    higher_score_ratio: float = 1.15
    """A detection is higher-scoring when it scores at least this many times as much."""

    container_time_share: float = 0.5
    """A track that contains higher-scoring, much smaller ones for this share of its frames is no
    face."""

    oversized_ratio: float = 4.0
    """A low-confidence track that is this many times larger (by side) than the largest
    high-confidence one of its scene is no face. The detections of a low-confidence track score less
    than the confidence on average."""

    high_confidence_ratio: float = 1.3
    """The detections of a high-confidence track score at least this many times the confidence on
    average."""

    high_confidence_detections: int = 4
    """A high-confidence track has at least this many detections."""

    @classmethod
    def for_any_size(cls) -> Self:
        """Return the parameters for what is no face: people and cars have any size and place."""
        return cls(
            frame_filling_share=1.0,
            unusual_score_share=0.0,
            large_reliable_share=0.0,
            container_size_ratio=1e6,
            part_size_ratio=1.0,
            oversized_ratio=1e6,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationParameters(ParameterGroup):
    """When a classifier is run, and what its answer decides. Odds are natural logarithms.

    Chosen on the raw tracks of the annotated and of the hard clips (docs/leaks.md).
    """

    first_crops: int = 6
    """Each of a track's first detections is classified, this many."""

    better_log_odds: float = 0.0
    """So is the one after a detection with higher odds, if these are higher than the mean of the
    track's best and the track is not settled: a face may have taken the place of something else."""

    interval_seconds: float = 0.4
    """Later ones are classified once in this time: the same view of a face adds nothing new."""

    settled_log_odds: float = 4.0
    """Of a crowd, a track with higher odds, by `pooled_crops` crops or more, is a face whatever
    else is seen of it: it is classified only"""

    settled_interval_seconds: float = 2.0
    """once in this time. Later crops could lower its odds only when there are some thirty."""

    max_view_crops: int = 32
    """At most this many tracks are classified in one view, those that were least. The others of a
    crowd wait for their turn; until then they are hidden."""

    max_crowd_crops: int = 16
    """The same, of a crowd (`CrowdParameters`)."""

    remembered_crops: int = 100
    """Live and in one pass, the newest crops of a track decide, this many: a track may last for
    hours."""

    pooled_crops: int = 3
    """The odds of a track are the mean of its highest ones, of this many crops,"""

    pooled_share: float = 0.1
    """or of this share, if that is more: among many crops of a wall, some look like a face."""

    small_log_odds: float = -1.7
    """A track of faces of `small_px` or less is hidden from these odds on: 99.5 % of all such faces
    have more."""

    small_px: float = 12.0
    """Sizes are of the view that the classifier saw."""

    clear_log_odds: float = 0.8
    """A track of faces of `clear_px` or more needs these odds, however little of the frame they
    are, and something between them at sizes between. Lowered by what the detector scores, 99.8 %
    of all faces have them in a single crop; with 1.3, 99.7 % (docs/decisions/0089)."""

    clear_px: float = 28.0
    """More than `small_px`."""

    large_log_odds: float = 2.4
    """A track of large faces needs these odds. At 3.4, a man who speaks at the border, seen from
    the side and nearly half of the frame, is open for two seconds."""

    large_share: float = 0.17
    """A face of this share of the frame's shorter side, or more, is large."""

    doubling_log_odds: float = 0.35
    """How much higher the odds of a large face must be for each doubling of its crops beyond those
    that are pooled: of many crops of a coat, the best ones look like a face by chance. From 30
    crops on, `pooled_share` decides, and it stays the same. From 0.4 on, 26 face-frames of
    montage_cuts are exposed; with smaller faces as well, 8 with YuNet."""

    certain_log_odds: float = 5.0
    """By how much lower the odds of the smallest faces may be when detections score 1,"""

    large_certain_log_odds: float = 3.0
    """and those of large faces (at 2.5, two faces of street_crowd are open for 17 frames, with
    YuNet); by size, something between. With lower scores it is proportionally less,"""

    certain_score_share: float = 0.7
    """down to nothing at this share of the confidence."""

    mean_score_share: float = 0.9
    """Of a track, this share of the mean score counts, and the best score for the rest: a hand
    scores like a face now and then, a face nearly always."""

    cut_off_log_odds: float = 2.0
    """How much lower they may be, in a video, of what the left, right or upper border cuts off."""

    group_log_odds: float = 2.5
    """How much lower they may be, in a video, where people are together: heads that are turned away
    or covered are among other faces, hands and animals mostly are not."""

    group_faces: int = 3
    """People are together where this many other high-confidence faces are seen at the same time,"""

    group_size_ratio: float = 3.5
    """none of them this many times as large or as small."""

    plausible_log_odds: float = 2.0
    """A track with higher odds may be a face though it contains a higher-scoring, much smaller
    one."""

    false_end_ratio: float = 1.7
    """Where a raw track is rejected up to a face of `settled_log_odds`, and has boxes this many
    times as large there, it showed something else before. The same after a face."""

    swollen_ratio: float = 2.0
    """Boxes of a raw track before it is first taken for a face, or after it last is, that are this
    many times as large as the face,"""

    swollen_score_share: float = 0.7
    """and score this share of its score, or less,"""

    swollen_face_log_odds: float = 0.5
    """and none of which has higher odds,"""

    swollen_size_ratio: float = 1.5
    """become so many times as large: they show half a body, or something else."""

    at_once_log_odds: float = -5.0
    """Live and in one pass, a track with lower odds so far is not hidden: more may follow."""

    higher_score_ratio: float = 1.3
    """From a large track's crops, faces of settled tracks are erased whose detections score this
    many times as much: what they show is no evidence for another face."""

    erased_size_ratio: float = 1.2
    """They are when the large track is this many times as large, by side,"""

    erased_share: float = 0.3
    """and its crop shows this share of them."""

    start_log_odds: float = 2.4
    """A low-confidence detection with higher odds starts a track at once. At 2.0, more fists and
    bodies do: 4.8 instead of 4.0 % of the hard clips are hidden wrongly; at 2.9, a covered face is
    open for 9 frames more, with YuNet. A track with such odds is trusted, whatever it scores."""

    still_log_odds: float = 2.2
    """In a still image, one with higher odds is a face: no other frames tell more. At 1.4, with the
    verifier of six rounds, there was one in 41 instead of 36 % of the images without any."""

    least_still_log_odds: float = -1.0
    """In a still image, one of high confidence with lower odds is no face, whatever it scores: one
    frame is one chance to score high. At 0, and with 4.0 for `still_log_odds`, one face in a
    hundred is lost."""

    max_candidate_detections: int = 3
    """At most this many low-confidence detections of a frame are classified: the best ones, and one
    of the others in turn, or false alarms that score better would keep a face from being seen."""

    max_still_detections: int = 100
    """The same, of a still image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkingParameters(ParameterGroup):
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

    @property
    def longest_gap_seconds(self) -> float:
        """The longest gap that may be filled, however the face has moved."""
        return max(self.max_still_gap_seconds, self.max_moving_gap_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingParameters(ParameterGroup):
    """How gaps are filled and boxes are smoothed."""

    gap_growth_per_second: float = 0.5
    """Share of its size by which a box grows, on each side, with the time to the nearest known
    one."""

    max_gap_growth_share: float = 0.5
    """Largest share of its size by which a box in a gap grows, on each side."""

    max_steady_travel_sizes: float = 0.4
    """A face that moves farther between two known boxes may have moved at once. In the frames
    between, where it was before is hidden as well,"""

    max_jerk_seconds: float = 0.25
    """if these boxes are no farther apart."""

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
