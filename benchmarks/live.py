"""Delay, frame rate and cost of `trackblur live` at 720p30 with 1, 2 and 5 faces.

    python benchmarks/live.py --face ../shared/models [--faces 1,2,5] [--seconds 60]
        [--options "--delay 0.3"] [--size 1280x720] [--rate 30]

Generated clips of people (samples/make.py), played forward and backward, are written to the
program's standard input as raw frames, each at its time and with its number drawn into it. The
program writes H.264 to its standard output (`--to -`), where the arrival of each byte is recorded.
The numbers are read from the frames afterwards.

    delay      from just before a frame is written until the last byte of the same frame, encoded,
               was read; includes both pipes, detection, redaction and x264, but no camera and no
               viewer
    fps        frames per second that left, with blank ones, without repeated ones
    dropped    share of the frames that were due and that the program did not read, or replaced by
               a newer one before they were analyzed
    blanked    share of the frames that left fully hidden: here, because a face was lost
    processor  of the program, all its threads, in cores; with x264
    memory     resident, at the start and the end of the measurement

The first seconds (`--warm-up`) are not counted.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import av
import frame_numbers
import numpy as np
from av.codec.context import Flags, ThreadType
from live_peers import sample
from numbered_clips import NumberedFrame, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIP_SECONDS = 5.0
PIPE_BYTES = 1 << 20
TS_BYTES = 188
HEAD = ("faces", "delay median", "95th", "99th", "fps", "dropped", "blanked", "processor", "memory")


@dataclass
class TimedBytes:
    """The bytes that the program wrote, and when they arrived."""

    data: bytearray = field(default_factory=bytearray)
    counts: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def read(self, pipe: int) -> None:
        """Read a pipe to its end."""
        while chunk := os.read(pipe, PIPE_BYTES):
            now = time.monotonic()
            self.data += chunk
            self.counts.append(len(self.data))
            self.times.append(now)

    def time_of(self, position: int) -> float:
        """Return when the byte before a position arrived."""
        return self.times[bisect_left(self.counts, position)]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the program has used: processor seconds, MiB of memory, frames dropped."""

    at: float
    processor: float
    memory_mib: float
    dropped: int


def usage(pid: int, dropped: int) -> Usage:
    """Return what a process uses (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(
        time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), sample(pid).memory_mib, dropped
    )


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement; delays in seconds, ratios from 0 to 1."""

    delays: list[float]
    rate: float
    dropped: float
    blanked: float
    cores: float
    memory_mib: tuple[float, float]


def measure(
    frames: list[NumberedFrame],
    rate: int,
    live_arguments: list[str],
    warm_up: float,
    span: float,
) -> Run:
    """Feed the program for `span` seconds and measure what it writes."""
    height, width = frames[0].luma.shape
    command = [sys.executable, "-m", "tracker_blur", "live", "-", "--to", "-", "--rate", str(rate)]
    command += ["--raw-format", f"{width}x{height}:yuv420p", *live_arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    written = TimedBytes()
    reader = threading.Thread(target=written.read, args=(process.stdout.fileno(),))
    reader.start()
    statuses: deque[dict[str, Any]] = deque(maxlen=1)
    listener = threading.Thread(target=_listen, args=(process.stderr, statuses))
    listener.start()
    sent: dict[int, float] = {}
    used: list[Usage] = []
    due = feed(process.stdin.fileno(), frames, rate, warm_up, span, sent,
               lambda: used.append(usage(process.pid, statuses[-1]["dropped"])))  # fmt: skip
    process.stdin.close()
    reader.join()
    listener.join()
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)}\nfailed with {process.returncode}")
    first, last = used
    times, blank_count = _first_times(written, first.at, last.at)
    delays = [times[number] - sent[number] for number in due if number in times]
    seconds = last.at - first.at
    count = len(delays) + blank_count
    dropped = last.dropped - first.dropped + sum(number not in sent for number in due)
    return Run(
        delays,
        count / seconds,
        dropped / len(due),
        blank_count / count,
        (last.processor - first.processor) / seconds,
        (first.memory_mib, last.memory_mib),
    )


def feed(
    pipe: int,
    frames: list[NumberedFrame],
    rate: int,
    warm_up: float,
    span: float,
    sent: dict[int, float],
    record: Callable[[], None],
) -> range:
    """Write frames as a camera does; return the numbers of those that are measured.

    Args:
        sent: Is filled with the time of each frame. Frames late by a period are skipped, as a
            camera does.
        record: Called at the start and the end of the measurement.
    """
    first, last = round(warm_up * rate), round((warm_up + span) * rate)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    start = None
    for number in range(last + rate):
        if number in (first, last):
            record()
        now = time.monotonic()
        start = start or now
        due = start + number / rate
        if now > due + 1 / rate:
            continue
        time.sleep(max(0.0, due - now))
        planes = frames[order[number % len(order)]].planes.copy()
        frame_numbers.draw(planes[: planes.shape[0] * 2 // 3], number)
        rest = memoryview(planes).cast("B")
        sent[number] = time.monotonic()
        while rest:
            rest = rest[os.write(pipe, rest) :]
        if number == 0:  # only now has the program started to read
            start = time.monotonic() - 1 / rate
    return range(first, last)


def _listen(pipe: IO[bytes], statuses: deque[dict[str, Any]]) -> None:
    """Keep the newest status of the program; pass on its other output."""
    for line in pipe:
        if line.startswith(b"{"):
            statuses.append(json.loads(line))
        else:
            sys.stderr.write(line.decode(errors="replace"))


def _first_times(written: TimedBytes, begin: float, end: float) -> tuple[dict[int, float], int]:
    """Return when each number first arrived, and how many frames without arrived in an interval."""
    ends = _frame_ends(np.frombuffer(bytes(written.data), np.uint8))
    times: dict[int, float] = {}
    blank_count = 0
    for luma, position in zip(_lumas(bytes(written.data)), ends, strict=False):
        at = written.time_of(position)
        number = frame_numbers.read(luma)
        if number is not None:
            times.setdefault(number, at)
        elif begin <= at < end:
            blank_count += 1
    return times, blank_count


def _frame_ends(data: np.ndarray) -> list[int]:
    """Return where the last packet of each frame of a transport stream ends."""
    packets = data[: len(data) // TS_BYTES * TS_BYTES].reshape(-1, TS_BYTES)
    pids = (packets[:, 1].astype(int) & 0x1F) << 8 | packets[:, 2]
    video = np.flatnonzero(pids == 0x100)
    starts = np.flatnonzero(packets[video, 1] & 0x40)
    lasts = [*(starts[1:] - 1), len(video) - 1]
    return [int(video[index] + 1) * TS_BYTES for index in lasts]


def _lumas(data: bytes) -> Iterator[np.ndarray]:
    with av.open(io.BytesIO(data), format="mpegts") as container:
        stream = container.streams.video[0]
        stream.thread_type = ThreadType.SLICE
        stream.codec_context.flags |= Flags.low_delay
        for frame in container.decode(stream):
            plane = np.frombuffer(frame.planes[0], np.uint8)
            yield plane.reshape(-1, frame.planes[0].line_size)[:, : frame.width]


def row(name: str, run: Run) -> str:
    """Return a row of the table."""
    delays = sorted(run.delays)
    parts = [statistics.median(delays), *(delays[int(p * (len(delays) - 1))] for p in (0.95, 0.99))]
    before, after = run.memory_mib
    cells = [name, *(f"{1000 * part:.0f} ms" for part in parts), f"{run.rate:.2f}"]
    cells += [
        f"{run.dropped:.2%}",
        f"{run.blanked:.2%}",
        f"{run.cores:.2f}",
        f"{before:.0f} to {after:.0f} MiB",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--face", type=Path, metavar="DIR", help="folder with weight files")
    parser.add_argument("--faces", default="1,2,5", metavar="N,...")
    parser.add_argument("--size", default="1280x720", metavar="WxH")
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--warm-up", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--options", default="", help="more options for trackblur live")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    live_arguments = [
        *(["--face", str(arguments.face)] if arguments.face else []),
        "--quiet",
        "--json",
    ]
    live_arguments += arguments.options.split()
    clips = {
        faces: people(faces, (width, height), CLIP_SECONDS, arguments.rate)
        for faces in map(int, arguments.faces.split(","))
    }
    print(f"load {os.getloadavg()[0]:.1f} at the start\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---:|' * len(HEAD)}")
    for faces, frames in clips.items():
        run = measure(frames, arguments.rate, live_arguments, arguments.warm_up, arguments.seconds)
        print(row(str(faces), run), flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
