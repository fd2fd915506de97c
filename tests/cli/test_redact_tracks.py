"""`trackblur IN OUT` with --tracks, --verify, --one-pass, --delay and --margin."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import GREEN, IMAGE, QUICK, green_shares
from tests.command_line import error_line, run
from tests.verify_cases import FakeProbe, use_fake_probe
from tracker_blur.annotations import track_file
from tracker_blur.core.box import Box
from tracker_blur.verification.probes import ProbeDetection

LOUD = QUICK[:-1]
HAAR = ("--detector", "haar")
ONNX = ("--detector", "onnx")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_existing_track_file_is_kept_and_found_before_detection(
    small_clip: Path, tracked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tracked.read_bytes()
    assert run(small_clip, tmp_path / "out.mp4", "--tracks", tracked, *QUICK) == 1
    assert "already exists" in error_line(capsys)
    assert tracked.read_bytes() == before
    assert names(tmp_path) == set()


@pytest.mark.parametrize("name", ["in.mp4", "link.mp4", "out.mp4"])
def test_a_track_file_never_replaces_a_video(
    small_clip: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    (tmp_path / "link.mp4").hardlink_to(source)
    arguments = (source, tmp_path / "out.mp4", "--tracks", tmp_path / name, "--overwrite")
    assert run(*arguments, *QUICK) == 2
    assert "is the video itself" in error_line(capsys)
    assert source.read_bytes() == small_clip.read_bytes()
    assert names(tmp_path) == {"in.mp4", "link.mp4"}


def test_one_track_file_is_not_for_several_inputs(
    small_clip: Path,
    other_small_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (small_clip, other_small_clip, tmp_path / "out", "--tracks", tmp_path / "t.jsonl")
    assert run(*arguments, *QUICK) == 2
    assert "one track file for several inputs" in error_line(capsys)
    assert names(tmp_path) == set()


def test_a_track_file_needs_both_passes(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (small_clip, tmp_path / "out.mp4", "--tracks", tmp_path / "t.jsonl", "--one-pass")
    assert run(*arguments, *QUICK) == 2
    assert "leave out --one-pass" in error_line(capsys)
    assert names(tmp_path) == set()


def test_a_still_image_has_no_tracks(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_image, tmp_path / "p.png", "--tracks", tmp_path / "t.jsonl", *HAAR) == 2
    assert "still.png is a still image: leave out --tracks" in error_line(capsys)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--delay", "0.2"), "--one-pass"),
        (("--one-pass", "--delay", "11"), "--delay is 11"),
        (("--one-pass", "--delay", "-1"), "--delay is -1"),
        (("--margin", "-0.1"), "--margin is -0.1"),
        (("--margin", "nan"), "--margin is nan"),
    ],
)
def test_a_wrong_time_is_wrong_usage(
    small_clip: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(small_clip, tmp_path / "out.mp4", *QUICK, *arguments) == 2
    assert message in error_line(capsys)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("delay", ["0", "0.2", "9"])
def test_one_pass_writes_all_frames_whatever_the_delay(
    small_clip: Path, tmp_path: Path, delay: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    arguments = ("--one-pass", "--delay", delay, *GREEN, "--json")
    assert run(small_clip, out, *QUICK, *arguments) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["frames"] == 10
    assert len(green_shares(out)) == 10
    assert green_shares(out)[-1] > 0.05


@pytest.mark.usefixtures("no_weights")
def test_a_run_that_hides_all_faces_is_verified_as_clean(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_clip, tmp_path / "out.mp4", "--verify", *LOUD) == 0
    messages = capsys.readouterr().err
    assert "nothing found in 10 of 10 frames" in messages
    advice = "a second, independent detector finds more: run 'trackblur models pull yunet'"
    assert "trackblur: warning" not in messages.partition("searched with onnx")[0]
    assert f"trackblur: warning: {tmp_path / 'out.mp4'}: {advice}" in messages


def test_a_careful_run_says_what_it_added_and_its_track_file_has_it(
    small_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    box = Box(5, 70, 45, 115)
    probe = FakeProbe(10 * [[ProbeDetection(box, 0.9, "fake")]])
    careful_search = "tracker_blur.verification.careful_search"
    monkeypatch.setattr(f"{careful_search}.load_probes", lambda *_: (probe,))
    monkeypatch.setattr(f"{careful_search}.load_classifiers", lambda *_: {})
    tracks, out = tmp_path / "t.jsonl", tmp_path / "out.mp4"
    assert run(small_clip, out, "--careful", "--tracks", tracks, "--json", *LOUD) == 0
    printed = capsys.readouterr()
    (file,) = json.loads(printed.out)["files"]
    assert file["careful"] == {"rounds": 2, "places": 1, "places_by_round": [1, 0]}
    assert f"{out}: looked again in 2 rounds: 1 place more to hide" in printed.err
    added = track_file.read(tracks).tracks.tracks[-1]
    assert added.box(0).iou(box.padded(0.1)) > 0.8
    assert (added.first, added.last) == (0, 9)
    rendered = tmp_path / "again.mp4"
    assert run("render", small_clip, tracks, rendered, "-q") == 0


def test_a_run_is_not_careful_unless_it_is_asked_to_be(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(small_clip, tmp_path / "out.mp4", "--json", *QUICK) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["careful"] is None
    assert run(small_clip, tmp_path / "b.mp4", "--careful", "--one-pass", *QUICK) == 2
    assert "leave out --one-pass" in error_line(capsys)


def test_the_verdict_is_in_the_summary_and_in_a_report(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, out = tmp_path / "report.html", tmp_path / "out.mp4"
    assert run(small_clip, out, "--verify-report", page, "--json", *LOUD) == 0
    printed = capsys.readouterr()
    (file,) = json.loads(printed.out)["files"]
    assert (file["verified"]["clean"], file["verified"]["looked"]) == (True, 10)
    assert f"trackblur: {page}: the verification report; it shows faces" in printed.err
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert run(small_clip, tmp_path / "o.mp4", "--json", *QUICK) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["verified"] is None


def test_a_report_that_cannot_be_written_is_refused_before_detection(
    small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(small_clip, tmp_path / "b.mp4")
    (tmp_path / "old.html").touch()
    for page, code, message in (
        (tmp_path / "b.mp4", 2, "is the name of a video or an image"),
        (tmp_path / "old.html", 1, "already exists"),
        (tmp_path / "none" / "a.html", 1, "does not exist: create it"),
    ):
        assert run(small_clip, tmp_path / "out.mp4", "--verify-report", page, *QUICK) == code
        assert message in error_line(capsys)
        several = (small_clip, tmp_path / "b.mp4", "-o", tmp_path / "hidden")
        assert run(*several, "--verify-report", page, *QUICK) == code
        assert message in error_line(capsys)
    assert names(tmp_path) == {"b.mp4", "old.html"}


@pytest.mark.parametrize("arguments", [(), ("--one-pass",)])
def test_a_run_that_leaves_faces_exposed_ends_with_3(
    small_clip: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, box = tmp_path / "out.mp4", Box(5, 70, 45, 115)  # where nothing is hidden
    use_fake_probe(monkeypatch, 10 * [[ProbeDetection(box, 0.9, "fake")]])
    assert run(small_clip, out, "--verify", *QUICK, *arguments) == 3
    assert "a face is exposed" in capsys.readouterr().err
    assert out.exists()  # for the user to look at


def test_accepted_places_are_left_out_of_the_verification_of_a_run(
    small_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, journal, box = tmp_path / "out.mp4", tmp_path / "accepted.jsonl", Box(5, 70, 45, 115)

    def redact(target: Path, *arguments: str | Path) -> int:
        use_fake_probe(monkeypatch, 10 * [[ProbeDetection(box, 0.9, "fake")]])
        return run(small_clip, target, "--verify", *QUICK, *arguments)

    assert redact(out) == 3
    use_fake_probe(monkeypatch, 10 * [[ProbeDetection(box, 0.9, "fake")]])
    dismiss = ("--accept", journal, "--dismiss", "f0x25y92")
    assert run("verify", out, "--against", small_clip, *dismiss) == 0
    capsys.readouterr()
    accepted = journal.read_bytes()
    assert redact(tmp_path / "again.mp4", "--accept", journal, "--json") == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["verified"]["exposed"], file["verified"]["dismissed"]) == (0, 1)
    assert journal.read_bytes() == accepted


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--accept", "{tmp}/good.jsonl"), 2, "is for --verify: add that"),
        (("--accept", "{tmp}/none.jsonl", "--verify"), 1, "no such journal"),
        (("--accept", "{tmp}/bad.jsonl", "--verify"), 1, "line 1 is no accepted place"),
        (
            ("--accept", "{tmp}/good.jsonl", "--verify-report", "{tmp}/good.jsonl"),
            2,
            "is named twice",
        ),
        (
            ("--accept", "{tmp}/good.jsonl", "--verify", "--json={tmp}/good.jsonl"),
            2,
            "is named twice",
        ),
    ],
)
def test_a_journal_that_is_of_no_use_is_refused_before_detection(
    small_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (tmp_path / "good.jsonl").touch()
    (tmp_path / "bad.jsonl").write_text("no journal\n")
    filled = [word.format(tmp=tmp_path) for word in arguments]
    assert run(small_clip, tmp_path / "out.mp4", *filled, *QUICK, "--overwrite") == code
    assert message in error_line(capsys)
    assert names(tmp_path) == {"good.jsonl", "bad.jsonl"}
    assert (tmp_path / "good.jsonl").read_bytes() == b""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_still_image_is_verified_against_its_original(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    with Image.open(IMAGE) as image:
        image.resize((image.width // 2, image.height // 2)).save(source)
    assert run(source, target, "--verify", *ONNX) == 0
    printed = capsys.readouterr().err
    assert f"{target}: nothing found in 1 of 1 frames" in printed
    assert "everything else is intact" in printed
    assert run("verify", target, "--against", source) == 0
    shutil.copy(source, target)  # with all faces
    assert run("verify", target, "--against", source) == 3
    assert run("verify", target) == 3
