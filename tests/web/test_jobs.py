"""The queue of jobs over HTTP, with a program that does what the input's name says."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import signal
import stat
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from tests.image_files import noise, save_image
from tests.waiting import until
from tests.web.pages import Page, opened
from tracker_blur.annotations import track_file
from tracker_blur.cli.app import left_over
from tracker_blur.errors import SinkError
from tracker_blur.files.identity import sha256
from tracker_blur.web import (
    job_process,
    job_queue,
    job_runs,
    job_store,
    review_jobs,
    running_job,
)
from tracker_blur.web.job_result import result_of
from tracker_blur.web.queue_settings import QueueSettings
from tracker_blur.web.state import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = (sys.executable, str(Path(__file__).with_name("fake_program.py")))


@pytest.fixture(scope="module", autouse=True)
def fake_program() -> Iterator[None]:
    with (
        mock.patch.object(job_process, "_PROGRAM", PROGRAM),
        mock.patch.object(job_queue, "_POLL_SECONDS", 0.03),
    ):
        yield


@pytest.fixture
def folder(page: Page) -> Iterator[Path]:
    """Give the page's folder, empty, and forget all jobs at the end."""
    yield page.folder
    for job in page.get("/api/jobs").json()["jobs"]:
        if job["state"] in ("waiting", "running", "paused"):
            page.post(f"/api/jobs/{job['id']}/cancel")
        forget(page, job["id"])
    for file in page.folder.iterdir():
        file.unlink()


def forget(page: Page, job_id: str) -> None:
    until(lambda: page.client.delete(f"/api/jobs/{job_id}").status_code == 204)


def process_of(page: Page, job: dict[str, Any]) -> int:
    """Wait until a job has a process, and return its number."""
    return until(lambda: page.site.services.jobs.get(job["id"]).process) or 0


def kill(number: int) -> None:
    os.kill(number, signal.SIGKILL)
    until(lambda: ended(number))


def ended(number: int) -> bool:
    return process_state(number) in ("", "Z")


def add(page: Page, *names: str, **body: Any) -> list[dict[str, Any]]:
    for name in names:
        (page.folder / name).write_bytes(b"video")
    answer = page.post("/api/jobs", json={"files": names, "action": "redact", **body})
    assert answer.status_code == 201, answer.text
    jobs: list[dict[str, Any]] = answer.json()["jobs"]
    return jobs


def job_of(page: Page, job_id: str) -> dict[str, Any]:
    jobs = page.get("/api/jobs").json()["jobs"]
    job: dict[str, Any] = next(job for job in jobs if job["id"] == job_id)
    return job


def reach(page: Page, job_id: str, state: str) -> dict[str, Any]:
    """Wait until a job is in this state, and return it."""
    return until(lambda: (job := job_of(page, job_id))["state"] == state and job)


def partial(folder: Path, name: str) -> Path:
    return folder / f".partial-{name}"


def test_a_job_runs_and_its_output_can_be_downloaded(page: Page, folder: Path) -> None:
    (job,) = add(page, "a.mp4", classes=["faces", "plates"], method="solid", care="careful")
    assert (job["file"], job["output"]) == ("a.mp4", "a_redacted.mp4")
    assert job["settings"] == {
        "classes": ["faces", "plates"],
        "method": "solid",
        "care": "careful",
        "options": {},
    }
    done = reach(page, job["id"], "done")
    assert (done["progress"], done["error"]) == (1.0, None)
    assert done["result"] == {
        "frames": 100,
        "tracks": 0,
        "nothing_found": ["a.mp4"],
        "warnings": ["a.mp4: is odd"],
        "warning_count": 1,
        "tracks_sha256": sha256(folder / "a.tracks.jsonl"),
    }  # no paths of this machine
    assert done["created"] <= done["started"] <= done["ended"]
    path = f"/api/jobs/{job['id']}/output"
    whole = page.get(path)
    assert whole.content == b"0123456789"
    assert whole.headers["content-disposition"] == 'attachment; filename="a_redacted.mp4"'
    part = page.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    arguments = page.site.services.jobs.get(job["id"]).new.arguments
    assert arguments[:4] == ("redact", str(folder / "a.mp4"), "-o", str(folder / "a_redacted.mp4"))
    assert {"--hide=faces,plates", "--method=solid", "--careful"} <= set(arguments)


def test_all_results_can_be_downloaded_at_once(page: Page, folder: Path) -> None:
    jobs = add(page, "zip one.mp4", "zip two.mp4", "zip three.mp4")
    for job in jobs:
        reach(page, job["id"], "done")
    (folder / jobs[1]["output"]).unlink()
    answer = page.get("/api/results.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if "zip" in name]
        assert names == [jobs[0]["output"], jobs[2]["output"]]
        for name in names:
            assert archive.read(name) == (folder / name).read_bytes()
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_no_output_is_replaced_unless_that_is_asked_for(page: Page, folder: Path) -> None:
    (folder / "a_redacted.mp4").write_bytes(b"old")
    first, second = add(page, "a.mp4", "a.mp4")
    assert [job["output"] for job in (first, second)] == ["a_redacted_2.mp4", "a_redacted_3.mp4"]
    reach(page, second["id"], "done")
    assert (folder / "a_redacted.mp4").read_bytes() == b"old"
    (third,) = add(page, "a.mp4", options={"overwrite": True})
    assert third["output"] == "a_redacted.mp4"
    assert "--overwrite" in page.site.services.jobs.get(third["id"]).new.arguments


def test_one_runs_at_a_time_in_the_order_of_the_queue(page: Page, folder: Path) -> None:
    first, second, third = add(page, "wait1.mp4", "b.mp4", "c.mp4")
    reach(page, first["id"], "running")
    assert job_of(page, second["id"])["state"] == "waiting"
    page.post(f"/api/jobs/{second['id']}/pause")
    counts = page.site.services.jobs.unfinished()
    assert counts == {"running": 1, "paused": 1, "waiting": 1}
    assert left_over(counts, "page").startswith(", not all jobs (1 running, 1 paused, 1 waiting): ")
    (folder / "go").touch()
    reach(page, third["id"], "done")
    assert job_of(page, second["id"])["state"] == "paused"
    page.post(f"/api/jobs/{second['id']}/resume")
    reach(page, second["id"], "done")
    assert left_over(page.site.services.jobs.unfinished(), "page") == ""


def test_progress_has_speed_and_time_left(page: Page, folder: Path) -> None:
    (job,) = add(page, "wait.mp4")
    moving = until(lambda: (job_now := job_of(page, job["id"]))["seconds_left"] and job_now)
    assert 0 < moving["progress"] <= 0.9
    assert moving["frames_per_second"] > 1
    assert moving["seconds_left"] > 0


def test_a_paused_job_stands_still_until_it_is_resumed(page: Page, folder: Path) -> None:
    (job,) = add(page, "wait.mp4")
    until(lambda: job_of(page, job["id"])["progress"])
    assert page.post(f"/api/jobs/{job['id']}/pause").json()["state"] == "paused"
    process = process_of(page, job)
    until(lambda: process_state(process) == "T")
    (folder / "go").touch()
    paused = job_of(page, job["id"])
    assert (paused["state"], paused["seconds_left"]) == ("paused", None)
    assert page.post(f"/api/jobs/{job['id']}/pause").status_code == 409
    page.post(f"/api/jobs/{job['id']}/resume")
    reach(page, job["id"], "done")


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_cancelled_job_can_be_tried_again(page: Page, folder: Path, is_paused: bool) -> None:
    (job,) = add(page, "wait.mp4")
    until(partial(folder, "wait.mp4").exists)
    if is_paused:
        page.post(f"/api/jobs/{job['id']}/pause")
    assert page.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    again = page.post(f"/api/jobs/{job['id']}/retry").json()
    assert again["state"] in ("waiting", "running")
    reach(page, job["id"], "running")
    assert job_of(page, job["id"])["error"] is None
    page.post(f"/api/jobs/{job['id']}/cancel")
    forget(page, job["id"])
    partial(folder, "wait.mp4").unlink(missing_ok=True)  # of one that had to be killed


def test_a_process_that_does_not_end_is_killed(
    page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_job, "_END_SECONDS", 0.5)
    (job,) = add(page, "deaf.mp4")
    until(partial(folder, "deaf.mp4").exists)
    until(lambda: job_of(page, job["id"])["progress"])
    page.post(f"/api/jobs/{job['id']}/cancel")
    forget(page, job["id"])


def test_a_failed_job_has_the_programs_own_error(page: Page, folder: Path) -> None:
    (job,) = add(page, "fail.mp4")
    failed = reach(page, job["id"], "failed")
    assert failed["error"] == "fail.mp4: is no video: choose another"
    assert page.get(f"/api/jobs/{job['id']}/output").status_code == 409


def test_a_folder_with_a_file_that_fails_keeps_what_was_said_of_the_others(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    """They can be downloaded from the list of files."""
    photos, made = folder / "photos", folder / "photos_redacted"
    photos.mkdir()
    for name in ("a.jpg", "fail.jpg"):
        (photos / name).touch()
    job = page.post("/api/jobs", json={"files": ["photos"], "action": "redact"}).json()["jobs"][0]
    said = {
        "warnings": ["photos/a.jpg: is odd"],
        "warning_count": 1,
        "nothing_found": ["photos/a.jpg"],
    }
    assert reach(page, job["id"], "failed")["result"] == said
    page.post(f"/api/jobs/{job['id']}/retry")  # it passes over what the first attempt wrote
    assert reach(page, job["id"], "failed")["result"] == said
    assert page.get("/api/files/photos_redacted/a.jpg").content == b"a.jpg"
    (made / "a.jpg").unlink()
    (photos / "a.jpg").rename(photos / "b.jpg")
    page.post(f"/api/jobs/{job['id']}/retry")
    assert reach(page, job["id"], "failed")["result"]["warnings"] == ["photos/b.jpg: is odd"]
    for path in (photos, made):
        path.rename(tmp_path / path.name)


def test_a_folder_with_an_image_that_was_added_later_can_be_searched(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    """The search names it in words, which were taken for one of a run's files: "a bug"."""
    (folder / "photos_redacted").mkdir()
    body = {"files": ["photos_redacted"], "action": "verify"}
    job = page.post("/api/jobs", json=body).json()["jobs"][0]
    assert reach(page, job["id"], "done")["result"]["clean"]
    (folder / "photos_redacted").rename(tmp_path / "photos_redacted")


def test_a_job_that_is_killed_says_so(page: Page, folder: Path) -> None:
    (job,) = add(page, "wait.mp4")
    until(partial(folder, "wait.mp4").exists)
    process = process_of(page, job)
    os.kill(process, signal.SIGKILL)
    failed = reach(page, job["id"], "failed")
    assert failed["error"].startswith("its process was ended from outside")


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        running, paused, waiting = add(page, "wait1.mp4", "wait2.mp4", "c.mp4")
        page.post(f"/api/jobs/{waiting['id']}/pause")
        until(lambda: job_of(page, running["id"])["progress"])
        page.post(f"/api/jobs/{running['id']}/pause")  # so that the second one starts
        until(lambda: job_of(page, paused["id"])["progress"])
        page.post(f"/api/jobs/{paused['id']}/pause")
        page.post(f"/api/jobs/{running['id']}/resume")
        processes = [process_of(page, one) for one in (running, paused)]
    with opened(folder, state) as page:
        states = [job_of(page, one["id"])["state"] for one in (running, paused, waiting)]
        assert states == ["running", "paused", "paused"]
        assert [process_of(page, one) for one in (running, paused)] == processes
        (folder / "go").touch()
        reach(page, running["id"], "done")
        page.post(f"/api/jobs/{paused['id']}/resume")
        page.post(f"/api/jobs/{waiting['id']}/resume")
        reach(page, paused["id"], "done")
        reach(page, waiting["id"], "done")
    with opened(folder, state) as page:
        assert {job["state"] for job in page.get("/api/jobs").json()["jobs"]} == {"done"}


def test_results_of_an_earlier_version_are_known_by_their_hashes(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        jobs = add(page, "a.mp4", "b.mp4", "c.mp4")
        for job in jobs:
            reach(page, job["id"], "done")
        kept = page.site._state.folder
    for job, action in zip(jobs, ("redact", "redact", "verify"), strict=True):
        output, own = folder / job["output"], kept / "jobs" / job["id"]
        files = [{"output": str(output), "output_sha256": sha256(output)}]
        write_json(own / "result.json", {"files": files})
        record = json.loads((own / "job.json").read_text())
        record["new"]["action"] = action
        write_json(own / "job.json", record)
    (kept / "outputs.jsonl").unlink()
    (folder / jobs[1]["output"]).write_bytes(b"put there since")
    with opened(folder, state) as page:
        answers = [page.get(f"/api/files/{job['output']}") for job in jobs]
        assert [answer.status_code for answer in answers] == [200, 404, 404]
        tracks = page.site.services.jobs.outputs.open(folder / "a.tracks.jsonl")
        assert tracks is not None
        tracks.close()


def test_what_ended_while_no_server_ran_is_found_out(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        page.site.services.jobs._settings = QueueSettings(at_once=3)
        done, killed, twice = add(page, "wait1.mp4", "wait2.mp4", "wait3.mp4")
        processes = [process_of(page, one) for one in (done, killed, twice)]
        for name in ("wait1.mp4", "wait2.mp4", "wait3.mp4"):
            until(partial(folder, name).exists)
        record = page.site._state.folder / "jobs" / twice["id"] / "job.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "attempts": 2}))
    for process in processes[1:]:
        os.kill(process, signal.SIGKILL)
    (folder / "go").touch()
    until((folder / "wait1_redacted.mp4").exists)
    until(lambda: all(map(ended, processes)))
    with opened(folder, state) as page:
        assert job_of(page, done["id"])["state"] == "done"
        reach(page, killed["id"], "done")  # started again
        failed = reach(page, twice["id"], "failed")
        assert failed["error"].startswith("its process was ended from outside")


def test_a_job_that_is_ended_with_each_server_is_started_with_each(tmp_path: Path) -> None:
    """As where a system ends all processes of a service that it restarts."""
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    (folder / "wait.mp4").touch()
    for number in range(4):
        with opened(folder, state) as page:
            job = page.get("/api/jobs").json()["jobs"][0] if number else add(page, "wait.mp4")[0]
            process = process_of(page, job)
            reach(page, job["id"], "running")
            if number == 3:
                (folder / "go").touch()
                reach(page, job["id"], "done")
        if number < 3:
            kill(process)


def test_a_paused_job_stays_so_after_a_restart(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        (job,) = add(page, "wait.mp4")
        process = process_of(page, job)
        reach(page, job["id"], "running")
        page.post(f"/api/jobs/{job['id']}/pause")
    kill(process)  # with the machine
    with opened(folder, state) as page:
        (other,) = add(page, "a.mp4")
        reach(page, other["id"], "done")
        assert job_of(page, job["id"])["state"] == "paused"
        (folder / "go").touch()
        page.post(f"/api/jobs/{job['id']}/resume")
        reach(page, job["id"], "done")


def process_state(number: int) -> str:
    """Return the letter for a process's state; "" if there is none."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return ""
    return text.rpartition(")")[2].split()[0]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"files": ["none.mp4"], "action": "redact"}, "there is no such file"),
        ({"files": ["../a.mp4"], "action": "redact"}, "there is no such file"),
        ({"files": ["/etc/passwd"], "action": "redact"}, "there is no such file"),
        ({"files": ["a.txt"], "action": "redact"}, "is no video and no image"),
        ({"files": [""], "action": "redact"}, "choose files"),
        ({"files": [], "action": "redact"}, "files:"),
        ({"files": ["a.mp4"], "action": "rm"}, "action:"),
        ({"files": ["a.mp4"], "action": "redact", "method": "none"}, "there is no such method"),
        ({"files": ["a.mp4"], "action": "redact", "method": "image"}, "there is no such method"),
        ({"files": ["a.mp4"], "action": "redact", "classes": ["x"]}, "classes"),
        ({"files": ["a.mp4"], "action": "redact", "care": "none"}, "care"),
        ({"files": ["a.mp4"], "action": "redact", "options": {"out": "/x"}}, "no such option"),
        ({"files": ["a.mp4"], "action": "redact", "options": {"partial": "yes"}}, "true or false"),
        ({"files": ["a.mp4"], "action": "redact", "options": {"detector": "/x.onnx"}}, "offers"),
        ({"files": ["a.mp4"], "action": "redact", "options": {"detector": "x.onnx:a=1"}}, "offers"),
        ({"files": ["a.mp4"], "action": "redact", "options": {"mute": "1s..2s"}}, "is no list"),
        ({"files": ["a.mp4"], "action": "track", "options": {"codec": "av1"}}, "no such option"),
        ({"files": ["a.jpg"], "action": "track"}, "only videos have tracks"),
        ({"files": ["a.mp4"], "action": "redact", "more": 1}, "more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    page: Page, folder: Path, body: dict[str, Any], problem: str
) -> None:
    for name in ("a.mp4", "a.txt", "a.jpg"):
        (folder / name).touch()
    answer = page.post("/api/jobs", json=body)
    assert 400 <= answer.status_code < 500
    error = answer.json()["error"]
    assert problem in error
    assert "\n" not in error
    assert page.get("/api/jobs").json() == {"jobs": []}


def test_options_cannot_become_other_options(page: Page, folder: Path) -> None:
    for options in ({"color": "--overwrite"}, {"ignore_zones": ["--jobs=9", "-o"]}):
        body = {"files": ["a.mp4"], "action": "redact", "options": options}
        assert page.post("/api/jobs", json=body).status_code == 400
    (job,) = add(page, "a.mp4", options={"color": "#ff0000", "ignore_zones": ["0,0,9,9"]})
    arguments = page.site.services.jobs.get(job["id"]).new.arguments
    assert arguments[4:] == (
        "--color=#ff0000",
        "--ignore-zone=0,0,9,9",
        "--tracks",
        str(folder / "a.tracks.jsonl"),
    )


def test_a_program_that_does_not_understand_its_arguments_says_why(
    page: Page, folder: Path
) -> None:
    (job,) = add(page, "usage.mp4")
    assert reach(page, job["id"], "failed")["error"] == "usage.mp4: is odd"


def test_photos_of_people_are_those_of_the_folder(page: Page, folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    try:
        (job,) = add(page, "a.mp4", options={"keep_people": "photos"})
        arguments = page.site.services.jobs.get(job["id"]).new.arguments
        assert f"--keep-people={photos}" in arguments
        assert job["settings"]["options"] == {"keep_people": "photos"}
        for outside in ("/etc", "../photos", "a.mp4", "--overwrite"):
            body = {"files": ["a.mp4"], "action": "redact", "options": {"keep_people": outside}}
            assert page.post("/api/jobs", json=body).status_code in (400, 404), outside
    finally:
        photos.rmdir()


def test_jobs_that_are_not_there_are_said_to_be(page: Page, folder: Path) -> None:
    for method, path in (
        ("POST", "/api/jobs/0123456789abcdef/pause"),
        ("DELETE", "/api/jobs/0123456789abcdef"),
        ("GET", "/api/jobs/..%2f..%2fetc/output"),
        ("POST", "/api/jobs/0123456789abcdef/explode"),
    ):
        assert page.client.request(method, path).status_code == 404


def test_events_reach_every_page(page: Page, folder: Path) -> None:
    with page.client.stream("GET", "/api/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        (job,) = add(page, "a.mp4")
        states = []
        for line in lines:
            if line.startswith("data: "):
                states.append(json.loads(line[len("data: ") :])["state"])
                if states[-1] == "done":
                    break
        assert states[0] == "waiting"
        assert "running" in states
        page.client.delete(f"/api/jobs/{job['id']}")
        assert next(line for line in lines if line.startswith("event:")) == "event: gone"


def test_what_is_kept_is_its_owners_alone(page: Page, folder: Path) -> None:
    (job,) = add(page, "a.mp4")
    reach(page, job["id"], "done")
    for path in (page.site._state.folder / "jobs").rglob("*"):
        if path.name != "result.json":  # the program's own, in a folder of its owner
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_review_begins_with_a_job_that_finds_tracks(page: Page, folder: Path) -> None:
    (folder / "wait.mp4").touch()
    answer = page.post("/api/reviews", json={"path": "wait.mp4"})
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["action"], job["output"], job["review"]) == ("track", "wait.tracks.jsonl", None)
    again = page.post("/api/reviews", json={"path": "wait.mp4"}).json()
    assert again["job"]["id"] == job["id"]
    (folder / "go").touch()
    review = reach(page, job["id"], "done")["review"]
    assert len(review) == 16
    assert page.post("/api/reviews", json={"path": "wait.mp4"}).json() == {"id": review}
    known = page.site.services.reviews.get(review)
    assert known is not None
    assert known.tracks == folder / "wait.tracks.jsonl"


def test_an_image_is_reviewed_at_once(page: Page, folder: Path) -> None:
    save_image(noise(64, 48, 3), folder / "a.png")
    body = {"path": "a.png", "method": "solid", "options": {"detector": "haar", "partial": True}}
    answer = page.post("/api/reviews", json=body)
    assert answer.status_code == 200, answer.text
    assert page.site.services.reviews.get(answer.json()["id"]) is not None
    settings = track_file.read(folder / "a.tracks.jsonl").settings  # what was chosen
    assert (settings["method"], settings["partial"], settings["detector"]) == (
        "solid",
        True,
        "haar",
    )
    (folder / "broken.png").touch()
    refused = page.post("/api/reviews", json={"path": "broken.png"})
    assert refused.status_code == 400
    assert "broken.png" in refused.json()["error"]
    assert not (folder / "broken.tracks.jsonl").exists()


def test_only_json_is_taken(page: Page, folder: Path) -> None:
    body = b'{"files": ["a.mp4"], "action": "redact"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = page.post("/api/jobs", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 415


def test_a_process_whose_number_was_not_kept_is_found_again(tmp_path: Path) -> None:
    """The server may be killed, or the disk be full, just after a process was started."""
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        (job,) = add(page, "wait.mp4")
        number = process_of(page, job)
        until(lambda: job_of(page, job["id"])["progress"])
        record = page.site._state.folder / "jobs" / job["id"] / "job.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "process": None}))
    with opened(folder, state) as page:
        assert process_of(page, job) == number
        assert job_of(page, job["id"])["state"] == "running"
        page.post(f"/api/jobs/{job['id']}/cancel")
        until(lambda: ended(number))


def test_what_is_damaged_keeps_no_page_from_starting(tmp_path: Path) -> None:
    folder, state = tmp_path / "videos", tmp_path / "state"
    folder.mkdir()
    with opened(folder, state) as page:
        (job,) = add(page, "wait.mp4")
        until(lambda: job_of(page, job["id"])["progress"])
        kept = page.site._state.folder
        events = kept / "jobs" / job["id"] / "events.jsonl"
    with events.open("a") as file:  # as a full disk leaves it
        file.write('{"event": "progr\n[1]\n{"event": "progress", "at": 1e999, "done": "x"}\nnull\n')
    for name, text in (("0" * 16, '{"id": 7}'), ("1" * 16, "[]"), ("2" * 16, "{")):
        (kept / "jobs" / name).mkdir()
        (kept / "jobs" / name / "job.json").write_text(text)
    odd = json.loads((kept / "jobs" / job["id"] / "job.json").read_text())
    (kept / "jobs" / ("3" * 16)).mkdir()
    (kept / "jobs" / ("3" * 16) / "job.json").write_text(
        json.dumps({**odd, "id": "3" * 16, "created": "yesterday"})
    )
    for name, damage in (("4", {"settings": {"options": {"confidence": float("nan")}}}), ("5", {})):
        (kept / "jobs" / (name * 16)).mkdir()
        record = {**odd, "id": name * 16, "created": 1e17 if name == "5" else 1.0}
        (kept / "jobs" / (name * 16) / "job.json").write_text(
            json.dumps({**record, "new": {**odd["new"], **damage}})
        )
    unrecorded = kept / "jobs" / ("6" * 16)  # the server ended before the record was written
    unrecorded.mkdir()
    (unrecorded / "a.mp4").write_bytes(b"an upload")
    gone = kept / "jobs" / ("7" * 16 + ".gone")  # or while the job was being deleted
    gone.mkdir()
    (gone / "job.json").write_text("{")
    (kept / "watches.json").write_text('[{"folder": "in"}, 7]')
    (kept / "reviews.json").write_text('[["a"], 7, {"a": 1}]')
    with opened(folder, state) as page:
        assert [one["id"] for one in page.get("/api/jobs").json()["jobs"]] == [job["id"]]
        named = zip("012345", page.messages, strict=True)
        assert all(f"/{digit * 16}/job.json: is damaged" in text for digit, text in named)
        page.messages.clear()
        assert not unrecorded.exists()
        assert not gone.exists()
        assert page.get("/api/watches").json() == {"watches": []}
        (folder / "go").touch()
        reach(page, job["id"], "done")


def test_a_result_that_is_gone_stops_no_search_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    with (
        mock.patch.object(review_jobs, "_POLL_SECONDS", 0.03),
        opened(folder, tmp_path / "state") as page,
    ):
        added = add(page, "a.mp4", "b.mp4")
        for job in added:
            reach(page, job["id"], "done")
        (folder / "a_redacted.mp4").unlink()
        queue = page.site.services.jobs
        queue._settings = QueueSettings(kept=2)
        for job in added:
            kept = queue.get(job["id"])
            kept.new = dataclasses.replace(kept.new, settings={"verify_after": True})
        until(lambda: len(page.messages) == 2)
        queue._settings = QueueSettings()
        searched = until(lambda: [job for job in queue.known() if job.new.action == "verify"])
        assert searched is not None
        assert [job.new.file for job in searched] == ["b_redacted.mp4"]
        reach(page, searched[0].id, "done")
        assert page.messages == [
            "a result is not searched: a_redacted.mp4: there is no such file here",
            "b_redacted.mp4: is searched later: too many jobs are kept: delete those that are over",
        ]
        page.messages.clear()


def test_a_fault_with_one_job_stops_no_other(
    page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_once(action: Any, path: Path) -> dict[str, Any] | None:
        monkeypatch.setattr(job_runs, "result_of", result_of)
        raise KeyError("skipped")

    monkeypatch.setattr(job_runs, "result_of", fails_once)
    first, second = add(page, "a.mp4", "b.mp4")
    assert "bug" in reach(page, first["id"], "failed")["error"]
    reach(page, second["id"], "done")
    until(lambda: page.messages)
    assert page.messages == ["a.mp4: KeyError: 'skipped'"]
    page.messages.clear()


def test_a_result_names_the_files_in_which_nothing_was_found(tmp_path: Path) -> None:
    files = [{"input": f"{name}.jpg", "frames": 1, "tracks": len(name) - 1} for name in ("a", "bb")]
    for count, found in ((1, ["a.jpg"]), (2, ["a.jpg"])):
        written = {"files": files[:count], "skipped": [], "failed": []}
        write_json(tmp_path / "result.json", written)
        assert (result_of("redact", tmp_path / "result.json") or {})["nothing_found"] == found
        assert "nothing_found" not in (result_of("render", tmp_path / "result.json") or {})


def test_what_a_search_says_of_those_left_visible_is_kept(tmp_path: Path) -> None:
    """Reports said that no face is left visible by choice, even if one was."""
    left = [{"reason": "track", "track": 0}]
    found = {"verdict": "nothing found", "left_visible": left, "detectors": ["onnx"], "looked": 5}
    write_json(tmp_path / "result.json", {**found, "output": "/home/anna/a.mp4"})
    assert result_of("verify", tmp_path / "result.json") == found


def test_no_process_starts_that_could_not_be_found_again(
    page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[Any] = []

    def full(path: Path, value: Any) -> None:
        if value["state"] == "running" and not refused:
            refused.append(value)
            raise SinkError("the disk is full")
        write_json(path, value)

    monkeypatch.setattr(job_store, "write_json", full)
    (late,) = add(page, "b.mp4")
    reach(page, late["id"], "done")
    assert page.site.services.jobs.get(late["id"]).attempts == 1
    assert page.messages == ["b.mp4: the disk is full"]
    page.messages.clear()


def test_two_jobs_at_once_get_two_outputs(page: Page, folder: Path) -> None:
    (folder / "a.mp4").write_bytes(b"video")
    body = {"files": ["a.mp4"], "action": "redact"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: page.post("/api/jobs", json=body).json(), range(8)))
    names = {answer["jobs"][0]["output"] for answer in answers}
    assert len(names) == 8


def test_no_job_follows_a_folder_that_became_a_link_out_of_here(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    (folder / "sub").mkdir()
    (folder / "wait.mp4").touch()
    (folder / "sub" / "b.mp4").touch()
    _, late = page.post(
        "/api/jobs", json={"files": ["wait.mp4", "sub/b.mp4"], "action": "redact"}
    ).json()["jobs"]
    opened_review = page.site.services.reviews.open(folder / "sub" / "b.mp4")
    assert page.site.services.reviews.get(opened_review.id) == opened_review
    (folder / "sub").rename(tmp_path / "outside")
    (folder / "sub").symlink_to(tmp_path / "outside")
    assert page.site.services.reviews.get(opened_review.id) is None
    (folder / "go").touch()
    failed = reach(page, late["id"], "failed")
    assert failed["error"].startswith("what it names leads out of this folder")
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["b.mp4"]


def test_other_tracks_make_another_review(page: Page, folder: Path) -> None:
    for name in ("a.mp4", "a.tracks.jsonl", "other.jsonl"):
        (folder / name).touch()
    first = page.post("/api/reviews", json={"path": "a.mp4"}).json()["id"]
    same = page.post("/api/reviews", json={"path": "a.mp4", "tracks": "a.tracks.jsonl"})
    assert same.json()["id"] == first
    other = page.post("/api/reviews", json={"path": "a.mp4", "tracks": "other.jsonl"}).json()["id"]
    assert other != first
    shown = [page.site.services.reviews.get(one) for one in (first, other)]
    assert [one and one.tracks.name for one in shown] == ["a.tracks.jsonl", "other.jsonl"]
