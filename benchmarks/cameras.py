"""Compares ways to read a camera: imutils' threaded stream, and our capture with OpenCV or PyAV.

    python benchmarks/cameras.py [--camera 0 | --size 1280x720 --rate 30] [--seconds 20] [--work 20]

It needs imutils (pip install imutils). Without `--camera`, a simulated camera is read: another
process that serves numbered JPEG images by HTTP at a steady rate and reports when it sent each. It
is read by the FFmpeg of OpenCV or of PyAV; drivers and OpenCV's V4L2 are not measured. With
`--camera` they are, but the delay is not: a camera's frames do not say when they were taken.

The reader is busy with each frame for `--work` milliseconds, as a detector would be.

    delay      from just before an image is sent until it is a live frame, 8-bit YUV 4:2:0
    taken      different frames read per second
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
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import av
import cv2
import frame_numbers
import numpy as np

from tracker_blur.errors import SourceError
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.live_frame import LiveFrame, LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources._container import ContainerSource
from tracker_blur.realtime.sources.camera import CameraSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av.container import InputContainer

    from tracker_blur.realtime.sources import LiveSource

# Each further thread would hold back a frame.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
WARM_UP_SECONDS = 3.0
POLL_SECONDS = 0.001
PATIENCE_SECONDS = 5.0  # imutils does not report a camera that is gone
HEAD = ("reader", "delay median", "95th", "99th", "taken", "processor")


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """When a frame was read, and the number drawn into it; None: it has none."""

    seconds: float
    number: int | None


class PyAvCamera(ContainerSource):
    """A camera, or the simulated one, read by PyAV."""

    def __init__(self, address: str, format_name: str) -> None:
        super().__init__(address)
        self._format_name = format_name

    def _open_container(self) -> InputContainer:
        return av.open(self.name, format=self._format_name)

    def _open_error(self, error: Exception) -> str:
        return f"{self.name}: cannot be opened by PyAV ({error})"


def by_imutils(address: str | int) -> Iterator[LiveFrame]:
    """Yield each new frame of imutils' threaded stream."""
    from imutils.video import VideoStream

    stream, converter, last = VideoStream(address).start(), LiveFrameConverter(None), None
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
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            yield converter.convert(frame, 0.0, time.monotonic())
    finally:
        stream.stop()


def without_threads(address: str | int) -> Iterator[LiveFrame]:
    """Yield frames as OpenCV reads them, without a thread."""
    capture, converter = cv2.VideoCapture(address), LiveFrameConverter(None)
    try:
        while True:
            is_there, image = capture.read()
            if not is_there:
                return
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "bgr24")
            yield converter.convert(frame, 0.0, time.monotonic())
    finally:
        capture.release()


def by_capture(source: LiveSource) -> Iterator[LiveFrame]:
    """Yield the newest frames of our capture, as the analyzer gets them."""
    capture = Capture(source, LiveSettings(), time.monotonic(), print, print)
    capture.start()
    try:
        while (frame := capture.frames.take()) is not None:
            yield frame
        if capture.failure is not None:
            raise capture.failure
    finally:
        capture.stop(2.0)


def measure(
    frames: Iterator[LiveFrame], seconds: float, work: float
) -> tuple[list[ReadFrame], float]:
    """Read frames for this long; return them, and the cores that this took."""
    read: list[ReadFrame] = []
    begin: float | None = None
    used = 0.0
    with closing(frames):  # type: ignore[type-var]  # these are generators
        for frame in frames:
            now = time.monotonic()
            if begin is None:
                begin, used = now + WARM_UP_SECONDS, time.process_time()
            if now < begin:
                used = time.process_time()
            else:
                luma = np.asarray(frame.planes()[0].samples)
                read.append(ReadFrame(now, frame_numbers.read(luma)))
            if now > begin + seconds:
                break
            time.sleep(work)
        used = time.process_time() - used
    if len(read) < 2:
        raise SourceError("it sent too few frames")
    return read, used / seconds


def row(name: str, read: list[ReadFrame], cores: float, sent: dict[int, float]) -> tuple[str, ...]:
    """Return a line of the table."""
    rate = f"{(len(read) - 1) / (read[-1].seconds - read[0].seconds):.1f}"
    delays = [each.seconds - sent[each.number] for each in read if each.number in sent]
    if not delays:
        return (name, "-", "-", "-", rate, f"{cores:.2f}")
    percentiles = (f"{1000 * np.percentile(delays, share):.1f} ms" for share in (50, 95, 99))
    return (name, *percentiles, rate, f"{cores:.2f}")


def serve(size: tuple[int, int], rate: float) -> None:
    """Serve numbered images to one reader; print the address, and when each was sent."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (size[1] // 8, size[0] // 8), np.uint8)
    image = np.asarray(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            begin = time.monotonic()
            with suppress(OSError):
                for number in range(1 << 31):
                    frame_numbers.draw(image, number)
                    data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))[1]
                    time.sleep(max(0.0, begin + number / rate - time.monotonic()))
                    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
                    line = f"{number} {time.monotonic()}"
                    self.wfile.write(f"{head}\r\n\r\n".encode() + data.tobytes() + b"\r\n")
                    print(line, flush=True)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.handle_request()


@contextmanager
def served(size: str, rate: float) -> Iterator[tuple[str, dict[int, float]]]:
    """Serve from another process; yield the address and when each image was sent."""
    command = [sys.executable, __file__, "--serve", "--size", size, "--rate", str(rate)]
    sent: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        address = lines.readline().strip()

        def record() -> None:
            for line in lines:
                number, seconds = line.split()
                sent[int(number)] = float(seconds)

        recorder = threading.Thread(target=record)
        recorder.start()
        try:
            yield address, sent
        finally:
            process.kill()
            recorder.join()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--camera", help="number or device, such as 0 (default: a simulated camera)"
    )
    parser.add_argument("--size", default="1280x720", help="of the simulated camera")
    parser.add_argument("--rate", type=float, default=30.0, help="of the simulated camera")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--work", type=float, default=20.0, help="milliseconds per frame")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        width, height = map(int, options.size.split("x"))
        serve((width, height), options.rate)
        return
    for line in (HEAD, ("---", *("---:" for _ in HEAD[1:]))):
        print(f"| {' | '.join(line)} |")
    for name, read in READERS.items():
        address, sent = options.camera, dict[int, float]()
        cells: tuple[str, ...]
        with ExitStack() as stack:
            if options.camera is None:
                address, sent = stack.enter_context(served(options.size, options.rate))
            format_name = "v4l2" if options.camera else "mpjpeg"
            try:
                frames, cores = measure(
                    read(address, format_name), options.seconds, options.work / 1000
                )
            except SourceError as error:
                cells = (name, str(error))
            else:
                cells = row(name, frames, cores, sent)
        print(f"| {' | '.join(cells)} |", flush=True)


READERS: dict[str, Callable[[str, str], Iterator[LiveFrame]]] = {
    "imutils, OpenCV": lambda address, _: by_imutils(number_or(address)),
    "our capture, OpenCV": lambda address, _: by_capture(CameraSource(address, LiveSettings())),
    "our capture, PyAV": lambda address, name: by_capture(PyAvCamera(device(address), name)),
    "no thread, OpenCV": lambda address, _: without_threads(number_or(address)),
}


def number_or(address: str) -> str | int:
    """Return a camera as OpenCV expects it."""
    return int(address) if address.isdigit() else address


def device(address: str) -> str:
    """Return the device of a camera for V4L2."""
    return f"/dev/video{address}" if address.isdigit() else address


if __name__ == "__main__":
    main()
