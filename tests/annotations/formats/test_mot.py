"""MOTChallenge: what is written, and what is read of other programs' files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.track_samples import two_tracks
from tracker_blur.annotations import formats, reading, rows
from tracker_blur.core.tracks import Origin
from tracker_blur.errors import TrackFileError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.annotations.formats.reading import ReadAs


def test_mot_has_ten_columns_and_counts_frames_from_one(tmp_path: Path) -> None:
    formats.load("mot").write(two_tracks(), tmp_path / "a.txt", False)
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[0] == "11,3,110.0,50.0,40.0,50.0,0.9,-1,-1,-1"
    assert len(lines) == 45


def test_mot_of_other_programs_is_read(read_as: ReadAs) -> None:
    truth, detected, spaced = (
        "2,5,10,20,30,40,0,1,0.5",
        "2,6,1,2,3.5,4,57.2,-1,-1,-1",
        "1 5 1 2 3 4",
    )
    first, second = read_as("mot", "\n".join([truth, "", detected, spaced])).tracks
    assert first.frames.tolist() == [0, 1]
    assert first.box(1).as_tuple() == (10, 20, 40, 60)
    assert second.box(0).as_tuple() == (1, 2, 4.5, 6)
    assert second.scores.tolist() == [1]
    assert first.has(Origin.DRAWN).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,4,5", "line 2: has fewer than six columns"),
        ("0,2,3,4,5,6", "line 2: frame is 0, but the first frame of this format is 1"),
        ("51,2,3,4,5,6", "line 2: frame is 50"),
        ("1.5,2,3,4,5,6", "line 2: frame is '1.5'"),
        ("1,-1,3,4,5,6", "line 2: track is negative"),
        ("1,2,nan,4,5,6", "line 2: the box is 'nan'"),
        ("1,2,3,4,-5,6", "has no area"),
        ("1,2,3,4,5,6,x", "line 2: score is 'x'"),
    ],
)
def test_invalid_mot_is_rejected(read_as: ReadAs, line: str, message: str) -> None:
    with pytest.raises(TrackFileError) as caught:
        read_as("mot", f"1,2,3,4,5,6\n{line}\n")
    assert message in str(caught.value)


def test_a_line_without_an_end_is_not_read_as_a_whole(
    read_as: ReadAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_LINE_BYTES", 100)
    with pytest.raises(TrackFileError, match="line 2: is too long for such a file"):
        read_as("mot", "2,5,10,20,30,40\n" + "1 " * 90)


def test_more_boxes_than_the_memory_holds_are_refused(
    read_as: ReadAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_MAX_BOXES", 3)
    with pytest.raises(TrackFileError, match="line 4: has more than 3 boxes"):
        read_as("mot", "2,5,10,20,30,40\n" * 4)
