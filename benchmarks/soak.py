"""Drives `trackblur live` through faults, with real peers, and judges every frame that leaves.

    python benchmarks/soak.py --minutes 30 --face ../shared/models [--starts 100]
        [--source udp] [--faults source_cut,...] [--out FOLDER]

ffmpeg sends a generated clip of two people with a number in each frame, and other ffmpeg programs
are the servers that the program sends to; the program also records a file. Faults come one after
the other, cycle after cycle, with pauses in between:

    source_cut      the sender is killed, and comes back after 8 seconds
    corrupt         packets are damaged on the way
    new_size        the frame size changes in the middle of the stream, and back
    new_rate        the frame rate drops to a third, and back
    slow_detector   each detection takes 1.5 seconds
    raising         the detector raises
    disk_full       the recording cannot grow (a limit on the size of files)
    reader_gone     the servers are killed one after the other, and come back
    reader_stalls   a server stays connected, and reads nothing
    clock_jump      the sender's timestamps jump by 5000 seconds, and back

A raw frame shows a face less than half of which is hidden. The people in the clip walk back and
forth and never cross, so that the detector alone detects both faces in every frame: raw frames are
the program's fault. Memory, threads, open files and child processes are measured at the end of
each cycle, ten times in ten seconds (medians). `--starts` then measures what that many sessions in
one process leave behind, and `--programs` starts and ends the program itself.
"""

from __future__ import annotations

import argparse
import json
import queue
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame_judge import FrameJudge, JudgeResults
from live_peers import Program, Receiver, Sample, Sender
from numbered_clips import encode, people
from soak_starts import many_programs, many_sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SIZE, LARGE = (480, 270), (640, 360)
RATE, SLOW_RATE = 15, 5
CLIP_SECONDS = 6.0
FACES, SEED = 2, 1
RECOVERY_SECONDS = 45.0  # pauses between retries grow to 10 seconds
RECEIVERS = ("rtmp", "srt", "udp", "http")


@dataclass
class Clip:
    """A clip as files: plain, larger, and slower; and its judge."""

    plain: Path
    large: Path
    slow: Path
    judge: FrameJudge


def make_clip(folder: Path, seconds: float = CLIP_SECONDS) -> Clip:
    """Write the clip into a folder."""
    frames = people(FACES, SIZE, seconds, RATE, SEED)
    clip = Clip(*(folder / f"{name}.ts" for name in ("plain", "large", "slow")), FrameJudge(frames))
    back_and_forth = [*frames, *frames[-2:0:-1]]
    encode(back_and_forth, clip.plain, RATE)
    encode(back_and_forth, clip.large, RATE, LARGE)
    encode(back_and_forth, clip.slow, SLOW_RATE)
    return clip


@dataclass
class FaultResult:
    """What a fault caused.

    Attributes:
        recoveries: Seconds from each end of the fault until all was live again; None: never.
        states: States of the program while it lasted.
    """

    recoveries: list[float | None] = field(default_factory=list)
    states: set[str] = field(default_factory=set)


class Soak:
    """The program under faults, and its peers. It runs within its `with` block.

    Args:
        clip: The clip to send.
        folder: For all files.
        options: More options for `trackblur live`.
        source: Protocol from which the program reads.
        receivers: Protocols to which it sends.
        hold: Ratio by which faults are shortened; 1: not at all.
    """

    def __init__(
        self,
        clip: Clip,
        folder: Path,
        options: Sequence[str] = (),
        source: str = "udp",
        receivers: Sequence[str] = RECEIVERS,
        hold: float = 1.0,
    ) -> None:
        self.clip = clip
        self.hold = hold
        self.judged = JudgeResults()
        self.faults: dict[str, FaultResult] = defaultdict(FaultResult)
        self.samples: list[Sample] = []
        self.memory: list[float] = []
        self._folder = folder
        self._files: queue.Queue[Path | None] = queue.Queue()
        self._judging = threading.Thread(target=self._judge)
        self._fault = folder / "fault"
        self._fault.write_text("")
        self.sender = Sender(source)
        self.receivers = [Receiver(name, folder, self._files.put) for name in receivers]
        targets = [str(folder / "recording.mkv"), *(one.address for one in self.receivers)]
        self._arguments = [self.sender.address, "--to", *targets, "--method", "solid", *options]
        self._arguments += ["--timeout", "3", "--overwrite"]
        self.program: Program

    def __enter__(self) -> Soak:
        self._judging.start()
        for receiver in self.receivers:
            receiver.start()
        self.sender.start(self.clip.plain)
        for peer in (*self.receivers, self.sender):
            peer.wait_until_listening()  # the program ends where its source refuses at the start
        self.program = Program(self._arguments, self._fault)
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._keeper.join()
        self.exit_code = self.program.end()
        self.sender.stop()
        for receiver in self.receivers:
            receiver.stop()
        for path in sorted(self._folder.glob("recording*.mkv")):
            self._files.put(path)
        self._files.put(None)
        self._judging.join()

    def wait_until_live(self, seconds: float = RECOVERY_SECONDS) -> float | None:
        """Wait until redacted frames leave to all targets."""
        before = self.program.status.get("seconds", 0.0)

        def is_live(status: dict[str, Any]) -> bool:
            return (
                status["seconds"] > before
                and status["state"] == "live"
                and all(target["state"] == "open" for target in status["targets"])
            )

        return self.program.wait_for(is_live, seconds)

    def strike(self, name: str) -> None:
        """Cause a fault and end it, and wait until all is live again."""
        result = self.faults[name]
        with self._recording_states(result):
            FAULTS[name](self)
        result.recoveries.append(self.wait_until_live())

    def last(self, seconds: float) -> None:
        """Wait while a fault lasts."""
        time.sleep(seconds * self.hold)

    @contextmanager
    def detector_fault(self, text: str) -> Iterator[None]:
        """Make the detector faulty."""
        self._fault.write_text(text)
        try:
            yield
        finally:
            self._fault.write_text("")

    def measure(self) -> None:
        """Measure what the program uses, without a fault."""
        samples = []
        for _ in range(10):
            time.sleep(self.hold)
            samples.append(self.program.sample())
        self.samples.append(
            Sample(
                statistics.median(one.memory_mib for one in samples),
                *(
                    round(statistics.median(getattr(one, name) for one in samples))
                    for name in ("threads", "files", "children")
                ),
            )
        )

    @contextmanager
    def _recording_states(self, result: FaultResult) -> Iterator[None]:
        """Record the states of the program meanwhile."""
        ended = threading.Event()

        def record() -> None:
            while not ended.wait(0.2):
                status = self.program.status
                if status:
                    result.states.add(
                        status["state"] if status["state"] == "live" else status["reason"]
                    )
                    result.states.update(
                        f"{target['name'].partition(':')[0].rpartition('/')[2]} failed"
                        for target in status["targets"]
                        if target["state"] == "failed"
                    )

        recorder = threading.Thread(target=record)
        recorder.start()
        try:
            yield
        finally:
            ended.set()
            recorder.join()

    def _keep(self) -> None:
        """Restart servers that have lost their only client; measure memory."""
        while not self._stopping.wait(0.5):
            if self.program.is_alive:
                self.memory.append(self.program.sample().memory_mib)
            for receiver in self.receivers:
                receiver.keep()
            self.sender.keep(self.clip.plain)

    def _judge(self) -> None:
        while (path := self._files.get()) is not None:
            self.clip.judge.judge_file(path, self.judged)
            if not self.judged.raw:
                path.unlink()


def _source_cut(soak: Soak) -> None:
    soak.sender.stop()
    soak.last(8)
    soak.sender.start(soak.clip.plain)


def _corrupt(soak: Soak) -> None:
    soak.sender.start(soak.clip.plain, "-bsf:v", "noise=amount=2000")
    soak.last(8)
    soak.sender.start(soak.clip.plain)


def _new_size(soak: Soak) -> None:
    soak.sender.start(soak.clip.large)
    soak.last(8)
    soak.sender.start(soak.clip.plain)


def _new_rate(soak: Soak) -> None:
    soak.sender.start(soak.clip.slow)
    soak.last(8)
    soak.sender.start(soak.clip.plain)


def _slow_detector(soak: Soak) -> None:
    with soak.detector_fault("slow 1.5"):
        soak.last(8)


def _raising(soak: Soak) -> None:
    with soak.detector_fault("raise"):
        soak.last(4)


def _disk_full(soak: Soak) -> None:
    soak.program.limit_files(1 << 16)
    soak.last(8)
    soak.program.limit_files(None)


def _reader_gone(soak: Soak) -> None:
    for receiver in soak.receivers:
        receiver.stop()
        soak.last(3)
        receiver.start()


def _reader_stalls(soak: Soak) -> None:
    soak.receivers[0].freeze()
    soak.last(8)
    soak.receivers[0].start()


def _clock_jump(soak: Soak) -> None:
    soak.sender.start(soak.clip.plain, "-output_ts_offset", "5000")
    soak.last(5)
    soak.sender.start(soak.clip.plain)
    soak.last(3)


FAULTS: dict[str, Callable[[Soak], None]] = {
    "source_cut": _source_cut,
    "corrupt": _corrupt,
    "new_size": _new_size,
    "new_rate": _new_rate,
    "slow_detector": _slow_detector,
    "raising": _raising,
    "disk_full": _disk_full,
    "reader_gone": _reader_gone,
    "reader_stalls": _reader_stalls,
    "clock_jump": _clock_jump,
}


def main() -> int:
    """Run all, and print tables."""
    arguments = _parser().parse_args()
    options = ["--face", str(arguments.face)] if arguments.face else []
    with tempfile.TemporaryDirectory(prefix="trackblur-soak-") as scratch:
        folder = arguments.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        clip = make_clip(folder)
        failed = _soak(clip, folder, options, arguments)
        if arguments.starts:
            samples = many_sessions(clip.plain, arguments.starts, arguments.face)
            print(f"\n{len(samples)} sessions in one process:\n")
            _print_samples(
                {1: samples[0], 10: samples[min(9, len(samples) - 1)], len(samples): samples[-1]}
            )
        if arguments.programs:
            failures = many_programs(clip.plain, clip.judge, folder, arguments.programs, options)
            print(f"\n{arguments.programs} programs started and ended: {len(failures)} failed")
            print("\n".join(failures))
            failed = failed or bool(failures)
    return 1 if failed else 0


def _soak(clip: Clip, folder: Path, options: Sequence[str], arguments: argparse.Namespace) -> bool:
    """Cause faults for the chosen time; return whether anything failed."""
    end = time.monotonic() + 60 * arguments.minutes
    soak = Soak(clip, folder, options, arguments.source)
    with soak:
        if soak.wait_until_live() is None:
            print("never live:", soak.program.status, soak.program.messages, sep="\n")
            return True
        soak.measure()
        _log(f"no fault: {soak.samples[-1]}")
        while time.monotonic() < end and soak.program.is_alive:
            for name in arguments.faults:
                soak.strike(name)
                _log(f"{name}: {soak.faults[name].recoveries[-1]} {soak.faults[name].states}")
                soak.last(4)
                if time.monotonic() >= end:
                    break
            soak.measure()
            _log(f"no fault: {soak.samples[-1]}, {soak.judged.counts}")
        status = soak.program.status
    (folder / "memory.txt").write_text("\n".join(f"{mib:.1f}" for mib in soak.memory))
    print(f"{arguments.minutes:g} minutes, source {arguments.source}\n")
    _print_faults(soak.faults)
    print(f"\nframes that left: {dict(soak.judged.counts)}")
    print("\n".join(soak.judged.raw[:50]))
    print(f"\nat the end: {json.dumps(status)}\nexit code {soak.exit_code}\n")
    _print_samples(dict(enumerate(soak.samples)))
    never_live = [name for name, result in soak.faults.items() if None in result.recoveries]
    return bool(never_live or soak.judged.raw or soak.exit_code)


def _print_faults(results: dict[str, FaultResult]) -> None:
    print("| fault | times | live again after, median and longest (s) | seen meanwhile |")
    print("|---|---:|---:|---|")
    for name, result in results.items():
        known = [seconds for seconds in result.recoveries if seconds is not None]
        spans = f"{statistics.median(known):.1f}, {max(known):.1f}" if known else "-"
        if len(known) < len(result.recoveries):
            spans += f"; {len(result.recoveries) - len(known)} times never"
        print(
            f"| {name} | {len(result.recoveries)} | {spans} | {'; '.join(sorted(result.states))} |"
        )


def _print_samples(samples: dict[int, Sample]) -> None:
    print("| after | memory MiB | threads | open files | child processes |")
    print("|---:|---:|---:|---:|---:|")
    for number, one in samples.items():
        cells = number, round(one.memory_mib), one.threads, one.files, one.children
        print(f"| {' | '.join(map(str, cells))} |")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weight files")
    parser.add_argument("--source", choices=("udp", "srt", "http", "rtmp"), default="udp")
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS))
    parser.add_argument("--starts", type=int, default=0, help="sessions in one process")
    parser.add_argument("--programs", type=int, default=0, help="starts of the program")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="keep files with raw frames here"
    )
    return parser


def _log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
