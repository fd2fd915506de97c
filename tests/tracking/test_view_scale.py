"""The size of views follows the smallest faces of a video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS, BrightDetector, ScriptedClassifier
from tracker_blur.core.box import Box, Detection
from tracker_blur.images.frame import ImageFrame
from tracker_blur.tracking.scene_cuts import Change, CutDetector
from tracker_blur.tracking.view_scale import FixedViews, ScaledViews, tiles

if TYPE_CHECKING:
    from tracker_blur.core.frame import Frame, Image

SIZE = (1920, 1080)
TILES = 6  # of its large view


def frame(side: float, seconds: float = 0.0, *, is_bright: bool = False) -> ImageFrame:
    """Return a frame with a white square of this side, or with nothing for 0."""
    image = np.full((SIZE[1], SIZE[0]), 120 if is_bright else 10, np.uint8)
    if side:
        left, top, right, bottom = Box.around((900, 500), side, side).outward()
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), 255, -1)
    pts = round(1000 * seconds)
    planes = (image, image.copy(), image.copy())
    return ImageFrame(planes, index=pts // 40, pts=pts, time_base=Fraction(1, 1000))


class ComparedViews(ScaledViews):
    """Compares the frames itself."""

    cuts: CutDetector | None = None

    def view(self, frame: Frame, change: Change | None = None) -> Image:
        self.cuts = self.cuts or CutDetector(PARAMETERS.scene_cuts)
        found = self.cuts.change(frame.view(PARAMETERS.scene_cuts.thumbnail_px))
        return super().view(frame, found if change is None else change)


def views(detector: BrightDetector | None = None, log_odds: float = 5.0) -> ComparedViews:
    classifier = ScriptedClassifier(log_odds)
    return ComparedViews(detector or BrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)


@pytest.mark.parametrize(
    ("side", "width"), [(0, 640), (300, 640), (48, 960), (34, 1280), (12, 1920)]
)
def test_the_smallest_face_decides_the_view_of_the_same_frame(side: float, width: int) -> None:
    assert views().view(frame(side)).shape[1] == width


def test_what_the_classifier_takes_for_no_face_does_not_count() -> None:
    assert views(log_odds=-5.0).view(frame(12)).shape[1] == 640


FACE = Box.around((900, 500), 34, 34)
DOUBTFUL = PARAMETERS.view_scale.high_confidence_log_odds - 0.5


class EveryBrightDetector(BrightDetector):
    """Detects each white spot."""

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        white = np.asarray(image.min(axis=2) > 205, np.uint8)
        rows = cv2.connectedComponentsWithStats(white)[2][1:, :4].tolist()
        return [Detection(Box.from_xywh(*row), 0.9) for row in rows]


def specks_and_face(specks: int, seconds: float = 0.0) -> ImageFrame:
    """Return a frame with some specks, and a face that is larger."""
    image = frame(34, seconds)
    for plane in image.planes():
        for index in range(specks):
            plane.samples[20:29, 20 * index : 20 * index + 9] = 255
    return image


@pytest.mark.parametrize("specks", [0, 12, 39])
def test_a_face_among_many_smaller_false_alarms_decides(specks: int) -> None:
    classifier = ScriptedClassifier(-5.0, [(FACE, 5.0)])
    made = ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)
    assert made.view(specks_and_face(specks)).shape[1] == 1280
    assert len(classifier.asked) == specks + 1


def test_where_there_is_more_than_can_be_asked_about_the_next_one_counts() -> None:
    classifier = ScriptedClassifier(-5.0)
    made = ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)
    assert made.view(specks_and_face(60)).shape[1] == 1920
    assert len(classifier.asked) == PARAMETERS.view_scale.max_detections


def test_a_face_below_the_smallest_size_does_not_count() -> None:
    assert views().view(frame(6)).shape[1] == 640


def test_a_large_view_is_seen_now_and_then_and_after_a_cut() -> None:
    detector = BrightDetector()
    made = views(detector)
    calls = {}
    for seconds in np.arange(0, 5.1, 0.5).tolist():
        made.view(frame(300, seconds))
        calls[seconds] = detector.calls / TILES
    assert [calls[seconds] for seconds in (0.0, 0.5, 1.0, 1.5, 2.0, 5.0)] == [1, 1, 2, 2, 3, 4]
    made.view(frame(300, 5.2), Change.JERK)
    assert detector.calls == 4 * TILES
    made.view(frame(300, 5.3), Change.CUT)
    assert detector.calls == 5 * TILES
    made.view(frame(300, 6.0))
    assert detector.calls == 6 * TILES
    assert detector.shapes == {(564, 672, 3)}


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1280, 720), (1920, 800), (640, 360)])
def test_each_place_of_a_large_view_is_seen_in_one_tile_with_its_surroundings(
    size: tuple[int, int],
) -> None:
    made = tiles(size, PARAMETERS.view_scale)
    sizes = {(right - left, bottom - top) for left, top, right, bottom in (t.area for t in made)}
    assert len(sizes) == 1
    assert max(sizes.pop()) <= PARAMETERS.view_scale.tile_px
    reach = PARAMETERS.view_scale.tile_overlap_px // 2 - 1
    for x in range(0, size[0], 7):
        for y in range(0, size[1], 7):
            box = Box.around((x, y), 2 * reach, 2 * reach)
            (owner,) = [tile for tile in made if tile.owns(box)]
            left, top, right, bottom = owner.area
            seen = box.clipped(*size)
            assert left <= seen.left <= seen.right <= right
            assert top <= seen.top <= seen.bottom <= bottom


@pytest.mark.parametrize("center", [(648, 300), (640, 300), (900, 540), (648, 540), (1272, 536)])
def test_a_face_between_tiles_is_seen_once_and_whole(center: tuple[int, int]) -> None:
    image = frame(0)
    box = Box.around(center, 20, 20)
    left, top, right, bottom = box.outward()
    for plane in image.planes():
        plane.samples[top:bottom, left:right] = 255
    classifier = ScriptedClassifier(5.0)
    made = ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)
    assert made.view(image).shape[1] == 1920
    assert classifier.asked == [box]


def test_of_frames_whose_change_is_known_some_may_be_left_out() -> None:
    detector = BrightDetector()
    made = views(detector)
    for seconds in (0.0, 0.12, 0.24):
        assert made.view(frame(12, seconds), Change.NONE).shape[1] == 1920
    assert detector.calls == TILES
    assert made.view(frame(300, 0.36), Change.CUT).shape[1] == 640  # though it looks alike
    assert detector.calls == 2 * TILES


def test_views_stay_large_for_a_while_after_a_small_face_is_gone() -> None:
    made = views()
    widths = {}
    for number in range(20):
        seconds = 0.5 * number
        widths[seconds] = made.view(frame(12 if seconds <= 2 else 300, seconds)).shape[1]
    assert widths[0.0] == widths[7.5] == 1920  # the face was seen last at 2.0 seconds
    assert widths[8.0] == 640


@pytest.mark.parametrize(
    ("sides", "widths"),
    [
        ([12, 300], [1920, 640]),  # what one large view alone shows lasts until the next
        ([12, 300, 12, 300, 300], [1920, 640, 1920, 1920, 1920]),  # again within six seconds
        ([12, 34, 300, 300], [1920, 1280, 1280, 1280]),  # both views show what needs 1280
        ([34, 12, 300, 300], [1280, 1920, 1280, 1280]),
        ([12, 300, 300, 300, 300, 12, 300], [1920, 640, 640, 640, 640, 1920, 640]),
        ([300, 300, 12, 0], [640, 640, 1920, 640]),
    ],
)
def test_a_size_that_two_large_views_show_is_kept(sides: list[int], widths: list[int]) -> None:
    made, times = views(), [0.0, 0.6, 2.0, 4.0, 6.0, 8.0, 10.0]
    found = [made.view(frame(*each)).shape[1] for each in zip(sides, times, strict=False)]
    assert found == widths


def test_a_cut_forgets_what_one_large_view_showed() -> None:
    made = views()
    made.view(frame(12, 0.0))
    assert made.view(frame(12, 0.3, is_bright=True)).shape[1] == 1920
    assert made.view(frame(300, 0.9, is_bright=True)).shape[1] == 640


def test_a_large_view_for_a_doubtful_face_is_no_second_one() -> None:
    classifier = ScriptedClassifier(-5.0, [(FACE, 5.0), (Box(0, 20, 9, 29), DOUBTFUL)])
    made = ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)
    made.view(specks_and_face(1))
    assert made.view(specks_and_face(0, 0.04)).shape[1] == 1280
    assert made.view(frame(0, 0.6)).shape[1] == 640


def doubtful_specks() -> ComparedViews:
    """Return views of frames whose specks are doubtful and whose larger face is not."""
    specks = [(Box(left, 20, left + 9, 29), DOUBTFUL) for left in (0, 20)]
    classifier = ScriptedClassifier(-5.0, [(FACE, 5.0), *specks])
    return ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)


def test_what_a_doubtful_face_needs_lasts_until_the_next_large_view() -> None:
    made = doubtful_specks()
    made.view(specks_and_face(1))
    assert made.view(specks_and_face(1, 0.04)).shape[1] == 1920
    assert made.view(frame(0, 0.4)).shape[1] == 1920
    assert made.view(specks_and_face(0, 0.7)).shape[1] == 1280
    assert made.view(frame(0, 2.1)).shape[1] == 1280  # the larger one may be there
    assert made.view(frame(0, 6.8)).shape[1] == 640


def test_a_doubtful_face_decides_only_when_the_next_frame_shows_it_too() -> None:
    made = doubtful_specks()
    assert made.view(specks_and_face(1)).shape[1] == 1280  # what the larger one needs
    before = made.state()
    assert made.view(frame(34, 0.04)).shape[1] == 1280
    assert made.state() != before  # as the frame after that is not seen large again
    assert made.view(specks_and_face(1, 0.08)).shape[1] == 1280


def test_a_doubtful_face_that_stays_keeps_the_size() -> None:
    made = doubtful_specks()
    times = [0.0, 0.12, 0.24, 0.6, 0.72, 2.0, 2.12, 4.0, 4.12]
    widths = [made.view(specks_and_face(1, seconds)).shape[1] for seconds in times]
    assert widths == [1280, *[1920] * 8]
    assert made.view(frame(34, 6.0)).shape[1] == 1280


def test_while_a_doubtful_face_is_to_be_seen_again_the_views_become_no_smaller() -> None:
    made = doubtful_specks()
    assert made.view(frame(34, 0.0)).shape[1] == 1280
    speck = frame(0, 6.8)
    for plane in speck.planes():
        plane.samples[20:29, :9] = 255
    assert made.view(speck).shape[1] == 1280  # the high-confidence face is forgotten
    assert made.view(frame(0, 6.84)).shape[1] == 640


@pytest.mark.parametrize(("seconds", "width"), [(0.04, 1280), (0.12, 1920)])
def test_a_doubtful_face_may_have_moved(seconds: float, width: int) -> None:
    boxes = [(Box(left, 20, left + 9, 29), DOUBTFUL) for left in (0, 12)]
    classifier = ScriptedClassifier(-5.0, [(FACE, 5.0), *boxes])
    made = ComparedViews(EveryBrightDetector(), classifier, 0.5, Fraction(1), PARAMETERS)
    made.view(specks_and_face(1))
    moved = frame(34, seconds)
    for plane in moved.planes():
        plane.samples[20:29, 12:21] = 255
    assert made.view(moved).shape[1] == width


def test_a_doubtful_face_elsewhere_is_another_one() -> None:
    made = doubtful_specks()
    made.view(specks_and_face(1))
    other = frame(34, 0.04)
    for plane in other.planes():
        plane.samples[20:29, 20:29] = 255
    assert made.view(other).shape[1] == 1280


def test_a_cut_makes_views_small_at_once() -> None:
    made = views()
    assert made.view(frame(12, 0.0)).shape[1] == 1920
    assert made.view(frame(300, 0.04, is_bright=True)).shape[1] == 640


def test_who_begins_later_soon_has_the_same_views() -> None:
    early, late = views(), views()
    for number in range(15):
        early.view(frame(12 if number < 4 else 300, 0.4 * number))
    states = []
    for number in range(15, 45):
        for made in (early, late):
            made.view(frame(300, 0.4 * number))
        states.append(early.state() == late.state())
    assert not states[0]
    assert all(states[26:])


def small_frame(side: int) -> ImageFrame:
    image = np.full((270, 480), 10, np.uint8)
    cv2.rectangle(image, (200, 100), (199 + side, 99 + side), 255, -1)
    return ImageFrame((image,) * 3, index=0, pts=0, time_base=Fraction(1, 25))


@pytest.mark.parametrize(
    ("side", "width"),
    [(40, 480), (20, 640), (12, 960), (5, 480)],
)
def test_the_view_of_a_small_frame_is_enlarged_for_its_small_faces(side: int, width: int) -> None:
    assert views().view(small_frame(side)).shape[:2] == (width * 9 // 16, width)


def test_a_view_is_enlarged_for_high_confidence_faces_only() -> None:
    small, large = views(log_odds=DOUBTFUL), views(log_odds=DOUBTFUL)
    for _ in range(2):
        widths = [small.view(small_frame(12)).shape[1], large.view(frame(12)).shape[1]]
    assert widths == [480, 1920]


def test_no_view_is_more_than_twice_as_large_as_its_frame() -> None:
    image = np.full((90, 160), 10, np.uint8)
    cv2.rectangle(image, (60, 40), (69, 49), 255, -1)
    tiny = ImageFrame((image,) * 3, index=0, pts=0, time_base=Fraction(1, 25))
    assert views().view(tiny).shape == (180, 320, 3)


@pytest.mark.parametrize(("longest_px", "width"), [(None, 640), (320, 320)])
def test_fixed_views_have_one_size(longest_px: int | None, width: int) -> None:
    assert FixedViews(longest_px, Fraction(1)).view(frame(12), Change.NONE).shape[1] == width
