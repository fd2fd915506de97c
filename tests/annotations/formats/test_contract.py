"""What every format must do, and what each one reads that others wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

from tests.track_samples import EVERYTHING, any_tracks, assert_same, two_tracks
from tracker_blur.annotations import formats
from tracker_blur.core import plugins
from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.errors import SettingsError, SinkError, TrackFileError

NAMES = formats.names()
CARRIED = {"mot": ("scores",), "cvat": EVERYTHING, "coco": EVERYTHING}

in_a_folder = settings(max_examples=25)

Read = Callable[[str], Tracks]


@pytest.mark.parametrize("name", NAMES)
@in_a_folder
@given(tracks=any_tracks())
def test_a_round_trip_loses_nothing_it_can_carry(tmp_path: Path, name: str, tracks: Tracks) -> None:
    form = formats.load(name)
    path, again = tmp_path / "a", tmp_path / "b"
    form.write(tracks, path, True)
    found = form.read(path, replace(tracks, tracks=()))
    assert_same(found, tracks, CARRIED[name])
    form.write(found, again, True)
    assert_same(form.read(again, found), found, px=0)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_carried_is_hidden(tmp_path: Path, name: str) -> None:
    tracks = two_tracks()
    seen = tuple(replace(track, hide=False, method="fog") for track in tracks.tracks)
    form = formats.load(name)
    form.write(replace(tracks, tracks=seen), tmp_path / "a", False)
    for track in form.read(tmp_path / "a", tracks).tracks:
        assert track.hide == ("hide" not in CARRIED[name])


@pytest.mark.parametrize("name", NAMES)
def test_no_tracks_make_a_file_that_holds_none(tmp_path: Path, name: str) -> None:
    empty = replace(two_tracks(), tracks=())
    formats.load(name).write(empty, tmp_path / "a", False)
    assert formats.load(name).read(tmp_path / "a", two_tracks()).tracks == ()


@pytest.mark.parametrize("name", NAMES)
def test_an_existing_file_is_only_replaced_when_allowed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(SinkError, match="exists already"):
        formats.load(name).write(two_tracks(), path, False)
    assert path.read_text() == "mine"
    formats.load(name).write(two_tracks(), path, True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{", b"<annotations>", b"[" * 99999, b"1,x"])
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(TrackFileError) as refused:
        formats.load(name).read(tmp_path / "a", two_tracks())
    assert str(tmp_path / "a") in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrackFileError, match="cannot be read"):
        formats.load(name).read(tmp_path / "missing", two_tracks())


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_a_longer_video_are_refused(tmp_path: Path, name: str) -> None:
    tracks = two_tracks()
    formats.load(name).write(tracks, tmp_path / "a", False)
    with pytest.raises(TrackFileError, match="frame"):
        formats.load(name).read(tmp_path / "a", replace(tracks, times=tracks.times[:20]))


@pytest.mark.parametrize("name", ["cvat", "coco"])
def test_a_video_of_another_size_is_refused(tmp_path: Path, name: str) -> None:
    formats.load(name).write(two_tracks(), tmp_path / "a", False)
    with pytest.raises(TrackFileError, match="another video"):
        formats.load(name).read(tmp_path / "a", replace(two_tracks(), size=(360, 640)))


@pytest.mark.parametrize("name", NAMES)
def test_is_described_in_one_line(name: str) -> None:
    assert 30 < len(plugins.summary("tracker_blur.annotations.formats", name)) < 100
    assert "carry" in (formats.load(name).__doc__ or "")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SettingsError, match="choose one of coco, cvat, mot"):
        formats.load("yolo")


@pytest.fixture
def read_as(tmp_path: Path) -> Callable[[str], Read]:
    """Return, for a format, what reads a text about the video of `two_tracks`."""

    def reader(name: str) -> Read:
        def read(text: str) -> Tracks:
            (tmp_path / "text").write_text(text, encoding="utf-8")
            return formats.load(name).read(tmp_path / "text", two_tracks())

        return read

    return reader


def test_mot_has_ten_columns_and_counts_frames_from_one(tmp_path: Path) -> None:
    formats.load("mot").write(two_tracks(), tmp_path / "a.txt", False)
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[0] == "11,3,110.0,50.0,40.0,50.0,0.9,-1,-1,-1"
    assert len(lines) == 45


def test_mot_of_others_is_read(read_as: Callable[[str], Read]) -> None:
    truth, detected, spaced = (
        "2,5,10,20,30,40,0,1,0.5",
        "2,6,1,2,3.5,4,57.2,-1,-1,-1",
        "1 5 1 2 3 4",
    )
    first, second = read_as("mot")("\n".join([truth, "", detected, spaced])).tracks
    assert first.frames.tolist() == [0, 1]
    assert first.box(1).as_tuple() == (10, 20, 40, 60)
    assert second.box(0).as_tuple() == (1, 2, 4.5, 6)
    assert second.scores.tolist() == [1]
    assert first.has(Origin.DRAWN).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,4,5", "line 2: has less than six columns"),
        ("0,2,3,4,5,6", "line 2: frame is 0: in this format the first frame is 1"),
        ("51,2,3,4,5,6", "line 2: frame is 50"),
        ("1.5,2,3,4,5,6", "line 2: frame is '1.5'"),
        ("1,-1,3,4,5,6", "line 2: track is negative"),
        ("1,2,nan,4,5,6", "line 2: the box is 'nan'"),
        ("1,2,3,4,-5,6", "holds no area"),
        ("1,2,3,4,5,6,x", "line 2: score is 'x'"),
    ],
)
def test_mot_that_makes_no_sense_is_refused(
    read_as: Callable[[str], Read], line: str, message: str
) -> None:
    with pytest.raises(TrackFileError) as refused:
        read_as("mot")(f"1,2,3,4,5,6\n{line}\n")
    assert message in str(refused.value)


def cvat(boxes: str, track: str = 'id="4" label="face"') -> str:
    return (
        "<annotations><meta><job><original_size><width>640</width><height>360</height>"
        f"</original_size></job></meta><track {track}>{boxes}</track></annotations>"
    )


def cvat_box(frame: int, left: float, more: str = 'outside="0" keyframe="1"') -> str:
    return f'<box frame="{frame}" xtl="{left}" ytl="0" xbr="{left + 10}" ybr="20" {more}/>'


def test_cvat_ends_each_run_outside(tmp_path: Path) -> None:
    formats.load("cvat").write(two_tracks(), tmp_path / "a.xml", False)
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    first, second = root.findall("track")
    ends = [int(box.get("frame", "")) for box in first if box.get("outside") == "1"]
    assert ends == [30]
    assert len([box for box in second if box.get("outside") == "1"]) == 25
    assert {box.get("keyframe") for box in root.iter("box")} == {"1"}
    assert [element.text for element in root.iter("stop_frame")] == ["49"]


def test_cvat_moves_boxes_between_key_frames(read_as: Callable[[str], Read]) -> None:
    text = cvat(cvat_box(4, 0) + cvat_box(8, 8) + cvat_box(10, 8, 'outside="1"'))
    (track,) = read_as("cvat")(text).tracks
    assert track.frames.tolist() == [4, 5, 6, 7, 8, 9]
    assert track.boxes[:, 0].tolist() == [0, 2, 4, 6, 8, 8]
    assert track.has(Origin.BETWEEN).tolist() == [False, True, True, True, False, False]


def test_cvat_shows_the_last_box_to_the_end(read_as: Callable[[str], Read]) -> None:
    (track,) = read_as("cvat")(cvat(cvat_box(40, 5))).tracks
    assert track.frames.tolist() == list(range(40, 50))
    assert track.has(Origin.HELD).sum() == 9


def test_cvat_turned_boxes_become_the_upright_ones_around_them(
    read_as: Callable[[str], Read],
) -> None:
    (track,) = read_as("cvat")(cvat(cvat_box(49, 0, 'rotation="90"'))).tracks
    np.testing.assert_allclose(track.boxes, [[-5, 5, 15, 15]], atol=1e-4)


def test_cvat_leaves_visible_only_what_says_so_throughout(read_as: Callable[[str], Read]) -> None:
    said = cvat_box(48, 0).replace("/>", '><attribute name="hide">false</attribute></box>')
    assert [t.hide for t in read_as("cvat")(cvat(said + cvat_box(49, 0))).tracks] == [True]
    assert [t.hide for t in read_as("cvat")(cvat(said)).tracks] == [False]


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
        ("<annotations>&amp;&nbsp;</annotations>", "line 1: is no XML (undefined entity)"),
        ("<svg/>", "is no file of CVAT: it begins with 'svg'"),
        (cvat('<polygon frame="1" points="0,0;1,1"/>'), "holds a polygon"),
        ('<annotations><image id="0"/></annotations>', "CVAT for images"),
        (cvat('<box frame="1" xtl="1" ytl="1" xbr="2"/>'), "ybr is missing"),
        (cvat(cvat_box(50, 0)), "frame is 50"),
        (cvat(cvat_box(1, 0), 'label="face"'), "id is missing"),
        (cvat(cvat_box(1, 0).replace('"0"', '"nan"', 1)), "xtl is 'nan'"),
        (cvat(cvat_box(1, 0)).replace("640", "641"), "the picture's width is 641"),
        (
            cvat(cvat_box(1, 0).replace("/>", '><attribute name="method">x</attribute></box>')),
            "method is 'x'",
        ),
    ],
)
def test_cvat_that_makes_no_sense_or_does_harm_is_refused(
    read_as: Callable[[str], Read], text: str, message: str
) -> None:
    with pytest.raises(TrackFileError) as refused:
        read_as("cvat")(text)
    assert message in str(refused.value)


COCO = {
    "images": [{"id": 5, "file_name": "clip/frame_000012.PNG", "width": 640, "height": 360}],
    "categories": [{"id": 1, "name": "head"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 1, "bbox": [1, 2, 30, 40],
         "attributes": {"track_id": 8, "occluded": False, "rotation": 0.0}},
    ],
}  # fmt: skip


def test_coco_of_cvat_is_read(read_as: Callable[[str], Read]) -> None:
    (track,) = read_as("coco")(json.dumps(COCO)).tracks
    assert (track.track_id, track.label, track.hide, track.first) == (8, "head", True, 12)
    assert track.box(0).as_tuple() == (1, 2, 31, 42)


def test_coco_frames_may_be_said_in_a_word(read_as: Callable[[str], Read]) -> None:
    image = {**COCO["images"][0], "frame_id": 30}
    (track,) = read_as("coco")(json.dumps({**COCO, "images": [image]})).tracks
    assert track.first == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": 5}, "annotations is 5: give a list"),
        ({"annotations": [{"id": 1}]}, "is no annotation"),
        ({"images": []}, "there is no image of the id 5"),
        ({"images": [{"id": 5, "width": 640, "height": 360, "file_name": "x"}]}, "tells no frame"),
        ({"images": [5]}, "images holds 5"),
        ({"categories": []}, "there is no category of the id 1"),
        ({"annotations": [{**COCO["annotations"][0], "attributes": {}}]}, "track_id is None"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, 3]}]}, "bbox is [1, 2, 3]"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, float("nan"), 4]}]}, "nan"),
        ({"annotations": [{**COCO["annotations"][0], "bbox": [1, 2, 0, 4]}]}, "holds no area"),
        ({"tracks": [{"id": 8}, {"id": 8}]}, "described twice"),
        ({"tracks": [{"id": 8, "hide": 0}]}, "hide is 0"),
    ],
)
def test_coco_that_makes_no_sense_is_refused(
    read_as: Callable[[str], Read], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(TrackFileError) as refused:
        read_as("coco")(json.dumps({**COCO, **changes}))
    assert message in str(refused.value)
