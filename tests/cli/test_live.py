"""`trackblur live` as a person or a service runs it."""

from __future__ import annotations

import http.client
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
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests import heeding
from tests.clips import swinging
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.realtime.metrics import Metrics, exposition
from tracker_blur.realtime.status import Status, TargetStatus

PROGRAM = [sys.executable, "-m", "tracker_blur", "live"]
UNHURRIED = ["--watchdog", "60"]  # a machine that stands still is no detector that hangs


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], capture_output=True, timeout=PATIENCE_SECONDS)


def frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def catches(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Return whether a process heeds a signal by now; without /proc, whether it may by now."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(5)
        return True
    (mask,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(mask.split()[1], 16) & 1 << (number - 1))


PATIENT = f"""
import sys
from tracker_blur.cli.main import main
from tracker_blur.cli import live
live._LAST_LINE_SECONDS = {PATIENCE_SECONDS}
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.shared
def test_a_file_in_real_time_becomes_a_file(shared: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    words = ["--realtime", "--to", str(out), "--json", "--delay", "0.2", *UNHURRIED, "--face"]
    result = subprocess.run(
        [sys.executable, "-c", PATIENT, "live", str(clip), *words, str(shared / "models")],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1]["state"] == "ended"
    assert lines[-1]["frames_in"] == 56
    assert lines[-1]["targets"][0]["name"] == str(out)
    assert b"detector yunet" in result.stderr
    assert len(frames(out)) > 20


@pytest.mark.shared
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_a_whole_file(
    shared: Path, long: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out.mp4"
    words = [str(long), "--realtime", "--to", str(out), "--json", "--face", str(shared / "models")]
    with subprocess.Popen(
        [*heeding.PROGRAM, "live", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["targets"][0]["shown"] > 5:
                break
        process.send_signal(getattr(signal, name))
        process.send_signal(getattr(signal, name))  # as to its group
        process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert len(frames(out)) > 5


@pytest.mark.parametrize("source", ["-", "tcp://127.0.0.1:{port}?listen=1"])
def test_a_signal_ends_it_before_anything_came(tmp_path: Path, source: str) -> None:
    words = [source.format(port=free_port()), "--to", str(tmp_path / "out.mkv")]
    with subprocess.Popen(
        [*PROGRAM, *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert b" to " in process.stderr.readline()  # it has begun
        until(lambda: catches(process, signal.SIGTERM))
        time.sleep(0.5)  # it may wait for its source by now
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 130  # though nothing ever comes
        assert b"interrupted" in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


HANGING = """
import sys, threading
from tracker_blur.cli.main import main
from tracker_blur.detectors import yunet
real, looks = yunet.YuNet.detect, []
def detect(*words):
    looks.append(1)
    if len(looks) > 8:
        threading.Event().wait()
    return real(*words)
yunet.YuNet.detect = detect
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.shared
def test_a_detector_that_hangs_holds_up_no_signal(shared: Path, long: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    words = ["live", str(long), "--realtime", "--to", str(out), "--json", "--watchdog", "0.3"]
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, *words, "--face", str(shared / "models")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["reason"] == "the detector is late":
                break
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 0  # though the look never ends
    assert len(frames(out)) > 5


@pytest.mark.shared
def test_who_reads_no_lines_holds_up_no_end(shared: Path, clip: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while os.write(write, bytes(4096)):
            pass
    os.set_blocking(write, True)
    out = tmp_path / "out.mkv"
    words = [str(clip), "--realtime", "--to", str(out), "--json", *UNHURRIED]
    words += ["--face", str(shared / "models")]
    result = subprocess.run(
        [*PROGRAM, *words], stdout=write, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS
    )
    os.close(read)
    os.close(write)
    assert result.returncode == 0, result.stderr
    assert len(frames(out)) > 5


@pytest.mark.shared
def test_nohup_stays_in_force(shared: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    words = [str(clip), "--realtime", "--to", str(out), *UNHURRIED]
    words += ["--face", str(shared / "models")]
    with subprocess.Popen(
        ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *PROGRAM, *words], stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        assert b"of 56 dropped" in process.stderr.read()  # all were played
        assert process.wait(PATIENCE_SECONDS) == 0


def feed(words: list[str], data: Iterable[bytes]) -> None:
    """Give data on standard input, a little at a time, until a picture is shown."""
    is_enough = threading.Event()

    def write() -> None:
        assert process.stdin is not None
        for part in data:
            process.stdin.write(part)
            if is_enough.wait(1 / 30):
                break
        process.stdin.close()

    with subprocess.Popen(
        [*PROGRAM, "-", *words, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        writer = threading.Thread(target=write)
        writer.start()
        for line in process.stdout:
            if json.loads(line)["targets"][0]["shown"]:
                is_enough.set()
        writer.join()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.shared
def test_standard_input_may_bring_a_container(shared: Path, tmp_path: Path) -> None:
    clip = swinging(shared / "videos" / "two_heads.mp4", tmp_path / "long.mkv")
    out = tmp_path / "out.mkv"
    with clip.open("rb") as file:
        parts = iter(lambda: file.read(16_384), b"")
        feed(["--to", str(out), "--face", str(shared / "models")], parts)
    assert frames(out)[0].width == 480


@pytest.mark.shared
def test_standard_input_may_bring_raw_frames(shared: Path, tmp_path: Path) -> None:
    pictures = [f.to_ndarray(format="bgr24") for f in frames(shared / "videos" / "signer.mkv")[:30]]
    raw = tmp_path / "raw.mkv"
    words = ["--to", str(raw), "--raw-format", "640x480:bgr24", "--rate", "30"]
    words += ["--face", str(shared / "models")]
    feed(words, (picture.tobytes() for picture in itertools.cycle(pictures)))
    first = frames(raw)[0].to_ndarray(format="bgr24").astype(int)
    assert first.shape == (480, 640, 3)
    assert np.abs(first.mean((0, 1)) - pictures[0].mean((0, 1))).max() < 12  # its colors


@pytest.mark.shared
def test_a_camera_is_whatever_opencv_reads(shared: Path, tmp_path: Path) -> None:
    from tests.realtime.judging import Judge, watched
    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.sources.camera import Camera

    path = tmp_path / "camera.avi"  # stands for the device; OpenCV reads both the same way
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 180))
    for _ in range(400):
        writer.write(np.full((180, 320, 3), 90, np.uint8))
    writer.release()
    judge = Judge(until=lambda judge: len(judge.deliveries) > 5)
    camera = Camera(str(path), LiveSettings())
    watched(path, shared, judge, source=camera)
    assert judge.format is not None
    assert judge.format.size == (320, 180)
    assert judge.format.rate == 25


@pytest.mark.shared
@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("window", "there is no screen"),
        ("none/out.mkv", "cannot be made"),
        ("none/live.m3u8", "there is no folder none"),
        ("there.mkv", "there.mkv: exists already"),
        ("web:127.0.0.1:{port}", "cannot listen"),
        ("web:192.0.2.1:8642", "cannot listen"),
        ("rtmp://127.0.0.1:9/live/key", " not reached "),
    ],
)
def test_a_target_that_cannot_work_ends_it(
    shared: Path, clip: Path, tmp_path: Path, target: str, text: str
) -> None:
    (tmp_path / "there.mkv").write_bytes(b"precious")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [target.format(port=taken.getsockname()[1]), "other.mkv", *UNHURRIED]
        result = subprocess.run(
            [*PROGRAM, str(clip), "--realtime", "--to", *words, "--face", str(shared / "models")],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "DISPLAY"},
            timeout=PATIENCE_SECONDS,
        )
    assert result.returncode == 1, result.stderr
    assert f"trackblur: error: {target.partition(':')[0]}" in result.stderr
    assert text in result.stderr
    is_server = "://" in target
    is_tried_again = is_server and "in time" not in result.stderr  # on the busiest machine
    assert ("warning" in result.stderr) is is_tried_again  # what may still come
    assert (tmp_path / "other.mkv").exists() is is_server
    assert (tmp_path / "there.mkv").read_bytes() == b"precious"


@pytest.mark.shared
@pytest.mark.parametrize("has_begun", [False, True])
def test_without_a_reader_it_ends(shared: Path, long: Path, has_begun: bool) -> None:
    words = [*PROGRAM, str(long), "--realtime", "--to", "-", "--face", str(shared / "models")]
    read, write = os.pipe()
    if not has_begun:
        os.close(read)
    with subprocess.Popen(words, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        if has_begun:
            assert os.read(read, 1)
            os.close(read)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(PATIENCE_SECONDS) == 1
    assert b"error: -: nobody reads standard output" in said


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["97"], 1, "--list-cameras"),
        (["/dev/video97"], 1, "--list-cameras"),
        (["rtsp://127.0.0.1:9/none", "--to", "out.mkv"], 1, "cannot be opened"),
        (["rtsp://none.invalid/none", "--to", "out.mkv"], 1, "(its host is not known)"),
        (["udp://127.0.0.1:{port}", "--timeout", "0.5"], 1, "(it gave nothing for 1 seconds)"),
        (["none.mp4", "--realtime", "--to", "out.mkv"], 1, "no such file"),
        (["none.mp4", "--to", "out.mkv"], 2, "none.mp4: no such file"),
        (["rtsp://[::1/none", "--to", "out.mkv"], 1, "(its host is not known)"),
        (["."], 2, ".: is a folder"),
        ([""], 2, "'' is no source"),
        (["n" * 300], 2, "is no source"),
        (["0", "--to", "a.mkv", "./a.mkv"], 2, "./a.mkv: --to names it twice"),
        (["0", "--to", "nonsense"], 2, "is no target"),
        (["0", "--to", "a.mkv", "a.mkv"], 2, "twice"),
        (["0", "--watchdog", "-1"], 2, "--watchdog is -1"),
        (["0", "--timeout", "0"], 2, "--timeout is 0"),
        (["0", "--segment-minutes", "0"], 2, "--segment-minutes is 0"),
        (["0", "--token", ""], 2, "--token is empty"),
        (["0", "--size", "1x1"], 2, "--size is"),
        (["0", "--stills", "none"], 2, "--stills is none: there is no such folder"),
        (["-", "--raw-format", "8x8:bgr24", "--to", "out.mkv"], 2, "--raw-format needs --rate"),
        (["0", "--size", "big"], 2, "WIDTHxHEIGHT"),
        (["-", "--raw-format", "1x1:nonsense", "--rate", "9"], 2, "--raw-format is '1x1:nonsense'"),
        (["-", "--raw-format", "0x8:bgr24", "--rate", "9"], 2, "--raw-format is '0x8:bgr24'"),
        (["0", "--metrics-port", "70000"], 2, "65536"),
        (["0", "--metrics-port", "-5"], 2, "65536"),
        (["0", "--cover", "none.png"], 2, "none.png"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    words: list[str], code: int, text: str, tmp_path: Path
) -> None:
    result = subprocess.run(
        [*PROGRAM, *(word.replace("{port}", str(free_port(socket.SOCK_DGRAM))) for word in words)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE_SECONDS,
        input="",
    )
    assert result.returncode == code, result.stderr
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    is_ours = [line.startswith(("trackblur", "usage")) for line in result.stderr.splitlines()]
    assert all(is_ours)  # nor do libraries mutter
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_never_written_over(tmp_path: Path) -> None:
    clip, link = tmp_path / "clip.mp4", tmp_path / "link.mp4"
    clip.write_bytes(b"precious")
    link.symlink_to(clip)
    for name in (clip, link):
        result = run(str(clip), "--realtime", "--to", str(name), "--overwrite")
        assert result.returncode == 2
        assert b"is the source" in result.stderr
    assert clip.read_bytes() == b"precious"


def test_cameras_are_listed() -> None:
    result = run("--list-cameras")
    assert result.returncode == 0
    assert result.stdout or b"no camera" in result.stderr


def test_figures_for_prometheus() -> None:
    status = Status(
        state="live",
        frames_in=7,
        frames_out=12_345_678,
        rate=29.97,
        targets=(TargetStatus('a"b', "open", shown=5, dropped=1),),
    )
    text = exposition(status)
    assert "trackblur_frames_in_total 7\n" in text
    assert "trackblur_frames_out_total 12345678\n" in text  # or rates would come in steps
    assert "trackblur_rate 29.97\n" in text
    assert 'trackblur_state{state="live"} 1\n' in text
    assert 'trackblur_target_shown_total{target="a\\"b",number="1"} 5\n' in text
    with Metrics(0, lambda: status) as metrics:
        address = f"http://127.0.0.1:{metrics.port}"
        with urllib.request.urlopen(f"{address}/metrics", timeout=PATIENCE_SECONDS) as answer:
            assert answer.read().decode() == text
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"{address}/", timeout=PATIENCE_SECONDS)
        refused.value.close()
        foreign = urllib.request.Request(f"{address}/metrics", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:  # DNS rebinding
            urllib.request.urlopen(foreign, timeout=PATIENCE_SECONDS)
        refused.value.close()
        for names, code in ((["localhost"], 200), (["localhost", "localhost"], 403)):
            asked = http.client.HTTPConnection("127.0.0.1", metrics.port, timeout=PATIENCE_SECONDS)
            asked.putrequest("GET", "/metrics", skip_host=True)
            for name in names:
                asked.putheader("host", name)
            asked.endheaders()
            assert asked.getresponse().status == code
            asked.close()
        named = urllib.request.Request(f"http://localhost:{metrics.port}/metrics")
        with urllib.request.urlopen(named, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200


@pytest.mark.shared
def test_figures_are_served_while_it_runs(shared: Path, long: Path, tmp_path: Path) -> None:
    words = [str(long), "--realtime", "--to", str(tmp_path / "out.mkv"), "--metrics-port", "0"]
    with subprocess.Popen(
        [*PROGRAM, *words, "--face", str(shared / "models")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        address = next(line.split()[-1] for line in process.stderr if "Prometheus" in line)

        def figure() -> re.Match[str] | None:
            assert process.poll() is None
            with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
                return re.search(r"^trackblur_frames_out_total [1-9]", answer.read().decode(), re.M)

        until(figure)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
