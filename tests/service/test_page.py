"""The page of the service's folder, on the same port: the same jobs, for browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.services import TOKEN, Served, serving
from tracker_blur.errors import SinkError
from tracker_blur.service.job_settings import JobSettings
from tracker_blur.service.server import ServiceServer
from tracker_blur.service.settings import ServiceSettings
from tracker_blur.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    (folder / "a.mp4").write_bytes(b"video")
    return folder


@pytest.fixture(scope="module")
def both(root: Path) -> Iterator[Served]:
    with serving(token=TOKEN, detector="haar", jobs=JobSettings(root=root)) as served:
        yield served


def test_a_browser_gets_the_page_and_the_token_in_a_cookie(both: Served) -> None:
    assert both.unauthenticated.get("/").status_code == 403
    opened = both.unauthenticated.get("/", params={"token": TOKEN})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert "HttpOnly; SameSite=Strict" in opened.headers["set-cookie"]
    assert both.unauthenticated.get("/").headers["content-type"].startswith("text/html")
    (file,) = both.unauthenticated.get("/api/files").json()["entries"]
    assert file["name"] == "a.mp4"
    assert both.unauthenticated.get("/v1/jobs").status_code == 401  # a cookie is no token there
    foreign = {"Origin": "https://evil.example"}
    body = {"files": ["a.mp4"], "action": "redact"}
    assert both.unauthenticated.post("/api/jobs", json=body, headers=foreign).status_code == 403
    both.unauthenticated.cookies.clear()


def test_both_show_the_same_jobs(both: Served) -> None:
    body = {"files": ["a.mp4"], "action": "redact"}
    both.service.jobs.queue.pause(both.client.post("/api/jobs", json=body).json()["jobs"][0]["id"])
    (job,) = both.client.get("/v1/jobs").json()["jobs"]
    links = job.pop("links")
    assert both.client.get("/api/jobs").json()["jobs"] == [job]
    assert both.client.delete(links["self"]).status_code == 204
    assert both.client.get("/api/jobs").json() == {"jobs": []}


def test_the_page_is_refused_what_is_too_long_in_its_own_words(both: Served) -> None:
    refused = both.client.post("/api/jobs", json={"files": ["x" * (2 << 20)]})
    assert (refused.status_code, list(refused.json())) == (413, ["error"])


@pytest.mark.parametrize("path", ["/api/jobs", "/static/texts.js", "/static/../index.html"])
def test_a_service_without_a_token_or_a_folder_has_no_page(served: Served, path: str) -> None:
    for client in (served.client, served.unauthenticated):
        assert client.get(path).status_code in (401, 404)
    assert served.client.get("/").status_code == 404


def test_only_one_server_has_a_folder(
    both: Served, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBLUR_STATE", str(tmp_path))
    jobs = JobSettings(root=root)
    settings = ServiceSettings(port=0, token=TOKEN, jobs=jobs, detector="haar")
    with (
        Site(root, ("127.0.0.1", 0), print),
        pytest.raises(SinkError, match="another trackblur serves these jobs at http"),
    ):
        ServiceServer(settings, print)
    with (
        ServiceServer(settings, print),
        pytest.raises(SinkError, match=r"use http.*/\?token="),
    ):
        Site(root, ("127.0.0.1", 0), print)
