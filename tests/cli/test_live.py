"""`trackblur live` as a person or a service runs it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.clips import swinging
from tests.command_line import run
from tests.ports import free_port
from tests.program import INTERRUPTIBLE_PROGRAM
from tests.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "tracker_blur", "live"]
NO_WATCHDOG = ["--watchdog", "60"]  # a busy machine is not a detector that hangs


def decode(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["."], ".: is a folder"),
        ([""], "'' is not a source"),
        (["n" * 300], "is not a source"),
        (["0", "--to", "a.mkv", "./a.mkv"], "./a.mkv: is named twice by --to"),
        (["0", "--to", "nonsense"], "is not a target"),
        (["0", "--to", "a.mkv", "a.mkv"], "twice"),
        (["0", "--watchdog", "-1"], "--watchdog is -1"),
        (["0", "--timeout", "0"], "--timeout is 0"),
        (["0", "--segment-minutes", "0"], "--segment-minutes is 0"),
        (["0", "--token", ""], "--token is empty"),
        (["0", "--token-file", "none"], "--token-file is none: cannot be read (no such file"),
        (["0", "--token-file", "/dev/null"], "--token-file is /dev/null: its first line is empty"),
        (["0", "--token-file", "/dev/zero"], "its first line has more than 1000 characters"),
        (["0", "--token", "1234567"], "--token is too easy to guess: give 8 characters or more"),
        (["0", "--token", "a", "--token-file", "b"], "not allowed with argument"),
        (["0", "--token", "\udcff"], "--token holds characters that are no text"),
        (["²"], "'²' is not a source"),
        (["200"], "200: cameras have at most 2 digits"),
        (["0", "--size", "5x5"], "--size is 5x5: give WIDTHxHEIGHT, each side from 16 to 8192"),
        (["0", "--stills", "none"], "--stills is none: this folder does not exist"),
        (["-", "--raw-format", "8x8:bgr24", "--to", "out.mkv"], "--raw-format needs "),
        (["0", "--size", "big"], "WIDTHxHEIGHT"),
        (["-", "--raw-format", "1x1:nonsense", "--rate", "9"], "--raw-format is '1x1:nonsense'"),
        (["-", "--raw-format", "0x8:bgr24", "--rate", "9"], "--raw-format is '0x8:bgr24'"),
        (["0", "--metrics-port", "70000"], "65536"),
        (["0", "--metrics-port", "-5"], "65536"),
        (["0", "--cover", "none.png"], "none.png"),
        (["0", "--careful"], "unrecognized arguments: --careful"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("live", *arguments) == 2
    printed = capfd.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
    assert all(line.startswith(("trackblur", "usage")) for line in printed.splitlines())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["97"], "trackblur: camera 97 -> window; detector "),
        (["97"], "error: camera 97: cannot be opened: see 'trackblur live --list-cameras'"),
        (["/dev/video97"], "--list-cameras"),
        (["rtsp://127.0.0.1:9/none", "--to", "out.mkv"], "cannot be opened"),
        (["rtsp://none.invalid/none", "--to", "out.mkv"], "(unknown host)"),
        (["udp://127.0.0.1:{port}", "--timeout", "0.5"], "(no data for 1 seconds)"),
        (["none.mp4", "--to", "out.mkv"], "none.mp4: no such file: check the name"),
        (["none.mp4", "--realtime", "--to", "out.mkv"], "no such file"),
        (["rtsp://[::1/none", "--to", "out.mkv"], "(unknown host)"),
    ],
)
def test_a_source_that_cannot_be_opened_is_one_line(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    port = str(free_port(socket.SOCK_DGRAM))
    result = subprocess.run(
        [*PROGRAM, *(argument.replace("{port}", port) for argument in arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE_SECONDS,
        input="",
    )
    assert result.returncode == 1, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    # Libraries print nothing.
    assert all(line.startswith(("trackblur", "usage")) for line in result.stderr.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, link = tmp_path / "clip.mp4", tmp_path / "link.mp4"
    clip.write_bytes(b"precious")
    link.symlink_to(clip)
    for name in (clip, link):
        assert run("live", clip, "--realtime", "--to", name, "--overwrite") == 2
        assert "is the source" in capsys.readouterr().err
    assert clip.read_bytes() == b"precious"


def test_cameras_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("live", "--list-cameras") == 0
    printed = capsys.readouterr()
    assert printed.out or "no camera" in printed.err


WITH_PATIENCE = f"""
import sys
from tracker_blur.cli.main import main
from tracker_blur.cli import live
live._LAST_LINE_SECONDS = {PATIENCE_SECONDS}
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.shared
def test_a_file_played_in_real_time_becomes_a_file(
    shared: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    arguments = ["--realtime", "--to", str(out), "--json", "--delay", "0.2", *NO_WATCHDOG, "--face"]
    result = subprocess.run(
        [sys.executable, "-c", WITH_PATIENCE, "live", str(clip), *arguments, shared / "models"],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1]["state"] == "ended"
    assert lines[-1]["frames_in"] == 56
    assert lines[-1]["targets"][0]["name"] == str(out)
    assert b"detector yunet" in result.stderr
    assert len(decode(out)) > 20


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_a_complete_file(
    shared: Path, long: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out.mp4"
    arguments = [str(long), "--realtime", "--to", str(out), "--json"]
    arguments += ["--face", str(shared / "models")]
    with subprocess.Popen(
        [*INTERRUPTIBLE_PROGRAM, "live", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["targets"][0]["shown"] > 5:
                break
        process.send_signal(getattr(signal, name))
        for _ in range(20):  # as supervisors do, to the group, and impatient people
            process.send_signal(getattr(signal, name))
            time.sleep(0.1)
        process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert len(decode(out)) > 5


@pytest.mark.slow
@pytest.mark.parametrize("source", ["-", "tcp://127.0.0.1:{port}?listen=1"])
def test_a_signal_ends_it_while_it_waits_for_its_source(tmp_path: Path, source: str) -> None:
    arguments = [source.format(port=free_port()), "--to", str(tmp_path / "out.mkv"), "--json"]
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["frames_in"] == 0  # the session runs
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 130  # though nothing ever comes
        assert b"interrupted" in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


HANGING_DETECTOR = """
import sys, threading
from tracker_blur.cli.main import main
from tracker_blur.detectors import yunet
real, calls = yunet.YuNet.detect, []
def detect(*arguments):
    calls.append(1)
    if len(calls) > 8:
        threading.Event().wait()
    return real(*arguments)
yunet.YuNet.detect = detect
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.shared
def test_a_signal_ends_it_though_the_detector_hangs(
    shared: Path, long: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    arguments = ["live", str(long), "--realtime", "--to", str(out), "--json", "--watchdog", "0.3"]
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_DETECTOR, *arguments, "--face", str(shared / "models")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["reason"] == "the detector is late":
                break
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 0  # though the detection never ends
    assert len(decode(out)) > 5


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """Give the writing end of a pipe that is full, and that no one reads."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while os.write(write, bytes(4096)):
            pass
    os.set_blocking(write, True)
    yield write
    os.close(read)
    os.close(write)


@pytest.mark.slow
@pytest.mark.shared
def test_it_ends_though_no_one_reads_the_status_lines(
    shared: Path, clip: Path, tmp_path: Path, full_pipe: int
) -> None:
    out = tmp_path / "out.mkv"
    arguments = [str(clip), "--realtime", "--to", str(out), "--json", *NO_WATCHDOG]
    arguments += ["--face", str(shared / "models")]
    result = subprocess.run(
        [*PROGRAM, *arguments], stdout=full_pipe, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS
    )
    assert result.returncode == 0, result.stderr
    assert len(decode(out)) > 5


@pytest.mark.slow
@pytest.mark.shared
def test_a_standard_error_that_no_one_reads_holds_up_nothing(
    shared: Path, clip: Path, tmp_path: Path, full_pipe: int
) -> None:
    out = tmp_path / "out.mkv"
    arguments = [str(clip), "--realtime", "--to", str(out), *NO_WATCHDOG]
    arguments += ["--face", str(shared / "models")]
    result = subprocess.run([*PROGRAM, *arguments], stderr=full_pipe, timeout=PATIENCE_SECONDS)
    assert result.returncode == 0
    assert len(decode(out)) > 5


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("is_given", [False, True])
def test_quiet_prints_a_random_token_and_no_other(
    shared: Path, clip: Path, tmp_path: Path, is_given: bool
) -> None:
    secret = tmp_path / "token"
    secret.write_text("a-token-of-mine\nmore\n")
    arguments = [str(clip), "--realtime", "--to", "web:0.0.0.0:0", *NO_WATCHDOG]
    arguments += ["--face", str(shared / "models")]
    arguments += ["--token-file", str(secret)] if is_given else ["--quiet"]
    result = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert result.returncode == 0
    assert "a-token-of-mine" not in result.stderr
    if not is_given:
        assert re.fullmatch(
            r"trackblur: web:0\.0\.0\.0:0: open http://\S+/\?token=[\w-]{22} in a browser\n",
            result.stderr,
        )


@pytest.mark.slow
@pytest.mark.shared
def test_it_respects_nohup(shared: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    arguments = [str(clip), "--realtime", "--to", str(out), *NO_WATCHDOG]
    arguments += ["--face", str(shared / "models")]
    with subprocess.Popen(
        ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *PROGRAM, *arguments],
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        assert b"of 56 dropped" in process.stderr.read()  # all of them were played
        assert process.wait(PATIENCE_SECONDS) == 0


def feed(arguments: list[str], data: Iterable[bytes]) -> None:
    """Write data to standard input, a little at a time, until a frame is shown."""
    is_enough = threading.Event()

    def write() -> None:
        assert process.stdin is not None
        for part in data:
            process.stdin.write(part)
            if is_enough.wait(1 / 30):
                break
        process.stdin.close()

    with subprocess.Popen(
        [*PROGRAM, "-", *arguments, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        writer = threading.Thread(target=write)
        writer.start()
        for line in process.stdout:
            if json.loads(line)["targets"][0]["shown"]:
                is_enough.set()
        writer.join()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.slow
@pytest.mark.shared
def test_standard_input_may_carry_a_container(shared: Path, tmp_path: Path) -> None:
    clip = swinging(shared / "videos" / "two_heads.mp4", tmp_path / "long.mkv")
    out = tmp_path / "out.mkv"
    with clip.open("rb") as file:
        parts = iter(lambda: file.read(16_384), b"")
        feed(["--to", str(out), "--face", str(shared / "models")], parts)
    assert decode(out)[0].width == 480


@pytest.mark.slow
@pytest.mark.shared
def test_standard_input_may_carry_raw_frames(shared: Path, tmp_path: Path) -> None:
    frames = [f.to_ndarray(format="bgr24") for f in decode(shared / "videos" / "signer.mkv")[:30]]
    raw = tmp_path / "raw.mkv"
    arguments = ["--to", str(raw), "--raw-format", "640x480:bgr24", "--rate", "30"]
    arguments += ["--face", str(shared / "models")]
    feed(arguments, (frame.tobytes() for frame in itertools.cycle(frames)))
    written = decode(raw)
    assert {frame.colorspace for frame in written} == {6}  # BT.601
    shown = [frame.to_ndarray(format="bgr24") for frame in written]
    assert shown[0].shape == (480, 640, 3)
    errors = [np.abs(image.mean((0, 1)) - frames[0].mean((0, 1))).max() for image in shown]
    assert min(errors) < 6  # the same colors; some frames are blank


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("window", "there is no screen"),
        ("none/out.mkv", "the folder none does not exist"),
        ("none/live.m3u8", "the folder none does not exist"),
        ("there.mkv", "there.mkv: already exists: choose another name or use --overwrite"),
        ("web:127.0.0.1:{port}", "cannot listen"),
        ("web:192.0.2.1:8642", "cannot listen"),
        ("rtmp://127.0.0.1:9/live/key", " cannot be reached "),
    ],
)
def test_a_target_that_cannot_be_opened_ends_it(
    shared: Path, clip: Path, tmp_path: Path, target: str, message: str
) -> None:
    (tmp_path / "there.mkv").write_bytes(b"precious")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        targets = [target.format(port=taken.getsockname()[1]), "other.mkv", *NO_WATCHDOG]
        result = subprocess.run(
            [*PROGRAM, clip, "--realtime", "--to", *targets, "--face", shared / "models"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "DISPLAY"},
            timeout=PATIENCE_SECONDS,
        )
    assert result.returncode == 1, result.stderr
    assert f"trackblur: error: {target.partition(':')[0]}" in result.stderr
    assert message in result.stderr
    is_server = "://" in target
    is_retried = is_server and "in time" not in result.stderr  # on the busiest machine
    assert ("warning" in result.stderr) is is_retried
    assert (tmp_path / "other.mkv").exists() is is_server
    assert (tmp_path / "there.mkv").read_bytes() == b"precious"


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("has_begun", [False, True])
def test_it_ends_when_no_one_reads_the_video(shared: Path, long: Path, has_begun: bool) -> None:
    command = [*PROGRAM, str(long), "--realtime", "--to", "-", "--face", str(shared / "models")]
    read, write = os.pipe()
    if not has_begun:
        os.close(read)
    with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        if has_begun:
            assert os.read(read, 1)
            os.close(read)
        assert process.stderr is not None
        printed = process.stderr.read()
        assert process.wait(PATIENCE_SECONDS) == 1
    assert b"error: -: no one reads standard output" in printed


@pytest.mark.slow
@pytest.mark.shared
def test_metrics_are_served_while_it_runs(shared: Path, long: Path, tmp_path: Path) -> None:
    arguments = [str(long), "--realtime", "--to", str(tmp_path / "out.mkv"), "--metrics-port", "0"]
    with subprocess.Popen(
        [*PROGRAM, *arguments, "--face", str(shared / "models")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        address = next(line.split()[-1] for line in process.stderr if "Prometheus" in line)

        def frames_out() -> re.Match[str] | None:
            assert process.poll() is None
            with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
                return re.search(r"^trackblur_frames_out_total [1-9]", answer.read().decode(), re.M)

        until(frames_out)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
