"""Requests a second and latency of `trackblur serve`, next to a bare FastAPI handler with YuNet.

    python benchmarks/service.py IMAGE.jpg --models FOLDER [--clients 1,8,32] [--turns 2]

Both run YuNet and get the same image as the body of each request. The bare handler decodes, detects
once at full size, and answers with boxes; it has no limits, no queue and no token. trackblur also
detects in a quartered copy and asks its classifier about each face, except where Roboflow's
protocol asks. It works on an image a core, each with OpenCV on all cores. Each server is a process
of its own, and so are the clients, each of which sends its next request when it has the answer.
Servers and numbers of clients take turns; nothing else should run. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVERS = {
    "bare": "FastAPI and YuNet alone",
    "trackblur": "trackblur",
    "plain": "trackblur, without the classifier",
    "single": "trackblur, OpenCV on one core",
    "one": "trackblur, one image at once",
}
"""What is measured; the texts are the rows of the table."""

PATHS = {"bare": "/predict", "plain": "/yunet/1?api_key=none"}


class Figures(NamedTuple):
    """What the clients saw together.

    Attributes:
        rate: Requests a second.
        median_ms: Of the latency.
        p95_ms: The same, 95th percentile.
    """

    rate: float
    median_ms: float
    p95_ms: float


def serve_bare(models: Path) -> None:
    """Serve YuNet as tutorials do, on any port, which is printed."""
    import uvicorn
    from fastapi import FastAPI, Request

    size = 1, 1
    network = cv2.FaceDetectorYN.create(
        str(models / "face_detection_yunet_2023mar.onnx"), "", size, 0.5, 0.3, 5000
    )
    app = FastAPI()

    async def predict(request: Request) -> dict[str, Any]:
        image = cv2.imdecode(np.frombuffer(await request.body(), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        height, width = image.shape[:2]
        if network.getInputSize() != (width, height):
            network.setInputSize((width, height))
        rows = network.detect(image)[1]
        return {"faces": [] if rows is None else np.asarray(rows)[:, [0, 1, 2, 3, -1]].tolist()}

    # The annotation is a name of this function, where FastAPI does not look.
    predict.__annotations__["request"] = Request
    app.post("/predict")(predict)
    config = uvicorn.Config(app, port=0, log_level="critical")
    opened = config.bind_socket()
    print(opened.getsockname()[1], flush=True)
    uvicorn.Server(config).run([opened])


def serve_trackblur(name: str, models: Path) -> None:
    """Serve trackblur on any port, which is printed."""
    from tracker_blur.cli.worker_count import core_count
    from tracker_blur.service.server import ServiceServer
    from tracker_blur.service.settings import ServiceLimits, ServiceSettings

    if name == "single":
        cv2.setNumThreads(1)
    limits = ServiceLimits(at_once=1 if name == "one" else core_count())
    settings = ServiceSettings(port=0, detector="yunet", models_folder=models, limits=limits)
    with ServiceServer(settings, print) as server:
        print(server.url.rstrip("/").rpartition(":")[2], flush=True)
        threading.Event().wait()


def ask(port: int, path: str, body: bytes, seconds: float) -> list[float]:
    """Send one request after the other for some seconds; return how long each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.request("POST", path, body, {"content-type": "application/octet-stream"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"{path}: {answer.status} {text[:200]!r}")
        latencies.append(time.perf_counter() - began)
    connection.close()
    return latencies


def ask_together(port: int, path: str, body: bytes, clients: int, seconds: float) -> list[float]:
    """Return the latencies of several clients that ask at the same time."""
    with ThreadPoolExecutor(clients) as threads:
        asked = [threads.submit(ask, port, path, body, seconds) for _ in range(clients)]
        return [latency for one in asked for latency in one.result()]


def measure(port: int, path: str, body: bytes, clients: int, seconds: float) -> Figures:
    """Return the figures of several clients, who are a process of their own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(ask_together, (port, path, body, 1, 0.2))  # the first request loads
        began = time.perf_counter()
        latencies = pool.apply(ask_together, (port, path, body, clients, seconds))
        passed = time.perf_counter() - began
    return figures(latencies, passed)


def figures(latencies: Sequence[float], seconds: float) -> Figures:
    """Return the figures of all latencies, which are seconds, in some time."""
    ordered = sorted(latencies)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Figures(len(ordered) / seconds, statistics.median(ordered) * 1000, p95 * 1000)


@contextmanager
def served(name: str, models: Path) -> Iterator[int]:
    """Yield the port of a server, which is a process of its own."""
    command = [sys.executable, __file__, "-", "--models", str(models), "--serve", name]
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {"TRACKBLUR_STATE": state}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()
            process.communicate()


def main() -> None:
    """Measure, or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("image", type=Path)
    parser.add_argument("--models", type=Path, required=True, help="folder with YuNet's weights")
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--servers", default=",".join(SERVERS))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve == "bare":
        serve_bare(options.models)
    elif options.serve:
        serve_trackblur(options.serve, options.models)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Measure all servers in turns, and print the table."""
    image = options.image.read_bytes()
    bodies = dict.fromkeys(SERVERS, image) | {"plain": base64.b64encode(image)}
    names = options.servers.split(",")
    counts = [int(count) for count in options.clients.split(",")]
    measured: dict[tuple[str, int], list[Figures]] = {}
    with ExitStack() as running:
        ports = {name: running.enter_context(served(name, options.models)) for name in names}
        for _, count, name in itertools.product(range(options.turns), counts, names):
            path = PATHS.get(name, "/v1/predict")
            taken = measure(ports[name], path, bodies[name], count, options.seconds)
            measured.setdefault((name, count), []).append(taken)
    print("| server | clients | requests a second | median ms | 95th percentile ms |")
    print("|---|---|---|---|---|")
    for name in names:
        for count in counts:
            rate, median, p95 = (
                statistics.median(values) for values in zip(*measured[name, count], strict=True)
            )
            print(f"| {SERVERS[name]} | {count} | {rate:.1f} | {median:.0f} | {p95:.0f} |")


if __name__ == "__main__":
    main()
