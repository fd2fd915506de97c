"""A method that is only for looks is called so: in a warning, in reports and in track files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import QUICK
from tests.command_line import run
from tracker_blur.cli.console import Console
from tracker_blur.cli.settings_notes import warn_if_cosmetic
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection

HAAR = ("--detector", "haar")
FLAGS = {"accept_cosmetic": "--accept-cosmetic"}


def warnings(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if "only for looks" in line]


@pytest.mark.parametrize(
    ("settings", "methods", "named"),
    [
        ({"method": "pixelated"}, (), "pixelated"),
        ({"method": "simple"}, (), "gaussian"),
        ({"method": "solid"}, ("solid", "fog", "gaussian"), "fog and gaussian"),
        ({}, ("pixelated",), "pixelated"),
    ],
)
def test_a_cosmetic_method_is_warned_of_in_one_line(
    settings: dict[str, Any],
    methods: Collection[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    warn_if_cosmetic(Settings(**settings), Console(flags=FLAGS), methods)
    assert capsys.readouterr().err == (
        f"trackblur: warning: {named}: only for looks, a program may still recognize who is "
        "hidden: use mosaic or solid, or add --accept-cosmetic\n"
    )


@pytest.mark.parametrize(
    ("settings", "is_quiet"),
    [
        ({}, False),
        ({"method": "solid"}, False),
        ({"method": "fog"}, True),
        ({"method": "fog", "accept_cosmetic": True}, False),
    ],
)
def test_no_warning(
    settings: dict[str, Any], is_quiet: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_if_cosmetic(Settings(**settings), Console(is_quiet, FLAGS))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "method_class", "count"),
    [
        ((), "destructive", 0),
        (("--method", "gaussian"), "cosmetic", 1),
        (("--method", "gaussian", "--accept-cosmetic"), "cosmetic", 0),
        (("--method", "gaussian", "--quiet"), "cosmetic", 0),
    ],
)
def test_redacting_warns_and_reports_the_class(
    arguments: tuple[str, ...],
    method_class: str,
    count: int,
    small_image: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(small_image, tmp_path / "out.png", *HAAR, "--json", *arguments) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["files"][0]["method_class"] == method_class
    assert captured.err.count("only for looks") == count


@pytest.mark.parametrize(
    ("edit", "method", "method_class", "is_warned"),
    [
        ((), "mosaic", "destructive", False),
        ((), "fog", "cosmetic", True),
        (("--method", "all=pixelated"), "mosaic", "cosmetic", True),
        (("--method", "all=solid"), "fog", "destructive", False),
        (("--method", "all=pixelated", "--show", "all"), "mosaic", None, False),
    ],
)
def test_the_methods_of_a_track_file_count(
    edit: tuple[str, ...],
    method: str,
    method_class: str | None,
    is_warned: bool,
    small_clip: Path,
    tracked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tracks = Path(shutil.copy(tracked, tmp_path / "in.tracks.jsonl"))
    if edit:
        assert run("tracks", tracks, *edit) == 0
    capsys.readouterr()
    out = tmp_path / "out.mp4"
    assert run("render", small_clip, tracks, out, "--method", method, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["files"][0]["method_class"] == method_class
    assert ("only for looks" in captured.err) is is_warned


@pytest.mark.parametrize(
    ("arguments", "method_class"), [((), "destructive"), (("--method", "fog"), "cosmetic")]
)
def test_the_track_file_holds_method_tone_and_class(
    arguments: tuple[str, ...], method_class: str, small_clip: Path, tmp_path: Path
) -> None:
    tracks = tmp_path / "in.tracks.jsonl"
    out = tmp_path / "out.mp4"
    assert run(small_clip, out, "--tracks", tracks, *QUICK, "--quiet", *arguments) == 0
    settings = json.loads(tracks.read_text("utf-8").splitlines()[0])["settings"]
    assert settings["method_class"] == method_class
    assert settings["tone"] == "neutral"
    assert run("tracks", tracks, "--method", "all=gaussian") == 0
    settings = json.loads(tracks.read_text("utf-8").splitlines()[0])["settings"]
    assert settings["method_class"] == "cosmetic"


def test_the_help_names_the_classes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("redact", "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Nothing of a face is left: image, mosaic, solid." in text
    assert "Cosmetic, a program may still recognize it: fog, gaussian, pixelated." in text
    assert "appearances of a person can be linked" in text
