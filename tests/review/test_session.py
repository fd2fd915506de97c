"""A review of one video: what it shows, what it keeps, and what it refuses."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.image_files import noise, save_image
from tests.review.samples import write_tracks, write_video
from tracker_blur.annotations import track_file
from tracker_blur.errors import SettingsError, TrackFileError
from tracker_blur.people.grouping import Person
from tracker_blur.review.grouping import grouping_of
from tracker_blur.review.image_tracks import write_image_tracks
from tracker_blur.review.previews import redaction_settings, shown_size
from tracker_blur.review.session import ReviewSession
from tracker_blur.review.sessions import Sessions
from tracker_blur.review.verify_report import read_report
from tracker_blur.settings import Settings
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    video = write_video(tmp_path_factory.mktemp("made") / "clip.mp4")
    write_tracks(video)
    return video


@pytest.fixture
def video(made: Path, tmp_path: Path) -> Path:
    for path in (made, made.with_name("clip.tracks.jsonl")):
        shutil.copy(path, tmp_path)
    return tmp_path / "clip.mp4"


@pytest.fixture
def session(video: Path) -> Iterator[ReviewSession]:
    session = ReviewSession(video, video.with_name("clip.tracks.jsonl"))
    yield session
    session.close()


def test_the_track_file_stays_and_the_edits_are_written_next_to_it(
    session: ReviewSession, tmp_path: Path
) -> None:
    before = session.track_path.read_bytes()
    session.apply({"op": "keep", "tracks": [2]}, "ada")
    target = tmp_path / "edited.jsonl"
    session.write_edited_tracks(target)
    session.write_edited_tracks(target)  # again: it is replaced
    assert session.track_path.read_bytes() == before
    edited = track_file.read(target)
    assert [track.hide for track in edited.tracks.tracks] == [True, False]
    with pytest.raises(TrackFileError, match="is the track file under review"):
        session.write_edited_tracks(session.track_path)


def test_whom_a_network_chose_that_was_not_measured_is_looked_at_first(
    video: Path, tmp_path: Path
) -> None:
    path = video.with_name("clip.tracks.jsonl")
    content = track_file.read(path)
    kept_ones = tuple(replace(track, hide=track.track_id != 2) for track in content.tracks.tracks)
    settings = {**content.settings, "unreviewed_people": True}
    tracks = replace(content.tracks, tracks=kept_ones)
    track_file.write(path, replace(content, tracks=tracks, settings=settings), overwrite=True)
    session = ReviewSession(video, path)
    try:
        with pytest.raises(TrackFileError, match="look at each place where someone stays visible"):
            session.write_edited_tracks(tmp_path / "edited.jsonl")
        (kept,) = (one["id"] for one in session.doubt_dicts() if one["kind"] == "kept_stretch")
        session.apply({"op": "seen", "doubt": kept}, "ada")
        session.write_edited_tracks(tmp_path / "edited.jsonl")
    finally:
        session.close()
    assert not track_file.read(tmp_path / "edited.jsonl").is_unreviewed


def test_what_is_rendered_is_one_state_of_the_journal_while_others_decide(
    session: ReviewSession, video: Path, tmp_path: Path
) -> None:
    other = ReviewSession(video, session.track_path)  # as a second process has it
    is_over = threading.Event()

    def decide(window: ReviewSession, who: str) -> None:
        for number in range(200):
            if is_over.is_set():
                return
            window.apply({"op": "method", "method": ("solid", "mosaic")[number % 2]}, who)
            window.apply({"op": ("keep", "hide")[number % 2], "tracks": [2]}, who)

    windows = [
        threading.Thread(target=decide, args=pair) for pair in ((session, "ada"), (other, "ben"))
    ]
    for window in windows:
        window.start()
    target = tmp_path / "edited.jsonl"
    try:
        written = []
        for _ in range(12):
            version, settings = session.write_edited_tracks(target)
            written.append((version, settings.method, track_file.read(target)))
            assert session.summary()["version"] >= version
    finally:
        is_over.set()
        for window in windows:
            window.join()
        other.close()
    edits = [line.edit for line in session.lines()]
    for version, method, content in written:
        methods = [edit["method"] for edit in edits[:version] if edit["op"] == "method"]
        assert [content.settings["method"], method] == [(methods or ["solid"])[-1]] * 2
        hidden = [edit["op"] == "hide" for edit in edits[:version] if edit["op"] != "method"]
        assert content.tracks.tracks[1].hide is (hidden or [True])[-1]
    assert len({version for version, _, _ in written}) > 1


def test_a_track_file_that_was_changed_meanwhile_is_refused(session: ReviewSession) -> None:
    session.apply({"op": "keep", "tracks": [2]}, "ada")
    content = track_file.read(session.track_path)
    others = replace(content, tracks=replace(content.tracks, cuts=(5,)))
    track_file.write(session.track_path, others, overwrite=True)
    with pytest.raises(TrackFileError, match="was changed outside of the review"):
        session.apply({"op": "hide", "tracks": [2]}, "ada")
    with pytest.raises(TrackFileError, match="is the journal of other tracks"):
        ReviewSession(session.video, session.track_path)


def test_a_large_video_is_checked_while_it_is_shown(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_blur.review.reviewed_files._HASHED_AT_ONCE", 0)
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    session = ReviewSession(video, video.with_name("clip.tracks.jsonl"))
    try:
        with pytest.raises(TrackFileError, match="is not the video that the tracks were made for"):
            session.checked_video()  # for its sound: never that of another video
        with pytest.raises(TrackFileError, match="is not the video that the tracks were made for"):
            session.refresh()
    finally:
        session.close()


def test_a_few_reviews_stay_open_and_fewer_keep_frames(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_blur.review.sessions._MOST_OPEN", 4)
    reported: list[tuple[str, int]] = []
    sessions = Sessions(lambda review_id, version: reported.append((review_id, version)))
    try:
        opened = []
        for number in range(5):
            folder = tmp_path / str(number)
            folder.mkdir()
            for path in (made, made.with_name("clip.tracks.jsonl")):
                shutil.copy(path, folder)
            video, tracks = folder / "clip.mp4", folder / "clip.tracks.jsonl"
            session = sessions.get(str(number), video, tracks)
            session.frame(0, redacted=False, width=None)
            opened.append((video, session))
        first, last = opened[0], opened[-1]
        assert sessions.get("4", last[0], last[1].track_path) is last[1]
        again = sessions.get("0", first[0], first[1].track_path)
        assert again is not first[1]  # it was closed
        resting = sessions.get("2", opened[2][0], opened[2][1].track_path)
        assert resting is opened[2][1]
        assert resting.frame(0, redacted=False, width=None)
        other = ReviewSession(again.video, again.track_path)
        other.apply({"op": "keep", "tracks": [1]}, "eve")
        other.close()
        assert sessions.get("0", first[0], again.track_path).version == 1
        assert ("0", 1) in reported
    finally:
        sessions.close()


def test_reviews_search_the_given_folder_of_weights(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[Path | None] = []

    def searching(folder: Path | None = None) -> Weights:
        searched.append(folder)
        return Weights(folder)

    monkeypatch.setattr("tracker_blur.review.grouping.Weights", searching)
    sessions = Sessions(lambda *_: None, tmp_path / "weights")
    try:
        session = sessions.get("1", video, video.with_name("clip.tracks.jsonl"))
        with pytest.raises(SettingsError, match="weights: no such folder"):
            session.apply({"op": "follow", "track": 1, "frame": 5, "direction": "back"}, "ada")
    finally:
        sessions.close()
    assert searched == [tmp_path / "weights"]


def test_a_still_image_gets_a_track_a_face(tmp_path: Path) -> None:
    image = save_image(noise(48, 64, 3), tmp_path / "photo.png")
    target = tmp_path / "photo.tracks.jsonl"
    write_image_tracks(image, target, Settings(hide_zones=("1,2,30,40",)))
    tracks = track_file.read(target).tracks
    assert (tracks.size, tracks.times.tolist()) == ((64, 48), [0])
    assert [zone.text for zone in tracks.rules.zones] == ["1,2,30,40"]


def test_pages_and_animations_are_no_still_image(tmp_path: Path) -> None:
    from PIL import Image

    images = [Image.fromarray(noise(16, 16, 3, seed=number)) for number in range(2)]
    images[0].save(tmp_path / "moving.gif", save_all=True, append_images=images[1:])
    with pytest.raises(SettingsError, match="has several frames"):
        write_image_tracks(tmp_path / "moving.gif", tmp_path / "t.tracks.jsonl", Settings())
    assert not (tmp_path / "t.tracks.jsonl").exists()


def test_people_have_the_number_of_their_first_track() -> None:
    people = (
        Person(0, "face", (4, 9), 0.6),
        Person(1, "face", (2,)),
        Person(2, "face", (5, 7), 0.9),
    )
    grouping = grouping_of(people, 0.65)
    assert grouping.person_of == {4: 4, 9: 4, 2: 2, 5: 5, 7: 5}
    assert grouping.reasons == {4: ("unsure_join",)}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"files": 3}', '{"files": [{"runs": 3}]}'])
def test_a_report_that_is_none_says_nothing(content: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.verify.json"
    path.write_text(content)
    assert read_report(path).runs == ()
    assert read_report(tmp_path / "missing.json").runs == ()


def test_settings_that_make_no_sense_are_replaced_by_the_usual_ones() -> None:
    assert redaction_settings({"method": "pixelated", "blocks": 3})[0].blocks == 3
    for bad in ({"method": "magic"}, {"method": 3}, {"blocks": "many"}, {"method": "image"}):
        settings, notes = redaction_settings({**bad, "shape": "rectangle", "padding_ratio": 0.5})
        assert (settings.method, settings.blocks) == (Settings().method, Settings().blocks)
        assert (settings.shape, settings.padding_ratio) == ("rectangle", 0.5)
        assert len(notes) == 1
        assert next(iter(bad)) in notes[0]


def test_frames_are_shown_with_square_pixels_and_never_enlarged() -> None:
    from fractions import Fraction

    assert shown_size((720, 576), None, Fraction(16, 15)) == (720, 540)
    assert shown_size((720, 576), 360, Fraction(16, 15)) == (360, 270)
    assert shown_size((96, 64), 1000, Fraction(1)) == (96, 64)
