"""How benchmarks/verification.py --outputs plants leaks and judges what verification says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from key_frames import HEAD, Annotation
from verification_outputs import (
    FACE,
    LEAK_FRAMES,
    MISSED,
    NOTHING,
    PLANTED,
    Count,
    _judged,
    _leaks,
    _with_leaks,
)

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.verification.exposures import Exposure, ExposureRun, Finding
from tracker_blur.verification.verdict import Verdict

FRAMES = 40


def annotated(track: str, x: float, frames: range, kind: str = "plain") -> list[Annotation]:
    return [Annotation(frame, track, x, 20, 30, 40, kind) for frame in frames]


TRUTH = [
    *annotated("0", 100, range(FRAMES)),
    *annotated("1", 200, range(8, 38)),
    *annotated("2", 300, range(12, 15)),  # too short
    *annotated("3", 400, range(FRAMES), HEAD),
]
LEAKS = _leaks(TRUTH, FRAMES)


def place(x: float, frames: range, finding: Finding = "exposed") -> ExposureRun:
    box = Box.from_xywh(x, 20, 30, 40)
    return ExposureRun(
        tuple(Exposure(at, Fraction(at, 25), None, box, 0.9, "fake", 1.0) for at in frames),
        finding,
    )


def verdict(*places: ExposureRun) -> Verdict:
    return Verdict(
        output="out.mp4",
        source="in.mp4",
        evidence="pixels",
        detectors=("fake",),
        frames=FRAMES,
        probed_frames=FRAMES,
        detections=9,
        runs=tuple(each for each in places if each.finding == "exposed"),
        ends=(),
        omitted_ends=0,
        checks=(),
        seconds=1.0,
        look_here=tuple(each for each in places if each.finding == "look here"),
    )


def test_each_leak_is_of_another_face_at_another_time() -> None:
    assert [sorted({box.left for box in leak.boxes.values()}) for leak in LEAKS] == [[100], [200]]
    assert all(len(leak.frames) == LEAK_FRAMES for leak in LEAKS)
    first, second = (set(leak.frames) for leak in LEAKS)
    assert not first & second
    assert set(range(19, 24)) == first  # the middle of the track


def test_all_that_hides_a_leak_is_left_out() -> None:
    builder = TracksBuilder()
    for frame in range(FRAMES):
        for number, left in enumerate((100, 118, 200)):
            box = Box.from_xywh(left, 20, 30, 40)
            builder.add(frame, Face(number, box, 0.9, Origin.DETECTED))
    times = np.arange(FRAMES, dtype=np.int64)
    tracks = Tracks((640, 360), Fraction(1, 25), times, (), builder.tracks())
    leaky = _with_leaks(tracks, LEAKS[:1])
    gap = set(LEAKS[0].frames)
    assert [set(range(FRAMES)) - set(track.frames.tolist()) for track in leaky.tracks] == [
        gap,
        gap,
        set(),
    ]


def test_places_are_judged_by_the_annotations() -> None:
    result = _judged(
        verdict(
            place(100, LEAKS[0].frames),
            place(100, range(30, 34)),  # a face that the run left open
            place(400, range(4)),
            place(500, range(4)),
            place(500, range(20, 24), "look here"),
        ),
        TRUTH,
        LEAKS,
    )
    assert result.places == {
        ("exposed", PLANTED): 1,
        ("exposed", FACE): 1,
        ("exposed", HEAD): 1,
        ("exposed", NOTHING): 1,
        ("look here", NOTHING): 1,
    }
    assert result.leaks == {"exposed": 1, MISSED: 1}
    assert result.row() == "1 + 1 | 1 + 1 | 50 % | 0 / 0 / 1 | 2 | 1 + 0 (50 %)"


def test_a_leak_that_is_exposed_and_to_be_looked_at_counts_once_as_exposed() -> None:
    window = LEAKS[1].frames
    result = _judged(verdict(place(205, window, "look here"), place(200, window)), TRUTH, LEAKS[1:])
    assert result.leaks == {"exposed": 1}


def test_counts_add_up() -> None:
    total = Count()
    for _ in range(2):
        total.add(_judged(verdict(place(100, LEAKS[0].frames, "look here")), TRUTH, LEAKS[:1]))
    assert total.row() == "0 + 0 | 0 + 0 | - | 2 / 0 / 0 | 2 | 0 + 2 (100 %)"
