"""The review page's routes, asked over HTTP as the page does."""

from __future__ import annotations

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.image_files import noise, save_image
from tests.review.samples import FRAMES, SIZE, write_tracks, write_video
from tests.video.rewriting import read_frames
from tests.waiting import until
from tests.web.held_jobs import held_jobs
from tests.web.pages import opened
from tracker_blur.annotations import track_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from tests.web.pages import Page
    from tracker_blur.core.frame import Image


class Review:
    """One review, asked over HTTP."""

    def __init__(self, page: Page, video: Path) -> None:
        self.page = page
        self.video = video
        self.id = page.site.services.reviews.open(video).id

    def get(self, path: str = "", **parameters: Any) -> httpx.Response:
        return self.page.get(f"/api/reviews/{self.id}{path}", params=parameters)

    def edit(self, edit: dict[str, Any], **more: Any) -> httpx.Response:
        return self.page.post(f"/api/reviews/{self.id}/edits", json={"edit": edit, **more})

    def image(self, number: int, **parameters: Any) -> Image:
        answer = self.get(f"/frames/{number}", **parameters)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-frame"] == str(number)
        return np.asarray(
            cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR), np.uint8
        )


@pytest.fixture(scope="module")
def video(page: Page) -> Path:
    video = write_video(page.folder / "clip.mp4")
    write_tracks(video)
    return video


@pytest.fixture
def review(page: Page, video: Path) -> Iterator[Review]:
    review = Review(page, video)
    yield review
    while review.get().json()["can_undo"]:
        page.post(f"/api/reviews/{review.id}/undo")


def test_a_review_says_what_there_is(review: Review) -> None:
    summary = review.get().json()
    assert summary["id"] == review.id
    assert summary["name"] == "clip.mp4"
    assert (summary["size"], summary["frames"], summary["fps"]) == (list(SIZE), FRAMES, 25.0)
    assert summary["duration"] == pytest.approx(1.6)
    assert (summary["is_image"], summary["has_audio"]) == (False, False)
    assert summary["method"] == "solid"
    assert [(one["id"], one["first"], one["last"]) for one in summary["tracks"]] == [
        (1, 5, 30),
        (2, 10, 39),
    ]
    assert summary["tracks"][0]["spans"] == [[5, 30, "detected"]]
    person = summary["people"][0]
    assert (person["id"], person["tracks"], person["hidden"]) == (1, [1], True)
    assert person["seconds"] == pytest.approx(26 / 25)
    assert [face["track"] for face in person["faces"]] == [1, 1, 1]


def test_frames_are_exact_and_upright(review: Review) -> None:
    for number in (0, 17, 39, 16):
        expected = read_frames(review.video)[number].view(SIZE)
        found = review.image(number).astype(int)
        assert np.abs(found - expected).mean() < 4  # of 255: JPEG
    assert review.image(3, width=48).shape == (32, 48, 3)
    assert review.image(3, width=9999).shape == (64, 96, 3)


def test_the_redacted_view_hides_what_the_edits_say(review: Review) -> None:
    def hidden(number: int) -> float:
        both = [review.image(number, view=view).astype(int) for view in ("original", "redacted")]
        return float(np.abs(both[0] - both[1])[26:38, 66:74].mean())  # inside of track 2

    assert hidden(20) > 40
    assert hidden(5) < 2
    review.edit({"op": "keep", "tracks": [2]})
    assert hidden(20) < 2
    review.edit({"op": "zone", "number": None, "rule": "hide", "where": "60,20,80,44"})
    assert hidden(5) > 40


def test_boxes_and_times_are_given_for_spans(review: Review) -> None:
    boxes = review.get("/boxes", first=9, last=10).json()
    assert boxes["boxes"] == [
        [9, 1, 14.5, 10.0, 34.5, 34.0, "detected", 0.9],
        [10, 1, 15.0, 10.0, 35.0, 34.0, "detected", 0.9],
        [10, 2, 60.0, 20.0, 80.0, 44.0, "followed", 0.8],
    ]
    assert review.get("/times", first=24, last=26).json()["pts"] == [0.96, 1.0, 1.04]
    assert review.get("/boxes", first=0, last=40).status_code == 404
    assert review.get("/boxes", first=3, last=2).status_code == 404


def test_a_face_is_shown_with_its_surroundings(review: Review) -> None:
    answer = review.get("/faces/1/5", size=64)
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (64, 64, 3)
    assert review.get("/faces/1/5", size=100000).status_code == 400


def test_a_face_that_an_edit_took_away_is_no_error(review: Review) -> None:
    for gone in ("/faces/1/4", "/faces/9/5"):
        answer = review.get(gone)
        assert (answer.status_code, answer.content) == (204, b"")


def test_edits_are_written_down_undone_and_done_again(page: Page, review: Review) -> None:
    before = review.get().json()["version"]
    answer = review.edit({"op": "keep", "tracks": [1]}, why="agreed", who="Ada")
    assert answer.json() == {"version": before + 1, "changed": True}
    assert review.edit({"op": "keep", "tracks": [1]}).json()["changed"] is False
    summary = review.get().json()
    assert summary["undo_text"] == "Leave visible 1 track"
    assert summary["undo_edit"] == {"op": "keep", "tracks": [1]}
    assert review.get().json()["people"][0]["hidden"] is False
    page.post(f"/api/reviews/{review.id}/undo")
    summary = review.get().json()
    assert (summary["people"][0]["hidden"], summary["can_redo"]) == (True, True)
    stale = page.post(f"/api/reviews/{review.id}/redo", json={"base": before})
    assert stale.status_code == 409
    redone = page.post(f"/api/reviews/{review.id}/redo", json={"base": before + 2}).json()
    assert redone == {"version": before + 3, "edit": {"op": "keep", "tracks": [1]}}
    page.post(f"/api/reviews/{review.id}/undo")
    lines = review.get("/journal").json()["lines"][before:]
    assert [line["edit"]["op"] for line in lines] == ["keep", "undo", "redo", "undo"]
    assert [line["undone"] for line in lines] == [True, False, False, False]
    line = lines[0]
    assert (line["who"], line["why"], line["edit"]) == (
        "Ada",
        "agreed",
        {"op": "keep", "tracks": [1]},
    )
    journal = review.video.with_name("clip.journal.jsonl")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_a_drawn_box_is_tracked(review: Review) -> None:
    review.edit(
        {"op": "draw", "track": None, "class": "face", "keyframes": {"20": [20, 8, 52, 40]}}
    )
    assert review.get().json()["tracks"][-1]["frames"] == 1
    answer = review.edit({"op": "follow", "track": 3, "frame": 20, "direction": "both"})
    assert answer.status_code in (200, 400)  # gradients that wander may or may not be followed
    if answer.status_code == 200:
        assert review.get().json()["tracks"][-1]["frames"] > 1
        assert review.get("/journal").json()["lines"][-1]["edit"]["boxes"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"op": "explode"}, "the operation 'explode' is unknown"),
        ({"tracks": [1]}, "the operation 'None' is unknown"),
        ({"op": "hide", "tracks": [99]}, "there is no track 99"),
        ({"op": "hide", "tracks": []}, "tracks is empty"),
        ({"op": "hide", "tracks": "1"}, "tracks is '1'"),
        ({"op": "hide", "tracks": [1], "x": 1}, "'x' is unknown here"),
        ({"op": "hide_people", "people": [1], "why": "x"}, "'why' is unknown here"),
        ({"op": "follow", "track": 1, "frame": 9, "boxes": []}, "'boxes' is unknown here"),
        ({"op": "reshape", "track": 1, "frame": 9, "box": [4, 4, 2, 9]}, "has no area"),
        ({"op": "reshape", "track": 1, "frame": 40, "box": [1, 1, 2, 9]}, "no frame 40"),
        ({"op": "draw", "track": 1, "keyframes": {"-1": [1, 1, 2, 9]}}, "has the key '-1'"),
        ({"op": "zone", "number": None, "rule": "hide", "where": "900,0,990,9"}, "outside of the"),
        ({"op": "limits", "min_size": "x"}, "min_size is 'x'"),
        ({"op": "set_method", "tracks": [1], "method": "magic"}, "magic"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    edit: dict[str, Any], message: str, review: Review
) -> None:
    version = review.get().json()["version"]
    answer = review.edit(edit)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert review.get().json()["version"] == version


def test_an_edit_for_another_version_is_refused(review: Review) -> None:
    version = review.get().json()["version"]
    assert (
        review.edit({"op": "rename", "person": 1, "name": "Eve"}, base=version).status_code == 200
    )
    assert review.edit({"op": "keep", "tracks": [1]}, base=version).status_code == 409


def test_missing_things_are_not_found(page: Page, review: Review) -> None:
    assert page.get("/api/reviews/0123456789abcdef").status_code == 404
    for number in (-1, FRAMES):
        answer = review.get(f"/frames/{number}")
        assert (answer.status_code, answer.json()["error"]) == (
            404,
            f"there is no frame {number}",
        )
    assert review.get("/frames/0", view="both").status_code == 400
    assert review.get("/frames/0", width=1).status_code == 400


def test_an_older_request_of_a_window_is_refused_at_once(review: Review) -> None:
    assert review.get("/frames/5", client="w", seq=2).status_code == 200
    answer = review.get("/frames/30", client="w", seq=1)
    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "a newer request has overtaken this one",
    )


def test_many_requests_at_once_are_all_answered(review: Review) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = [*range(0, FRAMES, 3), *range(FRAMES - 1, 0, -5)]
        answers = list(pool.map(lambda number: review.get(f"/frames/{number}"), numbers))
    assert [answer.headers["x-frame"] for answer in answers] == [str(number) for number in numbers]


def test_doubts_are_seen_once_and_stay_so(review: Review) -> None:
    doubts = review.get("/doubts").json()["doubts"]
    assert doubts
    assert [doubt["risk"] for doubt in doubts] == sorted(
        (doubt["risk"] for doubt in doubts), reverse=True
    )
    summary = review.get().json()
    assert (summary["doubts_left"], summary["reviewed"]) == (len(doubts), False)
    for doubt in doubts:
        review.edit({"op": "seen", "doubt": doubt["id"]})
    summary = review.get().json()
    assert (summary["doubts_left"], summary["reviewed"]) == (0, False)  # no one has said so
    review.edit({"op": "reviewed"})
    assert review.get().json()["reviewed"] is True
    assert all(doubt["seen"] for doubt in review.get("/doubts").json()["doubts"])


def test_media_are_sent_in_parts(review: Review) -> None:
    path = f"/api/reviews/{review.id}/media"
    answer = review.page.get(path, headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, review.video.read_bytes()[4:8])


def test_another_server_sees_what_this_one_wrote(review: Review, tmp_path: Path) -> None:
    review.edit({"op": "rename", "person": 1, "name": "Ada"})
    with opened(tmp_path, tmp_path / "state") as other_page:
        link = tmp_path / "clip.mp4"
        link.write_bytes(review.video.read_bytes())
        for suffix in ("tracks", "journal"):
            source = review.video.with_name(f"clip.{suffix}.jsonl")
            (tmp_path / source.name).write_bytes(source.read_bytes())
        other = Review(other_page, link)
        assert other.get().json()["people"][0]["name"] == "Ada"


def test_tracks_of_another_video_are_refused(page: Page, video: Path) -> None:
    other = write_video(page.folder / "other.mp4", frames=FRAMES + 1)
    (page.folder / "other.tracks.jsonl").write_bytes(
        video.with_name("clip.tracks.jsonl").read_bytes()
    )
    answer = Review(page, other).get()
    assert answer.status_code == 400
    assert "is not the video that the tracks were made for" in answer.json()["error"]


def test_an_image_gets_its_tracks_when_it_is_opened(page: Page) -> None:
    image = save_image(noise(60, 80, 3), page.folder / "photo.png")
    review = Review(page, image)
    assert review.get().status_code == 404
    assert not (page.folder / "photo.tracks.jsonl").exists()  # looking at it writes nothing
    answer = page.post(
        "/api/reviews",
        json={"path": "photo.png", "options": {"confidence": "0.9", "min_size": "12"}},
    )
    assert answer.json() == {"id": review.id}
    summary = review.get().json()
    assert summary["limits"]["min_size"] == "12"
    assert (summary["is_image"], summary["frames"], summary["size"]) == (True, 1, [80, 60])
    content = track_file.read(page.folder / "photo.tracks.jsonl")
    assert content.source_name == "photo.png"
    assert content.settings["confidence"] == 0.9
    review.edit(
        {"op": "draw", "track": None, "class": "face", "keyframes": {"0": [10, 10, 40, 50]}}
    )
    both = [review.image(0, view=view).astype(int) for view in ("original", "redacted")]
    assert np.abs(both[0] - both[1])[20:40, 18:32].mean() > 20


def test_an_edit_of_a_track_says_how_many_frames_it_changes(review: Review) -> None:
    (row,) = (row for row in review.get("/boxes", first=9, last=9).json()["boxes"] if row[1] == 1)
    box = [row[2] + 3, *row[3:6]]
    answer = review.edit({"op": "reshape", "track": 1, "frame": 9, "box": box})
    assert answer.json()["frames"] == 1  # it was detected in the frames around
    answer = review.edit({"op": "extend", "track": 1, "frame": 35})
    assert answer.json()["frames"] == 5
    drawn = {"op": "draw", "track": None, "class": "face"}
    answer = review.edit({**drawn, "keyframes": {"2": [1, 1, 9, 9], "8": [3, 3, 9, 9]}})
    assert answer.json()["frames"] == 7


def test_a_review_opens_while_its_page_is_loaded(page: Page, video: Path) -> None:
    for name in ("clip.mp4", "clip.tracks.jsonl"):
        shutil.copy(video.with_name(name), page.folder / name.replace("clip", "warm"))
    review = Review(page, page.folder / "warm.mp4")
    assert page.client.get(f"/review/{review.id}").status_code == 200
    session = until(lambda: page.site.services.sessions._open.get(review.id))
    assert session is not None
    until(lambda: session._frames._bytes > 0)  # no frame has been requested yet


@pytest.mark.slow  # three processes
def test_the_result_is_made_as_decided_and_searched(
    page: Page, review: Review, tmp_path: Path
) -> None:
    path = f"/api/reviews/{review.id}"
    assert page.post(f"{path}/verify").status_code == 409  # nothing to search yet
    review.edit({"op": "keep", "tracks": [2]})
    with held_jobs("verify", tmp_path) as let_go:
        answer = page.post(f"{path}/render", json={"verify": True})
        assert answer.status_code == 202
        made = ended_job(page, lambda job: job["id"] == answer.json()["job"]["id"])
        assert (made["state"], made["error"]) == ("done", None)
        result = page.get(path).json()["result"]
        assert (result["is_being_checked"], result["verdict"]) == (True, None)
        let_go()
        searched = ended_job(page, lambda job: job["action"] == "verify")
    before, after = (
        read_frames(video)[20].view(SIZE).astype(int)
        for video in (review.video, page.folder / made["output"])
    )
    changed = np.abs(before - after)
    assert changed[26:38, 66:74].mean() < 8  # track 2 stays
    assert changed[18:28, 24:34].mean() > 40  # track 1 is hidden
    assert searched["state"] == "done"
    assert searched["file"] == made["output"]
    result = page.get(path).json()["result"]
    assert (result["is_being_checked"], result["verdict"] is None) == (False, False)


def ended_job(page: Page, which: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a job has ended, and return it."""

    def ended() -> dict[str, Any] | None:
        jobs = filter(which, page.get("/api/jobs").json()["jobs"])
        return next((job for job in jobs if job["state"] in ("done", "failed", "cancelled")), None)

    return until(ended) or {}
