"""Jobs over HTTP, with a program that does what the input's name says."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.service.job_service import JobService, opened
from tests.service.test_fetching import VIDEO
from tests.service.test_fetching import serving as file_server
from tests.waiting import until
from tracker_blur.errors import SinkError
from tracker_blur.files.companions import tracks_path
from tracker_blur.review.journal import journal_path
from tracker_blur.service.addresses import AllowedHost
from tracker_blur.service.job_requests import JobAnswer, JobList
from tracker_blur.service.job_settings import JobLimits, JobSettings
from tracker_blur.service.jobs import Jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    """Serve jobs without a folder."""
    with opened(JobSettings(), tmp_path_factory.mktemp("state")) as service:
        yield service


@pytest.fixture
def service(served: JobService) -> Iterator[JobService]:
    yield served
    served.delete_all()


def test_an_upload_becomes_a_job_and_its_output_can_be_downloaded(service: JobService) -> None:
    job = service.add(
        "a.mp4", classes="faces,plates", method="solid", care="careful", options='{"verify": true}'
    )
    JobAnswer.model_validate(job)
    assert (job["file"], job["output"], job["is_upload"]) == ("a.mp4", "a_redacted.mp4", True)
    assert job["settings"] == {
        "classes": ["faces", "plates"],
        "method": "solid",
        "care": "careful",
        "options": {"verify": True},
    }
    done = service.reach(job, "done")
    assert (done["progress"], done["error"]) == (1.0, None)
    tracks_sha256 = hashlib.sha256(b"{}\n").hexdigest()
    assert done["result"] == {
        "frames": 100,
        "tracks": 0,
        "nothing_found": ["a.mp4"],
        "warnings": ["a.mp4: is odd"],
        "warning_count": 1,
        "tracks_sha256": tracks_sha256,
    }
    arguments = service.jobs.queue.get(job["id"]).new.arguments
    source = service.folder_of(job) / "a.mp4"
    assert arguments[:2] == ("redact", str(source))
    assert {"--hide=faces,plates", "--method=solid", "--careful", "--verify", "--overwrite"} <= set(
        arguments
    )
    assert source.read_bytes() == b"video"
    whole = service.client.get(job["links"]["output"])
    assert (whole.content, whole.headers["content-type"]) == (b"0123456789", "video/mp4")
    assert whole.headers["content-disposition"] == 'attachment; filename="a_redacted.mp4"'
    tracks = service.client.get(job["links"]["tracks"])
    assert (tracks.text, tracks.headers["content-type"]) == ("{}\n", "application/jsonl")
    listed = service.client.get("/v1/jobs").json()
    JobList.model_validate(listed)
    assert listed["jobs"] == [done]


def test_parts_of_an_output_are_sent(service: JobService) -> None:
    job = service.add("a.mp4")
    service.reach(job, "done")
    url = job["links"]["output"]
    head = service.client.head(url)
    assert (head.headers["content-length"], head.content) == ("10", b"")
    tag, whole = head.headers["etag"], b"0123456789"

    def ask(**headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return service.client.get(url, headers=names)

    part = ask(range="bytes=2-4")
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    assert ask(range="bytes=-3").content == b"789"
    assert ask(range="bytes=2-4", if_range=tag).status_code == 206
    assert ask(range="bytes=2-4", if_range='"old"').content == whole
    assert (ask(range="items=0-1").status_code, ask(range="items=0-1").content) == (200, whole)
    for text, status in (("bytes=99-", 416), ("bytes=4-2", 400)):
        refused = ask(range=text)
        assert (refused.status_code, refused.json()["status"]) == (status, status)
    assert ask(range="bytes=99-").headers["content-range"] == "bytes */10"
    many = ask(range="bytes=" + ",".join(f"{at}-{at}" for at in range(9) for _ in range(1000)))
    assert many.status_code in (200, 206)
    assert len(many.content) < 10_000
    assert (ask(if_none_match=tag).status_code, ask(if_none_match=tag).content) == (304, b"")
    assert ask(if_none_match="*").status_code == 304
    assert ask(if_none_match='"old"').status_code == 200


def test_an_upload_comes_as_it_was(service: JobService) -> None:
    content = (bytes(range(256)) * 400 + b"\r\n--boundary\r\n") * 30
    job = service.client.post("/v1/jobs", files={"file": ("a.mp4", content)}).json()
    assert (service.folder_of(job) / "a.mp4").read_bytes() == content
    assert (job["settings"]["classes"], job["settings"]["method"]) == (["faces"], "mosaic")


def test_a_body_without_a_form_is_an_upload(service: JobService) -> None:
    answer = service.client.post(
        "/v1/jobs?name=a.mp4&action=track&classes=plates",
        content=b"video",
        headers={"Content-Type": "video/mp4"},
    )
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["action"], job["output"]) == ("track", "a.tracks.jsonl")
    service.reach(job, "done")
    for name in ("output", "tracks"):
        assert service.client.get(job["links"][name]).content == b"0123456789"


def test_an_upload_can_be_searched(service: JobService) -> None:
    job = service.add("a.mp4", action="verify")
    assert (job["output"], job["action"]) == (None, "verify")
    service.reach(job, "done")
    for name in ("output", "tracks"):
        answer = service.client.get(job["links"][name])
        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_an_image_has_no_tracks(service: JobService) -> None:
    job = service.add("a.png")
    arguments = service.jobs.queue.get(job["id"]).new.arguments
    assert "--tracks" not in arguments
    assert "--max-megapixels=50.0" in arguments  # as for a request that is answered at once
    service.reach(job, "done")
    assert service.client.get(job["links"]["output"]).headers["content-type"] == "image/png"
    assert service.client.get(job["links"]["tracks"]).status_code == 404
    assert (
        service.send("a.png", {"action": "track"}).json()["detail"]
        == "a.png: only videos have tracks"
    )


def test_events_report_a_job_until_it_is_over(service: JobService) -> None:
    other = service.add("wait1.mp4")
    job = service.add("wait2.mp4")
    with service.client.stream("GET", job["links"]["events"]) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines()
        assert [next(lines) for _ in range(3)] == ["retry: 1000", "", "event: job"]
        for one in (other, job):
            (service.folder_of(one) / "go").touch()
        reported = [
            json.loads(line[len("data: ") :]) for line in lines if line.startswith("data: ")
        ]
    assert {each["id"] for each in reported} == {job["id"]}
    for each in reported:
        JobAnswer.model_validate(each)
    assert (reported[0]["state"], reported[-1]["state"]) == ("waiting", "done")
    over = service.client.get(job["links"]["events"]).text
    assert over.count("event: job") == 1


def test_events_end_with_a_job_that_is_deleted(service: JobService) -> None:
    job = service.add("wait.mp4")
    service.reach(job, "running")
    with service.client.stream("GET", job["links"]["events"]) as events:
        lines = events.iter_lines()
        next(lines)
        assert service.client.delete(job["links"]["self"]).status_code == 204
        states = [json.loads(line[6:])["state"] for line in lines if line.startswith("data: ")]
    assert states[-1] == "cancelled"


def test_a_job_that_is_cancelled_leaves_nothing_half_written(service: JobService) -> None:
    job = service.add("wait.mp4")
    folder = service.folder_of(job)
    until((folder / ".partial-wait.mp4").exists)
    cancelled = service.client.post(f"{job['links']['self']}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    until(lambda: [path.name for path in folder.iterdir()] == ["wait.mp4"])
    for path in ("output", "tracks"):
        answer = service.client.get(job["links"][path])
        assert (answer.status_code, answer.headers["content-type"]) == (
            409,
            "application/problem+json",
        )
    assert service.client.post(f"{job['links']['self']}/cancel").status_code == 409


@pytest.mark.parametrize("name", ["a.mp4", "wait.mp4", "fail.mp4"])
def test_nothing_is_left_of_a_job_that_is_deleted(service: JobService, name: str) -> None:
    job = service.add(name)
    state = {"a.mp4": "done", "wait.mp4": "running", "fail.mp4": "failed"}[name]
    service.reach(job, state)
    assert service.client.delete(job["links"]["self"]).status_code == 204
    assert not service.folder_of(job).parent.exists()
    assert service.client.get(job["links"]["self"]).status_code == 404
    assert service.client.delete(job["links"]["self"]).status_code == 404


def test_a_failed_job_has_the_programs_own_error(service: JobService) -> None:
    for name, problem in (
        ("fail.mp4", "is no video: choose another"),
        ("fail large.jpg", "has 60 million pixels: reduce it"),  # no request can raise the limit
        (
            "fail partial.mp4",
            "is truncated: get the complete file, or keep what can be read with options.partial",
        ),
    ):
        failed = service.reach(service.add(name), "failed")
        assert failed["error"] == f"{name}: {problem}"


def test_uploads_are_their_owners_alone(service: JobService) -> None:
    job = service.add("a.mp4")
    service.reach(job, "done")
    state = service.jobs._state.folder
    for path in (state, state / "jobs", state / "arriving", *service.folder_of(job).parents[:1]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert stat.S_IMODE((service.folder_of(job) / "a.mp4").stat().st_mode) == 0o600
    assert list((state / "arriving").iterdir()) == []


def test_jobs_that_are_not_there_are_said_to_be(service: JobService) -> None:
    job = service.add("a.mp4")
    for other in ("0" * 16, job["id"][:-1], "..%2f..%2fetc", job["id"].upper() + "/", "%00"):
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/output"), ("GET", "/events")):
            answer = service.client.request(method, f"/v1/jobs/{other}{path}")
            assert answer.status_code == 404, (other, path)
            assert answer.headers["content-type"] == "application/problem+json"
    service.reach(job, "done")


def test_without_the_token_there_is_nothing(service: JobService) -> None:
    job = service.add("a.mp4")
    with httpx.Client(base_url=service.client.base_url, trust_env=False) as unauthenticated:
        for path in ("/v1/jobs", *job["links"].values()):
            assert unauthenticated.get(path).status_code == 401
        assert (
            unauthenticated.post("/v1/jobs", files={"file": ("a.mp4", b"video")}).status_code == 401
        )
        assert unauthenticated.delete(job["links"]["self"]).status_code == 401
    foreign = {"Origin": "https://evil.example"}
    files = {"file": ("a.mp4", b"video")}
    assert service.client.post("/v1/jobs", files=files, headers=foreign).status_code == 403
    assert len(service.client.get("/v1/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize(
    ("name", "fields", "status", "problem"),
    [
        ("a.txt", {}, 415, "a.txt: is no video and no image"),
        ("a", {}, 415, "is no video"),
        (".a.mp4", {}, 422, "name:"),
        ("-o.mp4", {}, 422, "name:"),
        ("", {}, 422, ""),
        ("a\u202e4pm.exe.mp4", {}, 422, "name:"),
        ("x" * 300 + ".mp4", {}, 422, "name:"),
        ("x" * 240 + ".mp4", {}, 422, "name:"),  # its output and its tracks have longer ones
        ("a.mp4", {"action": "rm"}, 422, "action:"),
        ("a.mp4", {"action": "render"}, 422, "action:"),
        ("a.mp4", {"method": "none"}, 422, "method: there is no such method"),
        ("a.mp4", {"method": "image"}, 422, "method: there is no such method"),
        ("a.mp4", {"classes": "people"}, 422, "classes"),
        ("a.mp4", {"care": "none"}, 422, "care"),
        ("a.mp4", {"path": "/etc/passwd"}, 422, "path"),
        ("a.mp4", {"url": "http://127.0.0.1/"}, 422, "url"),
        ("a.mp4", {"options": "[]"}, 422, "options"),
        ("a.mp4", {"options": "["}, 422, "options"),
        ("a.mp4", {"options": "[" * 15_000}, 422, "options"),
        ("a.mp4", {"options": '{"out": "/x"}'}, 422, "no such option"),
        ("a.mp4", {"options": '{"detector": "/x.onnx"}'}, 422, "offers"),
        ("a.mp4", {"options": '{"partial": "yes"}'}, 422, "true or false"),
        ("a.mp4", {"options": '{"keep_people": "jobs"}'}, 422, "no folder with photos"),
        ("a.mp4", {"options": '{"blocks": 5}', "action": "track"}, 422, "options.blocks: there is"),
        ("a.mp4", {"options": "x" * 20_000}, 413, "options"),
        ("a.mp4", {f"f{number}": "" for number in range(50)}, 400, "parts"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    service: JobService, name: str, fields: dict[str, str], status: int, problem: str
) -> None:
    answer = service.send(name, fields)
    assert (answer.status_code, problem in answer.json()["detail"]) == (status, True), answer.text
    assert answer.json()["detail"].isprintable()
    check_nothing_is_left(service)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "video/mp4", 422),
        (b"video", "multipart/form-data", 400),
        (b"video", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\nvideo\r\n--x--", "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nvi',
            "multipart/form-data; boundary=x",
            400,
        ),
        (b"{}", "application/json", 422),
        (b"[", "application/json", 422),
        (b'{"path": "a.mp4", "url": "http://a/"}', "application/json", 422),
        (b'{"path": "a.mp4"}', "application/json", 403),
        (b'{"path": "../a.mp4"}', "application/json", 403),
        (b'{"url": "http://127.0.0.1/a.mp4"}', "application/json", 403),
        (b'{"url": "file:///etc/passwd"}', "application/json", 422),
        (b'{"url": "http://127.0.0.1/"}', "application/json", 403),
        (b'{"url": "http://["}', "application/json", 422),
        (b'{"url": "http://127.0.0.1/", "name": "../../a.mp4"}', "application/json", 403),
    ],
)
def test_bodies_that_are_none_are_refused(
    service: JobService, content: bytes, content_type: str, status: int
) -> None:
    answer = service.client.post(
        "/v1/jobs?name=a.mp4" if "json" not in content_type else "/v1/jobs",
        content=content,
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    check_nothing_is_left(service)


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ('"confidence": NaN', "is no finite number"),
        ('"confidence": 1e999', "is no finite number"),
        ('"confidence": 2', "is 2: give a number from 0 to 1"),
        ('"blocks": -Infinity', "is no finite number"),
        ('"blocks": 2.5', "is '2.5': give a whole number"),
        ('"min_size": "1e400"', "is '1e400': give pixels, such as 24, or a share, such as 3%"),
        ('"audio": "../x"', "is '../x': choose one of bleep, drop, keep, mute"),
        ('"color": "--overwrite"', "is '--overwrite': write it as #rrggbb"),
        ('"from": "3"', "is '3': give seconds (12.5s) or a time (1:02:03.4)"),
        ('"detector": "none"', "is 'none': choose one of auto"),
        ('"mute": ["later"]', "'later' is no span of time"),
        ('"margin": "-1"', "is -1: give a number from 0 to 60"),
        ('"cheat": 1', "there is no such option"),
        ('"detector": "lbp:scale_factor=1.01"', "is 'lbp:scale_factor=1.01', which may take too"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_there_is_a_job(
    service: JobService, option: str, problem: str
) -> None:
    """JSON has no NaN: with one in a record, no job could be shown any more."""
    name, text = option.split('"')[1], f"{{{option}}}"
    for action in ("redact", "track", "verify"):
        body = f'{{"path": "a.mp4", "action": "{action}", "options": {text}}}'
        json_type = {"Content-Type": "application/json"}
        for answer in (
            service.send("a.mp4", {"action": action, "options": text}),
            service.client.post("/v1/jobs", content=body, headers=json_type),
        ):
            assert answer.status_code == 422, answer.text
            (error,) = answer.json()["errors"]
            assert error["field"] == f"options.{name}"
            assert error["message"].startswith(problem)
    check_nothing_is_left(service)


def check_nothing_is_left(service: JobService) -> None:
    assert service.client.get("/v1/jobs").json() == {"jobs": []}
    state = service.jobs._state.folder
    for folder in (state / "jobs", state / "arriving"):
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../../a.mp4", "/etc/a.mp4", "C:\\fakepath\\a.mp4", "x/../a.mp4"])
def test_the_folder_that_a_client_names_does_not_count(service: JobService, name: str) -> None:
    job = service.add(name)
    assert job["file"] == "a.mp4"
    assert {path.name for path in service.folder_of(job).iterdir()} >= {"a.mp4"}


def test_two_files_in_a_form_are_one_too_many(service: JobService) -> None:
    files = [("file", ("a.mp4", b"video")), ("file", ("b.mp4", b"video"))]
    answer = service.client.post("/v1/jobs", files=files)
    assert (answer.status_code, "several files" in answer.text) == (422, True)
    check_nothing_is_left(service)


def test_jobs_outlive_the_service(tmp_path: Path) -> None:
    with opened(JobSettings(), tmp_path) as service:
        running, waiting = service.add("wait.mp4"), service.add("b.mp4")
        service.reach(running, "running")
        process = service.jobs.queue.get(running["id"]).process
        (service.jobs._state.folder / "arriving" / "left").mkdir()  # as one that was killed does
        with pytest.raises(SinkError, match="another trackblur"):
            Jobs(JobSettings(), 0, print)
    with opened(JobSettings(), tmp_path) as service:
        assert list((service.jobs._state.folder / "arriving").iterdir()) == []
        assert service.jobs.queue.get(running["id"]).process == process
        (service.folder_of(running) / "go").touch()
        for job in (running, waiting):
            service.reach(job, "done")
            assert service.client.get(job["links"]["output"]).content == b"0123456789"
        service.delete_all()


def test_a_file_at_an_allowed_host_becomes_a_job(tmp_path: Path) -> None:
    with file_server() as port:
        host = AllowedHost.parse(f"127.0.0.1:{port}")
        limits = JobLimits(upload_bytes=len(VIDEO))
        settings = JobSettings(allowed_hosts=(host,), limits=limits)
        with opened(settings, tmp_path) as service:

            def ask(path: str, **body: str) -> httpx.Response:
                url = f"http://127.0.0.1:{port}{path}"
                return service.client.post("/v1/jobs", json={"url": url, **body})

            answer = ask("/video", name="a.mp4", method="solid")
            assert answer.status_code == 201, answer.text
            job = answer.json()
            assert (job["file"], job["is_upload"]) == ("a.mp4", True)
            assert (service.folder_of(job) / "a.mp4").read_bytes() == VIDEO
            assert ask("/video").status_code == 415  # its name says nothing
            assert ask("/none/b.mp4").status_code == 502
            assert ask("/to/http://localhost/b.mp4").status_code == 403
            assert ask("/unending", name="b.mp4").status_code == 413
            assert list((service.jobs._state.folder / "arriving").iterdir()) == []
            service.delete_all()


def small(**limits: Any) -> JobSettings:
    return JobSettings(limits=JobLimits(**limits))


def test_there_is_a_limit_of_jobs(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    limits = JobLimits(unfinished=2, kept=3)
    settings = JobSettings(root=tmp_path / "videos", limits=limits)
    with opened(settings, tmp_path / "state") as service:
        page = {"files": ["a.mp4"], "action": "redact"}
        many = service.client.post("/api/jobs", json={**page, "files": ["a.mp4"] * 3})
        assert (many.status_code, "choose fewer" in many.text) == (429, True)
        jobs = [service.add(name) for name in ("wait1.mp4", "wait2.mp4")]
        refused = service.send("c.mp4")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        refused = service.client.post("/api/jobs", json=page)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        for job in jobs:
            (service.folder_of(job) / "go").touch()
            service.reach(job, "done")
        service.reach(service.add("c.mp4"), "done")
        refused = service.send("d.mp4")
        assert (refused.status_code, "delete those" in refused.text) == (429, True)
        service.delete_all()
        service.reach(service.add("d.mp4"), "done")


def test_there_are_limits_of_size(tmp_path: Path) -> None:
    with opened(small(upload_bytes=2 << 20, stored_bytes=3 << 20), tmp_path) as service:
        most = bytes(2 << 20)
        for content in (bytes((2 << 20) + 1), iter([most, b"1"])):
            answer = service.client.post("/v1/jobs?name=a.mp4", content=content)
            assert answer.status_code == 413
        job = service.client.post("/v1/jobs?name=a.mp4", content=most).json()
        service.reach(job, "done")
        refused = service.client.post("/v1/jobs?name=b.mp4", content=most)
        assert (refused.status_code, "no room" in refused.text) == (503, True)
        assert "retry-after" in refused.headers
        service.delete_all()
        service.reach(service.client.post("/v1/jobs?name=b.mp4", content=most).json(), "done")


def test_a_job_may_take_so_long_and_so_much(tmp_path: Path) -> None:
    with opened(small(job_seconds=0.2), tmp_path / "time") as service:
        ended = service.reach(service.add("wait.mp4"), "cancelled")
        assert ended["error"] == "it ran for more than 0.2 seconds, the longest here"
    with opened(small(job_seconds=60), tmp_path / "restart") as service:
        job = service.add("wait.mp4")
        service.reach(job, "running")
        service.jobs.queue.get(job["id"]).run_seconds = 59.99
    with opened(small(job_seconds=60), tmp_path / "restart") as service:
        service.reach(job, "cancelled")
    with opened(small(stored_bytes=1000), tmp_path / "space") as service:
        job = service.add("wait.mp4")
        service.reach(job, "running")
        (service.folder_of(job) / "out.mp4").write_bytes(bytes(2000))
        assert "no room" in service.reach(job, "cancelled")["error"]


def test_uploads_are_deleted_when_their_time_is_over(tmp_path: Path) -> None:
    with opened(JobSettings(keep_hours=0.3 / 3600), tmp_path) as service:
        waiting = service.add("wait.mp4")
        job = service.add("a.mp4")
        folder = service.folder_of(job)
        (service.folder_of(waiting) / "go").touch()
        until(lambda: service.client.get("/v1/jobs").json() == {"jobs": []})
        assert not folder.parent.exists()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[JobService]:
    """Serve jobs for the files of a folder."""
    root = tmp_path / "videos"
    root.mkdir()
    with opened(JobSettings(root=root), tmp_path / "state") as service:
        yield service


def test_jobs_of_a_folder_are_those_of_its_page(shared: JobService) -> None:
    root = shared.jobs.services.folder.root
    (root / "sub").mkdir()
    (root / "sub" / "a.mp4").write_bytes(b"video")
    answer = shared.client.post("/v1/jobs", json={"path": "sub/a.mp4", "classes": ["plates"]})
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["file"], job["output"], job["is_upload"]) == (
        "sub/a.mp4",
        "sub/a_redacted.mp4",
        False,
    )
    done = shared.reach(job, "done")
    assert len(done["review"]) == 16
    assert shared.client.get(job["links"]["output"]).content == b"0123456789"
    assert shared.client.get(job["links"]["tracks"]).text == "{}\n"
    for name, file in (("output", "a_redacted.mp4"), ("tracks", "a.tracks.jsonl")):
        path = root / "sub" / file
        written = path.rename(root / "kept")
        path.write_bytes(b"9876543210")  # somebody else's
        answers = [shared.client.get(job["links"][name])]
        if name == "output":
            answers.append(shared.client.get(f"/api/jobs/{job['id']}/output"))
            answers.append(shared.client.get("/api/files/sub/a_redacted.mp4"))
        for answer in answers:
            assert (answer.status_code, b"98765" in answer.content) == (404, False)
        written.replace(path)
        assert shared.client.get(job["links"][name]).status_code == 200
    (paged,) = shared.jobs.services.jobs.all()
    assert paged == {name: value for name, value in done.items() if name != "links"}
    assert shared.client.delete(job["links"]["self"]).status_code == 204
    assert (root / "sub" / "a_redacted.mp4").is_file()  # it is not the service's


def test_decisions_of_a_review_are_kept_or_ignored_as_the_client_says(shared: JobService) -> None:
    root = shared.jobs.services.folder.root
    (root / "a.mp4").write_bytes(b"video")
    journal_path(tracks_path(root / "a.mp4")).touch()  # it may have some: it is about no tracks
    refused = shared.client.post("/v1/jobs", json={"path": "a.mp4"})
    assert (refused.status_code, "was reviewed" in refused.text) == (409, True)
    answer = shared.client.post("/v1/jobs", json={"path": "a.mp4", "decisions": "ignore"})
    assert answer.status_code == 201, answer.text
    shared.reach(answer.json(), "done")


def test_nothing_outside_of_the_folder_is_read_or_sent(shared: JobService, tmp_path: Path) -> None:
    root = shared.jobs.services.folder.root
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "out").symlink_to(tmp_path)
    (root / ".hidden.mp4").touch()
    os.mkfifo(root / "pipe.mp4")
    for path in (
        *("../secret.mp4", str(tmp_path / "secret.mp4"), "link.mp4", "out/secret.mp4"),
        *(".hidden.mp4", "pipe.mp4", "none.mp4", "", ".", "a\0.mp4", "..", "~/a.mp4"),
    ):
        answer = shared.client.post("/v1/jobs", json={"path": path})
        assert answer.status_code in (400, 404), (path, answer.text)
    assert shared.client.get("/v1/jobs").json() == {"jobs": []}
    (root / "a.mp4").write_bytes(b"video")
    job = shared.client.post("/v1/jobs", json={"path": "a.mp4"}).json()
    shared.reach(job, "done")
    for name in ("a_redacted.mp4", "a.tracks.jsonl"):
        (root / name).unlink()
        (root / name).symlink_to(tmp_path / "secret.mp4")
    for name in ("output", "tracks"):
        assert shared.client.get(job["links"][name]).status_code == 404
    (root / "a_redacted.mp4").unlink()
    assert "no longer there" in shared.client.get(job["links"]["output"]).json()["detail"]


def test_an_upload_stays_apart_from_the_folder(shared: JobService) -> None:
    """A file of the same name there is another one."""
    root = shared.jobs.services.folder.root
    (root / "a.mp4").write_bytes(b"of the folder")
    (root / "a_redacted.mp4").write_bytes(b"of the folder")
    job = shared.add("a.mp4")
    shared.reach(job, "done")
    assert shared.client.get(job["links"]["output"]).content == b"0123456789"
    assert (root / "a_redacted.mp4").read_bytes() == b"of the folder"
    searched = shared.client.post("/v1/jobs", json={"path": "a_redacted.mp4", "action": "verify"})
    arguments = shared.jobs.queue.get(searched.json()["id"]).new.arguments
    assert str(shared.folder_of(job) / "a.tracks.jsonl") not in arguments
    assert arguments[:4] == (
        *("verify", str(root / "a_redacted.mp4")),
        *("--against", str(root / "a.mp4")),
    )


def test_a_folder_becomes_a_folder(shared: JobService, tmp_path: Path) -> None:
    root = shared.jobs.services.folder.root
    (root / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "secret.mp4").touch()
    link = root / "sub" / "deep" / "link.mp4"
    link.symlink_to(tmp_path / "secret.mp4")
    refused = shared.client.post("/v1/jobs", json={"path": "sub"})
    assert "sub/deep/link.mp4: leads out" in refused.json()["detail"]
    running = shared.add("wait.mp4")
    link.unlink()
    late = shared.client.post("/v1/jobs", json={"path": "sub"}).json()
    link.symlink_to(tmp_path / "secret.mp4")
    (shared.folder_of(running) / "go").touch()
    assert "leads out of this folder by now" in shared.reach(late, "failed")["error"]
    link.unlink()
    for name in ("a.jpg", "deep/b.jpg", "deep/c.jpg"):
        (root / "sub" / name).touch()
    made = root / "sub_redacted"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "c.jpg").write_bytes(b"of somebody else: passed over by the run")
    job = shared.client.post("/v1/jobs", json={"path": "sub"}).json()
    shared.reach(job, "done")
    url = job["links"]["output"]
    (made / "original.jpg").write_bytes(b"put there by a person")
    answer = shared.client.get(url)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith("sub_redacted.zip")
    sent = contents(answer)
    left_out = sent.pop("LEFT OUT.txt").decode()
    assert left_out.endswith("\n\nsub_redacted/original.jpg\nsub_redacted/deep/c.jpg\n")
    assert sent == {"sub_redacted/a.jpg": b"a.jpg", "sub_redacted/deep/b.jpg": b"b.jpg"}
    assert contents(shared.client.get("/api/results.zip")) == contents(answer)
    assert contents(shared.client.get(f"/api/jobs/{job['id']}/output")) == contents(answer)
    assert contents(shared.client.get("/api/files/sub_redacted")) == contents(answer)
    (_, listed) = shared.client.get("/api/files").json()["entries"]
    assert (listed["path"], listed["is_result"]) == ("sub_redacted", True)
    assert shared.client.get("/api/files/sub").status_code == 404
    head = shared.client.head(url)
    assert (head.status_code, head.headers["content-type"]) == (200, "application/zip")
    (made / "deep" / "b.jpg").write_bytes(b"B.jpg")
    names = ["sub_redacted/a.jpg", "LEFT OUT.txt"]
    assert list(contents(shared.client.get(url))) == names
    (made / "deep" / "b.jpg").write_bytes(b"b.jpg")
    (made / "a.jpg").unlink()
    (made / "a.jpg").symlink_to(tmp_path / "secret.mp4")
    assert list(contents(shared.client.get(url))) == ["sub_redacted/deep/b.jpg", "LEFT OUT.txt"]
    (made / "deep" / "b.jpg").unlink()
    assert shared.client.get(url).status_code == 404


def contents(answer: httpx.Response) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_jobs_search_the_services_folder_of_weights_first(tmp_path: Path) -> None:
    with opened(JobSettings(), tmp_path / "state", models_folder=tmp_path) as service:
        job = service.add("arguments.mp4")
        service.reach(job, "done")
        given = service.client.get(job["links"]["output"]).text.splitlines()
    assert f"--face={tmp_path}" in given
