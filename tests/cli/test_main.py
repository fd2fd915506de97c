"""The command line as a whole: commands, help, completion, signals, exit codes."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import VIDEO
from tests.command_line import error_line, run
from tests.image_files import noise, save_image
from tests.program import INTERRUPTIBLE_PROGRAM
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.cli.commands import build_parser
from tracker_blur.cli.parser import flags_of
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.settings import Settings

COMMANDS = (
    "redact",
    "live",
    "track",
    "tracks",
    "render",
    "verify",
    "report",
    "app",
    "review",
    "serve",
    "detect",
    "detectors",
    "models",
    "train",
    "evaluate",
)
HAAR = ("--detector", "haar", "--quiet")


def test_the_help_lists_every_command_in_one_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run("--help") == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("  COMMAND") + 1
    assert tuple(line.split()[0] for line in lines[first : first + len(COMMANDS)]) == COMMANDS
    assert all(len(line.split()) > 3 for line in lines[first : first + len(COMMANDS)])
    assert lines[first + len(COMMANDS)] == ""
    assert tuple(build_parser()[1]) == COMMANDS


@pytest.mark.parametrize("arguments", [(), ("redact",)])
def test_the_help_names_every_setting(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--help") == 0
    text = capsys.readouterr().out
    root, parsers = build_parser()
    flags = flags_of(parsers["redact"])
    assert flags == {name: flag for name, flag in flags_of(root).items() if name in flags}
    for field in dataclasses.fields(Settings):
        if field.name != "tracking":  # parameters for benchmarks; no options set them
            assert flags[field.name] in text
    for flag in ("--json", "--out", "--tracks", "--verify", "--compare", "--print-completion"):
        assert flag in text


def test_the_help_of_live_names_every_live_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("live", "--help") == 0
    text = capsys.readouterr().out
    flags = flags_of(build_parser()[1]["live"])
    for field in dataclasses.fields(LiveSettings):
        if field.name != "timing":  # parameters for tests; no options set them
            assert flags[field.name] in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_has_help(command: str) -> None:
    assert all(action.help for action in build_parser()[1][command]._actions)


@pytest.mark.parametrize("arguments", [(), *((command,) for command in COMMANDS)])
def test_the_help_ends_with_three_examples_that_parse(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--help") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4] == "Examples:"
    _, parsers = build_parser()
    for line in lines[-3:]:
        _, *words = shlex.split(line, comments=True)
        command = words.pop(0) if words[:1] and words[0] in parsers else "redact"
        assert command == (arguments or ("redact",))[0]
        parsers[command].parse_args(words)


@pytest.mark.parametrize("flag", ["-i", "--input"])
def test_an_input_may_be_named_by_an_option_and_options_stand_anywhere(
    flag: str, small_clip: Path, tracked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "d.mp4"
    assert run(flag, small_clip, *HAAR, tmp_path / "a.mp4", "--quiet") == 0
    assert run(tmp_path / "b.mp4", flag, small_clip, *HAAR, "--quiet") == 0
    assert run("track", flag, small_clip, "-o", tmp_path / "t.jsonl", *HAAR, "--quiet") == 0
    assert run("render", flag, small_clip, tracked, tmp_path / "c.mp4", "--quiet") == 0
    assert run("render", small_clip, "--quiet", tracked, "--shape", "rectangle", out) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        *("a.mp4", "b.mp4", "c.mp4", "d.mp4", "t.jsonl")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no input: name a video, an image, a folder or a quoted pattern"),
        (["-o", "out.mp4"], "no input: name a video"),
        (["-i", "a.mp4", "b.mp4", "c.mp4"], "with -i IN there is one output"),
        (["--image", "photo.jpg"], "name an input as IN or with -i photo.jpg"),
        (["out.jpg", "--image", "photo.jpg", "--method", "simple"], "with -i photo.jpg"),
        (["track"], "required: IN"),
        (["render"], "required: FILE, OUT"),
        (["render", "t.jsonl", "out.mp4"], "one is missing: IN, FILE, OUT;"),
    ],
)
def test_a_missing_input_is_wrong_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert message in error_line(capsys)


@pytest.mark.parametrize("arguments", [(), *((command,) for command in COMMANDS)])
def test_help_uses_the_projects_words(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert not re.search("adversar|data set|save a still", text)


@pytest.mark.parametrize("arguments", [(), *((command,) for command in COMMANDS)])
def test_no_help_waits_for_large_packages(arguments: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tracker_blur", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert imported & {"cv2", "av", "numpy", "scipy", "PIL", "tqdm", "torch"} == set()


def test_redact_may_be_named(small_image: Path, tmp_path: Path) -> None:
    assert run(small_image, tmp_path / "a.png", *HAAR) == 0
    assert run("redact", small_image, tmp_path / "b.png", *HAAR) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_folder_may_have_the_letter_of_an_option_as_its_name(
    small_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("o").mkdir()
    assert run(small_image, "o", *HAAR) == 0
    assert [path.name for path in Path("o").iterdir()] == [small_image.name]


@pytest.mark.parametrize(
    "arguments", [("redact", "live"), ("./live",), ("--", "live"), ("--quiet", "live")]
)
def test_a_file_named_like_a_command_can_be_redacted(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("live").write_text("not a video\n")
    assert run(*arguments) == 1
    assert "live: " in error_line(capsys)


@pytest.mark.parametrize("is_folder", [True, False])
def test_redact_is_refused_where_it_may_mean_a_file_or_folder(
    is_folder: bool,
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("redact").mkdir() if is_folder else Path("redact").touch()
    Path("out").mkdir()
    shutil.copy(small_image, "out/a.png")  # was processed instead
    assert run("redact", "out") == 2
    kind = "folder" if is_folder else "file"
    assert f"redact is a command and a {kind} here: write ./redact, or redact redact" in error_line(
        capsys
    )
    assert [path.name for path in Path("out").iterdir()] == ["a.png"]
    assert run("redact", "--help") == 0


@pytest.mark.parametrize("arguments", [("./redact",), ("redact", "redact")])
def test_a_folder_named_redact_can_be_redacted(
    arguments: tuple[str, ...],
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("redact").mkdir()
    shutil.copy(small_image, "redact/a.png")
    assert run(*arguments, "out", *HAAR) == 0
    assert Path("out/a.png").is_file()


def test_other_commands_are_run_where_a_file_has_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    assert run("models") == 0
    assert "searched: " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("redact",)])
def test_the_help_says_how_to_name_a_file_like_a_command_and_the_exit_codes(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "IN is a video, an image, a folder or a quoted pattern. OUT is a file, or a" in text
    assert "'trackblur ./live' or 'trackblur redact live'" in text
    assert "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a face is exposed, 130" in text


@pytest.mark.parametrize(
    ("command", "reason", "code_of_empty_file"),
    [
        ("live", "no such file: check the name, and add --realtime for a file", 2),
        ("track", "no such file: check the name", 1),
    ],
)
def test_a_command_that_may_be_meant_as_a_file_gives_a_hint(
    command: str,
    reason: str,
    code_of_empty_file: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(command, "out.mp4") == 1
    assert error_line(capsys) == f"trackblur: error: out.mp4: {reason}"
    assert run(f"{command}e", "out.mp4") == 2
    assert error_line(capsys).endswith(f"; did you mean 'trackblur {command}'?")
    Path("other.mp4").touch()
    assert run(f"{command}e", "other.mp4") == 2
    hint = f"check the name; did you mean 'trackblur {command}'?"  # and no other one
    assert error_line(capsys).endswith(f"{command}e: no such file or folder: {hint}")
    assert run("none.mp4", "out.mp4") == 1
    assert "did you mean" not in error_line(capsys)
    Path(command).touch()
    assert run(command, "out.mp4") == 1
    hint = f"; to redact {command}, write ./{command}"
    assert error_line(capsys) == f"trackblur: error: out.mp4: {reason}{hint}"
    Path("out.mp4").touch()
    assert run(command, "out.mp4") == code_of_empty_file
    assert "write ./" not in error_line(capsys)


LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("IMAGE", f"{LONG}.png"),
        ("IMAGE", f"{LONG}/"),
        ("IMAGE", "-o", f"{LONG}/a.png"),
        ("IMAGE", "a.png", "--tracks", f"{LONG}.jsonl"),
        ("IMAGE", "a.png", "--verify-report", f"{LONG}.html"),
        ("IMAGE", "IMAGE", LONG),
        (f"{LONG}.png",),
        ("track", "VIDEO", "-o", f"{LONG}.jsonl"),
        ("track", f"{LONG}.mp4"),
        ("verify", "VIDEO", "--report", f"{LONG}.html"),
        ("live", "VIDEO", "--realtime", "--to", f"{LONG}.mp4"),
        ("evaluate", LONG, LONG),
        ("train", LONG, "--name", "x", "--check"),
    ],
)
def test_a_name_that_is_too_long_is_one_line(
    arguments: tuple[str, ...],
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"IMAGE": str(small_image), "VIDEO": str(VIDEO)}
    assert run(*(places.get(word, word) for word in arguments)) in (1, 2)
    line = error_line(capsys)
    assert LONG in line
    assert "bug" not in line
    assert "Errno" not in line


@pytest.mark.parametrize("arguments", [(), ("redact",), ("live", "--nonsense"), ("track",)])
def test_wrong_usage_ends_with_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert error_line(capsys).startswith("trackblur")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("blurr", "in.mp4"), "no such file or folder: check the name; no command is called blurr"),
        (("modles",), "modles: no such file or folder: check the name; did you mean 'trackblur mo"),
        (
            ("help",),
            "help: no such file or folder: check the name; did you mean 'trackblur --help'",
        ),
        (("trakc", "in.mp4", "--sheet", "x"), ": --sheet x; did you mean 'trackblur track'?"),
        (("track", "in.mp4", "out.jsonl"), "arguments: out.jsonl; name an output with -o"),
        (("review",), "arguments are required: IN; see"),  # and not TRACKS, which is optional
        (("render", "in.mp4", "t.jsonl"), "required, and one is missing: IN, FILE, OUT; see"),
        (("in.mp4", "out.mp4", "--json", "found.txt"), "found.txt: does not end in .json: write -"),
        (("--json", "rtsp://cam/live.sdp", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("track", "-i", "in.mp4", "other.mp4"), "the input is named twice: as in.mp4 and as "),
        (("track", "other.mp4", "-i", "in.mp4"), "named twice: as in.mp4 and as other.mp4"),
        (("track", "in.mp4", "-z"), "arguments: -z; see 'trackblur track --help'"),
        (("in.mp4", "-overwrite"), "-overwrite: did you mean --overwrite?"),
        (("track", "a.mp4", "--mute", "1s..2s"), "--mute is an option of 'trackblur redact', 'tra"),
        (("in.mp4", "--mehtod", "solid"), "arguments: --mehtod solid; did you mean --method?"),
        (("detect", "--nonsense", "a.jpg"), "--nonsense; see 'trackblur detect --help'"),
        (("in.mp4", "--padding", "-x"), "argument --padding: expected one argument"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_may_be_meant(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.splitlines()) == 1


def test_a_file_that_begins_like_an_option_is_explained(
    small_image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_image, "-people.png")
    assert run("-people.png", "out.png") == 2
    assert "to name the file -people.png, write ./-people.png" in error_line(capsys)
    assert run("./-people.png", "out.png", *HAAR) == 0
    assert run(*HAAR, "--", "-people.png", "again.png") == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
@pytest.mark.parametrize("arguments", [(), ("live",), ("render",)])
def test_a_completion_script_names_commands_and_their_options(
    shell: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--print-completion", shell) == 0
    script = capsys.readouterr().out
    for word in (*COMMANDS, "detect-every", "pull"):
        assert word in script
    if shell != "tcsh":  # which completes the options of the default command only
        assert "drop-before" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["li"], {"live"}),
        (["in.mp4", "--view"], {"--view-size"}),
        (["live", "--raw"], {"--raw-format"}),
        (["redact", "ab"], {"abc.mp4"}),
        (["ab"], set()),  # no command, so bash itself completes file names
    ],
)
def test_bash_completes_commands_options_and_files(
    words: list[str], completions: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--print-completion", "bash") == 0
    script = capsys.readouterr().out
    assert "complete -o default" in script
    (tmp_path / "abc.mp4").touch()
    ask = f"""
    COMP_WORDS=(trackblur {" ".join(words)})
    COMP_CWORD={len(words)}
    _shtab_trackblur trackblur {words[-1]} ""
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(
        ["bash", "-c", script + ask], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert set(ended.stdout.split()) == completions


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_none_of_the_files(closed: str, tmp_path: Path) -> None:
    save_image(noise(80, 80, 3), tmp_path / "in.png")
    program = f"{shlex.quote(sys.executable)} -m tracker_blur in.png out.png"
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        ["sh", "-c", f"{program} {closed}"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert ended.returncode == 0
    assert ended.stdout == b""
    assert (ended.stderr == b"") == ("2>&-" in closed)
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (80, 80)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.png"]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_partial_file(
    number: signal.Signals, tmp_path: Path, models: str
) -> None:
    process = subprocess.Popen(
        [
            *INTERRUPTIBLE_PROGRAM,
            str(VIDEO),
            str(tmp_path / "out.mp4"),
            "--face",
            models,
            "--preset",
            "placebo",  # takes long enough to be interrupted on any machine
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: [path for path in tmp_path.iterdir() if path.stat().st_size])
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, errors
    assert list(tmp_path.iterdir()) == []
    assert "interrupted" in errors
    assert "Traceback" not in errors


LEAVES_A_THREAD = """
import atexit, threading, time
from tracker_blur.cli import main
def run(arguments):
    atexit.register(print, "others first", end="")
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    print("all of it", end=" ")
    return 3
main.run = run
atexit.register(print, " Python's own end", end="")
main.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("return 3", 3),
        ("raise SystemExit(2)", 2),
        ("raise SystemExit", 0),
        ("raise SystemExit('why')", 1),
    ],
)
def test_it_ends_with_its_exit_code_and_all_output_though_a_thread_hangs(
    end: str, code: int
) -> None:
    program = [sys.executable, "-c", LEAVES_A_THREAD.replace("return 3", end)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (code, "all of it others first")


@pytest.mark.slow
def test_without_a_thread_that_hangs_python_ends_as_ever() -> None:
    start = next(line for line in LEAVES_A_THREAD.splitlines() if "Thread" in line)
    program = [sys.executable, "-c", LEAVES_A_THREAD.replace(start, "")]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (3, "all of it others first Python's own end")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_no_success_though_a_thread_hangs() -> None:
    program = [sys.executable, "-c", LEAVES_A_THREAD.replace("return 3", "return 0")]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(program, stdout=full, timeout=60, check=False)
    assert ended.returncode == 1
