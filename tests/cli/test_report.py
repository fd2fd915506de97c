"""`trackblur report`: a page or data, internal or public."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import QUICK
from tests.command_line import error_line, run
from tracker_blur.annotations import track_file
from tracker_blur.review.journal import Journal, journal_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return a folder with anna.mp4, its tracks, and out.mp4 with its summary and verdict."""
    clip: Path = request.getfixturevalue("small_clip")
    folder = tmp_path_factory.mktemp("made")
    shutil.copy(clip, folder / "anna.mp4")
    code = run(
        *("redact", folder / "anna.mp4", "-o", folder / "out.mp4", *QUICK),
        *("--tracks", folder / "anna.tracks.jsonl", "--json", folder / "run.json"),
    )
    assert code == 0
    verdict = {"output": "out.mp4", "verdict": "nothing found", "clean": True, "looked": 10}
    (folder / "verify.json").write_text(json.dumps(verdict))
    return folder


@pytest.fixture
def case(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, with a journal in which anna kept the first track."""
    for path in made.iterdir():
        shutil.copy2(path, tmp_path)
    tracks = tmp_path / "anna.tracks.jsonl"
    journal = Journal(journal_path(tracks), hashlib.sha256(tracks.read_bytes()).hexdigest())
    first = track_file.read(tracks).tracks.tracks[0].track_id
    with journal.held():
        journal.append({"op": "keep", "tracks": [first]}, "anna", "she agreed")
    return tmp_path


def report(case: Path, *arguments: str | Path) -> dict[str, Any]:
    """Return the report as data."""
    target = case / "report.json"
    code = run(
        *("report", case / "anna.mp4", case / "out.mp4", "--verify", case / "verify.json"),
        *("-o", target, "--overwrite", "-q", *arguments),
    )
    assert code == 0
    content: dict[str, Any] = json.loads(target.read_text())
    return content


def test_the_internal_form_is_for_its_owner_alone(case: Path) -> None:
    content = report(case)
    assert (case / "report.json").stat().st_mode & 0o777 == 0o600
    assert content["source"]["name"] == "anna.mp4"
    assert content["tracks"][0]["hidden"] == "no"
    assert content["tracks"][0]["decided"]["why"] == "she agreed"
    assert content["journal"]["lines"] == 1
    assert content["verification"]["verdict"] == "nothing found"
    assert content["made_with"]["models"][0]["name"] == "verify.onnx"
    assert content["made_with"]["models"][0]["sha256"] is not None


def test_the_page_shows_a_face_for_each_track(case: Path) -> None:
    page, public = case / "report.html", case / "public.html"
    files = (case / "anna.mp4", case / "out.mp4")
    assert run("report", *files, "-o", page, "-q") == 0
    count = len(track_file.read(case / "anna.tracks.jsonl").tracks.tracks)
    assert page.read_text().count("<img ") == count > 0
    assert page.stat().st_mode & 0o777 == 0o600
    assert run("report", *files, "-o", public, "--form", "public", "-q") == 0
    assert "<img " not in public.read_text()
    assert public.stat().st_mode & 0o777 != 0o600


def test_the_public_form_has_no_names_of_files_and_people(case: Path) -> None:
    report(case, "--form", "public")
    text = (case / "report.json").read_text()
    assert not [word for word in ("anna", "agreed", "out.mp4", str(case)) if word in text]


def test_without_a_name_it_is_printed_as_data(
    case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", case / "anna.mp4", case / "out.mp4", "-q") == 0
    assert json.loads(capsys.readouterr().out)["form"] == "internal"


def test_a_journal_that_was_changed_is_refused(
    case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = case / "anna.journal.jsonl"
    path.write_text(path.read_text().replace('"previous": "', '"previous": "0'))
    assert run("report", case / "anna.mp4", case / "out.mp4", "-o", case / "r.json") == 1
    assert "anna.journal.jsonl" in error_line(capsys)
    assert not (case / "r.json").exists()


def test_tracks_of_another_video_are_refused(
    case: Path, other_small_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--tracks", case / "anna.tracks.jsonl", "-o", case / "r.json")
    assert run("report", other_small_clip, case / "out.mp4", *arguments) == 1
    assert "is not the video that the tracks were made for" in error_line(capsys)


def test_without_tracks_the_report_warns(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (case / "anna.tracks.jsonl").unlink()
    content = report(case)
    assert (content["tracks"], content["made_with"]) == ([], None)
    assert "there is no track file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "code", "problem"),
    [
        ("report.txt", 2, "name it .html or .json"),
        ("verify.json", 2, "is one of the inputs"),
        ("run.json", 1, "already exists"),
    ],
)
def test_where_it_cannot_be_written_nothing_is(
    case: Path, name: str, code: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in case.iterdir()}
    files = (case / "anna.mp4", case / "out.mp4", "--verify", case / "verify.json")
    assert run("report", *files, "-o", case / name) == code
    assert problem in error_line(capsys)
    assert {path.name: path.read_bytes() for path in case.iterdir()} == before


def test_edits_that_make_no_sense_for_the_tracks_are_refused(
    case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracks = case / "anna.tracks.jsonl"
    content = track_file.read(tracks)
    track_file.write(
        tracks, replace(content, tracks=replace(content.tracks, tracks=())), overwrite=True
    )
    (case / "anna.journal.jsonl").unlink()
    journal = Journal(journal_path(tracks), hashlib.sha256(tracks.read_bytes()).hexdigest())
    with journal.held():
        journal.append({"op": "keep", "tracks": [99]}, "anna", None)
    assert run("report", case / "anna.mp4", case / "out.mp4", "-o", case / "r.json") == 1
    assert "line 1 makes no sense for these tracks" in error_line(capsys)
