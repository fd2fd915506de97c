"""Where and how often the detector runs, and on what."""

from __future__ import annotations

from dataclasses import dataclass

from tracker_blur.core.parameters._group import ParameterGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCutParameters(ParameterGroup):
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

    usual_change_frames: int = 24
    """Of how many frames that average is: what is older weighs 0.5 %, and is forgotten, so that who
    begins later soon judges the same."""

    min_jerk_likeness_share: float = 0.9
    """Least correlation of the middle of a thumbnail with a part of the next one from which this is
    the same scene, after a jerk of the camera. Of 59,863 pairs of frames from different videos and
    photos, 0.03 % have more; most jerks have 0.96 or more (docs/decisions/0090)."""

    max_flash_frames: int = 5
    """A flash of light ends within this many frames; then the scene before it continues."""

    return_share: float = 0.5
    """After a flash, the frame differs from the one before the flash by less than this share of
    `content_threshold`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleParameters(ParameterGroup):
    """Which frames the detector runs on, between the extremes that users may choose."""

    max_interval_frames: int = 5
    """The longest interval between detection frames that "auto" chooses."""

    max_interval_seconds: float = 0.12
    """The longest time between detection frames: a new face is seen by the next one only."""

    calm_seconds: float = 0.4
    """When no face was missed and none appeared for this long, all are seen well: where frames are
    left out, the interval may then be as long as `max_interval_seconds`."""

    max_travel_sizes: float = 0.5
    """How far a face may move between two detection frames, with "auto" and in that case."""

    unmeasured_interval_frames: int = 2
    """The interval of "auto" until the cost of tracking has been measured."""

    after_cut_frames: int = 3
    """The detector runs on this many frames of a new scene, one after the other."""

    cost_share: float = 0.2
    """Weight of the newest measurement in the average cost of detection and tracking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewScaleParameters(ParameterGroup):
    """How large the views of a video are."""

    large_view_px: int = 1920
    """Longest side of the large view that decides it."""

    enlarged_view_px: int = 1280
    """The large view of a smaller frame is enlarged up to this size."""

    first_interval_seconds: float = 0.6
    """Time between the first two large views of a scene: its first frame may be blurred."""

    interval_seconds: float = 2.0
    """Time between two later ones."""

    hold_seconds: float = 6.0
    """Views stay as large as high-confidence faces needed them within this time, if two large views
    show such faces within it, and until the next one if one does. What a doubtful face needs lasts
    until a large view shows none."""

    tile_px: int = 672
    """Longest side of the tiles in which the large view is seen: a network takes 20 MB for one, and
    125 MB for a view of 1920x1080."""

    tile_overlap_px: int = 48
    """How much tiles overlap. Faces that want a larger view than the usual one are smaller, but in
    views that are three times larger, where one of 66 pixels is still seen by two thirds."""

    smallest_px: float = 8.0
    """Smaller faces in the large view do not count."""

    max_detections: int = 40
    """At most this many detections are classified, the smallest first, until one is a face; if none
    of them is, the next one counts as a face."""

    min_log_odds: float = 1.0
    """A detection counts when the odds that it is a face are higher."""

    doubtful_travel_sizes: float = 12.0
    """A doubtful face, with lower odds than the following, decides only when the next view that is
    detected in shows it, too: no farther away than it can move at this many face sizes a second."""

    high_confidence_log_odds: float = 3.0
    """A face with higher odds is a high-confidence one; between these and `min_log_odds`, it is
    doubtful. Only a high-confidence face makes views larger than the frame, or large for long. At
    2.0, a badge of 11 px with odds of 2.5 made the views of the sample 1920 px wide for the rest of
    it: 1.4 times the processor time. On the hard clips, 3.0 hides the same."""

    wanted_px: float = 22.0
    """The view shows the smallest face at least at this size."""

    max_enlargement: float = 2.0
    """A view is at most this many times as large as the frame."""

    steps_px: tuple[int, ...] = (640, 960, 1280, 1920)
    """The sizes of views: each change costs a detector some time."""

    kept_px: int = 960
    """Detectors that see a view now and then keep the memory for one of this longest side, where
    OpenCV runs them: 35 MB. After a larger one, they are loaded again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraDetectionParameters(ParameterGroup):
    """When the detector also sees turned copies of the view, and other detectors the view."""

    interval_seconds: float = 0.4
    """Time between two of them; in a new scene, each is taken at once."""

    start_log_odds: float = 2.2
    """A detection with higher odds starts a track. Copies that are turned show faces in bushes."""

    min_share: float = 0.5
    """Share of the way from the low confidence to the confidence that such a detection scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillImageParameters(ParameterGroup):
    """Detection in a still image, where no other frame helps."""

    detection_px: tuple[int, ...] = (320, 640, 1280, 2560)
    """Longest sides of the views to detect in: a detector sees a narrow range of face sizes."""

    turned_px: int = 1280
    """Views up to this size are also seen turned by quarters, and beyond their border."""

    border_share: float = 0.2
    """How far these go on beyond their border, as their own mirror image, as a share of their
    shorter side. 0.3 shows no more."""

    border_smallest_px: float = 16.0
    """What is smaller in them, and detected only there, is no face mostly."""
