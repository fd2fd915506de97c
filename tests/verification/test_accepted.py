"""Accepted places: where and when they are one place again, and the journal that holds them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.verification.accepted import AcceptedPlace, read_journal, write_journal
from tracker_blur.verification.exposures import Exposure, ExposureRun
from tracker_blur.verification.verdict import VerifiedFile

if TYPE_CHECKING:
    from pathlib import Path

FILE = VerifiedFile("out.mp4", "ab" * 32, (1280, 720), 300)
BOX = Box(100, 100, 140, 150)


def run(frames: range = range(50, 75), step: float = 4.0) -> ExposureRun:
    return ExposureRun(
        tuple(
            Exposure(
                at,
                Fraction(at, 25),
                None,
                BOX.moved(step * (at - frames.start), 0),
                0.7,
                "yunet",
                1.0,
            )
            for at in frames
        )
    )


PLACE = AcceptedPlace.of(run(), FILE, "Ada", "a shoe")


@pytest.mark.parametrize(
    ("seconds", "box", "is_covered"),
    [
        (2.0, BOX, True),
        (2.0, BOX.moved(10, 10), True),
        (2.0, BOX.moved(60, 0), False),
        (2.96, BOX.moved(96, 0), True),  # it has moved
        (2.96, BOX, False),
        (3.1, BOX.moved(96, 0), True),
        (1.5, BOX, False),
        (3.5, BOX.moved(96, 0), False),
    ],
)
def test_a_place_covers_what_is_there_at_its_time(
    seconds: float, box: Box, is_covered: bool
) -> None:
    assert PLACE.covers(seconds, box) is is_covered


def test_a_long_place_keeps_few_points_and_covers_all_frames() -> None:
    long = run(range(1000), step=0.5)
    place = AcceptedPlace.of(long, FILE)
    assert len(place.path) == 60
    assert all(place.covers(float(each.time), each.box) for each in long.exposures)


def test_a_place_is_scaled_to_the_frame() -> None:
    half = PLACE.within((640, 360))
    assert half.covers(2.0, BOX.scaled(0.5, 0.5))
    assert not half.covers(2.0, BOX)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (FILE, True),
        (replace(FILE, name="renamed.mp4"), True),
        (replace(FILE, sha256="cd" * 32), False),  # a camera may give all files one name
    ],
)
def test_which_files_are_one(other: VerifiedFile, is_same: bool) -> None:
    assert FILE.shows_the_same_as(other) is is_same


def test_outputs_of_one_input_are_one_and_those_of_two_are_not() -> None:
    one = replace(FILE, source_sha256="11" * 32)
    again = replace(one, name="again.mp4", sha256="cd" * 32, size=(640, 360))
    assert one.shows_the_same_as(again)
    assert not one.shows_the_same_as(replace(one, sha256="cd" * 32, source_sha256="22" * 32))


def test_a_journal_holds_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "accepted.jsonl"
    other = AcceptedPlace.of(run(range(3)), replace(FILE, name="ü\n.mp4", frame_count=None))
    write_journal(path, [PLACE, other])
    assert read_journal(path) == (PLACE, other)
    first, second = path.read_text("utf-8").splitlines()
    line = json.loads(first)
    assert (line["by"], line["why"], line["id"]) == ("Ada", "a shoe", "f50x120y125")
    assert (line["from"], line["to"]) == (2.0, 2.96)
    assert "ü" in second


def test_a_journal_may_have_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "accepted.jsonl"
    path.write_text(f"\n{json.dumps(PLACE.to_dict())}\n\n", encoding="utf-8")
    assert read_journal(path) == (PLACE,)


@pytest.mark.parametrize(
    "change",
    [
        {"output": None},
        {"output_sha256": 3},
        {"label": None},
        {"frames": "many"},
        {"source_sha256": 1},
        {"size": [1280]},
        {"size": [0, 720]},
        {"size": [1280, True]},
        {"path": []},
        {"path": [[0, 1, 2, 3]]},
        {"path": [[0, 5, 5, 5, 9]]},
        {"path": [[0, 1, 1, 5, float("nan")]]},
        {"path": [[1, 1, 1, 5, 5], [0, 1, 1, 5, 5]]},
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "accepted.jsonl"
    lines = [json.dumps(fields) for fields in (PLACE.to_dict(), PLACE.to_dict() | change)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SourceError, match=r"accepted\.jsonl: line 2 is no accepted place"):
        read_journal(path)


@pytest.mark.parametrize("content", [b"no json", b"[1]", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_journal_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "accepted.jsonl"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"accepted\.jsonl: "):
        read_journal(path)


def test_a_missing_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such journal: check the name"):
        read_journal(tmp_path / "none.jsonl")
