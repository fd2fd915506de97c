"""Watched folders: what appears in one has a job once it is whole."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from tests.waiting import until
from tests.web.pages import Page, opened
from tracker_blur.web import job_process, job_queue, watches
from tracker_blur.web.queue_settings import QueueSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = (sys.executable, str(Path(__file__).with_name("fake_program.py")))


@pytest.fixture(autouse=True)
def quick_watches() -> Iterator[None]:
    with (
        mock.patch.object(job_process, "_PROGRAM", PROGRAM),
        mock.patch.object(job_queue, "_POLL_SECONDS", 0.03),
        mock.patch.object(watches, "_POLL_SECONDS", 0.05),
        mock.patch.object(watches, "_STABLE_SECONDS", 0.3),
    ):
        yield


def outputs(page: Page) -> list[str]:
    """Return the outputs of all jobs that are done."""
    jobs = page.get("/api/jobs").json()["jobs"]
    return sorted(job["output"] for job in jobs if job["state"] == "done")


def test_what_appears_is_redacted_once_over_restarts(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    (folder / "in" / "day").mkdir(parents=True)
    (folder / "in" / "a.mp4").write_bytes(b"1")
    body = {"folder": "in", "target": "in/done", "settings": {"method": "solid"}}
    with opened(folder, state) as page:
        assert page.post("/api/watches", json=body).status_code == 201
        until(lambda: outputs(page) == ["in/done/a.mp4"])
        (folder / "in" / "day" / "b.mp4").write_bytes(b"2")
        (folder / "in" / "notes.txt").write_bytes(b"3")
        (folder / "in" / "empty.mp4").touch()  # not yet begun
        (folder / "in" / "out.mp4").symlink_to("/etc/passwd")
        until(lambda: len(outputs(page)) == 2)
        (job,) = (job for job in page.get("/api/jobs").json()["jobs"] if "b" in job["file"])
        assert (job["file"], job["output"]) == ("in/day/b.mp4", "in/done/day/b.mp4")
        assert job["settings"]["method"] == "solid"
    (folder / "in" / "c.mp4").write_bytes(b"3")
    with opened(folder, state) as page:
        shown = page.get("/api/watches").json()["watches"]
        assert [(watch["folder"], watch["target"]) for watch in shown] == [("in", "in/done")]
        until(lambda: len(outputs(page)) == 3)
        (folder / "in" / "a.mp4").write_bytes(b"another")  # it was not whole
        until(lambda: outputs(page).count("in/done/a.mp4") == 2)  # its earlier result is replaced
        (folder / "in" / "done" / "a.mp4").write_bytes(b"mine")
        later = time.time() + 60
        os.utime(folder / "in" / "done" / "a.mp4", (later, later))
        (folder / "in" / "a.mp4").write_bytes(b"the third")
        until(lambda: "in/done/a_redacted.mp4" in outputs(page))
        assert (folder / "in" / "done" / "a.mp4").read_bytes() == b"mine"
        assert page.client.request("DELETE", "/api/watches", json=body).status_code == 204
        (folder / "in" / "d.mp4").write_bytes(b"4")
        assert page.client.request("DELETE", "/api/watches", json=body).status_code == 404
        assert page.get("/api/watches").json() == {"watches": []}
    assert not (folder / "in" / "done" / "d.mp4").exists()
    assert (folder / "in" / "a.mp4").read_bytes() == b"the third"


def test_what_fails_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    (folder / "in" / "day").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in" / "day" / "fail.mp4").write_bytes(b"1")
    (folder / "wait.mp4").write_bytes(b"2")

    def states() -> list[str]:
        return [job["state"] for job in page.get("/api/jobs").json()["jobs"]]

    with opened(folder, tmp_path / "state") as page:
        page.site.services.jobs._settings = QueueSettings(at_once=2)
        page.post("/api/jobs", json={"files": ["wait.mp4"], "action": "redact"})
        page.post("/api/watches", json={"folder": "in", "target": "out/deep"})
        until(lambda: states() == ["running", "failed"])
        assert list((folder / "out").iterdir()) == []
        (folder / "go").touch()
        until(lambda: states() == ["done", "failed"])


def test_a_file_that_grows_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_STABLE_SECONDS", 1.0)  # a busy machine may pause for a moment
    folder = tmp_path / "videos"
    (folder / "in").mkdir(parents=True)
    with opened(folder, tmp_path / "state") as page:
        page.post("/api/watches", json={"folder": "in", "target": "out"})
        path = folder / "in" / "a.mp4"
        end = time.monotonic() + 2.0

        def grow_and_ask() -> bool:
            with path.open("ab") as file:
                file.write(b"more")
            assert page.get("/api/jobs").json() == {"jobs": []}
            return time.monotonic() > end

        until(grow_and_ask)
        with path.open("ab"):  # a slow copy pauses
            time.sleep(1.5)
            assert page.get("/api/jobs").json() == {"jobs": []}
        until(lambda: outputs(page) == ["out/a.mp4"])


def test_a_folder_that_cannot_be_watched_stops_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    for name in ("bad", "good", "photos"):
        (folder / name).mkdir(parents=True)
    (folder / "bad" / "a.mp4").write_bytes(b"1")
    with opened(folder, tmp_path / "state") as page:
        settings = {"options": {"keep_people": "photos"}}
        body = {"folder": "bad", "target": "out", "settings": settings}
        assert page.post("/api/watches", json=body).status_code == 201
        (folder / "photos").rmdir()
        (folder / "good" / "b.mp4").write_bytes(b"2")
        page.post("/api/watches", json={"folder": "good", "target": "out"})
        until(lambda: outputs(page) == ["out/b.mp4"])
        problem = "photos: there is no such file here"
        assert page.messages == [f"bad: cannot be watched ({problem})"]
        watched = page.get("/api/watches").json()["watches"]
        assert [watch["problem"] for watch in watched] == [problem, None]
        page.messages.clear()
        queue = page.site.services.jobs
        queue._settings = replace(queue._settings, kept=1)
        (folder / "good" / "c.mp4").write_bytes(b"3")
        full = "too many jobs are kept: delete those that are over"
        until(lambda: page.get("/api/watches").json()["watches"][1]["problem"] == full)
        (job,) = page.get("/api/jobs").json()["jobs"]
        assert page.client.delete(f"/api/jobs/{job['id']}").status_code == 204
        until(lambda: outputs(page) == ["out/c.mp4"])  # it continues
        until(lambda: page.get("/api/watches").json()["watches"][1]["problem"] is None)
        page.messages.clear()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"folder": "../x", "target": "out"}, 404),
        ({"folder": "in", "target": "../out"}, 404),
        ({"folder": "in", "target": "/srv/out"}, 404),
        ({"folder": "none", "target": "out"}, 404),
        ({"folder": "in", "target": "in"}, 400),
        ({"folder": "in/deep", "target": "in"}, 400),
        ({"folder": "in", "target": ""}, 400),
        ({"folder": "in", "target": "out", "settings": {"options": {"out": "x"}}}, 400),
        ({"folder": "in"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(page: Page, body: dict[str, object], code: int) -> None:
    (page.folder / "in" / "deep").mkdir(parents=True, exist_ok=True)
    answer = page.post("/api/watches", json=body)
    assert answer.status_code == code, answer.text
    assert answer.json()["error"]
    assert page.get("/api/watches").json() == {"watches": []}
