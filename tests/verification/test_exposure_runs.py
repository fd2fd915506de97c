"""Exposures in successive frames become runs; which are faces, and which are to be looked at."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.verification.exposure_runs import Candidate, ExposureRunBuilder
from tracker_blur.verification.exposures import Exposure
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probes import ProbeDetection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.core.frame import Image

BOX = Box(10, 10, 50, 60)


THUMBNAIL = np.zeros((8, 8, 3), np.uint8)


def exposure(
    frame: int,
    box: Box,
    score: float,
    is_agreed: bool = False,
    log_odds: float | None = None,
    label: str = "face",
) -> Candidate:
    detection = ProbeDetection(box, score, "fake", is_agreed, label)
    exposure = Exposure(
        frame, Fraction(frame, 25), None, box, score, "fake", 1.0, log_odds=log_odds
    )
    return Candidate(detection, exposure, THUMBNAIL)


def run_builder(encode: Callable[[Image], bytes] = lambda _: b"jpeg") -> ExposureRunBuilder:
    return ExposureRunBuilder(VerificationParameters(), encode)


@pytest.mark.parametrize(
    ("scores", "is_agreed", "is_face"),
    [
        ((0.6,), False, True),
        ((0.59,), False, False),
        ((0.3,), True, True),
        ((0.5, 0.5), False, True),
        ((0.5, 0.4), False, False),
        ((0.49,) * 50, False, False),
    ],
)
def test_which_runs_are_reported(scores: tuple[float, ...], is_agreed: bool, is_face: bool) -> None:
    runs = run_builder()
    for frame, score in enumerate(scores):
        runs.add([exposure(frame, BOX.moved(frame / 9, 0), score, is_agreed)], [], [])
    runs.add([], [], [])
    assert len(runs.runs()) == is_face


@pytest.mark.parametrize(
    ("scores", "finding"),
    [
        ((0.7,), "look here"),
        ((0.8,), "exposed"),
        ((0.6, 0.6), "exposed"),
        ((0.6, None, None, 0.6), "exposed"),
        ((0.6, 0.5, 0.5), "look here"),
        ((0.55,) * 9, "look here"),
    ],
)
@pytest.mark.parametrize("is_agreed", [False, True])
def test_without_a_classifier_the_scores_say_what_is_exposed(
    scores: tuple[float | None, ...], is_agreed: bool, finding: str
) -> None:
    runs = run_builder()
    for frame, score in enumerate(scores):
        runs.add([] if score is None else [exposure(frame, BOX, score, is_agreed)], [], [])
    runs.add([], [], [])
    (run,) = runs.runs()
    assert (run.finding, run.log_odds) == (finding, None)


@pytest.mark.parametrize(
    ("score", "log_odds", "finding"),
    [
        (0.9, (4.0, 4.0), "exposed"),
        (0.3, (4.0, 4.0), "exposed"),  # the classifier finds what detectors hardly see
        (0.9, (4.0,), "look here"),  # once is not enough
        (0.9, (9.0, -1.0), "look here"),
        (0.9, (0.5, 0.5, 0.5), "look here"),
        (0.9, (-1.0,) * 9, "look here"),
        (0.9, (-4.0,) * 9, None),
        (0.4, (0.5,), None),
    ],
)
def test_the_classifier_decides_over_several_frames(
    score: float, log_odds: tuple[float, ...], finding: str | None
) -> None:
    runs = run_builder()
    for frame, odds in enumerate(log_odds):
        runs.add([exposure(frame, BOX, score, log_odds=odds)], [], [])
    runs.add([], [], [])
    assert [run.finding for run in runs.runs()] == ([] if finding is None else [finding])


def test_the_best_frames_of_a_run_decide() -> None:
    runs = run_builder()
    for frame in range(30):
        odds = 5.0 if 10 <= frame < 15 else -3.0
        runs.add([exposure(frame, BOX, 0.7, log_odds=odds)], [], [])
    (run,) = runs.runs()
    assert (run.finding, run.log_odds) == ("exposed", 5.0)
    assert run.chance == pytest.approx(0.9933, abs=1e-4)


def test_a_still_image_is_seen_once() -> None:
    runs = ExposureRunBuilder(VerificationParameters().for_stills(), lambda _: b"jpeg")
    runs.add([exposure(0, BOX, 0.7, log_odds=5.0)], [], [])
    runs.add([exposure(0, BOX.moved(100, 0), 0.7, log_odds=1.0)], [], [])
    assert [run.finding for run in runs.runs()] == ["exposed", "look here"]


@pytest.mark.parametrize(
    ("score", "log_odds", "finding"),
    [
        (0.3, 4.1, "exposed"),
        (0.9, 3.9, "look here"),
        (0.5, 0.0, "look here"),  # likely, once
        (0.49, 0.0, None),
        (0.6, None, "exposed"),
        (0.55, None, "look here"),
    ],
)
def test_a_video_of_one_frame_has_the_rules_of_a_still_image(
    score: float, log_odds: float | None, finding: str | None
) -> None:
    runs = run_builder()
    runs.add([exposure(0, BOX, score, log_odds=log_odds)], [], [])
    assert [run.finding for run in runs.runs()] == ([] if finding is None else [finding])


@pytest.mark.parametrize(
    ("log_odds", "finding"), [((5.0, None), "look here"), ((5.0, 5.0), "exposed")]
)
def test_a_video_of_two_frames_must_show_a_face_in_both(
    log_odds: tuple[float | None, ...], finding: str
) -> None:
    runs = run_builder()
    for frame, odds in enumerate(log_odds):
        runs.add([] if odds is None else [exposure(frame, BOX, 0.9, log_odds=odds)], [], [])
    assert [run.finding for run in runs.runs()] == [finding]


def test_a_face_and_a_plate_in_one_place_are_two_runs() -> None:
    runs = run_builder()
    for frame in range(3):
        both = [exposure(frame, BOX, 0.9, label=label) for label in ("face", "plate")]
        runs.add(both, [], [])
    assert [(run.label, len(run.exposures)) for run in runs.runs()] == [("face", 3), ("plate", 3)]


@pytest.mark.parametrize(
    ("other", "frames", "is_repeated"),
    [
        (BOX.moved(8, 10), range(3), True),
        (BOX.padded(0.4), range(3), True),  # 1.8 times as large
        (BOX.padded(0.4), range(1, 5), False),  # half of its frames are its own
        (BOX.padded(0.6), range(3), False),  # a body
        (BOX.moved(21, 0), range(3), False),  # a neighbor
    ],
)
def test_of_runs_at_one_place_the_likeliest_counts(
    other: Box, frames: range, is_repeated: bool
) -> None:
    runs = run_builder()
    for frame in range(5):
        seen = [exposure(frame, BOX, 0.7, log_odds=5.0)] if frame < 3 else []
        if frame in frames:
            seen.append(exposure(frame, other, 0.9, log_odds=1.0))
        runs.add(seen, [], [])
    likeliest, *others = sorted(runs.runs(), key=lambda run: run.finding)
    assert (likeliest.finding, likeliest.first.box) == ("exposed", BOX)
    assert [run.first.box for run in others] == ([] if is_repeated else [other])


@pytest.mark.parametrize("log_odds", [5.0, 1.0])
@pytest.mark.parametrize("alone", [range(51, 100), range(49), range(30, 70), (5, 50, 95)], ids=str)
def test_where_a_run_is_alone_or_elsewhere_it_stays(alone: Sequence[int], log_odds: float) -> None:
    """The others of its frames, most of them, are at the place of a likelier one."""
    runs = run_builder()
    for frame in range(100):
        seen = [exposure(frame, BOX.moved(3, 3), 0.8, log_odds=log_odds)]
        if frame not in alone:
            seen.append(exposure(frame, BOX, 0.9, log_odds=6.0))
        runs.add(seen, [], [])
    likeliest = [run for run in runs.runs() if run.log_odds == 6.0]
    (rest,) = (run for run in runs.runs() if run.log_odds == log_odds)
    assert {face.frame for run in likeliest for face in run.exposures} == set(range(100)) - set(
        alone
    )
    assert rest.finding == ("exposed" if log_odds > 3.5 else "look here")
    assert rest.worst.crop is not None
    shared = [face for face in rest.exposures if face.frame not in alone]
    assert len(rest.exposures) - len(shared) == len(alone)
    has_image = alone[0] == 0 or alone[-1] == 99
    assert len(shared) == (0 if has_image else 1)  # one that has an image


def test_a_place_is_named_by_its_first_frame_and_center() -> None:
    runs = run_builder()
    for frame in (7, 8):
        runs.add([exposure(frame, BOX.moved(frame, 0), 0.9)], [], [])
    (run,) = runs.runs()
    assert run.place_id == "f7x37y35"
    assert run.span == "0:00:00.280 to 0:00:00.320"


def test_a_low_confidence_detection_counts_where_a_face_was_hidden_or_is_expected() -> None:
    for hidden, expected, after in (([BOX], [], []), ([], [], [BOX]), ([], [BOX], [])):
        runs = run_builder()
        runs.add([], hidden, [])
        runs.add([exposure(1, BOX.moved(3, 0), 0.4)], [], expected)
        runs.add([], after, [])
        assert len(runs.runs()) == 1


def test_a_run_bridges_missed_detections() -> None:
    runs = run_builder()
    for frame in range(30):
        runs.add([] if frame in (4, 5, 15, 16, 17, 18) else [exposure(frame, BOX, 0.8)], [], [])
    spans = [(run.first.frame, run.last.frame) for run in runs.runs()]
    assert spans == [(0, 14), (19, 29)]


def test_a_long_run_keeps_few_crops() -> None:
    runs = run_builder()
    for frame in range(200):
        runs.add([exposure(frame, BOX, 0.9 if frame == 70 else 0.6)], [], [])
    (run,) = runs.runs()
    assert [face.frame for face in run.exposures if face.crop is not None] == [0, 70, 199]
    assert run.worst.frame == 70
    assert len(run.exposures) == 200


def test_only_images_that_stay_for_a_while_are_encoded() -> None:
    encoded: list[Image] = []

    def encode(image: Image) -> bytes:
        encoded.append(image)
        return b"jpeg"

    runs = run_builder(encode)
    for frame in range(200):
        runs.add([exposure(frame, BOX, 0.9 if frame == 70 else 0.6)], [], [])
    runs.runs()
    assert len(encoded) == 3
    runs.add([exposure(200, BOX, 0.6)], [], [])
    (run,) = runs.runs()
    assert run.last.crop is not None


def test_the_number_of_images_in_all_runs_is_limited() -> None:
    runs = ExposureRunBuilder(VerificationParameters(max_crops=5), lambda _: b"jpeg")
    for frame in range(10):
        runs.add([exposure(frame, BOX.moved(100 * face, 0), 0.8) for face in range(4)], [], [])
    found = runs.runs()
    assert len(found) == 4
    assert sum(face.crop is not None for run in found for face in run.exposures) == 5


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the attributes of exposures that are read, each as often as it is."""
    names: list[str] = []

    def read(exposure: Exposure, name: str) -> object:
        names.append(name)
        return object.__getattribute__(exposure, name)

    monkeypatch.setattr(Exposure, "__getattribute__", read)
    return names


def test_a_frame_of_a_long_run_costs_no_more_than_one_of_a_short_run(reads: list[str]) -> None:
    runs = run_builder()
    counts = []
    for frame in range(1000):
        reads.clear()
        runs.add([exposure(frame, BOX, 0.6, log_odds=5.0)], [BOX], [])
        counts.append(len(reads))
    assert 0 < counts[10] == counts[-1]


def test_the_frames_of_runs_at_different_times_are_not_compared(reads: list[str]) -> None:
    runs = run_builder()
    for frame in range(60 * 50):
        # A face in each 45 frames, a gap, and another one.
        runs.add([exposure(frame, BOX, 0.9)] if frame % 50 < 45 else [], [], [])
    reads.clear()
    assert len(runs.runs()) == 60
    pairs = 60 * 59 // 2
    assert reads.count("frame") < 5 * pairs  # their first and last frames suffice


def test_two_faces_are_two_runs() -> None:
    runs = run_builder()
    for frame in range(4):
        faces = [exposure(frame, BOX, 0.9), exposure(frame, BOX.moved(100, 0), 0.9)]
        runs.add(faces if frame % 2 else faces[::-1], [], [])
    assert [len(run.exposures) for run in runs.runs()] == [4, 4]
