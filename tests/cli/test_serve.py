"""`trackblur serve` as a program: tokens, refusals, and how it ends."""

from __future__ import annotations

import io
import re
import signal
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from tests.command_line import error_line, run
from tests.program import server
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, EXIT_USAGE
from tracker_blur.cli.token_files import generated_token, read_token
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "people.jpg"
ADDRESS = re.compile(r"^trackblur: serves (http://127\.0\.0\.1:\d+/)docs; Ctrl-C ends it$")
TOKEN = "0123456789abcdef"


@contextmanager
def served(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program; give its process and its address."""
    with server(tmp_path, ADDRESS, "serve", "--port", "0", *arguments) as (process, match):
        yield process, match[1]


def token_file(folder: Path, text: str = f"{TOKEN}\n", mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.slow
def test_a_signal_ends_it_when_running_requests_have(tmp_path: Path) -> None:
    token, image = token_file(tmp_path), io.BytesIO()
    Image.open(SAMPLE).resize((600, 400)).save(image, "JPEG")
    folder = tmp_path / "videos"
    folder.mkdir()
    arguments = "--token-file", str(token), "--root", str(folder)
    with served(tmp_path, *arguments) as (process, url):
        answers: list[httpx.Response] = []
        headers = {"authorization": f"Bearer {TOKEN}"}
        with httpx.Client(
            base_url=url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        ) as client:

            def ask() -> None:
                answers.append(client.post("/v1/redact", content=image.getvalue()))

            client.get("/readyz").raise_for_status()
            asking = threading.Thread(target=ask)
            asking.start()
            until(lambda: "trackblur_running 1.0" in client.get("/metrics").text)
            process.send_signal(signal.SIGTERM)
            asking.join()
            assert answers[0].status_code == 200
            assert answers[0].headers["content-type"] == "image/jpeg"
        assert process.wait(PATIENCE_SECONDS) == EXIT_DONE
        assert process.stderr is not None
        # The token stays out of logs.
        assert process.stderr.read().splitlines() == [
            f"trackblur: the page of {folder} is {url}?token=TOKEN, with your token",
            "trackblur: ends when running requests have",
        ]


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        (TOKEN, 0o644, "other users may read it: chmod 600 it"),
        (TOKEN, 0o620, "other users may read it"),
        ("short", 0o600, "fewer than 16 characters"),
        ("", 0o600, "its first line is empty"),
        ("ä" * 20, 0o600, "not every client can send"),
    ],
)
def test_a_token_that_does_not_protect_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, mode: int, problem: str
) -> None:
    path = token_file(tmp_path, text, mode)
    assert run("serve", "--port", "0", "--token-file", path) == EXIT_USAGE
    assert problem in error_line(capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--port", "70000"], EXIT_USAGE, "--port is 70000: choose a number from 0 to 65535"),
        (["--token-file", "none"], EXIT_USAGE, "--token-file is none: cannot be read"),
        (["--detector", "no such"], EXIT_USAGE, "--detector is 'no such'"),
        (["--detector", "yunet"], EXIT_FAILED, "yunet"),
        (["--at-once", "0"], EXIT_USAGE, "--at-once"),
        (["--max-megapixels", "nan"], EXIT_USAGE, "--max-megapixels"),
        (
            ["--host", "no such host"],
            EXIT_FAILED,
            "--host is no such host, which cannot be listened on",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    problem: str,
) -> None:
    monkeypatch.setenv("TRACKBLUR_STATE", str(tmp_path))
    assert run("serve", "--port", "0", *arguments) == code
    assert problem in error_line(capsys)


def test_a_port_that_is_taken_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRACKBLUR_STATE", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("serve", "--port", str(port)) == EXIT_FAILED
    assert f"port {port}: cannot be listened on at 127.0.0.1" in error_line(capsys)


def test_a_token_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBLUR_STATE", str(tmp_path))
    path, token = generated_token()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(token) >= 40
    assert generated_token() == (path, token)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="other users may read it"):
        generated_token()
    assert read_token(path) == token  # of the live page, whose file may be anyone's
