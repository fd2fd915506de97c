"""How a camera is best read: imutils' threaded stream, our own intake over OpenCV or PyAV.

    python benchmarks/cameras.py [--camera 0 | --size 1280x720 --rate 30] [--seconds 20] [--work 20]

It needs imutils (pip install imutils). Without `--camera` a stand-in takes its place: another
process that serves JPEG pictures by HTTP at a steady rate, each with its number drawn into it, and
says when it gave each. FFmpeg reads it, that of OpenCV or that of PyAV; a driver, and how OpenCV
reads V4L2, are not in it. With `--camera` they are, and the delay is not: a camera's pictures do
not tell when they were taken.

Whoever takes a picture is busy with it for `--work` milliseconds, as a detector is.

    delay      from just before a picture is given to the socket until it is in hand in the form
               that the engine looks at, 8 bit YUV 4:2:0
    taken      different pictures taken a second
    processor  of this process, in cores: reading, decoding, converting

The first seconds are not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import av
import cv2
import numpy as np
import time_codes
from av.container import InputContainer

from tracker_blur.errors import SourceError
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.live_frame import LiveFrame, LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource
from tracker_blur.realtime.sources._container import Contained
from tracker_blur.realtime.sources.camera import Camera

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"  # more would each hold back a picture
WARM_UP_SECONDS = 3.0
POLL_SECONDS = 0.001
PATIENCE_SECONDS = 5.0  # it does not say when a camera has gone
HEAD = ("reader", "delay median", "95th", "99th", "taken", "processor")


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture in hand: when, and the number that it shows; None: it shows none."""

    seconds: float
    number: int | None


class Packets(Contained):
    """A camera or the stand-in as PyAV reads it."""

    def __init__(self, address: str, form: str) -> None:
        super().__init__(address)
        self._form = form

    def _opened(self) -> InputContainer:
        return av.open(self.name, format=self._form)

    def _explained(self, error: Exception) -> str:
        return f"{self.name}: cannot be opened by PyAV ({error})"


def by_imutils(address: str | int) -> Iterator[LiveFrame]:
    """Give what imutils' threaded stream holds, whenever it is another picture than before."""
    from imutils.video import VideoStream

    stream, arrivals, last = VideoStream(address).start(), LiveFrameConverter(None), None
    try:
        if not stream.stream.isOpened():
            raise SourceError(f"{address}: cannot be opened by imutils")
        changed = time.monotonic()
        while time.monotonic() < changed + PATIENCE_SECONDS:
            image = stream.read()
            if image is None or image is last:
                time.sleep(POLL_SECONDS)  # it offers no other way to wait
                continue
            last, changed = image, time.monotonic()
            picture = av.VideoFrame.from_ndarray(image, "bgr24")
            yield arrivals.arrival(picture, 0.0, time.monotonic())
    finally:
        stream.stop()


def without_threads(address: str | int) -> Iterator[LiveFrame]:
    """Give what OpenCV reads when it is asked for."""
    capture, arrivals = cv2.VideoCapture(address), LiveFrameConverter(None)
    try:
        while True:
            is_there, image = capture.read()
            if not is_there:
                return
            picture = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "bgr24")
            yield arrivals.arrival(picture, 0.0, time.monotonic())
    finally:
        capture.release()


def by_intake(source: LiveSource) -> Iterator[LiveFrame]:
    """Give what our intake holds, as the engine gets it."""
    intake = Capture(source, LiveSettings(), time.monotonic(), print, print)
    intake.start()
    try:
        while (arrival := intake.arrivals.take()) is not None:
            yield arrival
        if intake.failure is not None:
            raise intake.failure
    finally:
        intake.stop(2.0)


def taken(pictures: Iterator[LiveFrame], seconds: float, work: float) -> tuple[list[Taken], float]:
    """Take pictures for so long; return them, and the cores that this cost."""
    found: list[Taken] = []
    begin: float | None = None
    used = 0.0
    with closing(pictures):  # type: ignore[type-var]  # these are generators
        for arrival in pictures:
            now = time.monotonic()
            if begin is None:
                begin, used = now + WARM_UP_SECONDS, time.process_time()
            if now < begin:
                used = time.process_time()
            else:
                luma = np.asarray(arrival.planes()[0].samples)
                found.append(Taken(now, time_codes.read(luma)))
            if now > begin + seconds:
                break
            time.sleep(work)
        used = time.process_time() - used
    if len(found) < 2:
        raise SourceError("it gave too few pictures")
    return found, used / seconds


def row(name: str, found: list[Taken], cores: float, given: dict[int, float]) -> tuple[str, ...]:
    """Return a line of the table."""
    rate = f"{(len(found) - 1) / (found[-1].seconds - found[0].seconds):.1f}"
    delays = [each.seconds - given[each.number] for each in found if each.number in given]
    if not delays:
        return (name, "-", "-", "-", rate, f"{cores:.2f}")
    percentiles = (f"{1000 * np.percentile(delays, share):.1f} ms" for share in (50, 95, 99))
    return (name, *percentiles, rate, f"{cores:.2f}")


def serve(size: tuple[int, int], rate: float) -> None:
    """Serve numbered pictures to one reader; tell where, and when each was given."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (size[1] // 8, size[0] // 8), np.uint8)
    picture = np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            begin = time.monotonic()
            with suppress(OSError):
                for number in range(1 << 31):
                    time_codes.draw(picture, number)
                    data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))[1]
                    time.sleep(max(0.0, begin + number / rate - time.monotonic()))
                    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
                    told = f"{number} {time.monotonic()}"
                    self.wfile.write(f"{head}\r\n\r\n".encode() + data.tobytes() + b"\r\n")
                    print(told, flush=True)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.handle_request()


@contextmanager
def served(size: str, rate: float) -> Iterator[tuple[str, dict[int, float]]]:
    """Have another process serve; give its address, and when each picture was given."""
    command = [sys.executable, __file__, "--serve", "--size", size, "--rate", str(rate)]
    given: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        address = lines.readline().strip()

        def note() -> None:
            for line in lines:
                number, seconds = line.split()
                given[int(number)] = float(seconds)

        noting = threading.Thread(target=note)
        noting.start()
        try:
            yield address, given
        finally:
            process.kill()
            noting.join()


def main() -> None:
    """Print a table."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--camera", help="number or device, such as 0 (default: a stand-in)")
    words.add_argument("--size", default="1280x720", help="of the stand-in's pictures")
    words.add_argument("--rate", type=float, default=30.0, help="of the stand-in")
    words.add_argument("--seconds", type=float, default=20.0)
    words.add_argument("--work", type=float, default=20.0, help="milliseconds for each picture")
    words.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = words.parse_args()
    if options.serve:
        width, height = map(int, options.size.split("x"))
        serve((width, height), options.rate)
        return
    for line in (HEAD, ("---", *("---:" for _ in HEAD[1:]))):
        print(f"| {' | '.join(line)} |")
    for name, read in READERS.items():
        address, given = options.camera, dict[int, float]()
        cells: tuple[str, ...]
        with ExitStack() as stack:
            if options.camera is None:
                address, given = stack.enter_context(served(options.size, options.rate))
            form = "v4l2" if options.camera else "mpjpeg"
            try:
                found, cores = taken(read(address, form), options.seconds, options.work / 1000)
            except SourceError as error:
                cells = (name, str(error))
            else:
                cells = row(name, found, cores, given)
        print(f"| {' | '.join(cells)} |", flush=True)


READERS: dict[str, Callable[[str, str], Iterator[LiveFrame]]] = {
    "imutils, OpenCV": lambda address, _: by_imutils(number_or(address)),
    "our intake, OpenCV": lambda address, _: by_intake(Camera(address, LiveSettings())),
    "our intake, PyAV": lambda address, form: by_intake(Packets(device(address), form)),
    "no thread, OpenCV": lambda address, _: without_threads(number_or(address)),
}


def number_or(address: str) -> str | int:
    """Return a camera as OpenCV wants it."""
    return int(address) if address.isdigit() else address


def device(address: str) -> str:
    """Return a camera as V4L2 names it."""
    return f"/dev/video{address}" if address.isdigit() else address


if __name__ == "__main__":
    main()
