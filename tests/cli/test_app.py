"""`trackblur app` and `trackblur review` as programs, with jobs that run the real engine."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.command_line import error_line, run
from tests.program import server
from tests.video_files import write_clip
from tests.waiting import PATIENCE_SECONDS, until
from tests.web.held_jobs import holding
from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = re.compile(
    r"^trackblur: open (http://127\.0\.0\.1:\d+/)([\w/]*)\?token=([\w-]{22}) in a browser; Ctrl-C "
    r"ends it$"
)


@contextmanager
def served(
    tmp_path: Path, *arguments: str | Path, before: str = ""
) -> Iterator[tuple[subprocess.Popen[str], httpx.Client, str]]:
    """Run a command that serves a page; give its process, a client, and the path of the page."""
    command = *arguments, "--no-browser"
    with server(tmp_path, ADDRESS, *command, before=before) as (process, match):
        headers = {"Authorization": f"Bearer {match[3]}"}
        with httpx.Client(
            base_url=match[1], headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        ) as client:
            yield process, client, f"/{match[2]}"


def jobs_of(client: httpx.Client) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = client.get("/api/jobs").json()["jobs"]
    return jobs


def ended(client: httpx.Client) -> list[dict[str, Any]]:
    """Return all jobs, once none waits or runs."""
    jobs = jobs_of(client)
    return jobs if all(job["state"] in ("done", "failed") for job in jobs) else []


@pytest.mark.slow
def test_a_job_survives_the_death_of_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_clip(folder / "in [1] <b>.mp4", frames=30)
    (folder / "broken.mp4").write_bytes(b"no video")
    go = tmp_path / "go"
    before = holding("redact", go)
    with served(tmp_path, "app", folder, before=before) as (process, client, path):
        assert path == "/"
        body = {
            "files": ["in [1] <b>.mp4", "broken.mp4"],
            "action": "redact",
            "method": "solid",
            "care": "quick",
            "options": {"detector": "haar", "audio": "drop"},
        }
        assert client.post("/api/jobs", json=body).status_code == 201
        until(lambda: jobs_of(client)[0]["state"] == "running")
        process.kill()
        process.wait()
    with served(tmp_path, "app", folder) as (process, client, _):
        assert [job["state"] for job in jobs_of(client)] == ["running", "waiting"]
        go.touch()
        first, second = until(lambda: ended(client))
        assert (first["state"], first["error"]) == ("done", None)
        assert first["result"]["frames"] == 30
        assert (folder / first["output"]).stat().st_size > 0
        assert second["state"] == "failed"
        assert second["error"].startswith("broken.mp4: ")
        assert not list(folder.glob(".*"))  # nothing half-written

        verify = {"files": [first["output"]], "action": "verify"}
        client.post("/api/jobs", json=verify)
        *_, checked = until(lambda: ended(client))
        assert checked["state"] == "done", checked["error"]
        assert checked["result"]["verdict"] in ("clean", "nothing found")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == EXIT_DONE
        assert process.stderr is not None
        assert process.stderr.read() == "trackblur: the page has ended\n"


@pytest.mark.slow
def test_review_opens_the_page_of_one_video(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    video = write_clip(folder / "in.mp4", frames=5)
    with served(tmp_path, "review", video) as (_, client, path):
        review = re.fullmatch(r"/review/([0-9a-f]{16})", path)
        assert review
        assert client.get(path).status_code == 200
        (job,) = until(lambda: ended(client))
        assert (job["action"], job["state"], job["review"]) == ("track", "done", review[1])
        assert (folder / "in.tracks.jsonl").is_file()
        shown = client.get(f"/api/reviews/{review[1]}").json()
        assert (shown["id"], shown["frames"]) == (review[1], 5)
    with served(tmp_path, "review", video, folder / "in.tracks.jsonl") as (_, client, path):
        assert path == f"/review/{review[1]}"
        assert len(jobs_of(client)) == 1  # the one of before: there are tracks now


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("app", "missing"), EXIT_USAGE, "missing: is not a folder"),
        (("app", ".", "--face", "none"), EXIT_USAGE, "none: no such folder"),
        (("app", ".", "--port", "70000"), EXIT_USAGE, "--port 70000: is not a port"),
        (("app", ".", "--port", "-1"), EXIT_USAGE, "--port -1: is not a port"),
        (("app", ".", "--host", "192.0.2.1"), EXIT_FAILED, "--host is 192.0.2.1, which cannot be"),
        (("app", ".", "--host", "no such host"), EXIT_FAILED, "choose an address of this machine"),
        (("review", "missing.mp4"), EXIT_FAILED, "missing.mp4: no such file"),
        (("review", "."), EXIT_USAGE, "is no video and no image"),
        (("review", "notes.txt"), EXIT_USAGE, "notes.txt: is no video and no image"),
        (("review", "in.mp4", "missing.jsonl"), EXIT_FAILED, "missing.jsonl: no such track file"),
        (("review", "in.mp4"), EXIT_FAILED, "in.mp4: is empty"),
        (("review", "empty.png"), EXIT_FAILED, "empty.png: is empty"),
        (("review", "noise.mp4"), EXIT_FAILED, "noise.mp4: is not a readable video"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBLUR_STATE", str(tmp_path / "state"))
    for name in ("in.mp4", "notes.txt", "empty.png"):
        (tmp_path / name).touch()
    (tmp_path / "noise.mp4").write_bytes(b"no video" * 500)
    assert run(*arguments, "--no-browser") == code
    assert problem in error_line(capsys)


def test_redacting_loads_no_server() -> None:
    code = (
        "import sys; from tracker_blur.cli import commands, one_by_one; commands.build_parser(); "
        "print(sorted({'fastapi', 'starlette', 'uvicorn', 'pydantic'} & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
