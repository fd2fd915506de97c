"""The soak in short: the real program, real peers, faults, and every frame that left judged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import live_peers
import numpy as np
import pytest
import soak
import time_codes
from numbered import encode, people
from raw_frames import Judge, Verdicts, hidden_share

from tests.clips import swinging
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

HOLD = 0.3  # of the time that faults last in the benchmark


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> soak.Clip:
    if shutil.which("ffmpeg") is None:
        pytest.skip("the ffmpeg program, which plays the peers, is not installed")
    return soak.make_clip(tmp_path_factory.mktemp("clip"), 4)


class PatientSoak(soak.Soak):
    """A soak whose recoveries may take as long as a busy machine takes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._words[self._words.index("--timeout") + 1] = "15"

    def wait_until_live(self, seconds: float = PATIENCE_SECONDS) -> float | None:
        return super().wait_until_live(seconds)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program take its time to end, and its peers have ports that nobody takes."""
    monkeypatch.setattr(live_peers, "_PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(live_peers, "free_port", free_port)


@pytest.fixture
def words(shared: Path) -> list[str]:
    return ["--face", str(shared / "models")]


def hides_faces(status: dict[str, Any]) -> bool:
    """Return whether pictures have left that are no covers."""
    return bool(status["frames_out"] - status["covers"] > 60)


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
def test_nothing_raw_leaves_whatever_happens(
    clip: soak.Clip, tmp_path: Path, words: list[str], source: str, faults: tuple[str, ...]
) -> None:
    with PatientSoak(clip, tmp_path, words, source, ("rtmp", "srt"), HOLD) as run:
        assert run.wait_until_live() is not None, (run.program.status, run.program.said)
        before = run.program.sample()
        for fault in faults:
            run.strike(fault)
        assert run.program.wait_for(hides_faces, PATIENCE_SECONDS) is not None

        def has_settled() -> bool:
            after = run.program.sample()
            return (
                after.children == before.children
                and after.files <= before.files + 2  # a server that is just being connected to
                and after.threads <= before.threads + 4
            )

        until(has_settled)
        assert run.wait_until_live() is not None, (run.program.status, run.program.said)
    assert run.verdicts.raw == []
    assert run.verdicts.counts["hidden"] > 10
    assert run.exit_code == 0, run.program.said
    assert all(None not in found.recoveries for found in run.found.values()), run.program.said


@pytest.mark.shared
def test_sessions_leave_nothing_behind(clip: soak.Clip, shared: Path) -> None:
    held = soak.many_sessions(clip.plain, 10, shared / "models")
    assert len(held) == 10
    newest = held[-3:]  # of one of them a thread may be about to end
    assert min(one.files for one in newest) <= held[0].files
    assert min(one.children for one in newest) == 0
    assert min(one.threads for one in newest) <= held[0].threads + 1


@pytest.mark.shared
def test_a_program_that_is_ended_leaves_a_whole_file(
    clip: soak.Clip, tmp_path: Path, words: list[str]
) -> None:
    long = replace(clip, plain=swinging(clip.plain, tmp_path / "long.ts"))  # not over before
    assert soak.many_programs(long, tmp_path, 2, words) == []


def test_the_judge_knows_raw_hidden_and_covered_frames(tmp_path: Path) -> None:
    frames = people(2, (480, 270), 1, 30)
    judge = Judge(frames)
    verdicts = Verdicts()
    encode(frames[:10], tmp_path / "raw.ts", 10)
    judge.judge_file(tmp_path / "raw.ts", verdicts)
    assert verdicts.counts == {"raw": 10}
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
    stale = frames[29].luma.copy()  # damaged: the number of one picture, the rest of another
    stale[-20:] = frames[0].luma[-20:]
    assert judge.judge(stale)[0] == "raw"
    for face in frames[29].faces:
        x, y, width, height = (round(value) for value in face[1:])
        stale[y : y + height, x : x + width] = 16
    assert min(hidden_share(stale, face, 1.0) for face in frames[0].faces) < 0.5
    assert judge.judge(stale)[0] != "raw"
    hidden[-20:] = 16
    assert judge.judge(hidden)[0] == "unknown"
    tiles = cv2.resize(frames[0].luma, (5, 3), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(tiles, (480, 270), interpolation=cv2.INTER_NEAREST)
    assert judge.judge(cover)[0] == "cover"


def test_numbers_survive_another_size() -> None:
    generator = np.random.default_rng(0)
    for number in (0, 1, 299, 2**32 - 1):
        luma = generator.integers(0, 256, (270, 480), np.uint8)
        assert time_codes.read(luma) is None
        time_codes.draw(luma, number)
        assert time_codes.read(luma) == number
        assert time_codes.read(cv2.resize(luma, (640, 360))) == number
