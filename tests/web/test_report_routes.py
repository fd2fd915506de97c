"""The report of a review, asked over HTTP."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.review.samples import write_tracks, write_video
from tracker_blur.annotations import track_file
from tracker_blur.files.identity import sha256
from tracker_blur.web.job import Job, NewJob
from tracker_blur.web.job_commands import Choice, verify_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.pages import Page

RUN = {"id": "f6x1y1", "label": "face", "first_frame": 6, "last_frame": 7, "frames": []}


def done(action: Any, file: str, output: str | None, review: str, **settings: Any) -> Job:
    job = Job.of(
        NewJob(
            action=action,
            file=file,
            arguments=(action,),
            output=output,
            review=review,
            settings=settings,
        )
    )
    job.state, job.started, job.ended = "done", 99.0, 100.0
    return job


@pytest.fixture(scope="module")
def video(page: Page) -> Path:
    video = write_video(page.folder / "anna.mp4")
    write_tracks(video)
    shutil.copy(video, page.folder / "anna_redacted.mp4")
    return video


@pytest.fixture
def made(page: Page, video: Path) -> Iterator[Job]:
    """Return the job that rendered the review as it was before any edit; it has its tracks."""
    rid = page.site.services.reviews.open(video).id
    tracks = video.with_name("anna.tracks.jsonl")
    job = done(
        *("render", "anna.mp4", "anna_redacted.mp4", rid),
        version=0,
        tracks_sha256=sha256(tracks),
        state_sha256=sha256(tracks),
    )
    folder = page.site.services.jobs.folder_of(job.id)
    folder.mkdir()
    shutil.copy(tracks, folder / "tracks.jsonl")
    yield job
    shutil.rmtree(folder)
    page.site.services.sessions._forget(rid)
    video.with_name("anna.journal.jsonl").unlink(missing_ok=True)


@pytest.fixture
def rid(page: Page, made: Job, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the id of a review whose result was made and verified, as an earlier one was."""
    assert made.new.review is not None
    other = done("verify", "anna_redacted.mp4", None, made.new.review, of_job="0" * 16)
    other.result, other.ended = {"verdict": "exposed", "clean": False}, 500.0
    own = done("verify", "anna_redacted.mp4", None, made.new.review, of_job=made.id)
    own.result = {"verdict": "look here", "clean": True, "look_here_runs": [RUN]}
    monkeypatch.setattr(page.site.services.jobs, "known", lambda: [made, own, other])
    return made.new.review


def test_the_data_is_about_the_last_result_and_its_search(page: Page, rid: str) -> None:
    answer = page.get(f"/api/reviews/{rid}/report?form=internal&as=json")
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["source"]["name"], report["output"]["name"]) == ("anna.mp4", "anna_redacted.mp4")
    assert report["verification"]["verdict"] == "look here"
    assert [place["id"] for place in report["verification"]["places"]] == ["f6x1y1"]
    assert [track["track"] for track in report["tracks"]] == [1, 2]
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_runs_nothing_and_shows_faces_in_the_internal_form_only(
    page: Page, rid: str
) -> None:
    internal = page.get(f"/api/reviews/{rid}/report?form=internal&as=html")
    assert internal.headers["content-type"] == "text/html; charset=utf-8"
    policy = internal.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert internal.text.count("<img ") == 2
    public = page.get(f"/api/reviews/{rid}/report?form=public&as=html")
    assert public.status_code == 200
    assert "<img " not in public.text
    assert "anna" not in public.text


def test_before_there_is_a_result_there_is_no_report(
    page: Page, rid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page.site.services.jobs, "known", list)
    answer = page.get(f"/api/reviews/{rid}/report")
    assert (answer.status_code, answer.json()) == (
        409,
        {"error": "anna.mp4: make the result first"},
    )


@pytest.mark.parametrize(("query", "status"), [("form=all", 400), ("as=pdf", 400)])
def test_other_forms_are_refused(page: Page, rid: str, query: str, status: int) -> None:
    answer = page.get(f"/api/reviews/{rid}/report?{query}")
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}


def test_no_one_else_sees_it(page: Page, rid: str) -> None:
    assert page.unauthenticated.get(f"/api/reviews/{rid}/report").status_code in (401, 403)
    assert page.get(f"/api/reviews/{'0' * 16}/report").status_code == 404


def result_of(page: Page, rid: str) -> dict[str, Any]:
    found: dict[str, Any] = page.get(f"/api/reviews/{rid}").json()["result"]
    return found


def edit(page: Page, rid: str, **what: Any) -> None:
    assert page.post(f"/api/reviews/{rid}/edits", json={"edit": what}).status_code == 200


def test_what_is_edited_later_is_not_in_the_result_and_the_report_says_so(
    page: Page, rid: str, made: Job
) -> None:
    assert result_of(page, rid) == {
        "job": made.id,
        "output": "anna_redacted.mp4",
        "version": 0,
        "is_current": True,
        "is_being_checked": False,
        "verdict": {"verdict": "look here", "clean": True},
        "warnings": [],
    }
    edit(page, rid, op="rename", person=1, name="Ada")
    assert result_of(page, rid)["is_current"] is True
    edit(page, rid, op="keep", tracks=[1])
    assert result_of(page, rid)["is_current"] is False
    report = page.get(f"/api/reviews/{rid}/report?as=json").json()
    assert [track["hidden"] for track in report["tracks"]] == ["yes", "yes"]
    assert report["tracks"][0]["decided"]["by"] == "trackblur"
    assert report["edited_since_output"] is True
    assert report["journal"]["lines"] == 2


def test_people_have_the_same_numbers_on_the_page_and_in_the_report(
    page: Page, rid: str, made: Job
) -> None:
    edit(page, rid, op="merge_people", people=[1, 2])
    (person,) = page.get(f"/api/reviews/{rid}").json()["people"]
    made.new.settings.update(
        version=1, state_sha256=page.site.services.sessions._open[rid].state_sha256(1)
    )
    for form in ("internal", "public"):
        report = page.get(f"/api/reviews/{rid}/report?as=json&form={form}").json()
        assert [track["number"] for track in report["tracks"]] == [person["number"]] * 2


def test_what_was_made_without_the_decisions_is_no_result_of_the_review(
    page: Page, rid: str, video: Path, made: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was the newest, so the review handed it out as its own."""
    tracks = sha256(video.with_name("anna.tracks.jsonl"))
    other = done("redact", "anna.mp4", "anna_redacted.mp4", rid)
    other.ended = 600.0
    of_old_tracks = done(
        *("render", "anna.mp4", "anna_redacted.mp4", rid), version=0, state_sha256="0" * 64
    )
    known = [made, other, of_old_tracks]
    monkeypatch.setattr(page.site.services.jobs, "known", lambda: known)
    edit(page, rid, op="keep", tracks=[1])
    assert result_of(page, rid)["job"] == made.id
    known.remove(made)
    assert result_of(page, rid) is None
    assert page.get(f"/api/reviews/{rid}/report").status_code == 409
    other.result = {"tracks_sha256": tracks}  # that run has found the tracks
    assert (result_of(page, rid)["job"], result_of(page, rid)["is_current"]) == (other.id, False)
    page.post(f"/api/reviews/{rid}/undo", json={})
    assert result_of(page, rid)["is_current"] is True


def test_a_file_that_was_reviewed_is_not_redacted_as_if_it_was_not(
    page: Page, rid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = page.site.services.jobs
    monkeypatch.setattr(jobs, "_start_waiting", lambda: None)

    def add(**body: Any) -> Any:
        return page.post("/api/jobs", json={"action": "redact", "files": ["anna.mp4"], **body})

    def decided(*files: str) -> Any:
        return page.post("/api/decided", json={"files": files}).json()["files"]

    added = []
    try:
        assert decided("anna.mp4", "") == []
        edit(page, rid, op="rename", person=1, name="Ada")
        assert decided("anna.mp4", "") == []  # that changes no picture
        edit(page, rid, op="keep", tracks=[2])
        assert decided("anna.mp4", "") == ["anna.mp4", "anna.mp4"]
        refused = add()
        assert (refused.status_code, refused.json()["error"]) == (
            409,
            "anna.mp4: was reviewed: say whether the decisions are kept or ignored",
        )
        added.append(jobs.get(add(decisions="keep").json()["jobs"][0]["id"]))
        assert added[0].new.action == "render"
        shown = track_file.read(Path(added[0].new.arguments[2])).tracks.tracks
        assert [track.track_id for track in shown if not track.hide] == [2]
        added.append(jobs.get(add(decisions="ignore").json()["jobs"][0]["id"]))
        assert added[1].new.action == "redact"
        watched = page.site.services._redact(
            page.folder / "anna.mp4", page.folder / "watched.mp4", Choice()
        )
        added.append(watched)
        assert (watched.new.action, watched.new.output) == ("render", "watched.mp4")
    finally:
        for job in added:
            jobs.cancel(job.id)
            jobs.forget(job.id)


def test_decisions_that_cannot_be_read_are_not_passed_over(
    page: Page, rid: str, video: Path
) -> None:
    edit(page, rid, op="keep", tracks=[2])
    journal = video.with_name("anna.journal.jsonl")
    journal.write_bytes(journal.read_bytes().replace(b"keep", b"hide") + b"{}\n{}\n")
    answer = page.post("/api/jobs", json={"action": "redact", "files": ["anna.mp4"]})
    assert answer.status_code == 409
    kept = {"action": "redact", "files": ["anna.mp4"], "decisions": "keep"}
    answer = page.post("/api/jobs", json=kept)
    assert answer.status_code == 400
    assert "line 2 was changed or damaged" in answer.json()["error"]


def test_tracks_that_were_changed_after_rendering_are_refused(
    page: Page, rid: str, made: Job
) -> None:
    path = page.site.services.jobs.folder_of(made.id) / "tracks.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    answer = page.get(f"/api/reviews/{rid}/report?as=json")
    assert answer.status_code == 409
    assert "its tracks are gone: make it again" in answer.json()["error"]


def test_a_render_has_tracks_of_its_own_and_keeps_the_choices_about_sound(
    page: Page, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = video.with_name("anna.tracks.jsonl")
    content = track_file.read(tracks)
    chosen = {**content.settings, "audio": "drop", "tracks_kept": [1, 2], "codec": "hevc"}
    track_file.write(tracks, replace(content, settings=chosen), overwrite=True)
    rid = page.site.services.reviews.open(video).id
    jobs = page.site.services.jobs
    monkeypatch.setattr(jobs, "_start_waiting", lambda: None)
    edit(page, rid, op="keep", tracks=[2])
    first = jobs.get(page.post(f"/api/reviews/{rid}/render", json={}).json()["job"]["id"])
    edit(page, rid, op="keep", tracks=[1])
    second = jobs.get(page.post(f"/api/reviews/{rid}/render", json={}).json()["job"]["id"])
    try:
        for job, visible in ((first, [2]), (second, [1, 2])):
            path = Path(job.new.arguments[2])
            shown = [each.track_id for each in track_file.read(path).tracks.tracks if not each.hide]
            assert shown == visible
            assert path.parent == jobs.folder_of(job.id)
            assert path.stat().st_mode & 0o777 == 0o600
            assert job.new.settings["tracks_sha256"] == sha256(path)
            assert {"--audio=drop", "--tracks-kept=1,2", "--codec=hevc"} < set(job.new.arguments)
            assert job.new.settings["options"] == {"audio": "drop"}
            searched = verify_arguments(video, video, job.new, Choice())
            assert ("--tracks", str(path)) == searched[4:6]
            assert "--audio=drop" in searched
        assert (first.new.settings["version"], second.new.settings["version"]) == (1, 2)
    finally:
        for job in (first, second):
            jobs.cancel(job.id)
            jobs.forget(job.id)
        track_file.write(tracks, content, overwrite=True)
        video.with_name("anna.journal.jsonl").unlink()
