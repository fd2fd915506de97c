"""The report is self-contained, shows what was found, and escapes file names."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.verification.exposures import Exposure, ExposureRun, TrackEndView
from tracker_blur.verification.html import headline, page, page_bytes
from tracker_blur.verification.verdict import Check, Verdict

JPEG = cv2.imencode(".jpg", np.full((40, 60, 3), 90, np.uint8))[1].tobytes()
VOID = {"meta", "img", "link", "br"}


def exposure(frame: int, score: float = 0.9, crop: bytes | None = JPEG) -> Exposure:
    return Exposure(frame, Fraction(frame, 25), 7, Box(1, 2, 31, 42), score, "yunet", 0.95, crop)


CLEAN = Verdict(
    output="out.mp4",
    source=None,
    evidence="detail",
    detectors=("yunet", "centerface"),
    frames=100,
    probed_frames=100,
    detections=12,
    runs=(),
    ends=(),
    omitted_ends=0,
    checks=(),
    seconds=2.0,
)
EXPOSED = replace(
    CLEAN,
    source="in.mp4",
    evidence="pixels",
    runs=(
        ExposureRun((exposure(3), exposure(4, 0.95), exposure(5, 0.99, None))),
        ExposureRun((exposure(90, 0.6, None),)),
    ),
    ends=(TrackEndView(7, 2, "before", JPEG), TrackEndView(7, 3, "first", JPEG)),
    omitted_ends=4,
    checks=(Check("frames", True, "100"), Check("chapters", False, "0, not the same as the 2")),
)


class Elements(HTMLParser):
    """Collects elements and their links, and checks that each is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.unnamed_images = 0
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.addresses += [
            values[name] or "" for name in ("src", "href", "action") if name in values
        ]
        self.unnamed_images += tag == "img" and not values.get("alt")
        assert not any(name.startswith("on") for name in values)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.mark.parametrize("verdict", [CLEAN, EXPOSED], ids=["clean", "exposed"])
def test_the_page_is_valid_and_self_contained(verdict: Verdict) -> None:
    elements = Elements(page(verdict))
    assert "script" not in elements.tags
    assert "link" not in elements.tags
    assert all(address.startswith("data:image/jpeg;base64,") for address in elements.addresses)
    assert elements.unnamed_images == 0
    assert "url(" not in page(verdict)
    assert "default-src 'none'" in page(verdict)


def test_the_page_first_warns_that_it_shows_faces() -> None:
    body = page(EXPOSED).partition("<body>")[2]
    assert body.index("This page shows faces") < body.index("<h1>")


def test_folder_names_are_left_out() -> None:
    text = page(replace(EXPOSED, output="/home/jane/out.mp4", source="/home/jane/in.mp4"))
    assert "jane" not in text
    assert "<h1>out.mp4</h1>" in text
    assert "compared with in.mp4" in text


def test_exposed_faces_come_first() -> None:
    text = page(EXPOSED)
    order = [text.index(f'id="{name}"') for name in ("exposed", "rest", "ends")]
    assert order == sorted(order)
    assert "0:00:00.120 to 0:00:00.200" in text
    assert "track 7, frames 3 to 5, exposed in 3" in text
    assert "(no image kept)" in text
    assert "4 more tracks" in text
    assert text.count("<img") == 3


def test_several_files_are_on_one_page_that_begins_with_a_table() -> None:
    text = page(CLEAN, replace(EXPOSED, output="a<b>.mp4"))
    elements = Elements(text)
    assert [link for link in elements.addresses if link.startswith("#")] == ["#file-1", "#file-2"]
    assert "<title>Verification of 2 files</title>" in text
    table, _, rest = text.partition('<section id="file-1">')
    assert "a&lt;b&gt;.mp4</a>" in table
    assert 'id="file-2-exposed"' in rest
    assert rest.count("<h1>") == 2
    assert text.count("This page shows faces") == 1


def test_names_are_escaped() -> None:
    hostile = '<script>alert("x")&\'.mp4'
    text = page(
        replace(EXPOSED, output=hostile, source=hostile, checks=(Check(hostile, True, hostile),))
    )
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "script" not in Elements(text).tags


def test_a_name_that_is_not_valid_text_can_be_written() -> None:
    assert b"caf\\udce9.mp4" in page_bytes(replace(CLEAN, output="caf\udce9.mp4"))


def test_a_thousand_runs_make_a_limited_page() -> None:
    runs = tuple(ExposureRun((exposure(frame),)) for frame in range(1000))
    text = page(replace(CLEAN, runs=runs))
    assert text.count("<img") == 300
    assert "700 more are only in the JSON report" in text


def test_headlines() -> None:
    assert headline(CLEAN) == "nothing found in 100 of 100 frames"
    assert headline(EXPOSED) == (
        "faces are exposed in 4 frames, in 2 places, the first at 0:00:00.120; "
        "failed checks: chapters"
    )
    one = replace(
        CLEAN, runs=(ExposureRun((exposure(3),)),), checks=(Check("frames", True, "100"),)
    )
    assert headline(one) == (
        "a face is exposed in 1 frame, at 0:00:00.120; everything else is intact"
    )
    run = ExposureRun((exposure(3), exposure(4)))
    both = replace(CLEAN, runs=(run, run), look_here=(run,))
    assert headline(both) == (
        "faces are exposed in 2 frames, in 2 places, the first at 0:00:00.120, "
        "and 1 place to look at"
    )
    assert headline(replace(CLEAN, look_here=(run, run))) == (
        "look here: 2 places perhaps show a face"
    )
    plate = replace(run, label="plate")
    assert headline(replace(CLEAN, look_here=(run, plate))) == (
        "look here: 2 places perhaps show a face or a plate"
    )
    assert headline(replace(CLEAN, runs=(plate, plate))) == (
        "plates are exposed in 2 frames, in 2 places, the first at 0:00:00.120"
    )
    assert headline(replace(CLEAN, look_here=(run,), dismissed=2)) == (
        "look here: 1 place perhaps shows a face; 2 accepted places left out"
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("frames", "frames"),
        ("times of frames", "frame times"),
        ("shape", "shape"),
        ("pictures", "frame content"),
    ],
)
def test_another_source_video_is_reported_first(name: str, title: str) -> None:
    other = replace(CLEAN, source="/a/in.mp4", checks=(Check(name, False, "differ"),))
    assert headline(other) == (
        f"in.mp4 seems to be another video ({title}: differ): faces were not compared with it; "
        f"failed checks: {title}"
    )
    exposed = headline(replace(other, runs=(ExposureRun((exposure(3),)),)))
    assert exposed.startswith("in.mp4 seems to be another video")
    assert "; a face is exposed in 1 frame, at 0:00:00.120; failed checks" in exposed
    assert "seems to be another image" in headline(replace(other, frames=1))
    assert other.to_dict()["is_another_video"] is True
    assert other.to_dict()["checks"][0]["name"] == name


def test_places_to_look_at_follow_exposed_faces() -> None:
    place = ExposureRun((exposure(50),), "look here", log_odds=0.0)
    text = page(replace(EXPOSED, look_here=(place,)))
    order = [text.index(f'id="{name}"') for name in ("exposed", "look-here", "rest")]
    assert order == sorted(order)
    assert "Look here (1)" in text
    assert "<code>f50x16y22</code>, 50 % likely a face" in text
    assert "--dismiss NAME" in text
    assert "--dismiss" not in page(CLEAN)
    assert 'alt="possible face at 0:00:02.000"' in text


def test_the_json_data_holds_no_images() -> None:
    plain = EXPOSED.to_dict()
    assert plain["exposed"] == 4
    assert plain["clean"] is False
    assert plain["runs"][0]["frames"][0] == {
        "frame": 3,
        "seconds": 0.12,
        "track": 7,
        "box": [1, 2, 31, 42],
        "score": 0.9,
        "detector": "yunet",
        "visible": 0.95,
        "log_odds": None,
    }
    assert (plain["verdict"], plain["look_here"], plain["dismissed"]) == ("exposed", 0, 0)
    assert plain["runs"][0]["id"] == "f3x16y22"
    assert replace(CLEAN, look_here=EXPOSED.runs).to_dict()["verdict"] == "look here"
    assert CLEAN.to_dict()["verdict"] == "nothing found"
    assert not re.search(r"b'|base64", str(plain))
