"""A short soak: the real program with real peers and faults; every frame that left is judged."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import cv2
import frame_numbers
import live_peers
import numpy as np
import pytest
import soak
import soak_starts
from frame_judge import FrameJudge, JudgeResults, hidden_ratio
from listening_ports import is_listened_on
from numbered_clips import encode, people

from tests.clips import swinging
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from pathlib import Path

HOLD = 0.3  # of the time that faults last in the benchmark


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> soak.Clip:
    if shutil.which("ffmpeg") is None:
        pytest.skip("the program ffmpeg, which plays the peers, is not installed")
    return soak.make_clip(tmp_path_factory.mktemp("clip"), 4)


class PatientSoak(soak.Soak):
    """A soak whose recoveries may take as long as a busy machine needs."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._arguments[self._arguments.index("--timeout") + 1] = "15"

    def wait_until_live(self, seconds: float = PATIENCE_SECONDS) -> float | None:
        return super().wait_until_live(seconds)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program take its time to end, and give its peers ports that nothing else takes."""
    for name in ("_LISTEN_SECONDS", "_END_SECONDS"):
        monkeypatch.setattr(live_peers, name, PATIENCE_SECONDS)
    monkeypatch.setattr(live_peers, "free_port", free_port)


@pytest.fixture
def options(shared: Path) -> list[str]:
    return ["--face", str(shared / "models")]


def redacts(status: dict[str, Any]) -> bool:
    """Return whether redacted frames have left, and not only blank ones."""
    return bool(status["frames_out"] - status["covers"] > 60)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("udp", ("source_cut", "new_size")),
        ("udp", ("corrupt", "new_rate")),
        ("udp", ("clock_jump", "reader_stalls")),
        ("srt", ("slow_detector", "raising")),
        ("http", ("disk_full", "reader_gone")),
    ],
)
def test_no_raw_frame_leaves_whatever_happens(
    clip: soak.Clip, tmp_path: Path, options: list[str], source: str, faults: tuple[str, ...]
) -> None:
    with PatientSoak(clip, tmp_path, options, source, ("rtmp", "srt"), HOLD) as run:
        assert run.wait_until_live() is not None, (run.program.status, run.program.messages)
        before = run.program.sample()
        for fault in faults:
            run.strike(fault)
        assert run.program.wait_for(redacts, PATIENCE_SECONDS) is not None

        def has_settled() -> bool:
            after = run.program.sample()
            return (
                after.children == before.children
                and after.files <= before.files + 2  # a server that is just being connected to
                and after.threads <= before.threads + 4
            )

        until(has_settled)
        assert run.wait_until_live() is not None, (run.program.status, run.program.messages)
    assert run.judged.raw == []
    assert run.judged.counts["hidden"] > 10
    assert run.exit_code == 0, run.program.messages
    assert all(None not in result.recoveries for result in run.faults.values()), (
        run.program.messages
    )


def test_a_sender_is_waited_for_until_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine's sender listened later than the program connected, which then ended."""
    monkeypatch.setattr(live_peers, "ffmpeg", lambda: "true")
    sender = live_peers.Sender("http")
    sender.start(tmp_path / "clip.ts")
    waiting = threading.Thread(target=sender.wait_until_listening)
    with socket.socket() as server:
        server.bind(("127.0.0.1", sender._port))
        waiting.start()
        time.sleep(0.2)
        assert waiting.is_alive()  # bound is not listened on yet
        server.listen()
        waiting.join(PATIENCE_SECONDS)
        assert not waiting.is_alive()
    sender.stop()


def test_a_bound_udp_port_is_listened_on() -> None:
    port = free_port(socket.SOCK_DGRAM)
    assert not is_listened_on(port, socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        assert is_listened_on(port, socket.SOCK_DGRAM)


@pytest.mark.parametrize("kind", [live_peers.Sender, live_peers.Receiver])
def test_two_threads_that_start_a_peer_leave_one_process(
    kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that keeps a peer and the one that strikes a fault may start it at once."""
    program = tmp_path / "endless"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(live_peers, "ffmpeg", lambda: str(program))
    processes: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            time.sleep(0.05)  # the other thread's turn
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    is_sender = kind is live_peers.Sender
    peer = kind("udp") if is_sender else kind("udp", tmp_path, print)
    arguments = [tmp_path / "clip.ts"] if is_sender else []
    threads = [threading.Thread(target=peer.start, args=arguments) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    peer.stop()
    left = [process for process in processes if process.returncode is None]
    for process in left:
        process.kill()
        process.wait()
    assert len(processes) == 2
    assert left == []


@pytest.mark.slow
@pytest.mark.shared
def test_sessions_leave_nothing_behind(clip: soak.Clip, shared: Path) -> None:
    samples = soak_starts.many_sessions(clip.plain, 10, shared / "models")
    assert len(samples) == 10
    newest = samples[-3:]  # in one of them a thread may be about to end
    assert min(one.files for one in newest) <= samples[0].files
    assert min(one.children for one in newest) == 0
    assert min(one.threads for one in newest) <= samples[0].threads + 1


@pytest.mark.slow
@pytest.mark.shared
def test_a_program_that_is_ended_leaves_a_complete_file(
    clip: soak.Clip, tmp_path: Path, options: list[str]
) -> None:
    long = swinging(clip.plain, tmp_path / "long.ts")  # not over before
    assert soak_starts.many_programs(long, clip.judge, tmp_path, 2, options) == []


@pytest.mark.slow
def test_the_judge_knows_raw_hidden_and_blank_frames(tmp_path: Path) -> None:
    frames = people(2, (480, 270), 1, 30)
    judge = FrameJudge(frames)
    results = JudgeResults()
    encode(frames[:10], tmp_path / "raw.ts", 10)
    judge.judge_file(tmp_path / "raw.ts", results)
    assert results.counts == {"raw": 10}
    unnumbered = frames[0].luma.copy()
    unnumbered[-20:] = 16
    assert judge.judge(unnumbered)[0] == "raw"
    hidden = frames[0].luma.copy()
    for face in frames[0].faces:
        x, y, width, height = (round(value) for value in face[1:])
        hidden[y : y + height, x : x + width] = 16
    assert judge.judge(hidden)[0] == "hidden"
    half = frames[0].luma.copy()
    x, y, width, height = (round(value) for value in frames[0].faces[0][1:])
    half[y : y + height, x : x + round(0.4 * width)] = 16
    assert judge.judge(half)[0] == "raw"
    damaged = frames[29].luma.copy()  # the number of one frame, the rest of another
    damaged[-20:] = frames[0].luma[-20:]
    assert judge.judge(damaged)[0] == "raw"
    for face in frames[29].faces:
        x, y, width, height = (round(value) for value in face[1:])
        damaged[y : y + height, x : x + width] = 16
    assert min(hidden_ratio(damaged, face, 1.0) for face in frames[0].faces) < 0.5
    assert judge.judge(damaged)[0] != "raw"
    hidden[-20:] = 16
    assert judge.judge(hidden)[0] == "unknown"
    tiles = cv2.resize(frames[0].luma, (5, 3), interpolation=cv2.INTER_AREA)
    mosaic = cv2.resize(tiles, (480, 270), interpolation=cv2.INTER_NEAREST)
    assert judge.judge(np.asarray(mosaic, np.uint8))[0] == "blank"


def test_frame_numbers_survive_scaling() -> None:
    generator = np.random.default_rng(0)
    for number in (0, 1, 299, 2**32 - 1):
        luma = generator.integers(0, 256, (270, 480), np.uint8)
        assert frame_numbers.read(luma) is None
        frame_numbers.draw(luma, number)
        assert frame_numbers.read(luma) == number
        scaled = np.asarray(cv2.resize(luma, (640, 360)), np.uint8)
        assert frame_numbers.read(scaled) == number
