"""The terminal: messages, progress and results on standard error."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.console import Console, Message
from tracker_blur.cli.progress_file import ProgressFile
from tracker_blur.core.report import Report
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    import pytest


def test_quiet_keeps_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    for console in (Console(), Console(quiet=True)):
        console.note("a note")
        console.warn("a warning")
        console.error("an\nerror of \x1b[2Ja  file")
    problems = [
        "trackblur: warning: a warning",
        r"trackblur: error: an\nerror of \x1b[2Ja  file",
    ]
    assert capsys.readouterr().err.splitlines() == ["trackblur: a note", *problems, *problems]


def test_what_must_be_known_is_printed_even_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Console(quiet=True).announce("a token")
    assert capsys.readouterr().err == "trackblur: a token\n"


def test_the_bar_of_several_files_counts_those_that_are_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    console = Console()
    with console.files_progress(4) as show:
        for done, shares in ((0, 1.8), (1, 0.6), (3, 0.9)):
            show(done, shares)
        console.note("between")
    printed = terminal.getvalue()
    for text in ("0/4 files:  45%", "1/4 files:  40%", "3/4 files:  98%"):
        assert text in printed
    assert "\rtrackblur: between\n" in printed
    printed = "".join(printed.rpartition("between")[2:])
    assert "files" not in printed


def test_an_advice_is_given_again_only_after_another_one_but_programs_get_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(quiet=True, progress_file=ProgressFile(tmp_path / "events"))
    for subject, advice in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "x")):
        console.advise(subject, advice)
    console.repeat([Message.of("warning", "e: x", "x"), Message.of("error", "f")])
    assert capsys.readouterr().err.splitlines() == [
        "trackblur: warning: a: x",
        "trackblur: warning: c: y",
        "trackblur: warning: d: x",
        "trackblur: error: f",
    ]
    _, *events = map(json.loads, (tmp_path / "events").read_text().splitlines())
    assert [(event["event"], event["text"]) for event in events] == [
        *(("warning", text) for text in ("a: x", "b: x", "c: y", "d: x", "e: x")),
        ("error", "f"),
    ]


def test_messages_in_the_background_come_before_later_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    with console.in_background():
        console.note("one")
        console.warn("two")
    console.error("three")
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == [
        "one",
        "two",
        "three",
    ]


def test_messages_name_flags(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(flags={"view_px": "--view-size"})
    console.error(SettingsError("is 3: give more", setting="view_px"))
    assert capsys.readouterr().err == "trackblur: error: --view-size is 3: give more\n"


def test_a_report_says_what_was_written_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(Path("in.mp4"), Path("out.mp4"), frames=50, seconds=2.0)
    report.track_counts = {"face": 1}
    report.stage_seconds["decode"] = 0.1
    report.warnings = ("in.mp4: ends early",)
    Console().report(report, verbose=True)
    assert capsys.readouterr().err.splitlines() == [
        "trackblur: warning: in.mp4: ends early",
        "trackblur: out.mp4: 50 frames, 1 face, 2.0 seconds (25 frames per second)",
        "trackblur:   decode: 2.00 ms per frame",
    ]


def test_plates_are_called_plates_and_a_still_image_has_no_speed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report(Path("in.jpg"), Path("out.jpg"), frames=1, seconds=0.5, is_still=True)
    report.track_counts = {"face": 0, "plate": 2, "bus": 1}
    Console().report(report)
    assert capsys.readouterr().err == (
        "trackblur: out.jpg: 1 frame, 0 faces, 2 plates, bus: 1, 0.5 seconds\n"
    )
