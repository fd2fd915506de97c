"""Drives `trackblur live` through faults, with real peers, and judges every frame that left.

    python benchmarks/soak.py --minutes 30 --face ../shared/models [--starts 100]
        [--source udp] [--faults source_cut,...] [--out FOLDER]

ffmpeg sends a made clip of two people, whose frames bear their numbers, and ffmpeg again plays the
servers that the program sends to; the program also records a file. Faults come one after the other,
cycle after cycle, with calm in between:

    source_cut      the sender is killed, and comes back after 8 seconds
    corrupt         packets are damaged on the way
    new_size        another size of the picture, in mid-stream, and back
    new_rate        a third of the frames a second, and back
    slow_detector   each look takes 1.5 seconds
    raising         the detector raises
    disk_full       the recording cannot grow (a limit on the size of files)
    reader_gone     the servers are killed one after the other, and come back
    reader_stalls   a server stays, and takes nothing
    clock_jump      the sender's time stamps jump by 5000 seconds, and back

Raw is a frame that shows a face less than half of which is hidden; covers and frames in which all
faces are hidden are not. The people of the clip walk to and fro and never cross, so that the
detector by itself finds both faces of every frame: what is raw is the program's doing. Memory,
threads, open files and child processes are taken at the end of each cycle, in the calm, ten times
in ten seconds (medians). `--starts` then counts what so many sessions in one process leave behind,
and `--programs` starts and ends the program itself.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from live_peers import HERE, Feeder, Program, Receiver, Sample, sample
from numbered import encode, people
from raw_frames import Judge, Verdicts

SIZE, LARGE = (480, 270), (640, 360)
RATE, SLOW_RATE = 15, 5
CLIP_SECONDS = 6.0
FACES, SEED = 2, 1
RECOVERY_SECONDS = 45.0  # pauses between attempts grow up to 10 seconds
SENT_TO = ("rtmp", "srt", "udp", "http")


@dataclass
class Clip:
    """A clip as files: as it is, larger, and slower."""

    plain: Path
    large: Path
    slow: Path
    judge: Judge


def make_clip(folder: Path, seconds: float = CLIP_SECONDS) -> Clip:
    """Make the clip in a folder."""
    frames = people(FACES, SIZE, seconds, RATE, SEED)
    clip = Clip(*(folder / f"{name}.ts" for name in ("plain", "large", "slow")), Judge(frames))
    there_and_back = [*frames, *frames[-2:0:-1]]
    encode(there_and_back, clip.plain, RATE)
    encode(there_and_back, clip.large, RATE, LARGE)
    encode(there_and_back, clip.slow, SLOW_RATE)
    return clip


@dataclass
class Found:
    """What came of one fault.

    recoveries  seconds after its end until all was live again; None: it never was
    states      that were seen while it lasted
    """

    recoveries: list[float | None] = field(default_factory=list)
    states: set[str] = field(default_factory=set)


class Soak:
    """A program under faults, and its peers; in its `with` block.

    hold    how much of their full time faults last: 1 for all
    """

    def __init__(
        self,
        clip: Clip,
        folder: Path,
        words: Sequence[str] = (),
        source: str = "udp",
        sent_to: Sequence[str] = SENT_TO,
        hold: float = 1.0,
    ) -> None:
        self.clip = clip
        self.hold = hold
        self.verdicts = Verdicts()
        self.found: dict[str, Found] = defaultdict(Found)
        self.samples: list[Sample] = []
        self.memory: list[float] = []
        self._folder = folder
        self._files: queue.Queue[Path | None] = queue.Queue()
        self._judging = threading.Thread(target=self._judge)
        self._trouble = folder / "trouble"
        self._trouble.write_text("")
        self.feeder = Feeder(source)
        self.receivers = [Receiver(name, folder, self._files.put) for name in sent_to]
        targets = [str(folder / "recording.mkv"), *(one.address for one in self.receivers)]
        self._words = [self.feeder.address, "--to", *targets, "--method", "solid", *words]
        self._words += ["--timeout", "3", "--overwrite"]
        self.program: Program

    def __enter__(self) -> Soak:
        self._judging.start()
        for receiver in self.receivers:
            receiver.start()
        self.feeder.start(self.clip.plain)
        self.program = Program(self._words, self._trouble)
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._keeper.join()
        self.exit_code = self.program.end()
        self.feeder.stop()
        for receiver in self.receivers:
            receiver.stop()
        for path in sorted(self._folder.glob("recording*.mkv")):
            self._files.put(path)
        self._files.put(None)
        self._judging.join()

    def wait_until_live(self, seconds: float = RECOVERY_SECONDS) -> float | None:
        """Wait until frames leave to all targets, no fault in sight."""
        before = self.program.status.get("seconds", 0.0)

        def is_well(status: dict[str, Any]) -> bool:
            return (
                status["seconds"] > before
                and status["state"] == "live"
                and all(target["state"] == "open" for target in status["targets"])
            )

        return self.program.wait_for(is_well, seconds)

    def strike(self, name: str) -> None:
        """Let a fault come and go, and wait until all is well again."""
        found = self.found[name]
        with self._noting(found):
            FAULTS[name](self)
        found.recoveries.append(self.wait_until_live())

    def last(self, seconds: float) -> None:
        """Let a fault last for so long."""
        time.sleep(seconds * self.hold)

    @contextmanager
    def trouble(self, word: str) -> Iterator[None]:
        """Have the detector be in trouble."""
        self._trouble.write_text(word)
        try:
            yield
        finally:
            self._trouble.write_text("")

    def measure(self) -> None:
        """Take what the program holds, in the calm."""
        many = []
        for _ in range(10):
            time.sleep(self.hold)
            many.append(self.program.sample())
        self.samples.append(
            Sample(
                statistics.median(one.memory_mib for one in many),
                *(
                    round(statistics.median(getattr(one, name) for one in many))
                    for name in ("threads", "files", "children")
                ),
            )
        )

    @contextmanager
    def _noting(self, found: Found) -> Iterator[None]:
        """Note the states that are seen meanwhile."""
        ended = threading.Event()

        def note() -> None:
            while not ended.wait(0.2):
                status = self.program.status
                if status:
                    found.states.add(
                        status["state"] if status["state"] == "live" else status["reason"]
                    )
                    found.states.update(
                        f"{target['name'].partition(':')[0].rpartition('/')[2]} failed"
                        for target in status["targets"]
                        if target["state"] == "failed"
                    )

        noting = threading.Thread(target=note)
        noting.start()
        try:
            yield
        finally:
            ended.set()
            noting.join()

    def _keep(self) -> None:
        """Start servers again that have lost their only visitor; note the memory."""
        while not self._stopping.wait(0.5):
            if self.program.is_alive:
                self.memory.append(self.program.sample().memory_mib)
            for receiver in self.receivers:
                receiver.keep()
            self.feeder.keep(self.clip.plain)

    def _judge(self) -> None:
        while (path := self._files.get()) is not None:
            self.clip.judge.judge_file(path, self.verdicts)
            if not self.verdicts.raw:
                path.unlink()


def _source_cut(soak: Soak) -> None:
    soak.feeder.stop()
    soak.last(8)
    soak.feeder.start(soak.clip.plain)


def _corrupt(soak: Soak) -> None:
    soak.feeder.start(soak.clip.plain, "-bsf:v", "noise=amount=2000")
    soak.last(8)
    soak.feeder.start(soak.clip.plain)


def _new_size(soak: Soak) -> None:
    soak.feeder.start(soak.clip.large)
    soak.last(8)
    soak.feeder.start(soak.clip.plain)


def _new_rate(soak: Soak) -> None:
    soak.feeder.start(soak.clip.slow)
    soak.last(8)
    soak.feeder.start(soak.clip.plain)


def _slow_detector(soak: Soak) -> None:
    with soak.trouble("slow 1.5"):
        soak.last(8)


def _raising(soak: Soak) -> None:
    with soak.trouble("raise"):
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
    soak.feeder.start(soak.clip.plain, "-output_ts_offset", "5000")
    soak.last(5)
    soak.feeder.start(soak.clip.plain)
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


def many_sessions(clip: Path, count: int, folder: Path | None) -> list[Sample]:
    """Start and stop so many sessions in a process of their own; what it holds after each."""
    script = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import soak, pathlib;"
        f"soak.sessions({str(clip)!r}, {count}, {folder and str(folder)!r})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True
    )
    return [Sample(*json.loads(line)) for line in run.stdout.splitlines()]


def sessions(clip: str, count: int, folder: str | None) -> None:
    """Start and stop so many sessions; write what this process holds after each."""
    import tracker_blur

    for _ in range(count):
        settings = tracker_blur.Settings(
            detect_every_frames="auto", models_folder=folder and Path(folder)
        )
        pictures = iter(tracker_blur.live(clip, settings, realtime=True))
        for _ in range(3):
            next(pictures)
        pictures.close()
        held = sample(os.getpid())
        print(json.dumps([held.memory_mib, held.threads, held.files, held.children]), flush=True)


def many_programs(clip: Clip, folder: Path, count: int, words: Sequence[str]) -> list[str]:
    """Start and end the program so often, while it records; return what went wrong."""
    trouble = folder / "no_trouble"
    trouble.write_text("")
    wrong = []
    for number in range(count):
        path = folder / f"start_{number}.mkv"
        program = Program(
            [str(clip.plain), "--realtime", "--to", str(path), "--method", "solid", *words], trouble
        )
        waited = program.wait_for(lambda status: status["targets"][0]["shown"] > 5, 60)
        code = program.end()
        verdicts = Verdicts()
        clip.judge.judge_file(path, verdicts)
        if waited is None or code != 0 or verdicts.raw or not verdicts.counts.total():
            wrong.append(f"start {number}: exit code {code}, {verdicts}, {program.said}")
        path.unlink(missing_ok=True)
    return wrong


def main() -> int:
    """Run it all, and print tables."""
    arguments = _parser().parse_args()
    words = ["--face", str(arguments.face)] if arguments.face else []
    with tempfile.TemporaryDirectory(prefix="trackblur-soak-") as scratch:
        folder = arguments.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        clip = make_clip(folder)
        failed = _soak(clip, folder, words, arguments)
        if arguments.starts:
            held = many_sessions(clip.plain, arguments.starts, arguments.face)
            print(f"\n{len(held)} sessions in one process:\n")
            _print_samples({1: held[0], 10: held[min(9, len(held) - 1)], len(held): held[-1]})
        if arguments.programs:
            wrong = many_programs(clip, folder, arguments.programs, words)
            print(f"\n{arguments.programs} programs started and ended: {len(wrong)} went wrong")
            print("\n".join(wrong))
            failed = failed or bool(wrong)
    return 1 if failed else 0


def _soak(clip: Clip, folder: Path, words: Sequence[str], arguments: argparse.Namespace) -> bool:
    """Go through the faults for the time that is wanted; return whether anything went wrong."""
    end = time.monotonic() + 60 * arguments.minutes
    soak = Soak(clip, folder, words, arguments.source)
    with soak:
        if soak.wait_until_live() is None:
            print("never came to live:", soak.program.status, soak.program.said, sep="\n")
            return True
        soak.measure()
        _tell(f"calm: {soak.samples[-1]}")
        while time.monotonic() < end and soak.program.is_alive:
            for name in arguments.faults:
                soak.strike(name)
                _tell(f"{name}: {soak.found[name].recoveries[-1]} {soak.found[name].states}")
                soak.last(4)
                if time.monotonic() >= end:
                    break
            soak.measure()
            _tell(f"calm: {soak.samples[-1]}, {soak.verdicts.counts}")
        status = soak.program.status
    (folder / "memory.txt").write_text("\n".join(f"{mib:.1f}" for mib in soak.memory))
    print(f"{arguments.minutes:g} minutes, source {arguments.source}\n")
    _print_faults(soak.found)
    print(f"\nframes that left: {dict(soak.verdicts.counts)}")
    print("\n".join(soak.verdicts.raw[:50]))
    print(f"\nat the end: {json.dumps(status)}\nexit code {soak.exit_code}\n")
    _print_samples(dict(enumerate(soak.samples)))
    lost = [name for name, found in soak.found.items() if None in found.recoveries]
    return bool(lost or soak.verdicts.raw or soak.exit_code)


def _print_faults(found: dict[str, Found]) -> None:
    print("| fault | times | live again after, median and longest (s) | seen meanwhile |")
    print("|---|---:|---:|---|")
    for name, one in found.items():
        known = [seconds for seconds in one.recoveries if seconds is not None]
        spans = f"{statistics.median(known):.1f}, {max(known):.1f}" if known else "-"
        if len(known) < len(one.recoveries):
            spans += f"; {len(one.recoveries) - len(known)} times never"
        print(f"| {name} | {len(one.recoveries)} | {spans} | {'; '.join(sorted(one.states))} |")


def _print_samples(samples: dict[int, Sample]) -> None:
    print("| after | memory MiB | threads | open files | child processes |")
    print("|---:|---:|---:|---:|---:|")
    for number, held in samples.items():
        cells = number, round(held.memory_mib), held.threads, held.files, held.children
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
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep files that are raw here")
    return parser


def _tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
