"""The tuning parameters of verification: a benchmark can sweep them.

Users do not set them; they are no command-line options. Units stand in the names: `_px`,
`_frames`, `_detections`, `_db`, `_seconds`; a `_share`, a `_score` and an `_iou` run from 0 to 1.
Brightness is in levels, 0 to 255. docs/verification.md has the measurements behind the values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from tracker_blur.core.parameter_checks import CheckedParameters

if TYPE_CHECKING:
    from collections.abc import Mapping

_FACE_VIEW_PX = {
    "yunet": (320, 640, 1280, 2560),
    "onnx": (320, 640, 1280, 2560),
    "centerface": (640,),
    "ssd": (640,),
    "haar": (640,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationParameters(CheckedParameters):
    """Thresholds of verification; immutable.

    Attributes:
        face_view_px: longest sides at which each face detector sees a frame; docs/verification.md
            says what each adds and costs.
        other_view_px: the same, for detectors of plates and other classes.
        turned_view_px: longest side at which turned copies of a frame are seen.
        turned_every_frames: of the frames that are probed, every Nth is also seen turned.
        crop_face_px: size to which a face is enlarged in a crop around the end of a track.
        crop_max_enlargement: the most that such a crop is enlarged.
        crop_padding_ratio: what such a crop shows on each side of a face, in face sizes.
        duplicate_iou: overlap from which two detections in a frame are of one face.
        low_score: lowest score that detectors report; it may be a face where one is expected.
        medium_score: score from which a detection is likely a face: two of them count, and one
            may have the detail of a face.
        high_score: score from which a single detection counts as a face.
        very_high_score: score from which a single detection leaves no doubt.
        min_face_px: shorter side below which there is nothing to judge.
        fine_px: standard deviation, on a face patch, of the blur that separates fine detail.
        coarse_px: the same, for coarse detail.
        replaced_energy_share: a change with this share of the detail's own energy has replaced it.
        noise_quantile: the least changed share of a frame shows the encoder's noise; faces may fill
            most of the rest.
        max_noise: square levels; more is not the encoder's noise but a change.
        exposed_detail_share: share of a face's detail from which it is exposed. Hidden faces show
            up to 0.26.
        core_padding_ratio: reduces a face's box to eyes, nose and mouth.
        min_detail_levels: root mean square of fine detail in a face as a camera sees it.
        min_fine_share: share of points with fine steps in such a face.
        fine_levels: brightness from which a step counts as fine.
        max_edge_share: the most that a quarter of the rows and columns may hold of all steps; a
            mosaic's edges exceed it.
        unhidden_share: share of a face's core outside of all hidden areas from which the face is
            exposed.
        hidden_core_share: share up to which the core counts as hidden.
        hidden_face_iou: overlap from which a low-confidence detection belongs to a hidden face.
        hidden_padding_ratio: what is hidden around a face, soft edge included, in face sizes.
        other_frame_error: square levels in the least changed part from which the source's frame
            shows something else.
        other_frame_quantile: how much of a frame this least changed part is.
        shown_levels: a step from one pixel to the next is at least this many levels,
        shown_step_share: and where this share of the pixels in a cell of 8 by 8 has one, a mosaic,
            a blur or one color surely hides nothing.
        calm_quantile: the least changed share of the unhidden rest, by which two frames are
            compared.
        min_compared_share: share of a frame that must be unhidden to compare it.
        min_psnr_db: likeness of the unhidden rest below which the output is not a copy.
        time_tolerance_seconds: how far times may differ, besides the ticks of both clocks.
        aspect_tolerance: relative difference of shapes that is not visible.
        track_iou: overlap from which a detection belongs to a track.
        expected_face_iou: overlap from which two expected faces are one.
        min_unhidden_views: this many places that the tracks hide must show a picture all the same,
        unhidden_places_share: and this share of all, for the tracks to be another video's. Of right
            ones, up to 0.15 do.
        track_margin_frames: how long before and after a track, and into its gaps, its face is
            expected.
        max_end_views: how many images of tracks' ends are kept.
        run_iou: overlap from which exposures in successive frames are one face.
        same_share: share of the smaller of two boxes that lies in the other, in one frame, from
            which they show one face,
        same_size_ratio: if they are not more different in size (by side): a body is no face.
        neighbor_iou: overlap with a face that was hidden or expected one detection frame away.
        classified_padding_ratio: what the crops of a box that are classified show more of, on each
            side; the mean of their log odds counts.
        max_gap_frames: detection frames without a detection within one run.
        min_likely_detections: this many likely detections are a face, where no classifier says so.
        min_high_detections: this many high-confidence detections leave no doubt, without one.
        min_exposed_frames: in this many frames, classifier and evidence must agree on an exposure.
        exposed_log_odds: log odds, pooled, from which a run is an exposed face.
        still_exposed_log_odds: the same for an image that is seen once.
        look_here_log_odds: pooled log odds below which a run is no face.
        careful_rounds: how often a careful run searches its own result, at most.
        careful_seconds: it searches a frame once in this time, in the first round.
        follow_seconds: how long what it finds is followed, back and on, at most.
        small_added_log_odds: log odds above which it hides the smallest place that is to be looked
            at.
        large_added_log_odds: the same of a large one.
        large_added_share: of this share of the frame's shorter side, or more, a place is large.
        added_padding_ratio: what is added on each side of it: detectors' boxes end at the chin.
        max_crops: images kept for all runs.

    Raises:
        SettingsError: at construction, when a value makes no sense.
    """

    # Probes
    face_view_px: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: MappingProxyType(_FACE_VIEW_PX)
    )
    other_view_px: tuple[int, ...] = (640, 1280)
    turned_view_px: int = 640
    turned_every_frames: int = 4
    crop_face_px: int = 80
    crop_max_enlargement: float = 4.0
    crop_padding_ratio: float = 1.0
    duplicate_iou: float = 0.4
    low_score: float = 0.3
    medium_score: float = 0.5
    high_score: float = 0.6
    very_high_score: float = 0.8

    # Visibility of a face
    min_face_px: int = 8
    fine_px: float = 3.0
    coarse_px: float = 8.0
    replaced_energy_share: float = 0.4
    noise_quantile: float = 0.2
    max_noise: float = 6.0
    exposed_detail_share: float = 0.3
    core_padding_ratio: float = -0.15
    min_detail_levels: float = 2.0
    min_fine_share: float = 0.03
    fine_levels: float = 2.0
    max_edge_share: float = 0.6
    unhidden_share: float = 0.7
    hidden_core_share: float = 0.05
    hidden_face_iou: float = 0.2

    # Preservation of the rest
    hidden_padding_ratio: float = 0.5
    other_frame_error: float = 25.0
    other_frame_quantile: float = 0.1
    shown_levels: float = 4.0
    shown_step_share: float = 0.5
    calm_quantile: float = 0.2
    min_compared_share: float = 0.1
    min_psnr_db: float = 25.0
    time_tolerance_seconds: float = 0.001
    aspect_tolerance: float = 0.01

    # Tracks
    track_iou: float = 0.2
    expected_face_iou: float = 0.5
    min_unhidden_views: int = 5
    unhidden_places_share: float = 0.3
    track_margin_frames: int = 12
    max_end_views: int = 400

    # Runs of exposures
    run_iou: float = 0.3
    same_share: float = 0.5
    same_size_ratio: float = 2.0
    neighbor_iou: float = 0.5
    classified_padding_ratio: tuple[float, ...] = (0.0, 0.15, -0.15)
    max_gap_frames: int = 3
    min_likely_detections: int = 2
    min_high_detections: int = 2
    min_exposed_frames: int = 2
    exposed_log_odds: float = 3.5
    still_exposed_log_odds: float = 4.0
    look_here_log_odds: float = -1.5
    max_crops: int = 1000

    # A careful run's search of its own result
    careful_rounds: int = 2
    careful_seconds: float = 0.08
    follow_seconds: float = 1.0
    small_added_log_odds: float = -1.5
    large_added_log_odds: float = 1.6
    large_added_share: float = 0.3
    added_padding_ratio: float = 0.1

    def for_frames(self, count: int) -> VerificationParameters:
        """Return the parameters for a file of which this many frames are searched."""
        needed = (self.min_likely_detections, self.min_high_detections, self.min_exposed_frames)
        return self if count >= max(needed) else self.for_stills()

    def for_stills(self) -> VerificationParameters:
        """Return the parameters for images that are seen once: one detection has to do."""
        return replace(
            self,
            min_likely_detections=1,
            min_high_detections=1,
            min_exposed_frames=1,
            exposed_log_odds=self.still_exposed_log_odds,
        )
