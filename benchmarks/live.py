"""The delay, rate and cost of `trackblur live` at 720p30 with 1, 2 and 5 faces.

    python benchmarks/live.py --face ../shared/models [--faces 1,2,5] [--seconds 60]
        [--options "--delay 0.3"] [--size 1280x720] [--rate 30]

Made clips of people (samples/make.py), played forwards and backwards, go to the program's standard
input as raw frames, each at its time and with its number drawn into it; the program encodes them as
H.264 to its standard output (`--to -`), where each byte's arrival is noted. The numbers are read
from the pictures afterwards.

    delay      from just before a frame is given to the pipe until the last byte of the same frame,
               encoded, has come out of the other pipe: the pipe in, the look, the hiding, x264 and
               the pipe out are in it; a camera before and a viewer after it are not
    fps        pictures out a second, covers included, repeated ones left out
    dropped    share of the frames that were due and that the program did not take from the pipe, or
               took and replaced by a newer one before they were looked at
    covered    share of the pictures out that were wholly hidden: here, for a face that was lost
    processor  of the program, all its threads, in cores; x264 included
    memory     resident, at the start of the measurement and at its end

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
import time_codes
from av.codec.context import Flags, ThreadType
from live_peers import sample
from numbered import Numbered, people

CLIP_SECONDS = 5.0
PIPE_BYTES = 1 << 20
TS_BYTES = 188
HEAD = ("faces", "delay median", "95th", "99th", "fps", "dropped", "covered", "processor", "memory")


@dataclass
class LiveFrameConverter:
    """What came out of the program: all bytes, and when the first n of them were there."""

    data: bytearray = field(default_factory=bytearray)
    counts: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def take(self, pipe: int) -> None:
        """Take what comes until the end."""
        while chunk := os.read(pipe, PIPE_BYTES):
            now = time.monotonic()
            self.data += chunk
            self.counts.append(len(self.data))
            self.times.append(now)

    def time_of(self, position: int) -> float:
        """Return when the byte before a position had come."""
        return self.times[bisect_left(self.counts, position)]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the program holds and has used: seconds of processor, MiB of memory, frames dropped."""

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
    """One measurement; delays in seconds, shares from 0 to 1."""

    delays: list[float]
    rate: float
    dropped: float
    covered: float
    cores: float
    memory_mib: tuple[float, float]


def measure(
    frames: list[Numbered], rate: int, words: list[str], warm_up: float, span: float
) -> Run:
    """Feed the program for so many seconds and judge what comes out."""
    height, width = frames[0].luma.shape
    command = [sys.executable, "-m", "tracker_blur", "live", "-", "--to", "-", "--rate", str(rate)]
    command += ["--raw-format", f"{width}x{height}:yuv420p", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    arrivals = LiveFrameConverter()
    taker = threading.Thread(target=arrivals.take, args=(process.stdout.fileno(),))
    taker.start()
    statuses: deque[dict[str, Any]] = deque(maxlen=1)
    hearer = threading.Thread(target=_hear, args=(process.stderr, statuses))
    hearer.start()
    sent: dict[int, float] = {}
    used: list[Usage] = []
    due = feed(process.stdin.fileno(), frames, rate, warm_up, span, sent,
               lambda: used.append(usage(process.pid, statuses[-1]["dropped"])))  # fmt: skip
    process.stdin.close()
    taker.join()
    hearer.join()
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)}\nfailed with {process.returncode}")
    first, last = used
    came, covers = _came(arrivals, first.at, last.at)
    delays = [came[number] - sent[number] for number in due if number in came]
    seconds = last.at - first.at
    pictures = len(delays) + covers
    dropped = last.dropped - first.dropped + sum(number not in sent for number in due)
    return Run(
        delays,
        pictures / seconds,
        dropped / len(due),
        covers / pictures,
        (last.processor - first.processor) / seconds,
        (first.memory_mib, last.memory_mib),
    )


def feed(
    pipe: int,
    frames: list[Numbered],
    rate: int,
    warm_up: float,
    span: float,
    sent: dict[int, float],
    note: Callable[[], None],
) -> range:
    """Write frames as a camera gives them; return the numbers of those that are measured.

    sent  when each was given away; one that is late by a whole frame is not, as in a camera
    note  called at the beginning and the end of the measurement
    """
    first, last = round(warm_up * rate), round((warm_up + span) * rate)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    start = None
    for number in range(last + rate):
        if number in (first, last):
            note()
        now = time.monotonic()
        start = start or now
        due = start + number / rate
        if now > due + 1 / rate:
            continue
        time.sleep(max(0.0, due - now))
        planes = frames[order[number % len(order)]].planes.copy()
        time_codes.draw(planes[: planes.shape[0] * 2 // 3], number)
        rest = memoryview(planes).cast("B")
        sent[number] = time.monotonic()
        while rest:
            rest = rest[os.write(pipe, rest) :]
        if number == 0:  # the program has loaded, and reads, only now
            start = time.monotonic() - 1 / rate
    return range(first, last)


def _hear(pipe: IO[bytes], statuses: deque[dict[str, Any]]) -> None:
    """Keep the newest status that the program tells; pass on what else it says."""
    for line in pipe:
        if line.startswith(b"{"):
            statuses.append(json.loads(line))
        else:
            sys.stderr.write(line.decode(errors="replace"))


def _came(arrivals: LiveFrameConverter, begin: float, end: float) -> tuple[dict[int, float], int]:
    """Return when each number came first, and how many pictures bore none between two times."""
    ends = _picture_ends(np.frombuffer(bytes(arrivals.data), np.uint8))
    came: dict[int, float] = {}
    covers = 0
    for luma, position in zip(_lumas(bytes(arrivals.data)), ends, strict=False):
        at = arrivals.time_of(position)
        number = time_codes.read(luma)
        if number is not None:
            came.setdefault(number, at)
        elif begin <= at < end:
            covers += 1
    return came, covers


def _picture_ends(data: np.ndarray) -> list[int]:
    """Return where each picture of a transport stream ends: its last packet, in order."""
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
        f"{run.covered:.2%}",
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
    words = [*(["--face", str(arguments.face)] if arguments.face else []), "--quiet", "--json"]
    words += arguments.options.split()
    clips = {
        faces: people(faces, (width, height), CLIP_SECONDS, arguments.rate)
        for faces in map(int, arguments.faces.split(","))
    }
    print(f"load {os.getloadavg()[0]:.1f} at the start\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---:|' * len(HEAD)}")
    for faces, frames in clips.items():
        run = measure(frames, arguments.rate, words, arguments.warm_up, arguments.seconds)
        print(row(str(faces), run), flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
