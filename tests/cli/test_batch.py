"""A run over many files: what fails stops nothing else, and the summary and the JSON say all."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.command_line import run
from tests.video_files import write_clip
from tracker_blur.errors import SinkError
from tracker_blur.pipeline import Engine
from tracker_blur.tracking.detector_bundle import DetectorBundle
from tracker_blur.verification.probes import load_probes

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.report import Report

HAAR = ("--detector", "haar")


@pytest.fixture
def folder(small_clip: Path, small_image: Path, tmp_path: Path) -> Path:
    """Return a folder with an MP4, a WebM, an image with a face, one without, and a broken one."""
    path = tmp_path / "in"
    path.mkdir()
    shutil.copy(small_clip, path / "a.mp4")
    write_clip(path / "m.webm", codec="libvpx-vp9", frames=4)
    shutil.copy(small_image, path / "people.png")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path / "no-one.png")
    (path / "broken.jpg").write_bytes(b"no image")
    return path


def printed_json(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_a_setting_that_one_file_cannot_take_stops_no_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, tmp_path / "out", *HAAR, "--preset", "medium", "--json") == 1
    summary, messages = printed_json(capsys)
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["a.mp4", "no-one.png", "people.png"]
    assert [file["input"] for file in summary["files"]] == [str(folder / name) for name in written]
    failed = {file["input"]: file["error"] for file in summary["failed"]}
    assert set(failed) == {str(folder / name) for name in ("m.webm", "broken.jpg")}
    assert "--preset is 'medium'" in failed[str(folder / "m.webm")]
    assert "3 done, 0 skipped, 2 failed" in messages
    for name in ("m.webm", "broken.jpg"):
        assert f"trackblur: failed: {folder / name}\n" in messages
    assert f"trackblur: nothing to hide was found in {folder / 'no-one.png'}\n" in messages
    assert f"found in {folder / 'people.png'}" not in messages


def test_one_file_in_which_nothing_was_found_is_named_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder / "no-one.png", tmp_path / "out.png", *HAAR) == 0
    assert f"nothing to hide was found in {folder / 'no-one.png'}" in capsys.readouterr().err


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list to which the name of what is loaded is added."""
    names: list[str] = []
    load_bundle = DetectorBundle.of

    def bundle(*arguments: Any) -> DetectorBundle:
        names.append("detectors")
        return load_bundle(*arguments)

    def probes(*arguments: Any) -> Any:
        names.append("probes")
        return load_probes(*arguments)

    monkeypatch.setattr(DetectorBundle, "of", bundle)
    monkeypatch.setattr("tracker_blur.verification.verifier.load_probes", probes)
    return names


def test_networks_are_loaded_once_for_many_files(
    small_clip: Path, small_image: Path, tmp_path: Path, loads: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    for source, name in ((small_clip, "a.mp4"), (small_clip, "b.mp4"), (small_image, "c.png")):
        shutil.copy(source, tmp_path / "in" / name)
    arguments = (tmp_path / "in", tmp_path / "out", *HAAR, "--verify")
    assert run(*arguments) in (0, 3)  # this detector misses faces of the image
    assert sorted(loads) == ["detectors", "probes"]
    loads.clear()
    assert run(*arguments) == 0  # all outputs exist
    assert loads == []


def test_networks_are_not_loaded_again_to_learn_their_names(
    small_clip: Path, tmp_path: Path, loads: list[str]
) -> None:
    assert run(small_clip, tmp_path / "o.mp4", *HAAR, "--tracks", tmp_path / "o.jsonl") == 0
    assert loads == ["detectors"]


@pytest.mark.usefixtures("no_weights")
def test_advice_is_given_once_for_many_files(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(small_image, tmp_path / "in" / name)
    run(tmp_path / "in", tmp_path / "out", *HAAR, "--verify")
    printed = capsys.readouterr().err
    assert printed.count("searched with") == 2
    assert printed.count("trackblur models pull yunet") == 1


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_one_page_reports_on_all_files_of_a_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    (folder / "m.webm").unlink()
    page = tmp_path / "out" / "report.html"  # in a folder that the run makes
    arguments = (folder, tmp_path / "out", *HAAR, "--verify-report", page, "--jobs", jobs)
    assert run(*arguments, "--json") == 1  # because of the broken file
    summary, messages = printed_json(capsys)
    assert [file["verified"]["frames"] for file in summary["files"]] == [10, 1, 1]
    assert messages.count(f"trackblur: {page}: the verification report; it shows faces\n") == 1
    html = page.read_text("utf-8")
    assert [html.count(f">{tmp_path / 'out' / name}<") for name in ("a.mp4", "people.png")] == [
        1,
        1,
    ]
    assert html.count("<section") == 3
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_a_page_that_cannot_be_written_in_the_end_is_a_failure(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise SinkError(f"{page}: cannot be written (no space left)")

    page = tmp_path / "report.html"
    monkeypatch.setattr("tracker_blur.cli.verify_report.write_page", full)
    out = tmp_path / "out.png"
    assert run(folder / "no-one.png", out, *HAAR, "--verify-report", page, "--json") == 1
    summary, messages = printed_json(capsys)
    error = f"{page}: cannot be written (no space left)"
    assert summary["failed"] == [{"input": str(page), "error": error}]
    assert f"trackblur: error: {error}\n" in messages
    assert out.exists()


def test_what_was_skipped_is_in_the_json(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for place in (tmp_path / "in" / "a.png", tmp_path / "out" / "a.png"):
        shutil.copy(small_image, place)
    assert run(tmp_path / "in", tmp_path / "out", *HAAR, "--json") == 0
    summary, _ = printed_json(capsys)
    target = tmp_path / "out" / "a.png"
    skipped = {
        "input": str(tmp_path / "in" / "a.png"),
        "output": str(target),
        "reason": f"{target} already exists",
    }
    assert (summary["files"], summary["skipped"], summary["failed"]) == ([], [skipped], [])


def test_other_files_of_cameras_are_named_as_skipped_with_the_reason(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(small_image, tmp_path / "in" / "a.png")
    for name in ("VID_1.insv", "GX01.LRV", "GX01.THM", "DSC.NEF", "notes.txt"):
        (tmp_path / "in" / name).write_bytes(b"x")
    assert run(tmp_path / "in", tmp_path / "out", *HAAR, "--json") == 0
    summary, messages = printed_json(capsys)
    skipped = {file["input"]: file["reason"] for file in summary["skipped"]}
    names = ("DSC.NEF", "GX01.LRV", "GX01.THM", "VID_1.insv")
    assert list(skipped) == [str(tmp_path / "in" / name) for name in names]
    assert "rename it to .jpg" in skipped[str(tmp_path / "in" / "GX01.THM")]
    for path, reason in skipped.items():
        assert f"trackblur: {path}: skipped, it is {reason}\n" in messages
    assert "1 done, 4 skipped, 0 failed" in messages
    (tmp_path / "in" / "a.png").unlink()
    assert run(tmp_path / "in", tmp_path / "none", *HAAR) == 1
    assert "contains no videos or images: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["none.mp4"], 1, "none.mp4: no such file or folder: check the name"),
        (["{clip}", "{clip}"], 2, "is an input: choose another name for the output"),
        (["{clip}", "o.mp4", "--blocks", "0"], 2, "--blocks is 0"),
        (["{clip}", "o.mp4", "--detector", "none.onnx"], 1, "none.onnx: no such file"),
        (["{clip}", "o.mp4", "--preset", "warp"], 2, "--preset is 'warp'"),
        (["track", "none.mp4"], 1, "none.mp4: no such file"),
        (["render", "{clip}", "none.jsonl", "o.mp4"], 1, "none.jsonl: cannot be read"),
    ],
)
def test_the_json_is_printed_whatever_fails(
    arguments: list[str],
    code: int,
    error: str,
    small_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    filled = [text.format(clip=small_clip) for text in arguments]
    assert run(*filled, "--json") == code
    summary, messages = printed_json(capsys)
    assert summary["files"] == []
    assert len(summary["failed"]) == 1
    assert error in summary["failed"][0]["error"]
    assert error in messages


def test_the_json_of_an_interrupted_run_says_what_was_done(
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        shutil.copy(small_image, tmp_path / "in" / name)
    redact_file = Engine.redact_file

    def interrupted(self: Engine, *arguments: Any) -> Report:
        if arguments[0].source.name == "b.png":
            raise KeyboardInterrupt
        return redact_file(self, *arguments)

    monkeypatch.setattr(Engine, "redact_file", interrupted)
    assert run(tmp_path / "in", tmp_path / "out", *HAAR, "--json") == 130
    summary, messages = printed_json(capsys)
    assert [file["input"] for file in summary["files"]] == [str(tmp_path / "in" / "a.png")]
    assert summary["failed"] == [{"input": str(tmp_path / "in" / "b.png"), "error": "interrupted"}]
    assert "interrupted: no partial file is left" in messages


def test_names_with_control_characters_are_escaped(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    name = "a\n\x1b[31m b.png"
    shutil.copy(small_image, tmp_path / "in" / name)
    (tmp_path / "in" / "bad\x07\u202e.png").write_bytes(b"no image")
    assert run(tmp_path / "in", tmp_path / "out", *HAAR, "--json", "--verbose") == 1
    summary, messages = printed_json(capsys)
    assert summary["files"][0]["input"] == str(tmp_path / "in" / name)
    assert r"a\n\x1b[31m b.png" in messages
    assert r"bad\x07\u202e.png" in messages
    assert not {"\x1b", "\x07", "\u202e"} & set(messages)
    assert all(line.startswith("trackblur: ") for line in messages.splitlines())


def test_what_a_killed_worker_left_goes_also_where_nothing_is_left_to_do(
    small_image: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    shutil.copy(small_image, source / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").touch()
    (tmp_path / "out" / ".trackblur-temporary-0123456789ab.png").touch()
    assert run(source, tmp_path / "out", *HAAR) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
