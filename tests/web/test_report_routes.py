"""The report of a review, asked over HTTP."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.review.samples import write_tracks, write_video
from tracker_blur.web.job import Job, NewJob

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.pages import Page

RUN = {"id": "f6x1y1", "label": "face", "first_frame": 6, "last_frame": 7, "frames": []}


def done(action: Any, file: str, output: str | None, review: str, ended: float) -> Job:
    job = Job.of(
        NewJob(action=action, file=file, arguments=(action,), output=output, review=review)
    )
    job.state, job.started, job.ended = "done", ended - 1, ended
    return job


@pytest.fixture(scope="module")
def video(page: Page) -> Path:
    video = write_video(page.folder / "anna.mp4")
    write_tracks(video)
    shutil.copy(video, page.folder / "anna_redacted.mp4")
    return video


@pytest.fixture
def rid(page: Page, video: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the id of a review whose result was made and verified."""
    rid = page.site.services.reviews.open(video).id
    made = done("render", "anna.mp4", "anna_redacted.mp4", rid, 100.0)
    early = done("verify", "anna_redacted.mp4", None, rid, 50.0)
    early.result = {"verdict": "exposed", "clean": False}
    late = done("verify", "anna_redacted.mp4", None, rid, 110.0)
    late.result = {"verdict": "look here", "clean": True, "look_here_runs": [RUN]}
    monkeypatch.setattr(page.site.services.jobs, "known", lambda: [made, late, early])
    return rid


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
    assert page.stranger.get(f"/api/reviews/{rid}/report").status_code in (401, 403)
    assert page.get(f"/api/reviews/{'0' * 16}/report").status_code == 404
