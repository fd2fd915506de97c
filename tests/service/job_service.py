"""A service of jobs for tests: a real server, a client, and a program that does as names say."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx

from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.service import job_upkeep, server
from tracker_blur.service.server import ServiceServer
from tracker_blur.service.settings import ServiceSettings
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.web import job_process, job_queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracker_blur.service.job_settings import JobSettings
    from tracker_blur.service.jobs import Jobs

PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "web" / "fake_program.py"))
TOKEN = "0123456789abcdef"


@dataclass
class JobService:
    """A service that is served.

    Attributes:
        client: Sends the token with each request.
        jobs: What is served.
        messages: What the server reported.
    """

    client: httpx.Client
    jobs: Jobs
    messages: list[str]

    def send(self, name: str, fields: Mapping[str, str] = {}) -> httpx.Response:
        """Upload a file in a form."""
        files = {"file": (name, b"video")}
        return self.client.post("/v1/jobs", files=files, data=fields)

    def add(self, name: str, **fields: str) -> dict[str, Any]:
        """Upload a file, and return its job."""
        answer = self.send(name, fields)
        assert answer.status_code == 201, answer.text
        job: dict[str, Any] = answer.json()
        assert answer.headers["location"] == job["links"]["self"]
        return job

    def show(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job as it is now."""
        shown: dict[str, Any] = self.client.get(job["links"]["self"]).json()
        return shown

    def reach(self, job: dict[str, Any], state: str) -> dict[str, Any]:
        """Wait until a job is in this state, and return it."""
        return until(lambda: (shown := self.show(job))["state"] == state and shown)

    def folder_of(self, job: dict[str, Any]) -> Path:
        """Return the folder of an upload and of what is made of it."""
        return self.jobs.queue.folder_of(job["id"]) / "files"

    def delete_all(self) -> None:
        """Delete all jobs."""
        for job in self.client.get("/v1/jobs").json()["jobs"]:
            assert self.client.delete(job["links"]["self"]).status_code == 204


@contextmanager
def opened(
    settings: JobSettings, state: Path, models_folder: Path | None = None, **serving: Any
) -> Iterator[JobService]:
    """Serve jobs that are kept in a folder.

    Args:
        settings: The service's for jobs.
        state: Where they are kept.
        models_folder: A folder with weight files.
        serving: What its server takes from clients, where that is not as usual.
    """
    messages: list[str] = []
    given = ServiceSettings(
        port=0, token=TOKEN, detector="haar", models_folder=models_folder, jobs=settings
    )
    with (
        mock.patch.dict(os.environ, TRACKBLUR_STATE=str(state)),
        mock.patch.object(job_process, "_PROGRAM", PROGRAM),
        mock.patch.object(job_queue, "_POLL_SECONDS", 0.03),
        mock.patch.object(job_upkeep, "_POLL_SECONDS", 0.05),
        mock.patch.object(server, "ServingLimits", lambda **own: ServingLimits(**own | serving)),
        ServiceServer(given, messages.append) as served,
        httpx.Client(
            base_url=served.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        ) as client,
    ):
        yield JobService(client, served.service.jobs, messages)
    assert messages == []
