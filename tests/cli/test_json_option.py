"""--json: alone it prints; with a name it writes a file, and it never takes an input for one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.command_line import error_line, run
from tracker_blur.cli.commands import build_parser

HAAR = ("--detector", "haar", "--quiet")
PRINTED, WRITTEN = Path("-"), Path("found.json")


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        ("redact", ["in.mp4", "out.mp4"], None),
        ("redact", ["in.mp4", "out.mp4", "--json"], PRINTED),
        ("redact", ["--json", "in.mp4", "out.mp4"], PRINTED),
        ("redact", ["--json", "folder"], PRINTED),
        ("redact", ["--json", "clips/holiday.*"], PRINTED),
        ("redact", ["--js", "in.mp4", "out.mp4"], PRINTED),
        ("redact", ["--json", "--", "found.json"], PRINTED),
        ("redact", ["--json", "-", "in.mp4"], PRINTED),
        ("redact", ["in.mp4", "--json", "found.json"], WRITTEN),
        ("redact", ["--json=found.json", "in.mp4"], WRITTEN),
        ("redact", ["--json=found", "in.mp4"], Path("found")),
        ("track", ["--json", "in.mp4"], PRINTED),
        ("track", ["in.mp4", "--json", "found.json"], WRITTEN),
        ("render", ["--json", "in.mp4", "t.jsonl", "out.mp4"], PRINTED),
        ("render", ["in.mp4", "t.jsonl", "out.mp4", "--json", "-q"], PRINTED),
        ("render", ["in.mp4", "t.jsonl", "out.mp4", "--json", "found.json"], WRITTEN),
        ("verify", ["out.mp4", "--json"], PRINTED),
        ("verify", ["out.mp4", "--json", "-"], PRINTED),
        ("verify", ["out.mp4", "--json", "-q"], PRINTED),
        ("verify", ["out.mp4", "--json", "found"], Path("found")),
        ("verify", ["--json", "found.json", "out.mp4"], WRITTEN),
        ("detect", ["--json", "in.png"], PRINTED),
        ("detect", ["in.png", "--json", "found.json"], WRITTEN),
        ("detect", ["in.png", "--json", "found.jsonl"], Path("found.jsonl")),
        ("live", ["--json", "0"], True),
    ],
)
def test_what_is_printed_and_what_is_written(
    command: str, arguments: list[str], expected: Path | bool | None
) -> None:
    _, parsers = build_parser()
    options = parsers[command].parse_args(arguments)
    assert options.json == expected
    if expected == PRINTED and command == "redact":
        assert options.paths == [each for each in arguments if not each.startswith("-")]


def test_the_summary_of_a_run_is_written_to_a_file(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out = tmp_path / "found.json", tmp_path / "out.png"
    assert run(small_image, out, *HAAR, "--json", found) == 0
    assert capsys.readouterr().out == ""
    (file,) = json.loads(found.read_text("utf-8"))["files"]
    assert file["output"] == str(out)
    assert run(small_image, tmp_path / "b.png", *HAAR, "--json", found) == 1
    assert "found.json: already exists" in error_line(capsys)
    assert not (tmp_path / "b.png").exists()
    assert run(small_image, tmp_path / "b.png", *HAAR, "--json", found, "--overwrite") == 0
    assert json.loads(found.read_text("utf-8"))["files"][0]["output"] == str(tmp_path / "b.png")


def test_a_file_that_fails_is_in_the_file_of_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, bad = tmp_path / "found.json", tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    assert run(bad, *HAAR, f"--json={found}") == 1
    summary = json.loads(found.read_text("utf-8"))
    assert summary["failed"][0]["error"] in error_line(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{image}", "{tmp}/out.png", "--json={image}"), "is the name of a video or an image"),
        (
            ("{image}", "--verify-report", "{tmp}/a.json", "--json", "{tmp}/a.json"),
            "is named twice",
        ),
        (("track", "{clip}", "-o", "{tmp}/a.json", "--json", "{tmp}/a.json"), "is named twice"),
        (("render", "{clip}", "{tracks}", "{tmp}/a.mp4", "--json={tracks}"), "is named twice"),
    ],
)
def test_results_never_replace_what_is_read_or_written(
    small_image: Path,
    small_clip: Path,
    tracked: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    image, tracks = (Path(shutil.copy(path, tmp_path)) for path in (small_image, tracked))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    names = {"image": image, "clip": small_clip, "tracks": tracks, "tmp": tmp_path}
    filled = [argument.format(**names) for argument in arguments]
    assert run(*filled, "--overwrite", "--quiet") == 2
    assert message in error_line(capsys)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_tracks_of_a_run_and_what_is_made_of_them_are_summarized_in_files(
    small_clip: Path, tracked: Path, tmp_path: Path
) -> None:
    tracks, out, found = tmp_path / "t.jsonl", tmp_path / "out.mp4", tmp_path / "found.json"
    assert run("track", small_clip, "-o", tracks, *HAAR, "--json", found) == 0
    assert json.loads(found.read_text("utf-8"))["files"][0]["output"] == str(tracks)
    found.unlink()
    assert run("render", small_clip, tracked, out, "-q", "--json", found) == 0
    assert json.loads(found.read_text("utf-8"))["files"][0]["output"] == str(out)
