"""Final tracks: handed over early, they are what they would be with the whole first pass known."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import BOX, CONFIDENCE, SIZE, refine
from tracker_blur.core.box import Box
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.tracks import Face, Origin, Track, Tracks, joined
from tracker_blur.tracking.backtracking import Backtracked
from tracker_blur.tracking.evidence import ClassifiedCrop
from tracker_blur.tracking.final_tracks import Target, TrackFinalizer
from tracker_blur.tracking.horizon import Horizon
from tracker_blur.tracking.lazy_view import LazyView
from tracker_blur.tracking.observation import Observer
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change
from tracker_blur.tracking.schedule import long_interval_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.tracking.first_pass import FirstPass, Seen

CROP_PX = 60.0
MILLISECOND = Fraction(1, 1000)
IMAGE: Image = np.random.default_rng(3).integers(0, 256, (36, 64, 3), np.uint8)
VIEW = LazyView(Change.NONE, lambda: IMAGE)  # the script says what changes
MARGIN = 0.2
HASTY = replace(  # a horizon of two seconds
    PARAMETERS,
    linking=replace(PARAMETERS.linking, max_still_gap_seconds=0.6, max_moving_gap_seconds=0.5),
    online=replace(PARAMETERS.online, low_confidence_seconds=0.3),
    smoothing=replace(PARAMETERS.smoothing, border_seconds=0.2),
    schedule=replace(PARAMETERS.schedule, max_interval_seconds=0.02),
    first_pass=replace(PARAMETERS.first_pass, piece_seconds=0.3),
)


@dataclass
class Script:
    """What a tracker and a backtracker say of each frame.

    Attributes:
        steps: What the tracker says.
        before: What the backtracker says then: how many frames back a face was.
    """

    steps: list[Step] = field(default_factory=list)
    before: list[list[tuple[Face, int, int | None]]] = field(default_factory=list)


class ScriptedTracker:
    max_flash_frames = PARAMETERS.scene_cuts.max_flash_frames
    track_count = 0
    track_ids = ()

    def __init__(self, script: Script) -> None:
        self._steps = iter(script.steps)

    def see(self, view: LazyView, seconds: float) -> Step:
        return next(self._steps)

    def state(self) -> object:
        return object()


class ScriptedBacktracker:
    """Goes back no further than its reach, and never beyond a change."""

    reach_frames = 12
    track_ids = ()

    def __init__(self, script: Script) -> None:
        self._before = iter(script.before)
        self._window: deque[int] = deque(maxlen=self.reach_frames)

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        if step.change.is_cut:
            self._window.clear()
        for face, back, link in next(self._before):
            past = list(reversed(self._window))[:back]
            faces = tuple((frame, image, replace(face, score=0.4)) for frame in past)
            yield face, Backtracked(faces, link)
        self._window.append(index)

    def state(self, index: int, ranks: object) -> object:
        return object()


def observed(script: Script, times: Sequence[int]) -> tuple[FirstPass, list[Seen]]:
    """Return an empty first pass, and what it is to be given."""
    observer = Observer(ScriptedTracker(script), ScriptedBacktracker(script), SIZE, MILLISECOND)
    return observer.new_first_pass(), [observer.step(VIEW, pts) for pts in times]


def first_pass(script: Script, times: Sequence[int]) -> FirstPass:
    """Return a first pass that is over."""
    whole, frames = observed(script, times)
    for seen in frames:
        whole.add(seen)
    whole.end()
    return whole


def finalizer(
    passes: Sequence[FirstPass],
    parameters: TrackingParameters = PARAMETERS,
    every_frames: int = 0,
    *,
    by_scene: bool = False,
) -> TrackFinalizer:
    targets = [
        Target(label, one, CONFIDENCE, parameters, every_frames)
        for label, one in zip(("face", "plate"), passes, strict=False)
    ]
    return TrackFinalizer(targets, MARGIN, by_scene=by_scene)


def as_they_come(
    scripts: Sequence[Script],
    times: Sequence[int],
    parameters: TrackingParameters = PARAMETERS,
    every_frames: int = 0,
    *,
    by_scene: bool = False,
) -> tuple[list[Tracks], list[int]]:
    """Return the pieces, asked for after each frame, and how many frames were known for each."""
    pairs = [observed(script, times) for script in scripts]
    final = finalizer([one for one, _ in pairs], parameters, every_frames, by_scene=by_scene)
    pieces: list[Tracks] = []
    known: list[int] = []
    for number, seen in enumerate(zip(*(frames for _, frames in pairs), strict=True), 1):
        final.add(seen)
        pieces += final.pieces()
        known += [number] * (len(pieces) - len(known))
    final.end()
    pieces += final.pieces()
    return pieces, known + [len(times)] * (len(pieces) - len(known))


def with_all_known(
    scripts: Sequence[Script],
    times: Sequence[int],
    parameters: TrackingParameters = PARAMETERS,
) -> list[Tracks]:
    """Return the pieces, asked for when the first pass is over."""
    passes = [first_pass(script, times) for script in scripts]
    return list(finalizer(passes, parameters).pieces())


def columns(track: Track) -> tuple[object, ...]:
    return (
        track.track_id,
        track.label,
        track.frames.tolist(),
        track.boxes.tolist(),
        track.scores.tolist(),
        track.origins.tolist(),
    )


def contents(tracks: Tracks) -> tuple[object, ...]:
    return tracks.times.tolist(), tracks.cuts, [columns(track) for track in tracks.tracks]


def steady(frames: int, *, gone: range = range(0), cuts: Sequence[int] = ()) -> Script:
    """Return a script of one face that is seen in each frame, except for those where it is gone."""
    script = Script()
    for index in range(frames):
        face = Face(0, BOX.scaled(0.1, 0.1), 0.9, Origin.DETECTED)
        change = Change.CUT if index in cuts or not index else Change.NONE
        faces = () if index in gone else (face,)
        script.steps.append(Step(faces, change, is_detection_frame=True))
        script.before.append([])
    return script


def any_script(chance: np.random.Generator, changes: Sequence[Change]) -> Script:
    """Return what might be said of as many frames as there are changes."""
    places = chance.uniform((0, 0), SIZE, (chance.integers(1, 5), 2))
    rate, jitter = chance.choice([0.3, 0.8, 1.0]), chance.choice([1.0, 8.0])
    dwell, interval = chance.choice([0.02, 0.1]), chance.choice([1, 3])
    script = Script()
    open_ids: dict[int, int] = {}
    last_ids: dict[int, int] = {}
    numbers = count()
    for index, change in enumerate(changes):
        if change.is_cut:
            open_ids.clear()
            last_ids.clear()
        faces: list[Face] = []
        before: list[tuple[Face, int, int | None]] = []
        evidence: list[ClassifiedCrop] = []
        for place, center in enumerate(places):
            if index % interval or chance.random() > rate:
                continue
            is_new = place not in open_ids or chance.random() < dwell
            if is_new:
                open_ids.pop(place, None)
                if chance.random() < 0.3:  # absent for a while
                    continue
                open_ids[place] = next(numbers)
            x, y = center + chance.normal(0, jitter, 2)
            size = 40 * (6 if chance.random() < 0.02 else 1) + chance.uniform(-4, 4)
            origins = [Origin.DETECTED, Origin.DETECTED, Origin.TRACKED, Origin.HELD]
            origin = origins[0 if is_new else chance.integers(4)]
            box = Box.from_xywh(x, y, size, size)
            box = box.scaled(0.1, 0.1)  # the image is a tenth of the frame
            face = Face(open_ids[place], box, chance.uniform(0.2, 1), origin)
            faces.append(face)
            if is_new and chance.random() < 0.7:
                link = last_ids.get(place) if chance.random() < 0.5 else None
                before.append((face, int(chance.integers(30)), link))
            if chance.random() < 0.2:
                crop = face.track_id, chance.uniform(-6, 6), chance.uniform(4, 60)
                evidence.append(ClassifiedCrop(*crop))
            last_ids[place] = face.track_id
        script.steps.append(Step(tuple(faces), change, index % interval == 0, tuple(evidence)))
        script.before.append(before)
    return script


def any_video(seed: int) -> tuple[list[Script], list[int]]:
    """Return scripts of one or two classes, and the frames' times; cuts may be flashes of light."""
    chance = np.random.default_rng(seed)  # drawing each box takes too long
    frames = int(chance.integers(1, 250))
    cut_share = chance.choice([0.0, 0.005, 0.05])
    changes = [Change.CUT]
    since = 0
    for _ in range(1, frames):
        since += 1
        change = Change.NONE
        if chance.random() < cut_share:
            may_return = since <= ScriptedTracker.max_flash_frames
            change = Change.RETURN if may_return and chance.random() < 0.5 else Change.CUT
            since = 0
        changes.append(change)
    steps = np.where(chance.random(frames) < 0.01, 3000, chance.choice([33, 40, 200]))
    steps[chance.random(frames) < chance.choice([0.0, 0.01])] = -40  # times may be odd
    scripts = [any_script(chance, changes) for _ in range(chance.integers(1, 3))]
    return scripts, np.cumsum(steps).tolist()


SEEDS = st.integers(0, 2**32)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_no_piece_changes_with_what_comes_later_and_no_track_has_two_boxes_in_a_frame(
    seed: int,
) -> None:
    scripts, times = any_video(seed)
    early, _ = as_they_come(scripts, times, HASTY)
    late = with_all_known(scripts, times, HASTY)
    assert list(map(contents, early)) == list(map(contents, late))
    whole = joined(early)
    assert whole.times.tolist() == times
    for track in whole.tracks:
        assert (np.diff(track.frames) > 0).all()
    numbers = [track.track_id for track in whole.tracks]
    assert numbers == sorted(set(numbers))


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_pieces_that_are_scenes_are_refined_as_a_whole(seed: int) -> None:
    scripts, times = any_video(seed)
    whole = joined(as_they_come(scripts[:1], times, HASTY, by_scene=True)[0])
    raw = first_pass(scripts[0], times)
    expected = refine(raw.window(0, len(times)), CONFIDENCE, MARGIN, HASTY)
    assert whole.cuts == expected.cuts
    seen, wanted = Timeline(whole), Timeline(expected)
    for frame in range(len(times)):
        assert boxes(seen, frame) == boxes(wanted, frame)


def boxes(timeline: Timeline, frame: int) -> list[tuple[float, ...]]:
    return sorted(face.box.as_tuple() for face in timeline.faces(frame))


def usual_script(seed: int, frames: int, every: int) -> Script:
    """Return a script of faces that walk, are covered, missed, tracked on, lost and found again."""
    chance = np.random.default_rng(seed)
    places = chance.uniform((60, 60), (560, 300), (2, 2))
    speeds, sizes = chance.normal(0, 1, (2, 2)), chance.uniform(20, 45, 2)
    means = chance.choice([0.3, 0.45, 0.7], 2)
    is_covered, missed = [False, False], [0, 0]
    open_ids: dict[int, int] = {}
    numbers = count()
    script = Script()
    for index in range(frames):
        is_due = index % every == 0
        faces: list[Face] = []
        before: list[tuple[Face, int, int | None]] = []
        places += speeds
        speeds[(places < 30) | (places > (610, 330))] *= -1
        for one, (x, y) in enumerate(places):
            is_covered[one] ^= chance.random() < 0.006
            is_seen = is_due and not is_covered[one] and chance.random() < 0.85
            score = float(np.clip(chance.normal(means[one], 0.12), 0.15, 1))
            box = Box.from_xywh(x, y, sizes[one], 1.2 * sizes[one]).scaled(0.1, 0.1)
            if one not in open_ids:
                if not is_seen or score < CONFIDENCE:
                    continue
                open_ids[one], missed[one] = next(numbers), 0
                before.append((Face(open_ids[one], box, score, Origin.DETECTED), 8, None))
            origin = Origin.DETECTED if is_seen else Origin.TRACKED
            missed[one] = 0 if is_seen else missed[one] + is_due
            if missed[one] > 3:
                del open_ids[one]
                continue
            faces.append(Face(open_ids[one], box, score, origin))
        change = Change.NONE if index else Change.CUT
        script.steps.append(Step(tuple(faces), change, is_detection_frame=is_due))
        script.before.append(before)
    return script


@pytest.mark.parametrize(("every", "seed"), [(1, 0), (2, 1), (3, 2), (10, 3), (40, 4), (150, 5)])
def test_pieces_hide_all_that_the_whole_hides(every: int, seed: int) -> None:
    frames = 1500
    script, times = usual_script(seed, frames, every), [40 * index for index in range(frames)]
    seldom = long_interval_frames(every, 25.0, PARAMETERS.schedule)
    seen = Timeline(joined(as_they_come([script], times, every_frames=seldom)[0]))
    wanted = Timeline(joined(as_they_come([script], times, by_scene=True)[0]))
    assert any(wanted.faces(frame) for frame in range(frames))
    for frame in range(frames):
        hidden = [face.box for face in seen.faces(frame)]
        for face in wanted.faces(frame):
            shares = [box.intersection_area(face.box) / face.box.area for box in hidden]
            assert max(shares, default=0.0) > 0.999, frame


def test_a_face_that_stays_is_one_track_without_gaps() -> None:
    pieces, _ = as_they_come([steady(1000)], [40 * index for index in range(1000)])
    assert len(pieces) > 10
    (track,) = joined(pieces).tracks
    assert track.frames.tolist() == list(range(1000))


def frames_in(horizon: Horizon) -> int:
    """Return how many frames are known when the first piece is final, at 25 a second."""
    waits = math.ceil(25 * horizon.seconds) + horizon.frames
    return 25 + waits + ScriptedBacktracker.reach_frames + 1


def test_where_all_is_hidden_and_continues_a_piece_waits_for_new_faces_only() -> None:
    pieces, known = as_they_come([steady(500)], [40 * index for index in range(500)])
    assert pieces[0].frame_count == 25
    first = frames_in(Horizon.of_certain(PARAMETERS, MARGIN))
    assert known[:3] == [first, first + 25, first + 50]


@pytest.mark.parametrize("doubt", ["ends", "is weak", "is no face"])
def test_in_doubt_a_piece_waits_for_the_whole_horizon(doubt: str) -> None:
    script = steady(500, gone=range(20, 500)) if doubt == "ends" else steady(500)
    if doubt != "ends":
        score, odds = (
            (0.3, ()) if doubt == "is weak" else (0.6, (ClassifiedCrop(0, -20.0, CROP_PX),))
        )
        for index, step in enumerate(script.steps):
            faces = tuple(replace(face, score=score) for face in step.faces)
            script.steps[index] = replace(step, faces=faces, evidence=odds)
    pieces, known = as_they_come([script], [40 * index for index in range(500)])
    first = frames_in(Horizon.of(PARAMETERS, MARGIN))
    assert known[:2] == [first, first + 25]
    assert bool(joined(pieces).tracks) == (doubt == "ends")


def test_a_cut_ends_the_wait_when_it_can_be_no_flash() -> None:
    script = steady(70, cuts=[50])
    pieces, known = as_they_come([script], [40 * index for index in range(70)])
    assert [piece.frame_count for piece in pieces] == [50, 20]
    assert known[0] == 50 + PARAMETERS.scene_cuts.max_flash_frames + 1
    assert joined(pieces).cuts == (50,)


def test_a_gap_between_two_pieces_is_filled() -> None:
    gone = range(290, 290 + 70)
    pieces, _ = as_they_come([steady(1000, gone=gone)], [40 * index for index in range(1000)])
    (track,) = joined(pieces).tracks
    assert track.frames.tolist() == list(range(1000))
    assert set(track.origins[300:350].tolist()) == {3}  # between


@pytest.mark.parametrize("every", [75, 175, 250])
def test_a_face_that_is_seldom_detected_stays_hidden_in_between(every: int) -> None:
    plausibility = replace(PARAMETERS.plausibility, large_window_detections=4)
    parameters = replace(PARAMETERS, plausibility=plausibility)  # with 30, this takes minutes
    frames = 8 * every
    script = steady(frames)
    for index, step in enumerate(script.steps):
        is_due = index % every == 0
        origin = Origin.DETECTED if is_due else Origin.TRACKED
        faces = tuple(replace(face, origin=origin) for face in step.faces)
        script.steps[index] = replace(step, faces=faces, is_detection_frame=is_due)
    pieces, _ = as_they_come(
        [script], [40 * index for index in range(frames)], parameters, every_frames=every
    )
    assert len(pieces) > 1
    (track,) = joined(pieces).tracks
    last = 7 * every + 2 + 5  # the last detection, what is tracked close to it, and a margin
    assert track.frames.tolist() == list(range(last + 1))


def test_where_a_tracker_alone_continues_a_piece_is_not_certain() -> None:
    script = steady(500)
    for index in range(10, 500):
        faces = tuple(replace(one, origin=Origin.TRACKED) for one in script.steps[index].faces)
        script.steps[index] = replace(script.steps[index], faces=faces, is_detection_frame=False)
    _, known = as_they_come([script], [40 * index for index in range(500)])
    first = frames_in(Horizon.of(PARAMETERS, MARGIN))
    assert known[:9] == list(range(first, first + 9 * 25, 25))


def test_what_was_hidden_stays_hidden_when_the_odds_fall() -> None:
    script = steady(1500)
    for index in range(1500):
        odds = 1.0 if index < 100 else -9.0
        score = 0.9 if index < 100 else 0.55
        face = replace(script.steps[index].faces[0], score=score)
        script.steps[index] = replace(
            script.steps[index], faces=(face,), evidence=(ClassifiedCrop(0, odds, CROP_PX),)
        )
    pieces, _ = as_they_come([script], [40 * index for index in range(1500)])
    (track,) = joined(pieces).tracks
    assert track.frames.tolist() == list(range(1500))


@pytest.mark.parametrize(("by_scene", "first"), [(True, 0), (False, 300)])
def test_a_face_that_is_recognized_late_is_hidden_from_the_start_of_a_whole_scene(
    by_scene: bool, first: int
) -> None:
    script = steady(900, cuts=[700])
    for index, step in enumerate(script.steps):
        faces = tuple(replace(face, score=0.6) for face in step.faces)
        odds = -5.0 if index < 500 else 6.0
        evidence = () if index % 10 else (ClassifiedCrop(0, odds, CROP_PX),)
        script.steps[index] = replace(step, faces=faces, evidence=evidence)
    times = [40 * index for index in range(900)]
    pieces, known = as_they_come([script], times, by_scene=by_scene)
    tracks = [track for track in joined(pieces).tracks if track.first < 700]
    (track,) = tracks
    assert first <= track.first <= first + 200
    if by_scene:
        assert [piece.frame_count for piece in pieces] == [700, 200]
        assert track.frames.tolist() == list(range(700))
        assert known[0] < 720


def test_identifiers_number_the_tracks_of_all_classes() -> None:
    times = [40 * index for index in range(60)]
    pieces, _ = as_they_come([steady(60), steady(60)], times)
    whole = joined(pieces)
    assert [(track.track_id, track.label) for track in whole.tracks] == [(0, "face"), (1, "plate")]
