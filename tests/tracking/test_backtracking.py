"""New faces are tracked back to where the evidence ends, through the last moment of the video."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.tracking.fakes import (
    FACE,
    PARAMETERS,
    PORTRAIT,
    SQUARE,
    BrightDetector,
    LosingTracker,
    StillTracker,
    csrt,
    redetector,
    shifted,
    wall,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.backtracking import Backtracked, Backtracker, backtrack
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.frame import Image

LONGEST = PARAMETERS.backtracking.max_unconfirmed_frames
NEVER = BrightDetector(score=0.0)  # its detections are below every threshold


def path_of(
    newest: Image,
    earlier: Sequence[Image],
    tracker: type[LosingTracker] | type[StillTracker] = LosingTracker,
    detector: BrightDetector | None = None,
) -> list[tuple[Box, float, Origin]]:
    past = enumerate(earlier, 1)
    return list(backtrack(newest, SQUARE, past, tracker, redetector(detector), PARAMETERS))


def test_a_face_is_detected_back_to_where_it_appeared() -> None:
    squares = [SQUARE.moved(4.0 * step, 0) for step in range(1, 11)]
    path = path_of(wall(SQUARE), [*map(wall, squares), wall(), wall()])
    assert len(path) == 10
    for (box, score, origin), square in zip(path, squares, strict=True):
        assert box.iou(square) > 0.85
        assert (score, origin) == (0.6, Origin.DETECTED)


def test_the_tracker_tracks_a_face_that_redetection_misses() -> None:
    steps = [3.0 * index for index in range(1, LONGEST + 1)]
    earlier = [shifted(-dx) for dx in steps]
    past = enumerate(earlier, 1)
    path = list(backtrack(PORTRAIT, FACE, past, csrt(), redetector(NEVER), PARAMETERS))
    assert len(path) == LONGEST
    for (box, score, origin), dx in zip(path, steps, strict=True):
        assert box.iou(FACE.moved(-dx, 0)) > 0.6
        assert (score, origin) == (0.0, Origin.TRACKED)


def test_an_unconfirmed_tracker_is_trusted_for_a_few_frames_only() -> None:
    path = path_of(wall(SQUARE), [wall(SQUARE)] * 30, StillTracker, NEVER)
    assert [origin for _, _, origin in path] == [Origin.TRACKED] * LONGEST


@pytest.mark.parametrize("apart", [2, LONGEST + 4])
def test_where_views_are_far_apart_the_next_one_is_tracked_into(apart: int) -> None:
    earlier = [(apart * count, wall(SQUARE)) for count in range(1, 5)]
    path = list(
        backtrack(wall(SQUARE), SQUARE, earlier, StillTracker, redetector(NEVER), PARAMETERS)
    )
    assert [origin for _, _, origin in path] == [Origin.TRACKED] * max(1, LONGEST // apart)


def test_each_detection_renews_the_trust_and_gives_the_score() -> None:
    unseen = wall()  # the tracker says that the face is there all the same
    earlier = [unseen] * LONGEST + [wall(SQUARE)] + [unseen] * 20
    path = path_of(wall(SQUARE), earlier, StillTracker)
    assert [origin for _, _, origin in path] == (
        [Origin.TRACKED] * LONGEST + [Origin.DETECTED] + [Origin.TRACKED] * LONGEST
    )
    assert [score for _, score, _ in path] == [0.0] * LONGEST + [0.6] * (LONGEST + 1)


def test_where_detector_and_tracker_lose_the_face_the_path_ends() -> None:
    earlier = [wall(SQUARE), wall(), wall(SQUARE)]
    assert len(path_of(wall(SQUARE), earlier)) == 1


@pytest.mark.parametrize(
    "drifted", [SQUARE.padded(0.4), SQUARE.padded(-0.3), Box.from_xywh(312, 60, 40, 40)]
)
def test_a_tracker_that_drifts_in_size_or_out_of_the_frame_has_lost_its_face(
    drifted: Box,
) -> None:
    class Drifting(StillTracker):
        def update(self, image: Image) -> Box | None:
            return drifted

    assert path_of(wall(SQUARE), [wall(SQUARE)] * 3, Drifting, NEVER) == []


def test_a_tracker_starts_only_at_a_missed_detection_and_from_the_last_detected_box() -> None:
    starts: list[tuple[Image, Box]] = []

    class Recording(StillTracker):
        def start(self, image: Image, box: Box) -> None:
            starts.append((image, box))
            super().start(image, box)

    squares = [SQUARE.moved(8.0 * step, 0) for step in range(1, 8)]
    earlier = [wall(square) for square in squares]
    assert len(path_of(wall(SQUARE), earlier, Recording)) == len(squares)
    assert not starts
    earlier[3] = wall()
    assert len(path_of(wall(SQUARE), earlier, Recording)) == len(squares)
    ((image, box),) = starts
    assert (image == earlier[2]).all()
    assert box.iou(squares[2]) > 0.85


def test_no_more_images_are_read_than_are_needed() -> None:
    read = []

    def images() -> Iterator[Image]:
        for index in range(10):
            read.append(index)
            yield wall(SQUARE) if index < 3 else wall()

    past = enumerate(images(), 1)
    path = backtrack(wall(SQUARE), SQUARE, past, LosingTracker, redetector(), PARAMETERS)
    assert len(list(path)) == 3
    assert read == [0, 1, 2, 3]


def test_without_earlier_images_there_is_no_path() -> None:
    assert path_of(wall(SQUARE), []) == []


def backtracker(rate: float = 25.0) -> Backtracker:
    return Backtracker(LosingTracker, redetector(), rate, PARAMETERS)


def step(*faces: Face, change: Change = Change.NONE) -> Step:
    return Step(faces, change, is_detection_frame=True)


def face(track_id: int = 0, box: Box = SQUARE, origin: Origin = Origin.DETECTED) -> Face:
    return Face(track_id, box, 0.9, origin)


def run(
    tracker: Backtracker, shown: list[tuple[Image, Step]]
) -> list[tuple[int, Face, Backtracked]]:
    """Return (frame, face, where it was before) for each new face."""
    return [
        (index, new, before)
        for index, (image, each) in enumerate(shown)
        for new, before in tracker.step(index, image, each)
    ]


def test_a_new_face_is_tracked_back_to_where_it_appeared() -> None:
    squares = [SQUARE.moved(3.0 * index, 0) for index in range(10)]
    shown = [(wall(), step())] * 4 + [(wall(square), step()) for square in squares[:-1]]
    shown.append((wall(squares[-1]), step(face(box=squares[-1]))))
    ((frame, new, before),) = run(backtracker(), shown)
    assert (frame, new.track_id, before.link) == (13, 0, None)
    assert [index for index, _, _ in before.faces] == list(range(12, 3, -1))
    for index, view, earlier in before.faces:
        assert view is shown[index][0]
        assert earlier.track_id == 0
        assert earlier.origin is Origin.DETECTED
        assert earlier.box.iou(squares[index - 4]) > 0.85


def test_a_face_is_new_once_and_again_when_it_was_away() -> None:
    shown = [(wall(SQUARE), step())] * 2 + [(wall(SQUARE), step(face()))] * 5
    assert [frame for frame, _, _ in run(backtracker(), shown)] == [2]
    shown += [(wall(SQUARE), step()), (wall(SQUARE), step(face()))]
    found = run(backtracker(), shown)
    assert [frame for frame, _, _ in found] == [2, 8]
    assert [index for index, _, _ in found[1][2].faces] == [7], "back to where it was seen before"
    assert found[1][2].link is None, "it is the same track"


@pytest.mark.parametrize(("rate", "frames"), [(0.4, 1), (10, 10), (25, 25), (30, 30), (240, 30)])
def test_the_window_is_a_second_and_at_most_thirty_images(rate: float, frames: int) -> None:
    shown = [(wall(SQUARE), step())] * 40 + [(wall(SQUARE), step(face()))]
    ((_, _, before),) = run(backtracker(rate), shown)
    assert len(before.faces) == frames
    assert before.faces[-1][0] == 40 - frames


@pytest.mark.parametrize("change", [Change.CUT, Change.RETURN])
def test_no_face_is_tracked_back_over_a_cut(change: Change) -> None:
    shown = [(wall(SQUARE), step())] * 5
    shown += [(wall(SQUARE), step(change=change)), (wall(SQUARE), step())]
    ((_, _, before),) = run(backtracker(), [*shown, (wall(SQUARE), step(face()))])
    assert [index for index, _, _ in before.faces] == [6, 5]
    at_once = [*shown, (wall(SQUARE), step(face(), change=change))]
    ((_, _, before),) = run(backtracker(), at_once)
    assert before.faces == ()


def test_a_path_ends_where_it_reaches_a_lost_face_and_links_the_two() -> None:
    shown = [(wall(SQUARE), step(face(0)))] * 3 + [(wall(SQUARE), step())] * 4
    (_, new, before) = run(backtracker(), [*shown, (wall(SQUARE), step(face(1)))])[-1]
    assert new.track_id == 1
    assert before.link == 0
    assert [index for index, _, _ in before.faces] == [6, 5, 4, 3]


def test_a_face_that_is_still_there_is_another_one() -> None:
    near = SQUARE.moved(5, 0)
    shown = [(wall(SQUARE), step(face(0)))] * 3
    found = run(backtracker(), [*shown, (wall(SQUARE), step(face(0), face(1, near)))])
    assert found[-1][2] == Backtracked((), None)


@pytest.mark.parametrize("origin", [Origin.HELD, Origin.TRACKED])
def test_a_held_or_tracked_box_does_not_end_a_path(origin: Origin) -> None:
    shown = [(wall(SQUARE), step(face(0, origin=origin)))] * 3
    found = run(backtracker(), [*shown, (wall(SQUARE), step(face(1)))])
    assert len(found[-1][2].faces) == 3
    assert found[-1][2].link is None


def test_a_new_face_is_tracked_back_through_images_of_another_size() -> None:
    half: Image = wall(SQUARE)[::2, ::2].copy()
    shown = [(half, step())] * 3 + [(wall(SQUARE), step())] * 2
    ((_, _, before),) = run(backtracker(), [*shown, (wall(SQUARE), step(face()))])
    assert [index for index, _, _ in before.faces] == [4, 3, 2, 1, 0]
    assert all(image.shape == wall(SQUARE).shape for _, image, _ in before.faces)
    assert all(face.box.iou(SQUARE) > 0.8 for _, _, face in before.faces)


def test_what_was_taken_for_no_face_at_first_is_tracked_back_when_it_is_one() -> None:
    """Another track has started since: its number says nothing."""
    other = face(1, SQUARE.moved(-60, 0))
    shown = [(wall(SQUARE), step())] * 2 + [(wall(SQUARE), step(other))] * 2
    found = run(backtracker(), [*shown, (wall(SQUARE), step(face(0), other))])
    of_face = [before for _, late, before in found if late.track_id == 0]
    assert [[index for index, _, _ in before.faces] for before in of_face] == [[3, 2, 1, 0]]


def test_in_frames_that_are_left_out_no_face_is_forgotten() -> None:
    skipped = Step((), Change.NONE, is_detection_frame=False)
    shown = [(wall(SQUARE), step(face())), (wall(SQUARE), skipped), (wall(SQUARE), step(face()))]
    assert len(run(backtracker(), shown)) == 1


def test_several_new_faces_each_have_their_path() -> None:
    other = face(1, Box.from_xywh(20, 20, 30, 30))
    shown = [(wall(SQUARE), step())] * 3 + [(wall(SQUARE), step(face(0), other))]
    found = run(backtracker(), shown)
    assert [(new.track_id, len(before.faces)) for _, new, before in found] == [(0, 3), (1, 0)]


def test_only_so_many_images_are_kept_as_memory_allows() -> None:
    small = replace(
        PARAMETERS, backtracking=replace(PARAMETERS.backtracking, max_window_megabytes=1)
    )
    tracker = Backtracker(LosingTracker, redetector(), 25.0, small)
    fits = (1 << 20) // wall().nbytes
    assert fits >= 2
    squares = [wall(SQUARE)] * (fits + 5)
    shown = [*((image, step()) for image in squares), (wall(SQUARE), step(face()))]
    ((_, _, before),) = run(tracker, shown)
    assert len(before.faces) == fits
