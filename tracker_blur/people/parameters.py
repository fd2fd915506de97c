"""The tuning parameters of people: a benchmark can sweep them.

Users do not set them; they are no command-line options. Units stand in the names. Cosines, which
belong to a network, are in `embedders.Thresholds`. docs/people.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.parameter_checks import CheckedParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleParameters(CheckedParameters):
    """Which faces vote on who is seen, and how many votes are needed; immutable.

    Attributes:
        min_face_px: Shorter side of a face's box from which it votes.
        min_detail_share: A face votes if this much of its contrast is fine detail. Blurred faces
            are alike, even those of different people.
        min_landmark_score: The landmarks of a face count from this score of their detector.
        max_landmark_error_px: How far the landmarks of an aligned face may be from where they
            should be (root mean square, at `SIDE_PX`): those of a face in profile are far.
        min_landmark_iou: Overlap from which they belong to a box.
        sample_seconds: Of each such time of a track, its best face is looked at.
        max_group_faces: The most faces of a track that are looked at to group tracks.
        min_good_faces: A stretch needs this many good faces to stay visible.
        vote_seconds: Each such time of a stretch must vote for it.
        max_end_seconds: Before its first and after its last good face, a stretch stays visible for
            this long.
        max_gap_seconds: A longer gap in a track ends a stretch.
        crossing_share: Two tracks cross where this share of the smaller box lies in the other.
        crossing_seconds: This long before and after it, they still do.
        same_place_iou: Two tracks whose boxes overlap by more, in a frame, may be one face.
        face_in_head_share: So may two boxes of which the smaller lies in the other by this share,
        head_to_face_ratio: and which is this many times as large.

    Raises:
        SettingsError: at construction, when a value makes no sense.
    """

    min_face_px: float = 32.0
    min_detail_share: float = 0.1
    min_landmark_score: float = 0.6
    max_landmark_error_px: float = 6.0
    min_landmark_iou: float = 0.3
    sample_seconds: float = 0.25
    max_group_faces: int = 12
    min_good_faces: int = 3
    vote_seconds: float = 1.0
    max_end_seconds: float = 0.3
    max_gap_seconds: float = 0.5
    crossing_share: float = 0.1
    crossing_seconds: float = 0.2
    same_place_iou: float = 0.3
    face_in_head_share: float = 0.9
    head_to_face_ratio: float = 2.0
