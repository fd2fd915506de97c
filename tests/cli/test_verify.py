"""`trackblur verify`: one line, reports, exit codes, and one clear line for each bad input."""

from __future__ import annotations

import json
import shutil
import stat
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.command_line import run as run_command
from tests.verify_cases import (
    SAMPLES,
    own_weights_only,
    rendered,
    tracks_of,
    true_detections,
    use_fake_probe,
)
from tests.video_files import write_clip
from tracker_blur.annotations import track_file
from tracker_blur.cli.verify import verify
from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 6
BOX = Box(20, 10, 70, 60)
TRUTH = {frame: [(0, BOX)] for frame in range(FRAMES)}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "in.mp4"
    return write_clip(path, frames=FRAMES, size=(128, 96), noise=True, options={"crf": "12"})


@pytest.fixture(scope="module")
def hidden(clip: Path) -> Path:
    return rendered(clip, clip.with_name("hidden.mp4"), TRUTH, method="solid")


@pytest.fixture
def fake_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES))


def run(*arguments: str | Path) -> int:
    return run_command("verify", *arguments)


def identity(path: Path) -> FileIdentity:
    return FileIdentity.of(path, hashed=True)


@pytest.mark.usefixtures("fake_probe")
def test_clean(clip: Path, hidden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(hidden, "--against", clip) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        f"{hidden}: nothing found in 6 of 6 frames; everything else is intact; searched with fake ("
    )
    assert out.count("\n") == 1
    assert err == ""


def test_a_weak_detector_says_so_and_how_to_verify_better(
    hidden: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own_weights_only(monkeypatch, tmp_path / "cache")
    plain, page = tmp_path / "found.json", tmp_path / "page.html"
    run(hidden, "--json", plain, "--report", page)
    advice = "a second, independent detector finds more: run 'trackblur models pull yunet'"
    line = capsys.readouterr().out.splitlines()[0]
    assert "; searched with onnx (" in line
    assert line.endswith(f" frames per second); {advice}")
    assert json.loads(plain.read_text("utf-8"))["advice"] == advice
    assert advice in page.read_text("utf-8")


@pytest.mark.usefixtures("fake_probe")
def test_the_limit_of_pixels_is_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=2, size=(400, 400))
    assert run(path, "--max-megapixels", "1") == 1
    assert capsys.readouterr().err == (
        f"trackblur: error: {path}: has frames of 400 x 400 pixels (0.16 million), more than the "
        "limit of 0.125 million: reduce it, or raise the limit with --max-megapixels\n"
    )
    run(path, "--max-megapixels", "2")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("fake_probe")
@pytest.mark.parametrize("is_compared", [False, True])
def test_an_output_that_is_cut_off_is_verified_up_to_there_and_fails(
    is_compared: bool, clip: Path, hidden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.mkv"
    rendered(clip, whole, TRUTH, method="solid")
    short = tmp_path / "short.mkv"
    content = whole.read_bytes()
    short.write_bytes(content[: len(content) * 9 // 10])
    arguments: tuple[str | Path, ...] = ("--against", clip) if is_compared else ()
    assert run(short, *arguments) == 1
    assert "--partial" in capsys.readouterr().err
    assert run(short, *arguments, "--partial") == 1
    out, err = capsys.readouterr()
    assert "nothing found in" in out
    assert "failed checks: whole" in out
    assert err == ""


@pytest.mark.usefixtures("fake_probe")
def test_exposed(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = rendered(clip, tmp_path / "bare.mp4", {})
    page, plain = tmp_path / "page.html", tmp_path / "found.json"
    assert run(bare, "--against", clip, "--report", page, "--json", plain, "-v") == 3
    out, err = capsys.readouterr()
    assert "a face is exposed in 6 frames, the first at 0:00:00.000" in out
    assert "intact: frames: 6" in err
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    found = json.loads(plain.read_text("utf-8"))
    assert (found["exposed"], found["clean"], found["evidence"]) == (6, False, "pixels")


@pytest.mark.usefixtures("fake_probe")
def test_json_alone_on_standard_output(
    clip: Path, hidden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(hidden, "--against", clip, "--json", "-") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["clean"] is True
    assert err.count("\n") == 1


@pytest.mark.usefixtures("fake_probe")
def test_quiet_when_clean(clip: Path, hidden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(hidden, "--against", clip, "-q") == 0
    assert capsys.readouterr() == ("", "")


def test_changed_rest_fails(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_fake_probe(monkeypatch)
    short = rendered(clip, tmp_path / "short.mp4", {}, frames=4)
    assert run(short, "--against", clip) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{short}: in.mp4 seems to be another video (frames: 4 instead of 6): ")
    assert "nothing found" not in out
    assert "failed checks: frames" in out


def test_places_to_look_at_are_reported_but_do_not_fail(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare, plain = rendered(clip, tmp_path / "bare.mp4", {}), tmp_path / "found.json"
    use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES, score=0.55))
    assert run(bare, "--against", clip, "--json", plain) == 0
    out, err = capsys.readouterr()
    assert "look here: 1 place perhaps shows a face; everything else is intact" in out
    assert "  look here: f0x45y35, 0:00:00.000 to 0:00:00.200, 50x50 pixels at 20, 10\n" in out
    assert "--accept accepted.jsonl --dismiss NAME" in err
    found = json.loads(plain.read_text("utf-8"))
    assert (found["clean"], found["exposed"], found["runs"], found["look_here"]) == (True, 0, [], 1)
    assert found["verdict"] == "look here"
    assert len(found["look_here_runs"][0]["frames"]) == 6


def test_a_partial_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_fake_probe(monkeypatch)
    source = write_clip(tmp_path / "in.mkv", frames=40, size=(128, 96), noise=True)
    out = rendered(source, tmp_path / "out.mkv", {}, frames=20)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 3 // 4])
    assert run(out, "--against", source) == 1
    assert "is truncated" in capsys.readouterr().err
    assert run(out, "--against", source, "--partial") == 1
    assert "frames: 20 instead of " in capsys.readouterr().out
    with pytest.raises(SourceError, match="is truncated"):
        verify(out, source=source)
    assert verify(out, source=source, settings=Settings(partial=True)).frames == 20


@pytest.mark.usefixtures("fake_probe")
def test_tracks_are_read_with_their_padding(clip: Path, hidden: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.tracks.jsonl"
    tracks = tracks_of(TRUTH, (128, 96), FRAMES)
    made = track_file.TrackFile.of(identity(clip), tracks, Settings(), "fake")
    track_file.write(file, made, False)
    assert run(hidden, "--tracks", file) == 0
    assert run(hidden, "--tracks", file, "--against", clip) == 0


def test_tracks_of_another_video_are_refused_at_once(
    clip: Path,
    hidden: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    probe = use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES))
    file, plain = tmp_path / "other.tracks.jsonl", tmp_path / "found.json"
    other = write_clip(tmp_path / "other.mp4", frames=FRAMES + 2, size=(128, 96))
    tracks = tracks_of(TRUTH, (128, 96), FRAMES + 2)
    made = track_file.TrackFile.of(identity(other), tracks, Settings(), "fake")
    track_file.write(file, made, False)
    assert run(hidden, "--tracks", file, "--json", plain) == 1
    assert capsys.readouterr() == (
        "",
        f"trackblur: error: {file}: made for another video (other.mp4): {hidden} has 6 frames, and "
        "the tracks are for 8: name the tracks of its own input, or leave them out\n",
    )
    assert not plain.exists()
    assert len(list(probe.detect(np.zeros((1, 1, 3), np.uint8), Fraction(1)))) == 1  # the first


def test_tracks_of_a_custom_class_need_its_detector(
    clip: Path, hidden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "in.tracks.jsonl", SAMPLES.parent / "models" / "face.onnx"
    settings = Settings(hide=("faces", "badge"), detector="badges.onnx")
    tracks = tracks_of(TRUTH, (128, 96), FRAMES)
    made = track_file.TrackFile.of(identity(clip), tracks, settings, "badges.onnx")
    track_file.write(file, made, False)
    for arguments in ((), ("--detector", other)):
        assert run(hidden, "--tracks", file, *arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err == (
            f"trackblur: error: {file}: hides 'badge', for which there is no detector here: name "
            "its file with --detector FILE.onnx, or say with --hide what to search for\n"
        )
    assert run(hidden, "--tracks", file, "--hide", "faces") == 0


@pytest.mark.usefixtures("fake_probe")
def test_verification_after_a_run(clip: Path, hidden: Path) -> None:
    verdict = verify(
        hidden, source=clip, tracks=tracks_of(TRUTH, (128, 96), FRAMES), settings=Settings()
    )
    assert verdict.is_clean
    assert [view.moment for view in verdict.ends] == ["first", "last"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("{tmp}/none.mp4",), 1, "none.mp4: no such file: check the name"),
        (("{tmp}/*.jpg",), 1, "matches no videos or images"),
        (("{tmp}/empty.mp4",), 1, "empty.mp4: is empty: get the complete file"),
        (("{tmp}/text.mp4",), 1, "text.mp4: is not a readable video"),
        (("{out}", "--against", "{tmp}/none.mp4"), 1, "none.mp4: no such file"),
        (("{out}", "--against", "{out}"), 2, "is the output itself"),
        (("{out}", "--tracks", "{tmp}/none.jsonl"), 1, "none.jsonl"),
        (("{out}", "--tracks", "{tmp}/text.mp4"), 1, "text.mp4"),
        (("{out}", "--tracks", "{tmp}/other.jsonl", "--against", "{in}"), 1, "is not the video"),
        (("{out}", "--every", "0"), 2, "--every is 0: give a whole number from 1"),
        (("{out}", "--report", "-"), 2, "--report needs a file"),
        (("{out}", "--report", "{tmp}/other.jsonl"), 1, "already exists"),
        (("{out}", "--report", "{tmp}/text.mp4", "--overwrite"), 2, "is the name of a video"),
        (("{out}", "--json", "{tmp}/empty.mp4", "--overwrite"), 2, "is the name of a video"),
        (("{out}", "--report", "{tmp}/none.png"), 2, "is the name of a video or an image"),
        (("{out}", "--report", "{out}", "--overwrite"), 2, "is an input of this command"),
        (
            ("{out}", "--tracks", "{tmp}/other.jsonl", "--json", "{tmp}/other.jsonl"),
            2,
            "is an input of this command",
        ),
        (("{out}", "--report", "{tmp}/a", "--json", "{tmp}/./a"), 2, "is named twice"),
        (("{out}", "--json", "{tmp}/none/found.json"), 1, "does not exist: create it"),
        (("{out}", "--face", "{tmp}/none"), 2, "no such folder of weight files"),
    ],
)
def test_a_bad_input_is_one_line(
    clip: Path,
    hidden: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    use_fake_probe(monkeypatch)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video\n")
    tracks = tracks_of(TRUTH, (128, 96), FRAMES)
    other = track_file.TrackFile.of(identity(hidden), tracks, Settings(), "fake")
    track_file.write(tmp_path / "other.jsonl", other, False)
    filled = [word.format(tmp=tmp_path, out=hidden, **{"in": clip}) for word in arguments]
    assert run(*filled) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("trackblur: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert (tmp_path / "text.mp4").read_text() == "no video\n"
    assert (tmp_path / "empty.mp4").read_bytes() == b""


def accept(output: Path, journal: Path, *arguments: str | Path) -> int:
    return run(output, "--accept", journal, *arguments)


def test_a_dismissed_place_stays_dismissed(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare, journal = rendered(clip, tmp_path / "bare.mp4", {}), tmp_path / "accepted.jsonl"
    name, plain = "f0x45y35", tmp_path / "found.json"

    def accept_all(output: Path, *arguments: str | Path) -> int:
        use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES))
        return accept(output, journal, "--against", clip, *arguments)

    assert accept_all(bare, "--dismiss", name, "--by", "Ada", "--why", "a poster") == 0
    out, err = capsys.readouterr()
    assert "nothing found in 6 of 6 frames; 1 accepted place left out" in out
    assert f"{journal}: 1 place added" in err
    line = json.loads(journal.read_text("utf-8"))
    assert (line["output"], line["id"], line["by"], line["why"]) == (
        "bare.mp4",
        name,
        "Ada",
        "a poster",
    )
    assert accept_all(bare, "--json", plain) == 0
    assert json.loads(plain.read_text("utf-8"))["dismissed"] == 1
    # The same input, rendered again, under another name.
    again = rendered(clip, tmp_path / "again.mp4", {}, quality=30)
    assert accept_all(again) == 0
    # The place cannot be dismissed twice, and others stay.
    assert accept_all(bare, "--dismiss", name) == 2
    assert "there is no such place" in capsys.readouterr().err
    assert len(journal.read_text("utf-8").splitlines()) == 1
    moved = {frame: [(0, BOX.moved(40, 30))] for frame in range(FRAMES)}
    use_fake_probe(monkeypatch, true_detections(moved, FRAMES))
    assert accept(bare, journal, "--against", clip) == 3


def test_an_accepted_place_does_not_excuse_another_video(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, journal = rendered(clip, tmp_path / "bare.mp4", {}), tmp_path / "accepted.jsonl"
    (tmp_path / "out").mkdir()
    use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES))
    assert accept(bare, journal, "--against", clip, "--dismiss", "f0x45y35") == 0
    source = write_clip(tmp_path / "in.mp4", frames=FRAMES, size=(128, 96), noise=True)
    other = rendered(source, tmp_path / "out" / "bare.mp4", {})
    use_fake_probe(monkeypatch, true_detections(TRUTH, FRAMES))
    assert accept(other, journal, "--against", source) == 3


@pytest.mark.usefixtures("fake_probe")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--accept", "{tmp}/none.jsonl"), 1, "no such journal"),
        (("--accept", "{tmp}/text.txt"), 1, "line 1 is no accepted place"),
        (("--dismiss", "f0x45y35"), 2, "--dismiss needs a journal"),
        (("--accept", "{tmp}/a.jsonl", "--why", "x"), 2, "name it: --dismiss"),
        (("--accept", "{tmp}/a.jsonl", "--dismiss", "f1x1y1"), 2, "there are: f0x45y35"),
        (("--accept", "{tmp}/a.mp4", "--dismiss", "f0x45y35"), 2, "is the name of a video"),
        (
            ("--accept", "{tmp}/a", "--dismiss", "f0x45y35", "--report", "{tmp}/a"),
            2,
            "is named twice",
        ),
        (("--accept", "{tmp}/no/a", "--dismiss", "f0x45y35"), 1, "does not exist: create it"),
    ],
)
def test_a_wrong_acceptance_is_one_line(
    clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (tmp_path / "text.txt").write_text("no journal\n")
    bare = rendered(clip, tmp_path / "bare.mp4", {})
    before = sorted(tmp_path.iterdir())
    filled = [word.format(tmp=tmp_path) for word in arguments]
    assert run(bare, "--against", clip, *filled) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two videos, and their outputs: the first is hidden, the second is not."""
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    for name, truth in (("a.mp4", TRUTH), ("b.mp4", {})):
        (inputs / name).parent.mkdir(exist_ok=True)
        outputs.mkdir(exist_ok=True)
        write_clip(inputs / name, frames=FRAMES, size=(128, 96), noise=True)
        rendered(inputs / name, outputs / name, truth, method="solid")
    return inputs, outputs


def use_probe_for(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    use_fake_probe(monkeypatch, files * true_detections(TRUTH, FRAMES))


def test_in_a_folder_nothing_is_found_only_in_what_was_compared(
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs, outputs = folders
    write_clip(inputs / "a.mp4", frames=3, noise=True)  # another video than the output's
    use_probe_for(monkeypatch, 2)
    assert run(outputs, "--against", inputs) == 3
    last = capsys.readouterr().out.splitlines()[-1]
    counts = "2 files: 1 exposed, 0 to look at, nothing found in 0, 1 not compared, 1 not intact"
    assert last.startswith(counts)


def test_a_folder_is_verified_file_by_file(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs, outputs = folders
    page, plain = tmp_path / "page.html", tmp_path / "found.json"
    use_probe_for(monkeypatch, 2)
    arguments = (outputs, "--against", inputs, "--report", page, "--json", plain)
    assert run(*arguments) == 3
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{outputs / 'a.mp4'}: nothing found in 6 of 6 frames")
    assert out[1].startswith(f"{outputs / 'b.mp4'}: a face is exposed in 6 frames")
    assert out[2].startswith("  exposed: f0x45y35")
    assert out[3:] == ["2 files: 1 exposed, 0 to look at, nothing found in 1; searched with fake"]
    assert not any("searched with" in line for line in out[:3])
    found = json.loads(plain.read_text("utf-8"))
    assert (found["verdict"], found["clean"], len(found["files"])) == ("exposed", False, 2)
    assert page.read_text("utf-8").count("<section") == 2


def test_a_folder_without_exposed_faces_exits_with_0(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, outputs = folders
    (outputs / "b.mp4").unlink()
    use_probe_for(monkeypatch, 1)
    assert run(outputs) == 0
    use_probe_for(monkeypatch, 1)
    assert run(f"{outputs}/*.mp4", "--against", f"{folders[0]}/*.mp4") == 0


def test_a_file_that_fails_stops_no_other(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs, outputs = folders
    (outputs / "b.mp4").write_bytes(b"no video")
    shutil.copy(outputs / "a.mp4", outputs / "c.mp4")
    shutil.copy(inputs / "a.mp4", inputs / "d.mp4")
    use_probe_for(monkeypatch, 2)
    assert run(outputs, "--against", inputs, "--json", "-") == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [file["output"] for file in found["files"]] == [
        str(outputs / name) for name in ("a.mp4", "c.mp4")
    ]
    assert "is not a readable video" in err
    assert f"{outputs / 'c.mp4'}: no input of this name in {inputs}: searched without one" in err
    assert len(found["failed"]) == 2
    assert found["skipped"] == [f"{inputs / 'd.mp4'}: has no output here"]
    assert "2 files: 0 exposed, 0 to look at, nothing found in 2, 2 failed" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tracks", "{tmp}/a.jsonl"), "is one track file for several outputs"),
        (("--accept", "{tmp}/a.jsonl", "--dismiss", "f0x1y1"), "names places of one file"),
        (("--against", "{tmp}/in/a.mp4"), "is one input for several outputs"),
        (("--against", "{tmp}/out"), "is the output itself"),
    ],
)
@pytest.mark.usefixtures("fake_probe")
def test_what_makes_no_sense_for_a_folder(
    folders: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert run(folders[1], *(word.format(tmp=tmp_path) for word in arguments)) == 2
    assert message in capsys.readouterr().err


def test_an_output_whose_input_is_not_in_the_folder(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = rendered(folders[0] / "a.mp4", tmp_path / "other.mp4", {})
    assert run(other, "--against", folders[0]) == 2
    assert f"{folders[0]}: has no input for {other}" in capsys.readouterr().err


def test_help_and_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "Exit codes" in capsys.readouterr().out
    for arguments in ((), ("a", "b"), ("a", "--every", "x"), ("a", "--ever", "2")):
        assert run(*arguments) == 2


def test_the_json_on_standard_output_is_printed_after_a_failure_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.mp4"
    assert run(missing, "--json", "-") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["output"] == str(missing)
    assert printed["error"].startswith(f"{missing}: no such file")


def test_the_report_is_for_its_owner_and_names_are_escaped(
    hidden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "a<b>\n\x1b\u202e.mp4"
    shutil.copy(hidden, odd)
    page = tmp_path / "page.html"
    page.touch(0o644)
    assert run(odd, "--report", page, "--overwrite", "--quiet") in (0, 3)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert r"<h1>a&lt;b&gt;\n\x1b\u202e.mp4</h1>" in page.read_text(encoding="utf-8")
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().err)
