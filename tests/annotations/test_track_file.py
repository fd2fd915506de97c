"""A track file reads back as written, accepts edits by hand, and reports what is invalid."""

from __future__ import annotations

import functools
import itertools
import json
import operator
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.track_samples import any_tracks, assert_same, two_tracks
from tracker_blur.annotations.rows import outward
from tracker_blur.annotations.track_file import (
    TrackFile,
    check_place,
    check_source,
    is_track_file,
    read,
    write,
)
from tracker_blur.core.box import Box
from tracker_blur.core.candidates import Candidate
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.tracks import Origin, Track, Tracks
from tracker_blur.core.zones import Zone
from tracker_blur.errors import SinkError, SourceError, TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import Settings

ZONES = (
    Zone.parse("ignore", "5s..9s=10%,20%,50%,40%"),
    Zone.parse("hide", "1s=0,0,9,0,0,9..2s=5,0,14,0,5,9"),
)

few_examples = settings(max_examples=40)

Reread = Callable[[list[str]], TrackFile]


def of(tracks: Tracks) -> TrackFile:
    return TrackFile(tracks, "clip é.mp4", "ab" * 32, 1234, {"view_px": 640}, "yunet", ("y.onnx",))


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """Return the lines of the track file of `two_tracks`."""
    write(tmp_path / "lines", of(two_tracks()), False)
    return (tmp_path / "lines").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def reread(tmp_path: Path) -> Reread:
    """Return a function that reads a track file with the given lines."""

    def write_and_read(lines: list[str]) -> TrackFile:
        path = tmp_path / "edited.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read(path)

    return write_and_read


@few_examples
@given(any_tracks())
def test_a_round_trip_loses_nothing_and_uncovers_nothing(tmp_path: Path, tracks: Tracks) -> None:
    path, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write(path, of(tracks), True)
    found = read(path)
    assert_same(found.tracks, tracks)
    assert replace(found, tracks=tracks) == of(tracks)
    write(again, found, True)
    assert again.read_bytes() == path.read_bytes(), "a second round trip changes nothing"


@pytest.mark.parametrize(
    "rules",
    [
        Rules(ZONES),
        Rules(min_size=Size(3.5, True), start=Fraction("0.1")),
        Rules(ZONES[:1], max_size=Size(200), end=Fraction(62)),
    ],
)
def test_zones_and_limits_survive_a_round_trip(rules: Rules, tmp_path: Path) -> None:
    write(tmp_path / "a", of(replace(two_tracks(), rules=rules)), False)
    text = (tmp_path / "a").read_text(encoding="utf-8")
    assert read(tmp_path / "a").tracks.rules == rules
    (tmp_path / "b").write_text("\n".join([text.splitlines()[0], *text.splitlines()[:0:-1]]))
    assert read(tmp_path / "b").tracks.rules == rules, "lines come in any order"


@given(st.lists(st.tuples(*[st.floats(-9e4, 9e4, width=32)] * 2), min_size=1, max_size=20))
def test_edges_are_rounded_outward_only_once(corners: list[tuple[float, float]]) -> None:
    boxes = np.array([(x, y, x + 1, y + 1) for x, y in corners], np.float32)
    once = outward(boxes)
    read_back = once.astype(np.float32)
    assert (read_back[:, :2] <= boxes[:, :2]).all()
    assert (read_back[:, 2:] >= boxes[:, 2:]).all()
    np.testing.assert_array_equal(outward(read_back), once)


def test_the_lines_are_as_documented(lines: list[str]) -> None:
    header = json.loads(lines[0])
    assert header["format"] == "trackblur-tracks"
    assert header["version"] == 1
    assert header["source"] == {"name": "clip é.mp4", "sha256": "ab" * 32, "bytes": 1234}
    assert header["time_base"] == "1/90000"
    assert lines[1:4] == [
        '{"frame":0,"pts":0,"steps":[[3600,49]]}',
        '{"track":3,"label":"face","hide":true,"method":null}',
        '{"track":3,"frame":10,"box":[110.0,50.0,150.0,100.0],"score":0.9,"origin":"followed"}',
    ]
    assert lines[-1] == '{"end":true}'
    assert len(lines) == 1 + 1 + 2 + 20 + 25 + 1


def test_irregular_times_are_exact_and_compact(tmp_path: Path) -> None:
    steps = np.tile([33, 33, 34], 40000)
    times = np.cumsum(np.concatenate([[-7], steps])).astype(np.int64)
    tracks = Tracks((64, 36), Fraction(1, 1000), times)
    write(tmp_path / "t", of(tracks), False)
    np.testing.assert_array_equal(read(tmp_path / "t").tracks.times, times)
    assert (tmp_path / "t").stat().st_size < 6 * len(times)


def test_lines_may_come_in_any_order_with_spaces_between_them(
    lines: list[str], reread: Reread
) -> None:
    header, *others = lines
    spaced = [json.dumps(json.loads(line), indent=None) + "  \r" for line in reversed(others)]
    found = reread(["\ufeff" + header, "", *spaced, "   "])
    assert_same(found.tracks, two_tracks(), px=0)


@few_examples
@given(any_tracks())
def test_lines_as_we_write_them_read_as_any_others(
    tmp_path_factory: pytest.TempPathFactory, tracks: Tracks
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    write(path, of(tracks), True)
    written = read(path).tracks
    text = path.read_text("utf-8")
    path.write_text(text.replace('{"track":', '{ "track": '), "utf-8")
    assert_same(read(path).tracks, written, px=0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"frame":', '"frame":9', "frame is 9"),
        ('"box":[', '"box":[9', "has no area"),
        ('"box":[', '"box":[0', "is not valid JSON"),
        ('"track":', '"track":999999999', "track is 999999999"),
    ],
)
def test_a_wrong_number_among_lines_as_we_write_them_is_named(
    lines: list[str], reread: Reread, old: str, new: str, message: str
) -> None:
    number = max(at for at, line in enumerate(lines) if '"box"' in line) - 1
    lines[number] = lines[number].replace(old, new)
    with pytest.raises(TrackFileError, match=rf"line {number + 1}: .*{message}"):
        reread(lines)


def test_a_sorted_file_reads_the_same(lines: list[str], reread: Reread) -> None:
    assert_same(reread(sorted(lines)).tracks, two_tracks(), px=0)


def test_a_file_truncated_at_any_line_is_rejected(lines: list[str], reread: Reread) -> None:
    for count in range(1, len(lines)):
        with pytest.raises(TrackFileError, match="is truncated") as caught:
            reread(lines[:count])
        text = str(caught.value)
        assert "edited.jsonl" in text
        assert "copy the file again, or add that line" in text
        assert "\n" not in text


def test_a_box_after_the_last_line_is_read(lines: list[str], reread: Reread) -> None:
    found = reread([*lines, '{"track":9,"frame":5,"box":[1,2,30.5,40]}'])
    assert [track.track_id for track in found.tracks.tracks] == [3, 7, 9]


def test_a_box_added_by_hand_is_drawn_and_hidden(lines: list[str], reread: Reread) -> None:
    found = reread([*lines, '{"track":9,"frame":5,"box":[1,2,30.5,40]}']).tracks.tracks[-1]
    assert (found.track_id, found.hide, found.method, found.label) == (9, True, None, "face")
    assert found.has(Origin.DRAWN).all()
    assert found.box(0).as_tuple() == (1, 2, 30.5, 40)
    assert found.scores.tolist() == [1.0]


def test_two_boxes_in_one_frame_become_one_around_both(lines: list[str], reread: Reread) -> None:
    doubled = [*lines, '{"track":3,"frame":10,"box":[0,60,120,300]}']
    track = reread(doubled).tracks.tracks[0]
    assert track.box(0).as_tuple() == (0, 50, 150, 300)
    assert len(track) == 20


def test_a_track_without_boxes_is_left_out(lines: list[str], reread: Reread) -> None:
    left = [line for line in lines if '"track":3,"frame"' not in line]
    assert [track.track_id for track in reread(left).tracks.tracks] == [7]


def test_edited_properties_of_a_track_are_read(lines: list[str], reread: Reread) -> None:
    edited = [
        line.replace('"hide":true,"method":null', '"hide":false,"method":"simple"')
        if '"track":7,"label"' in line
        else line
        for line in lines
    ]
    first, second = reread(edited).tracks.tracks
    assert (first.hide, first.method) == (True, None)
    assert (second.hide, second.method) == (False, "gaussian")


def _added(*added: str) -> Callable[[list[str]], list[str]]:
    """Return a change that adds lines after the first four."""
    return lambda lines: [*lines[:4], *added, *lines[4:]]


def _changed(key: str, value: Any) -> Callable[[list[str]], list[str]]:
    """Return a function that changes one value of the header."""

    def change(lines: list[str]) -> list[str]:
        return [json.dumps({**json.loads(lines[0]), key: value}), *lines[1:]]

    return change


def _appended(line: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[:-1], line, lines[-1]]


BOX = '{{"track":3,"frame":10,"box":{}}}'.format


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_appended(BOX("[NaN,2,3,4]")), "line 50: holds NaN, which is not a number"),
        (_appended(BOX("[1,2,Infinity,4]")), "line 50: holds Infinity"),
        (_appended(BOX("[1,2,1e999,4]")), "line 50: the box's right is inf"),
        (_appended(BOX("[1,2,1e30,4]")), "line 50: the box's right is 1e+30"),
        (_appended(BOX("[1,2,true,4]")), "line 50: the box's right is True"),
        (_appended(BOX('[1,2,"3",4]')), "line 50: the box's right is '3'"),
        (_appended(BOX("[5,2,5,4]")), "line 50: the box [5.0, 2.0, 5.0, 4.0] has no area"),
        (_appended(BOX("[5,2,4,9]")), "has no area: give left < right"),
        (_appended(BOX("[5,2,4]")), "line 50: box is [5, 2, 4]: give [left, top, right, bottom]"),
        (_appended('{"track":3,"frame":50,"box":[1,2,3,4]}'), "from 0 to 49"),
        (_appended('{"track":3,"frame":-1,"box":[1,2,3,4]}'), "line 50: frame is -1"),
        (_appended('{"track":3,"frame":1.5,"box":[1,2,3,4]}'), "frame is 1.5"),
        (_appended('{"track":-3,"frame":1,"box":[1,2,3,4]}'), "track is -3"),
        (_appended('{"track":3,"frame":1}'), "line 50: box is missing"),
        (_appended('{"track":3,"frame":1,"box":[1,2,3,4],"score":2}'), "score is 2"),
        (_appended('{"track":3,"frame":1,"box":[1,2,3,4],"origin":"me"}'), "give one of detected"),
        (_appended('{"track":3,"frame":1,"box":[1,2,3,4],"scor":1}'), "'scor' is unknown here"),
        (_appended('{"track":3,"track":4,"frame":1,"box":[1,2,3,4]}'), "has a key twice"),
        (_appended('{"track":3,"hide":true}'), "line 50: track 3 is described twice"),
        (_appended('{"track":8,"hide":"no"}'), "hide is 'no': give true or false"),
        (_appended('{"track":8,"method":"fogg"}'), "method is 'fogg': give null or one of "),
        (_appended('{"track":8,"label":"\\u001b[2J"}'), "label is '\\x1b[2J': give a short text"),
        (_appended("{}"), "line 50: is not a line of a track file"),
        (_appended("[1]"), "give one object in braces on each line"),
        (_appended('{"end":1}'), "line 50: end is 1: give true"),
        (_appended('{"end":true,"frame":1}'), "line 50: 'frame' is unknown here"),
        (_appended('{"track":3'), "line 50: is not valid JSON"),
        (_appended("[" * 100000), "line 50: is not valid JSON"),
        (_appended('{"track":' + "9" * 5000 + "}"), "line 50: is not valid JSON"),
        (
            _appended('{"frame":0,"pts":0,"steps":[]}'),
            "repeats the times of frames that another line gives",
        ),
        (lambda lines: [lines[0], *lines[2:]], "the times of frame 0 are missing"),
        (
            lambda lines: [lines[0], '{"frame":0,"pts":0,"steps":[[0,49]]}'],
            "line 2: a step is 0",
        ),
        (
            lambda lines: [lines[0], '{"frame":0,"pts":0,"steps":[[1,1000000000000]]}'],
            "line 2: the count of a step is 1000000000000",
        ),
        (
            lambda lines: [lines[0], '{"frame":0,"pts":0,"steps":[[4611686018427387904,49]]}'],
            "line 2: the last time is",
        ),
        (
            lambda lines: [
                lines[0],
                '{"frame":0,"pts":9,"steps":[[1,24]]}',
                '{"frame":25,"pts":33,"steps":[[1,24]]}',
                lines[-1],
            ],
            "the time of frame 25 is not after the one before it",
        ),
        (lambda lines: [lines[0], *lines], "line 2: is a second header"),
        (lambda lines: lines[1:], "line 1: is not the header of a track file"),
        (lambda lines: [], "edited.jsonl: is empty"),
        (
            _changed("version", 3),
            "line 1: has version 3, but this trackblur reads version 2: update",
        ),
        (_added('{"zone":0,"rule":"hide","where":"0,0,9,9"}'), "line 5: zone is 0"),
        (_added('{"zone":1,"rule":"show","where":"0,0,9,9"}'), "line 5: rule is 'show': give hide"),
        (_added('{"zone":1,"rule":"hide","where":[0,0,9,9]}'), "line 5: where is [0, 0, 9, 9]"),
        (_added('{"zone":1,"rule":"hide","where":"9,0,0,9"}'), "line 5: zone 1 has no area"),
        (_added('{"zone":1,"rule":"hide"}'), "line 5: where is missing"),
        (
            _added(*['{"zone":1,"rule":"hide","where":"0,0,9,9"}'] * 2),
            "line 6: zone 1 is given twice",
        ),
        (
            _added(*(f'{{"zone":{n},"rule":"hide","where":"0,0,9,9"}}' for n in range(1, 202))),
            "line 205: there are more than 200 zones",
        ),
        (
            _added('{"zone":1,"rule":"hide","where":"700,0,709,9"}'),
            "zone 1 lies outside of the frame, which has 640x360 pixels",
        ),
        (_added('{"limits":{"min_size":"x"}}'), "line 5: min_size is 'x': give pixels"),
        (_added('{"limits":{"from":5}}'), "line 5: from is 5: give a time such as '12.5s'"),
        (_added('{"limits":{"from":"9s","to":"5s"}}'), "line 5: the time from 9s to 5s ends"),
        (_added('{"limits":{"size":5}}'), "line 5: 'size' is unknown here"),
        (_added(*['{"limits":{}}'] * 2), "line 6: is a second line of limits"),
        (_changed("version", "1"), "line 1: version is '1'"),
        (_changed("size", [0, 5]), "line 1: a side is 0"),
        (_changed("size", [5]), "line 1: size is [5]"),
        (_changed("frames", 10**12), "line 1: frames is 1000000000000"),
        (_changed("frames", 10**8), "line 1: frames is 100000000: give a whole number from 0 to"),
        (_changed("time_base", "1/0"), "line 1: time_base is '1/0'"),
        (_changed("time_base", 0.04), "line 1: time_base is 0.04"),
        (_changed("cuts", [50]), "line 1: a cut is 50"),
        (_changed("source", {"name": "a", "sha256": "A", "bytes": 1}), "64 hexadecimal digits"),
        (_changed("source", None), "line 1: source is None"),
        (_changed("settings", []), "line 1: settings is []"),
        (_changed("detector", ""), "line 1: detector is ''"),
        (_changed("notes", ""), "line 1: 'notes' is unknown here"),
    ],
)
def test_invalid_lines_are_reported_in_one_line(
    lines: list[str], reread: Reread, change: Callable[[list[str]], list[str]], message: str
) -> None:
    with pytest.raises(TrackFileError) as caught:
        reread(change(lines))
    text = str(caught.value)
    assert message in text
    assert "edited.jsonl" in text
    assert "\n" not in text
    assert len(text) < 400


def _fields(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the places of all fields and items in a line."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    below = [found for key, part in parts for found in _fields(part, (*place, key))]
    return [place, *below] if place else below


ANY_JSON: list[Any] = [
    None, True, -1, 0, 1.5, 10**30, "", "x", [], ["x"], [[1, 2]], [{}], {}, {"x": [1]},
]  # fmt: skip


def test_any_json_in_any_field_is_read_or_reported_in_one_line(
    lines: list[str], reread: Reread
) -> None:
    lines = [*lines[:4], lines[-1]]  # header, times, a track, a box, end
    places = [(row, place) for row in range(5) for place in _fields(json.loads(lines[row]))]
    assert {place[0] for _, place in places} >= {"source", "cuts", "steps", "hide", "origin", "end"}
    for (row, place), value in itertools.product(places, ANY_JSON):
        line = json.loads(lines[row])
        parent = functools.reduce(operator.getitem, place[:-1], line)
        parent[place[-1]] = value
        try:
            reread([*lines[:row], json.dumps(line), *lines[row + 1 :]])
        except TrackFileError as error:
            assert "\n" not in str(error)  # noqa: PT017  # most values are valid


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("hide", "faces", "hide is 'faces': give a list of classes"),
        ("hide", [["faces"]], "hide is [['faces']]: give a list of classes"),
        ("hide", [None], "hide is [None]: give a list of classes"),
        ("padding_ratio", [0.1], "padding_ratio is [0.1]: give a number from 0"),
        ("padding_ratio", 10**400, f"padding_ratio is 1{'0' * 38}…: give a number from 0 to 100"),
        ("padding_ratio", 1e300, "padding_ratio is 1e+300: give a number from 0 to 100"),
    ],
)
def test_settings_that_are_used_again_are_checked(
    lines: list[str], reread: Reread, key: str, value: object, message: str
) -> None:
    header = json.loads(lines[0])
    header["settings"][key] = value
    with pytest.raises(TrackFileError) as caught:
        reread([json.dumps(header), *lines[1:]])
    assert f", line 1: {message}" in str(caught.value)


@pytest.mark.parametrize("value", [["detected"], {"detected": 1}, 1, None])
def test_an_origin_of_another_type_is_named(
    lines: list[str], reread: Reread, value: object
) -> None:
    line = json.dumps(json.loads(lines[3]) | {"origin": value})
    with pytest.raises(TrackFileError) as caught:
        reread([*lines[:3], line, *lines[4:]])
    assert f", line 4: origin is {value}: give one of detected, " in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe{\x00", "x: is not a text file in UTF-8: check that it is the right file"),
        (b"\x00\x00\x00\x20ftypisom\x00\x80", "x: is not a text file in UTF-8"),
        (b"{", "x, line 1: is not valid JSON"),
    ],
)
def test_other_files_are_rejected(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(TrackFileError, match=message):
        read(tmp_path / "x")


def test_a_video_in_the_place_of_its_tracks_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom\x00\x80")
    with pytest.raises(TrackFileError, match="is a video or an image, not a track file: name the"):
        read(tmp_path / "x.mp4")


def test_a_line_of_another_encoding_is_named(tmp_path: Path, lines: list[str]) -> None:
    content = "\n".join(lines).encode()
    (tmp_path / "x").write_bytes(content + b'\n{"class": "stra\xdfe"}\n')
    with pytest.raises(TrackFileError, match=rf"line {len(lines) + 1}: is not UTF-8 text: save"):
        read(tmp_path / "x")


def test_an_endless_line_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b" " * (17 << 20))
    with pytest.raises(TrackFileError, match="too long"):
        read(tmp_path / "x")


def test_a_missing_file_and_a_folder_are_rejected(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(TrackFileError, match="cannot be read"):
            read(path)


def test_an_existing_file_is_replaced_only_if_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(SinkError, match="already exists"):
        write(path, of(two_tracks()), False)
    assert path.read_text() == "mine"


def test_only_track_files_are_replaced(tmp_path: Path, lines: list[str]) -> None:
    other, empty, own = (tmp_path / name for name in ("v.mp4", "empty", "own"))
    other.write_bytes(b"\x00\x00\x00\x20ftypisom")
    empty.touch()
    own.write_text("\n".join(sorted(lines)), encoding="utf-8-sig")
    for act in (check_place, lambda path, overwrite: write(path, of(two_tracks()), overwrite)):
        with pytest.raises(SinkError, match=r"v\.mp4: exists and is not a track file"):
            act(other, True)
    assert other.read_bytes() == b"\x00\x00\x00\x20ftypisom"
    assert [is_track_file(path) for path in (other, empty, own)] == [False, False, True]
    for path in (empty, own):
        check_place(path, True)
        write(path, of(two_tracks()), True)
        assert_same(read(path).tracks, two_tracks(), px=0)
    with pytest.raises(SinkError, match="already exists"):
        check_place(own, False)


def _invalid(**changes: Any) -> Tracks:
    track = Track(
        1,
        np.array([0, 1], np.int32),
        np.array([[1, 2, 3, 4]] * 2, np.float32),
        np.ones(2, np.float32),
        np.zeros(2, np.uint8),
    )
    return replace(two_tracks(), tracks=(replace(track, **changes),))


@pytest.mark.parametrize(
    "tracks",
    [
        _invalid(boxes=np.array([[1, 2, 3, np.nan]] * 2, np.float32)),
        _invalid(boxes=np.array([[1, 2, 1, 4]] * 2, np.float32)),
        _invalid(scores=np.array([np.nan, 1], np.float32)),
        _invalid(frames=np.array([0, 50], np.int32)),
        _invalid(frames=np.array([1, 0], np.int32)),
        _invalid(method="blurr"),
        _invalid(label="\n"),
        replace(_invalid(), times=np.zeros(50, np.int64)),
    ],
)
def test_invalid_tracks_leave_no_file(tmp_path: Path, tracks: Tracks) -> None:
    with pytest.raises(ValueError, match=r"track 1|a box|the times|method|label"):
        write(tmp_path / "a.jsonl", of(tracks), False)
    assert list(tmp_path.iterdir()) == []


def test_an_infinite_box_still_covers_the_frame(tmp_path: Path) -> None:
    far = np.array([[-np.inf, 2, 3, 1e20]] * 2, np.float32)
    write(tmp_path / "a", of(_invalid(boxes=far)), False)
    assert read(tmp_path / "a").tracks.tracks[0].box(0).as_tuple() == (-1e5, 2, 3, 1e5)


def test_any_file_name_is_kept_and_shown_on_one_line(tmp_path: Path) -> None:
    name = "a\udcff\n\x1b[2J.mp4"
    write(tmp_path / "t", replace(of(two_tracks()), source_name=name), False)
    found = read(tmp_path / "t")
    assert found.source_name == name
    with pytest.raises(TrackFileError, match=r"\(a\\udcff\\n\\x1b\[2J\.mp4, SHA"):
        check_source(found, tmp_path / "t")


def test_another_video_is_rejected(tmp_path: Path) -> None:
    video, same_size, other = (tmp_path / name for name in ("v.mp4", "w.mp4", "x.mp4"))
    video.write_bytes(b"video")
    same_size.write_bytes(b"vide0")
    other.write_bytes(b"other video")
    options = Settings(models_folder=Path("/home/jane/models"))
    track_file = TrackFile.of(FileIdentity.of(video, hashed=True), two_tracks(), options, "haar")
    assert track_file.source_name == "v.mp4"
    assert track_file.settings["models_folder"] == "models"
    write(tmp_path / "t", track_file, False)
    found = read(tmp_path / "t")
    check_source(found, video)
    for path in (same_size, other):
        with pytest.raises(TrackFileError, match=f"{path.name}: is not the video .*v.mp4"):
            check_source(found, path)
    with pytest.raises(SourceError, match="no such file"):
        check_source(found, tmp_path / "missing.mp4")


@pytest.mark.parametrize("is_same_size", [False, True])
def test_the_hash_of_a_video_that_was_replaced_is_not_written(
    tmp_path: Path, is_same_size: bool
) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(b"video")
    identity = FileIdentity.of(video, hashed=True)
    video.write_bytes(b"other" if is_same_size else b"another")
    with pytest.raises(SourceError, match="was replaced or changed"):
        TrackFile.of(identity, two_tracks(), Settings(), "haar")


@pytest.mark.slow
def test_memory_stays_close_to_that_of_the_tracks(tmp_path: Path) -> None:
    count = 20000
    boxes = np.tile(np.array([10.5, 20.25, 30, 40], np.float32), (count, 1))
    frames = np.arange(count, dtype=np.int32)
    plain = Track(0, frames, boxes, np.ones(count, np.float32), np.zeros(count, np.uint8))
    tracks = Tracks((640, 360), Fraction(1, 25), np.arange(count, dtype=np.int64), (), (plain,))
    tracemalloc.start()
    try:
        write(tmp_path / "t", of(tracks), False)
        found = read(tmp_path / "t")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.tracks.tracks[0]) == count
    assert peak / count < 600, "bytes a box"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value within a JSON value, itself included."""
    found = [path]
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            found += places(value[key], (*path, key))
    return found


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = with_value(value[path[0]], path[1:], new)
    return copied


@pytest.mark.parametrize(
    "odd",
    [
        None,
        True,
        0,
        -1,
        1.5,
        1e400,
        2**80,
        "",
        "text",
        "\x1b\n",
        [],
        [[]],
        [None, {}],
        {},
        {"a": []},
    ],
    ids=repr,
)
def test_every_value_may_be_of_any_type_and_gives_one_line(
    odd: Any, lines: list[str], reread: Reread, tmp_path: Path
) -> None:
    kinds = {tuple(json.loads(line)): number for number, line in enumerate(lines)}
    for number in kinds.values():
        line = lines[number]
        for path in places(json.loads(line)):
            changed = json.dumps(with_value(json.loads(line), path, odd))
            try:
                content = reread([*lines[:number], changed, *lines[number + 1 :]])
            except TrackFileError as error:
                assert str(error).isprintable()  # noqa: PT017  # many places in one test
            else:
                write(tmp_path / "again.jsonl", content, True)
                assert_same(read(tmp_path / "again.jsonl").tracks, content.tracks)


CANDIDATES = (
    Candidate(((3, Box(10.25, 20, 30, 44)), (7, Box(11, 20, 31, 44))), 0.4321, 1.25),
    Candidate(((9, Box(-4, 0, 8, 12)),), 0.3, -0.5, "plate"),
)


def test_candidates_read_back_and_need_version_2(tmp_path: Path) -> None:
    path = tmp_path / "in.tracks.jsonl"
    write(path, of(replace(two_tracks(), candidates=CANDIDATES)), overwrite=False)
    assert json.loads(path.read_text().splitlines()[0])["version"] == 2
    read_back = read(path).tracks
    assert read_back.candidates == CANDIDATES
    assert_same(two_tracks(), read_back)
    write(path, read(path), overwrite=True)
    assert read(path).tracks.candidates == CANDIDATES


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"boxes": []}, "boxes needs one place at least"),
        ({"boxes": [[5, 0, 0, 9, 9], [5, 0, 0, 9, 9]]}, "frames that ascend"),
        ({"boxes": [[50, 0, 0, 9, 9]]}, "frame is 50: give a whole number from 0 to 49"),
        ({"boxes": [[5, 0, 0, 0, 9]]}, "has no area"),
        ({"score": 2}, "score is 2"),
        ({"candidate": 2}, "candidate 2 is given twice"),
        ({"who": 1}, "'who' is unknown here"),
    ],
)
def test_a_candidate_that_makes_no_sense_is_refused(
    changes: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.tracks.jsonl"
    write(path, of(replace(two_tracks(), candidates=CANDIDATES)), overwrite=False)
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"candidate":1' in line)
    lines[at] = json.dumps(json.loads(lines[at]) | changes)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(TrackFileError, match=problem):
        read(path)
