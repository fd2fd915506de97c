"""Names that no command can use, and what the system refuses: one line, and nothing is written."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import error_line, run
from tracker_blur.cli import tracks
from tracker_blur.files import jobs


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize(
    "arguments",
    [
        ("{image}", "{loop}"),
        ("{loop}.png",),
        ("-o", "{loop}", "{image}", "{loop}.png"),
        ("track", "{loop}.mp4"),
        ("verify", "{image}", "--against", "{loop}.png"),
        ("live", "{loop}.mp4", "--realtime", "--to", "{folder}/out.mkv"),
    ],
)
def test_links_that_lead_in_a_circle_are_one_line_of_error(
    arguments: tuple[str, ...],
    small_image: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for suffix in ("", ".png", ".mp4"):
        (tmp_path / f"loop{suffix}").symlink_to(tmp_path / f"loop{suffix}")
    names = {"loop": tmp_path / "loop", "folder": tmp_path, "image": small_image}
    before = sorted(tmp_path.iterdir())
    assert run(*(argument.format(**names) for argument in arguments)) == 1
    assert f"{tmp_path / 'loop'}" in error_line(capsys)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_an_output_takes_the_place_of_a_link_that_leads_in_a_circle(
    small_image: Path, tmp_path: Path
) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert run(small_image, loop, "--detector", "haar", "--quiet") == 0
    assert loop.is_file()
    assert not loop.is_symlink()


@pytest.mark.parametrize(
    "arguments",
    [
        ("{image}", "{closed}.png"),
        ("tracks", "{tracks}", "-o", "{closed}.jsonl"),
        ("tracks", "{tracks}", "--export", "mot", "{closed}.txt"),
        ("tracks", "{tracks}", "--sheet", "{closed}.jpg"),
        ("verify", "{image}", "--against", "{closed}.png"),
        ("verify", "{image}", "--report", "{closed}.html"),
        ("verify", "{image}", "--json", "{closed}.json"),
        ("live", "--stills", "{closed}"),
    ],
)
def test_a_closed_folder_is_one_line_of_error(
    arguments: tuple[str, ...],
    small_image: Path,
    tracked: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    names = {
        "closed": closed / "a",
        "image": small_image,
        "tracks": tracked,
    }
    _close(closed, monkeypatch)
    assert run(*(argument.format(**names) for argument in arguments)) in (1, 2)
    assert str(closed) in error_line(capsys)
    assert list(closed.iterdir()) == []


def _close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing in a folder be looked at, as without its permission x; root always may."""
    for name in ("stat", "open"):
        call = getattr(os, name)

        def guarded(path: Any, *rest: Any, call: Any = call, **named: Any) -> Any:
            if not isinstance(path, int) and Path(os.fsdecode(path)).parent == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fsdecode(path))
            return call(path, *rest, **named)

        monkeypatch.setattr(os, name, guarded)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "a/b"), "a/b: cannot be used (permission denied"),
        (OSError(36, "File name too long", "aa"), "aa: the name is too long: choose a shorter one"),
        (OSError(24, "Too many open files"), "refused to continue (too many open files)"),
    ],
)
def test_what_the_system_refuses_without_a_check_is_one_line(
    error: OSError,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(tracks, "run", fail)
    assert run("tracks", "a.tracks.jsonl") == 1
    assert message in error_line(capsys)


def test_the_json_says_what_the_system_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a/b")

    monkeypatch.setattr(jobs, "plan", fail)
    assert run(tmp_path, "--json", "--detector", "haar") == 1
    assert json.loads(capsys.readouterr().out)["failed"][0]["error"] == "permission denied"
