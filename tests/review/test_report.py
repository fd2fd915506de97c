"""The report: all of it in the internal form; no name, face or word of anyone in the public."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.review.test_decisions import FakeLine
from tests.track_samples import two_tracks
from tracker_blur.annotations.track_file import TrackFile
from tracker_blur.core.rules import Rules
from tracker_blur.core.tracks import Origin
from tracker_blur.core.zones import Zone
from tracker_blur.review.file_facts import FileFacts, StreamFacts
from tracker_blur.review.report import KNOWN_LIMITS, ReportData, report_of
from tracker_blur.review.report_page import page_of
from tracker_blur.review.report_public import settings_hash

WRITTEN = datetime(2026, 1, 3, tzinfo=UTC)
SECRETS = ("anna", "ben", "zoey", "secret", "birthday", "mallory")
VIDEO = StreamFacts("video", "h264", "640x360")
SOUND = StreamFacts("audio", "aac", "48000 Hz, 2 channels")


def facts(name: str, *streams: StreamFacts, metadata: tuple[str, ...] = ()) -> FileFacts:
    return FileFacts(name, "ab" * 32, 1234, WRITTEN, "mov,mp4", 2.0, streams, 0, metadata)


def content() -> TrackFile:
    tracks = two_tracks()
    one, other = tracks.tracks
    return TrackFile(
        replace(
            tracks,
            tracks=(replace(one, hide=False), replace(other, label="zoey")),
            rules=Rules((Zone.parse("hide", "10,20,200,80"),)),
        ),
        "anna.mp4",
        "ab" * 32,
        1234,
        {
            "method": "solid",
            "keep_people": "birthday",
            "detector": "mallory.onnx",
            "hide": ["zoey"],
            "secret": "secret",
        },
        "mallory.onnx",
        ("face.onnx", "mallory.onnx"),
    )


def data() -> ReportData:
    lines = [
        FakeLine(1, {"op": "keep", "tracks": [3]}, "anna", "secret agreed"),
        FakeLine(2, {"op": "rename", "person": 3, "name": "zoey"}, "ben"),
        FakeLine(3, {"op": "seen", "doubt": "gap-1"}, "ben"),
        FakeLine(4, {"op": "zone", "number": 1, "rule": "hide", "where": "10,20,200,80"}, "anna"),
    ]
    run = {"id": "f4x1y1", "label": "zoey", "from": "0:00:00.160", "to": "0:00:00.200", "track": 3}
    verification = {
        "output": "out.mp4",
        "verdict": "look here",
        "clean": True,
        "detectors": ["yunet", "mallory.onnx"],
        "frames": 50,
        "looked": 50,
        "dismissed": 1,
        "left_visible": [{"track": 3, "from": "0:00:00.000", "reason": "track"}],
        "runs": [],
        "look_here_runs": [{**run, "first_frame": 4, "last_frame": 5}],
        "checks": [{"name": "frames", "passed": True, "detail": "secret"}],
    }
    doubts = [
        {"id": "gap-1", "kind": "gap", "frame": 12, "last": 14, "track": 7, "risk": 0.5},
        {"id": "verify-1", "kind": "verify", "frame": 4, "last": 5, "track": None, "risk": 0.6},
        {"id": "kept-1", "kind": "kept_stretch", "frame": 10, "last": 29, "track": 3, "risk": 0.6},
    ]
    return ReportData(
        "2026-01-04T00:00:00+00:00",
        facts(
            "anna.mp4", VIDEO, SOUND, StreamFacts("data", ""), metadata=("location", "secret key")
        ),
        facts("anna_out.mp4", VIDEO, SOUND),
        {"trackblur": "1.2.3"},
        content(),
        {"face.onnx": "cd" * 32, "mallory.onnx": None},
        lines,
        "ef" * 32,
        {3: "zoey"},
        doubts,
        verification,
        numbers={3: 1, 7: 2},
    )


@pytest.fixture
def internal() -> dict[str, Any]:
    return report_of(data(), "internal")


@pytest.fixture
def public() -> dict[str, Any]:
    return report_of(data(), "public")


def test_each_track_says_when_how_and_by_whom(internal: dict[str, Any]) -> None:
    kept, hidden = internal["tracks"]
    assert (kept["from"], kept["to"], kept["frames"]) == ("0:00:00.400", "0:00:01.160", 20)
    assert (kept["hidden"], kept["visible_frames"]) == ("no", {"as its track says": 20})
    assert kept["origins"] == {Origin.DETECTED.value: 0.5, Origin.TRACKED.value: 0.5}
    assert kept["person"] == "zoey"
    assert kept["decided"] == {
        "by": "anna",
        "at": "2026-01-02T03:04:05+00:00",
        "why": "secret agreed",
        "what": "keep",
        "line": 1,
    }
    assert (hidden["hidden"], hidden["class"]) == ("yes", "zoey")
    assert (hidden["method"], hidden["method_class"]) == ("solid", "destructive")
    assert hidden["score"] == 0.75
    assert hidden["decided"]["by"] == "trackblur"


def test_what_was_dropped_is_what_the_output_lacks(internal: dict[str, Any]) -> None:
    assert internal["dropped"] == {
        "streams": [{"kind": "data", "codec": "", "details": ""}],
        "metadata": ["location", "secret key"],
        "chapters": 0,
        "recoded": [],
    }


@pytest.mark.parametrize("form", ["internal", "public"])
def test_audio_that_is_stored_in_another_format_is_reported(form: Any) -> None:
    """Edited audio becomes FLAC; the report said that nothing was dropped, and no more."""
    made = facts("b.mp4", VIDEO, StreamFacts("audio", "flac", "48000 Hz"))
    report = report_of(replace(data(), output=made), form)
    assert report["dropped"]["recoded"] == [{"kind": "audio", "from": SOUND.codec, "to": "flac"}]
    assert f"audio: {SOUND.codec} became flac" in page_of(report, {})


def test_each_doubt_says_how_it_was_decided(internal: dict[str, Any]) -> None:
    gap, found, kept = internal["doubts"]
    assert (gap["decided"]["by"], gap["decided"]["what"]) == ("ben", "seen")
    assert found["decided"] is None
    assert (kept["decided"]["by"], kept["decided"]["what"]) == ("anna", "keep")
    (place,) = internal["verification"]["places"]
    assert (place["finding"], place["decided"]) == ("look here", None)
    assert internal["verification"]["verdict"] == "look here"


def test_a_place_of_the_verification_that_was_looked_at_says_by_whom() -> None:
    seen = FakeLine(5, {"op": "seen", "doubt": "verify-1"}, "ben")
    report = report_of(replace(data(), lines=[*data().lines, seen]), "internal")
    assert report["verification"]["places"][0]["decided"]["by"] == "ben"


def test_the_journal_keeps_its_chain(internal: dict[str, Any]) -> None:
    journal = internal["journal"]
    assert (journal["lines"], journal["chain"]) == (4, "intact")
    assert journal["last_line_sha256"] == "ef" * 32
    assert [entry["previous"] for entry in journal["entries"]] == ["0" * 64] * 4
    assert [entry["who"] for entry in journal["entries"]] == ["anna", "ben", "ben", "anna"]


def test_models_have_their_hashes_and_settings_theirs(internal: dict[str, Any]) -> None:
    made = internal["made_with"]
    assert [model["sha256"] for model in made["models"]] == ["cd" * 32, None]
    assert len(made["settings_sha256"]) == 64
    assert internal["known_limits"] == list(KNOWN_LIMITS)


def test_the_public_form_names_no_one(public: dict[str, Any]) -> None:
    for text in (json.dumps(public), page_of(public, {3: b"face"})):
        assert not [word for word in SECRETS if word in text.lower()]
    assert public["tracks"][0]["decided"]["by"] == "reviewer 1"
    assert public["tracks"][0]["decided"]["has_reason"] is True
    assert public["tracks"][1]["class"] == "another class"
    assert [entry["who"] for entry in public["journal"]["entries"]] == [
        *("reviewer 1", "reviewer 2", "reviewer 2", "reviewer 1")
    ]
    assert public["made_with"]["chose_people"] is True
    assert public["source"]["metadata"] == ["location", "1 others"]
    assert public["source"]["sha256"] == "ab" * 32
    assert public["zones"] == [{"rule": "hide", "where": "10,20,200,80"}]


def test_no_hash_of_the_public_form_confirms_a_guess(
    internal: dict[str, Any], public: dict[str, Any]
) -> None:
    # With the hash of the line after, each line could be tried with guessed names of reviewers.
    assert [entry.keys() for entry in public["journal"]["entries"]] == [
        {"n", "at", "who", "what"}
    ] * 4
    assert public["journal"]["last_line_sha256"] == "ef" * 32
    assert "0" * 64 not in page_of(public, {})
    assert "0" * 64 in page_of(internal, {})
    # The settings name a class and a network of one's own.
    made = public["made_with"]
    assert made["settings_sha256"] == settings_hash(made["settings"])
    assert made["settings_sha256"] == internal["made_with"]["settings_sha256"]


def test_a_class_that_is_no_list_does_not_get_into_the_public_form() -> None:
    one = data()
    assert one.content is not None
    settings = {**one.content.settings, "hide": "zoey"}
    report = report_of(replace(one, content=replace(one.content, settings=settings)), "public")
    assert "zoey" not in json.dumps(report)


def test_who_stays_visible_because_of_photos_is_reported() -> None:
    one = data()
    assert one.content is not None
    report = report_of(replace(one, lines=[]), "internal")
    assert report["tracks"][0]["decided"]["why"].startswith(
        "its face is like that of chosen photos"
    )
    settings = {"hide_people": "birthday"}
    content = replace(one.content, settings=settings)
    report = report_of(replace(one, lines=[], content=content), "internal")
    assert report["tracks"][0]["decided"]["why"].startswith("its face is unlike those of chosen")
    assert report["tracks"][1]["decided"]["why"] == "what is detected is hidden"


def test_faces_are_in_the_internal_page_only(
    internal: dict[str, Any], public: dict[str, Any]
) -> None:
    assert "data:image/jpeg;base64,ZmFjZQ==" in page_of(internal, {3: b"face"})
    assert "data:image" not in page_of(public, {3: b"face"})
    assert "shows faces" not in page_of(public, {})


@pytest.mark.parametrize("form", ["internal", "public"])
def test_people_are_called_as_on_the_page_of_the_review(form: Any) -> None:
    report = report_of(data(), form)
    assert [track["number"] for track in report["tracks"]] == [1, 2]
    page = page_of(report, {})
    assert "Left visible by choice: Person 1.</p>" in page
    assert "<td>Person 1<" in page
    # It is of a class of its own.
    assert f"<td>{'zoey' if form == 'internal' else 'another class'} 2<" in page


def test_markup_in_names_and_reasons_stays_text() -> None:
    attack = "<script>alert(1)</script>\x1b[31m"
    lines = [FakeLine(1, {"op": "keep", "tracks": [3], "x": attack}, attack, attack)]
    report = report_of(
        replace(data(), lines=lines, source=facts(attack), names={3: attack}), "internal"
    )
    page = page_of(report, {})
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("form", ["internal", "public"])
def test_an_output_that_is_older_than_the_last_edit_is_reported(form: Any) -> None:
    late = (WRITTEN + timedelta(minutes=1)).isoformat()
    report = report_of(
        replace(data(), lines=[FakeLine(1, {"op": "keep", "tracks": [3]}, at=late)]), form
    )
    assert report["edited_since_output"] is True
    assert "older than the last edit" in page_of(report, {})
    assert report_of(data(), form)["edited_since_output"] is False


@pytest.mark.parametrize("form", ["internal", "public"])
def test_without_tracks_and_verification_the_report_says_so(form: Any) -> None:
    report = report_of(
        ReportData("2026-01-04", facts("a.mp4", VIDEO), facts("b.mp4", VIDEO), {}), form
    )
    assert (report["tracks"], report["made_with"], report["verification"]) == ([], None, None)
    page = page_of(report, {})
    assert "was not verified" in page
    assert "There is no track file" in page


def test_looking_at_a_place_after_rendering_makes_no_output_old() -> None:
    late = (WRITTEN + timedelta(minutes=1)).isoformat()
    seen = FakeLine(5, {"op": "seen", "doubt": "gap-1"}, at=late)
    lines = [*data().lines, seen]
    assert report_of(replace(data(), lines=lines), "internal")["edited_since_output"] is False
    rendered_before = replace(data(), lines=lines, version=0)
    assert report_of(rendered_before, "internal")["edited_since_output"] is True
    assert (
        report_of(replace(data(), lines=lines, version=4), "public")["edited_since_output"] is False
    )
