"""Frames that wait are refined by later ones, and sizes of boxes decay slowly."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.fakes import ArrayFrame
from tests.tracking.fakes import PARAMETERS, RATE
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, PixelLayout, Plane
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.final_tracks import Target
from tracker_blur.tracking.first_pass import FirstPass, Seen, SeenFace
from tracker_blur.tracking.lookahead import BoxEnvelope, Delay, DueFaces, look_ahead
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BOX = Box.from_xywh(100, 60, 40, 40)
NONE = Change.NONE


def face(box: Box = BOX, track_id: int = 7, origin: Origin = Origin.DETECTED) -> Face:
    return Face(track_id, box, 0.5, origin, label="face")


def seen(index: int, faces: Iterable[SeenFace], change: Change = NONE) -> Seen:
    return Seen(index, change, True, tuple(faces), (), ())


def due_faces(margin: float = 0.0, labels: Sequence[str] = ("face",)) -> DueFaces:
    targets = [
        Target(label, FirstPass(5, 30, (640, 360), Fraction(1, 25)), 0.5, PARAMETERS)
        for label in labels
    ]
    return DueFaces(targets, PARAMETERS.smoothing, margin)


def popped(
    faces: list[Face | None],
    margin: float = 0.0,
    cut: int | None = None,
    change: Change = Change.CUT,
) -> list[tuple[Face, ...]]:
    """Return the faces of frames that all wait for the last."""
    due = due_faces(margin)
    for index, one in enumerate(faces):
        now = () if one is None else (SeenFace(0, one, None),)
        due.add([seen(index, now, change if index == cut else NONE)])
    return [due.take() for _ in faces]


def test_a_gap_is_filled_between_its_ends() -> None:
    moved = BOX.moved(40, 0)
    faces = popped([face(), None, None, None, face(moved), face(moved)])
    assert [len(seen) for seen in faces] == [1] * 6
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(20, 0))


def test_held_boxes_give_way_to_interpolated_ones_when_the_face_is_back() -> None:
    moved = BOX.moved(80, 0)
    held = face(origin=Origin.HELD)
    faces = popped([face(), held, held, held, face(moved), face(moved)])
    assert faces[2][0].origin is Origin.BETWEEN
    assert faces[2][0].box.covers(BOX.moved(40, 0))
    lasting = popped([face(), held, held, held])
    assert [seen[0].origin for seen in lasting[1:]] == [Origin.HELD] * 3


@pytest.mark.parametrize(
    ("margin", "frames"), [(0.0, 0), (0.04, 3), (0.08, 3), (0.16, 4), (0.2, 5)]
)
def test_a_face_is_hidden_a_margin_before_its_first_detection(margin: float, frames: int) -> None:
    faces = popped([None] * 5 + [face()] * 3, margin)
    hidden = [bool(seen) for seen in faces]
    assert hidden == [index >= 5 - frames for index in range(8)]


def test_no_margin_reaches_into_another_scene() -> None:
    faces = popped([None] * 5 + [face()] * 3, 0.2, cut=4)
    assert [bool(seen) for seen in faces] == [False] * 4 + [True] * 4


def test_a_flash_of_light_is_no_other_scene() -> None:
    due = due_faces(0.2)
    for index in range(8):
        change = {3: Change.CUT, 4: Change.RETURN}.get(index, NONE)
        due.add([seen(index, [SeenFace(0, face(), None)] if index >= 5 else [], change)])
    assert [bool(due.take()) for _ in range(8)] == [True] * 8


def test_boxes_are_smoothed_and_cover_what_they_were() -> None:
    jumping = [face(BOX.moved(3 * (-1) ** index, 0)) for index in range(12)]
    faces = popped(list(jumping))
    for was, (seen,) in zip(jumping, faces, strict=True):
        assert seen.box.covers(was.box)
        assert (seen.track_id, seen.label) == (7, "face")
    centers = [seen[0].box.center[0] for seen in faces[3:-3]]
    assert np.ptp(centers) < 3


def test_a_face_in_a_frame_that_went_out_changes_only_those_that_wait() -> None:
    due = due_faces()
    for index in range(2):
        due.add([seen(index, ())])
    assert due.take() == ()
    due.add([seen(2, [SeenFace(back, face(), None) for back in (0, 1, 2)])])
    assert [len(due.take()) for _ in range(2)] == [1, 1]


def test_two_classes_have_their_labels_and_share_no_identifier() -> None:
    due = due_faces(labels=("face", "plate"))
    for index in range(4):
        due.add([seen(index, [SeenFace(0, face(track_id=3), None)])] * 2)
    out = [due.take() for _ in range(4)]
    assert [[one.label for one in faces] for faces in out] == [["face", "plate"]] * 4
    assert len({one.track_id for faces in out for one in faces}) == 2


def new_envelope() -> BoxEnvelope:
    return BoxEnvelope(PARAMETERS.smoothing.envelope_share_per_second)


def widths(boxes: list[Box], rate: float = RATE) -> list[float]:
    envelope = new_envelope()
    return [
        envelope.step([face(box)], index / rate)[0].box.width for index, box in enumerate(boxes)
    ]


def test_a_size_decays_slowly() -> None:
    small = BOX.padded(-0.2)
    seen = widths([BOX] + [small] * 30)
    assert seen[1] > 0.95 * BOX.width
    assert all(later <= earlier for earlier, later in pairwise(seen))
    assert seen[-1] == pytest.approx(small.width, rel=0.01)


def test_a_size_jumps_up_at_once() -> None:
    large = BOX.padded(0.5)
    assert widths([BOX, large]) == pytest.approx([BOX.width, large.width])


def test_a_size_decays_as_fast_at_any_frame_rate() -> None:
    tiny = BOX.padded(-0.45)
    slow, fast = widths([BOX] + [tiny] * 5, rate=5), widths([BOX] + [tiny] * 60, rate=60)
    assert slow[-1] == pytest.approx(fast[-1]) == pytest.approx(BOX.width / 2)


def test_each_face_has_a_size_of_its_own() -> None:
    envelope = new_envelope()
    envelope.step([face(), face(BOX.padded(-0.3), 1)], 0.0)
    first, second = envelope.step([face(BOX.padded(-0.3)), face(BOX.padded(-0.3), 1)], 0.04)
    assert first.box.width > 0.95 * BOX.width
    assert second.box.width == pytest.approx(0.4 * BOX.width)


def test_the_size_of_a_face_that_was_away_is_forgotten() -> None:
    envelope = new_envelope()
    envelope.step([face()], 0.0)
    assert envelope.step([], 0.04) == ()
    (back,) = envelope.step([face(BOX.padded(-0.2))], 0.08)
    assert back.box.width == pytest.approx(0.6 * BOX.width)


BOXES = st.builds(
    Box.from_xywh,
    st.floats(-100, 600),
    st.floats(-100, 600),
    st.floats(1, 400),
    st.floats(1, 400),
)


@settings(max_examples=50)
@given(st.lists(BOXES, min_size=1, max_size=20), st.lists(st.floats(-1, 2), max_size=20))
def test_no_box_shrinks_whatever_the_times(boxes: list[Box], steps: list[float]) -> None:
    envelope, seconds = new_envelope(), 0.0
    for index, box in enumerate(boxes):
        seconds += steps[index] if index < len(steps) else 0.04
        (enlarged,) = envelope.step([face(box)], seconds)
        assert enlarged.box.padded(1e-9).covers(box)
        assert enlarged.box.center == pytest.approx(box.center)


def test_frames_go_out_early_rather_than_fill_the_memory() -> None:
    limits = replace(PARAMETERS.smoothing, max_waiting_megabytes=1)
    side = 300  # 360,000 bytes with four planes
    waiting: list[int] = []

    def frames() -> Iterator[ArrayFrame]:
        for _ in range(10):
            plane = Plane(np.zeros((side, side), np.uint8))
            yield ArrayFrame([plane], PixelLayout("gray"), index=len(waiting))
            waiting.append(1)

    class Observer:
        def __init__(self) -> None:
            first_pass = FirstPass(5, 0, (side, side), Fraction(1, 25))
            self.targets = [Target("face", first_pass, 0.5, PARAMETERS)]

        def step(self, frame: Frame) -> list[Seen]:
            return [seen(frame.pts, ())]

    sent = []
    for out, _ in look_ahead(frames(), lambda _: Observer(), Delay(8), limits, 0.0):
        sent.append(out.index)
        if len(waiting) < 10:
            assert len(waiting) - out.index <= 3
    assert sent == list(range(10))


def random_video(seed: int) -> list[Seen]:
    """Return what is seen of a video: faces come, move, are tracked or held, and go; and cuts."""
    chance = np.random.default_rng(seed)
    video: list[Seen] = []
    places = chance.uniform((60, 60), (580, 300), (3, 2))
    ids, count = [-1, -1, -1], 0
    changes = [Change.CUT]
    pts = 0
    for index in range(int(chance.integers(1, 90))):
        pts += int(chance.choice([1, 1, 1, 2, 40]))
        change = NONE if index else Change.CUT
        if index and chance.random() < 0.05:
            change = Change.RETURN if changes[-1] is Change.CUT else Change.CUT
            ids = [-1, -1, -1]
        changes.append(change)
        faces: list[SeenFace] = []
        for one in range(3):
            places[one] += chance.normal(0, 4, 2)
            if ids[one] < 0 and chance.random() < 0.2:
                ids[one], count = count, count + 1
                box = Box.around((places[one][0], places[one][1]), 40, 40)
                past = min(index, int(chance.integers(0, 31))) if change is NONE else 0
                tracked = Face(ids[one], box, 0.3, Origin.TRACKED)
                faces += [SeenFace(back, tracked, None) for back in range(1, past + 1)]
            elif ids[one] >= 0 and chance.random() < 0.05:
                ids[one] = -1
            if ids[one] >= 0:
                origin = (Origin.DETECTED, Origin.TRACKED, Origin.HELD)[int(chance.integers(3))]
                size = 40 + chance.normal(0, 4)
                box = Box.around((places[one][0], places[one][1]), size, size)
                faces.append(SeenFace(0, Face(ids[one], box, 0.6, origin), None))
        video.append(Seen(pts, change, True, tuple(faces), (), ()))
    return video


def with_delay(video: list[Seen], delay: int) -> list[tuple[Face, ...]]:
    due, out = due_faces(0.2), []
    for index, one in enumerate(video):
        due.add([one])
        if index >= delay:
            out.append(due.take())
    return out + [due.take() for _ in range(min(delay, len(video)))]


SEEDS = st.integers(0, 2**32)


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from([0, 1, 5, 30]))
def test_whatever_is_seen_is_hidden_in_its_own_frame(seed: int, delay: int) -> None:
    video = random_video(seed)
    for one, faces in zip(video, with_delay(video, delay), strict=True):
        for known in one.faces:
            if not known.back and (not delay or known.face.origin is not Origin.HELD):
                hidden = (face.box.padded(1e-4) for face in faces)
                assert any(box.covers(known.face.box) for box in hidden)


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from([0, 1, 5, 30]))
def test_no_frame_depends_on_those_after_its_delay_or_on_what_is_forgotten(
    seed: int, delay: int
) -> None:
    video = random_video(seed)
    out = with_delay(video, delay)
    for frame in range(0, len(video) - delay, 7):
        assert with_delay(video[: frame + delay + 1], delay)[frame] == out[frame]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FirstPass, "forget", lambda *_: None)
        assert with_delay(video, delay) == out


def all_bytes(root: object) -> int:
    """Return the memory of an object and of all that it refers to, except for code."""
    reached: dict[int, object] = {}
    rest = [root]
    while rest:
        one = rest.pop()
        if id(one) not in reached and not isinstance(one, type | ModuleType | FunctionType):
            reached[id(one)] = one
            rest += gc.get_referents(one)
    return sum(map(sys.getsizeof, reached.values()))


def test_what_is_kept_does_not_grow_with_the_video() -> None:
    due = due_faces(0.2)
    kept = []
    for index in range(1500):
        change = Change.CUT if index % 50 == 0 else NONE
        due.add([seen(index, [SeenFace(0, face(track_id=index // 50), None)], change)])
        if index >= 5:
            due.take()
        if index % 25 == 0:
            kept.append(all_bytes(due))
    assert max(kept[30:]) <= 1.02 * max(kept[:30])
