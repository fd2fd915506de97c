"""CVAT: what is written, and what is read of other programs' files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.track_samples import two_tracks
from tracker_blur.annotations import formats
from tracker_blur.core.tracks import Origin
from tracker_blur.errors import TrackFileError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.annotations.formats.reading import ReadAs


def cvat(boxes: str, track: str = 'id="4" label="face"') -> str:
    return (
        "<annotations><meta><job><original_size><width>640</width><height>360</height>"
        f"</original_size></job></meta><track {track}>{boxes}</track></annotations>"
    )


def cvat_box(frame: int, left: float, more: str = 'outside="0" keyframe="1"') -> str:
    return f'<box frame="{frame}" xtl="{left}" ytl="0" xbr="{left + 10}" ybr="20" {more}/>'


def test_cvat_marks_the_end_of_each_run_outside(tmp_path: Path) -> None:
    formats.load("cvat").write(two_tracks(), tmp_path / "a.xml", False)
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    first, second = root.findall("track")
    ends = [int(box.get("frame", "")) for box in first if box.get("outside") == "1"]
    assert ends == [30]
    assert len([box for box in second if box.get("outside") == "1"]) == 25
    assert {box.get("keyframe") for box in root.iter("box")} == {"1"}
    assert [element.text for element in root.iter("stop_frame")] == ["49"]


def test_cvat_boxes_are_interpolated_between_keyframes(read_as: ReadAs) -> None:
    text = cvat(cvat_box(4, 0) + cvat_box(8, 8) + cvat_box(10, 8, 'outside="1"'))
    (track,) = read_as("cvat", text).tracks
    assert track.frames.tolist() == [4, 5, 6, 7, 8, 9]
    assert track.boxes[:, 0].tolist() == [0, 2, 4, 6, 8, 8]
    assert track.has(Origin.BETWEEN).tolist() == [False, True, True, True, False, False]


def test_the_last_cvat_box_stays_to_the_end(read_as: ReadAs) -> None:
    (track,) = read_as("cvat", cvat(cvat_box(40, 5))).tracks
    assert track.frames.tolist() == list(range(40, 50))
    assert track.has(Origin.HELD).sum() == 9


def test_rotated_cvat_boxes_become_upright(
    read_as: ReadAs,
) -> None:
    (track,) = read_as("cvat", cvat(cvat_box(49, 0, 'rotation="90"'))).tracks
    np.testing.assert_allclose(track.boxes, [[-5, 5, 15, 15]], atol=1e-4)


def test_a_cvat_track_is_visible_only_if_all_boxes_say_so(read_as: ReadAs) -> None:
    visible = cvat_box(48, 0).replace("/>", '><attribute name="hide">false</attribute></box>')
    assert [t.hide for t in read_as("cvat", cvat(visible + cvat_box(49, 0))).tracks] == [True]
    assert [t.hide for t in read_as("cvat", cvat(visible)).tracks] == [False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><annotations>&d;</annotations>',
            "line 1: declares a document type",
        ),
        (
            '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotations>&b;</annotations>',
            "line 1: declares a document type",
        ),
        ('<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><annotations/>', "declares a document type"),
        ("<annotations>&amp;&nbsp;</annotations>", "line 1: is not valid XML (undefined entity)"),
        ("<svg/>", "is not a CVAT file: it starts with 'svg'"),
        (cvat('<polygon frame="1" points="0,0;1,1"/>'), "holds a polygon"),
        ('<annotations><image id="0"/></annotations>', "CVAT for images"),
        (cvat('<box frame="1" xtl="1" ytl="1" xbr="2"/>'), "ybr is missing"),
        (cvat(cvat_box(50, 0)), "frame is 50"),
        (cvat(cvat_box(1, 0), 'label="face"'), "id is missing"),
        (cvat(cvat_box(1, 0).replace('"0"', '"nan"', 1)), "xtl is 'nan'"),
        (
            cvat(cvat_box(1, 0)).replace("640", "641"),
            "the width is 641, but that of the video is 640",
        ),
        (
            cvat(cvat_box(1, 0).replace("/>", '><attribute name="method">x</attribute></box>')),
            "method is 'x'",
        ),
    ],
)
def test_invalid_or_hostile_cvat_is_rejected(read_as: ReadAs, text: str, message: str) -> None:
    with pytest.raises(TrackFileError) as caught:
        read_as("cvat", text)
    assert message in str(caught.value)


def test_cvat_that_is_nested_without_an_end_is_rejected(read_as: ReadAs) -> None:
    with pytest.raises(TrackFileError, match="is nested too deeply"):
        read_as("cvat", "<annotations>" + "<a>" * 100_000)
