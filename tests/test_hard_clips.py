"""The annotations of the hard clips, and the judge that benchmarks/leaks.py --hard uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from difficulties import Judged, judge, tables
from key_frames import GONE, HEAD, Annotation, read_key_frames

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ANNOTATIONS = sorted((ROOT / "benchmarks" / "hard_clips").glob("*.csv"))
KINDS = {"bent", "border", "dark", "helmet", "lying", "occluded", "plain", "profile", "small"}
HEADER = "track,frame,x,y,w,h,kind\n"
SIZE = (160, 120)
FACE = (40, 30, 20, 24)


def key_frames(folder: Path, *rows: str) -> Path:
    file = folder / "clip.csv"
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return file


def write_clip(file: Path, frame_count: int, hidden: tuple[int, int, int, int] | None) -> Path:
    """Write a gray clip in which an ellipse in this box, x, y, w, h, is hidden in green."""
    with av.open(file, "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(frame_count):
            image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
            if hidden is not None:
                x, y, w, h = hidden
                cv2.ellipse(image, ((x + w / 2, y + h / 2), (w, h), 0), (0, 255, 0), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode())
    return file


def test_boxes_run_in_straight_lines_between_key_frames(tmp_path: Path) -> None:
    file = key_frames(
        tmp_path, "a,2,10,20,30,40,small+bent", "a,4,20,20,50,40,", "a,5,0,0,9,9,head"
    )
    assert read_key_frames(file) == [
        Annotation(2, "a", 10, 20, 30, 40, "small+bent"),
        Annotation(3, "a", 15, 20, 40, 40, "small+bent"),
        Annotation(4, "a", 20, 20, 50, 40, "small+bent"),
        Annotation(5, "a", 0, 0, 9, 9, HEAD),
    ]


def test_a_head_is_gone_until_its_next_key_frame(tmp_path: Path) -> None:
    rows = "a,0,1,1,9,9,small", "a,1,1,1,9,9,gone", "a,5,2,2,9,9,", "b,3,0,0,5,5,head"
    annotations = read_key_frames(key_frames(tmp_path, *rows))
    assert [(one.track, one.frame) for one in annotations] == [
        ("a", 0), ("a", 1), ("a", 5), ("b", 3),
    ]  # fmt: skip
    assert [one.kind for one in annotations] == ["small", "small", "small", HEAD]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("a,0,1,1,9,9,",), "without a kind"),
        (("a,1,1,1,9,9,small", "a,1,1,1,9,9,"), "comes after"),
        (("a,1,1,1,9,9,small", "b,1,1,1,9,9,small", "a,3,1,1,9,9,"), "not together"),
    ],
)
def test_key_frames_that_make_no_sense_are_refused(
    tmp_path: Path, rows: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_key_frames(key_frames(tmp_path, *rows))


@pytest.mark.parametrize("file", ANNOTATIONS, ids=lambda file: file.stem)
def test_the_annotations_are_whole(file: Path) -> None:
    annotations = read_key_frames(file)
    assert {kind for one in annotations if one.is_face for kind in one.difficulties} <= KINDS
    assert GONE not in {one.kind for one in annotations}
    assert all(one.w > 0 and one.h > 0 for one in annotations)
    heads = [one for one in annotations if not one.is_face]
    for face in annotations:
        if face.is_face:
            assert any(
                head.frame == face.frame
                and head.x - 6 <= face.x + face.w / 2 <= head.x + head.w + 6
                and head.y - 6 <= face.y + face.h / 2 <= head.y + head.h + 6
                for head in heads
            ) or file.stem in {"armwrestle"}


def test_there_are_annotations_of_ten_clips() -> None:
    assert len(ANNOTATIONS) == 10


@pytest.mark.parametrize(
    ("hidden", "exposed"),
    [((34, 24, 34, 38), False), ((40, 30, 20, 24), False), ((40, 30, 10, 24), True), (None, True)],
)
def test_a_face_is_exposed_when_less_than_85_percent_of_it_is_hidden(
    tmp_path: Path, hidden: tuple[int, int, int, int] | None, exposed: bool
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 4, None)
    redacted = write_clip(tmp_path / "redacted.mp4", 4, hidden)
    x, y, w, h = FACE
    truth = key_frames(tmp_path, f"a,0,{x},{y},{w},{h},small", f"a,3,{x},{y},{w},{h},")
    judged = judge(clip, redacted, truth)
    assert [is_exposed for _, is_exposed in judged.faces] == [exposed] * 4
    assert judged.false_pct == pytest.approx(0, abs=0.1)


def test_false_area_is_what_is_hidden_away_from_heads(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 4, None)
    redacted = write_clip(tmp_path / "redacted.mp4", 4, (90, 40, 60, 60))
    area = 100 * np.pi * 30 * 30 / (SIZE[0] * SIZE[1])
    away = key_frames(tmp_path, "a,0,10,10,20,24,small", "a,3,10,10,20,24,")
    assert judge(clip, redacted, away).false_pct == pytest.approx(area, rel=0.05)
    around = key_frames(tmp_path, "a,0,90,40,60,60,head", "a,3,90,40,60,60,")
    assert judge(clip, redacted, around).false_pct == pytest.approx(0, abs=0.1)


def test_an_output_with_other_frames_is_not_judged(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 4, None)
    truth = key_frames(tmp_path, "a,0,1,1,9,9,small")
    with pytest.raises(SystemExit, match="does not have the frames"):
        judge(clip, write_clip(tmp_path / "redacted.mp4", 3, None), truth)


def test_the_tables_have_a_row_for_each_kind_and_each_clip() -> None:
    small, both = (Annotation(0, "a", 0, 0, 9, 9, kind) for kind in ("small", "small+bent"))
    own = {"one": Judged(((small, True), (both, False)), 20.0), "two": Judged((), 0.0)}
    other = {"one": Judged(((small, False), (both, False)), 0.0), "two": Judged((), 1.0)}
    lines = tables({"own": own, "other": other}).splitlines()
    assert "| all | 2 | 50.0 % (1) | 0.0 % (0) |" in lines
    assert "| bent | 1 | 0.0 % (0) | 0.0 % (0) |" in lines
    assert "| one | 20.0 % | 0.0 % | 50.0 % (1) | 0.0 % (0) |" in lines
    assert "| two | 0.0 % | 1.0 % | - | - |" in lines
    assert "| mean | 10.0 % | 0.5 % |  |  |" in lines
    assert "| clips with 10 % or more | 1 | 0 |  |  |" in lines
