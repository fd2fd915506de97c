"""`trackblur serve` with jobs: its options, and what survives the server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.program import interruptible_program
from tests.video_files import write_clip
from tests.waiting import PATIENCE_SECONDS, until
from tests.web.held_jobs import holding
from tracker_blur.cli.commands import build_parser
from tracker_blur.cli.serve_jobs import job_settings
from tracker_blur.errors import SettingsError
from tracker_blur.service.addresses import AllowedHost
from tracker_blur.service.job_settings import JobLimits, JobSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def settings_of(*arguments: str) -> JobSettings:
    return job_settings(build_parser()[0].parse_args(["serve", *arguments]))


def test_without_options_jobs_are_uploads() -> None:
    settings = settings_of()
    assert (settings.root, settings.allowed_hosts, settings.keep_hours) == (None, (), 24.0)
    assert settings.limits.stored_bytes == JobLimits().stored_bytes


def test_options_become_settings(tmp_path: Path) -> None:
    hosts = ("--allow-url", "media.example.org", "--allow-url", "10.0.0.5:9000")
    limits = ("--max-upload", "5", "--max-stored", "7", "--max-jobs", "3", "--max-job-hours", "2")
    settings = settings_of("--root", str(tmp_path), *hosts, "--keep-hours", "0.5", *limits)
    assert (settings.root, settings.keep_hours) == (tmp_path, 0.5)
    assert settings.allowed_hosts == (
        AllowedHost("media.example.org", None),
        AllowedHost("10.0.0.5", 9000),
    )
    given = settings.limits
    assert (given.upload_bytes, given.stored_bytes) == (5 << 20, 7 << 20)
    assert (given.unfinished, given.job_seconds) == (3, 7200)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--root", "/none"), "/none: is not a folder"),
        (("--allow-url", "http://a/"), "http://a/"),
        (("--allow-url", "169.254.169.254"), "is no address of a machine"),
        (("--keep-hours", "0"), "is 0"),
        (("--keep-hours", "nan"), "is nan"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(problem)):
        settings_of(*arguments)


@contextmanager
def served(
    tmp_path: Path, before: str = ""
) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Run the service, after other code; its state is relative to where it runs."""
    process = subprocess.Popen(
        [*interruptible_program(before), "serve", "--port", "0", "--detector", "haar"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TRACKBLUR_STATE": "state"},
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert match, line
        with httpx.Client(base_url=match[0], timeout=PATIENCE_SECONDS, trust_env=False) as client:
            yield process, client
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def jobs_of(client: httpx.Client, *states: str) -> list[dict[str, Any]]:
    """Return all jobs, if each is in one of the states."""
    jobs: list[dict[str, Any]] = client.get("/v1/jobs").json()["jobs"]
    return jobs if all(job["state"] in states for job in jobs) else []


@pytest.mark.slow
def test_uploads_survive_the_death_of_the_service(tmp_path: Path) -> None:
    clip = tmp_path / "in [1] <b>.mp4"
    write_clip(clip, frames=20)
    fields = {"care": "quick", "options": '{"detector": "haar", "audio": "drop"}'}
    go = tmp_path / "go"
    with served(tmp_path, holding("redact", go)) as (process, client):
        files = {"file": (clip.name, clip.read_bytes())}
        answer = client.post("/v1/jobs", files=files, data=fields)
        assert answer.status_code == 201, answer.text
        until(lambda: jobs_of(client, "running"))
        process.kill()
        process.wait()
    with served(tmp_path) as (process, client):
        assert jobs_of(client, "running")
        go.touch()
        (done,) = until(lambda: jobs_of(client, "done", "failed"))
        assert (done["state"], done["error"], done["result"]["frames"]) == ("done", None, 20)
        output = client.get(done["links"]["output"]).content
        assert b"ftyp" in output[:12]
        tracks = client.get(done["links"]["tracks"]).text.splitlines()
        assert '"frames":20' in tracks[0]
        assert client.delete(done["links"]["self"]).status_code == 204
        assert not list((tmp_path / "state").glob("service-0/jobs/*"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
