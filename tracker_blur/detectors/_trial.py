"""Tries a network in a child process first: a damaged one can end the process that loads it.

OpenCV, for instance, divides by zero or reads beyond its buffers for some, and raises no exception.
Files that trackblur knows are checked by their hashes instead (`weights/store.py`).
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import signal
import subprocess
import sys
from typing import Any, Literal

import cv2
import numpy as np

from tracker_blur.errors import ModelError, reason_of
from tracker_blur.processes import python_environment

Kind = Literal["onnx", "classifier", "caffe", "tensorflow"]
"""An ONNX detector or classifier, or the two files of a network: for Caffe graph and weights, for
TensorFlow weights and graph."""

_LIMIT_SECONDS = 60.0
_LIMIT_BYTES = 8 << 30  # a damaged file may ask for any amount of memory
_BLANK_SIZE = 360, 640  # as a video's view; levels of a pyramid are tried, too
_BLANK_SHAPE = 1, 3, 300, 300  # of a network whose graph does not say
_ADVICE = "get the file again, or choose another detector"

_passed: set[bytes] = set()


def check(file_name: str, kind: Kind, *contents: bytes) -> None:
    """Load a network and run it on a blank image, in a child process; once for each content.

    Raises ModelError when it cannot be loaded or run, when the child crashes, or when it takes too
    long.
    """
    request = json.dumps([file_name, kind, *map(len, contents)]).encode() + b"\n"
    request += b"".join(contents)
    digest = hashlib.sha256(request).digest()
    if digest in _passed:
        return
    try:
        ended = subprocess.run(
            [sys.executable, "-m", __name__],
            input=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=python_environment(OPENCV_LOG_LEVEL="SILENT"),
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{file_name}: takes over {_LIMIT_SECONDS:g} seconds for one blank image: {_ADVICE}"
        ) from error
    except OSError as error:
        raise ModelError(
            f"{file_name}: cannot be tried in a process of its own ({reason_of(error)})"
        ) from error
    if ended.returncode:
        raise ModelError(_problem(file_name, ended.returncode, ended.stdout))
    _passed.add(digest)


def _problem(file_name: str, status: int, output: bytes) -> str:
    reported = output.decode("utf-8", "replace").strip()
    if status > 0 and reported:
        return reported
    how = f"code {status}" if status > 0 else signal.Signals(-status).name
    return f"{file_name}: damaged: the process that tried it crashed ({how}): {_ADVICE}"


def _try(file_name: str, kind: Kind, contents: list[bytes]) -> None:
    if kind == "onnx":
        onnx: Any = importlib.import_module("tracker_blur.detectors.onnx")
        detector = onnx.from_content(file_name, contents[0])
        detector.detect(np.zeros((*_BLANK_SIZE, 3), np.uint8), detector.low_confidence)
        return
    if kind == "classifier":
        classifiers: Any = importlib.import_module("tracker_blur.classifiers")
        classifiers.CropClassifier(file_name, contents[0])  # it tries a blank crop itself
        return
    first, second = (np.frombuffer(content, np.uint8) for content in contents)
    read = cv2.dnn.readNetFromCaffe if kind == "caffe" else cv2.dnn.readNetFromTensorflow
    network = read(first, second)
    graph = contents[0] if kind == "caffe" else contents[1]
    network.setInput(np.zeros(_input_shape(graph), np.float32))
    network.forward(network.getUnconnectedOutLayersNames())


def _input_shape(graph: bytes) -> tuple[int, ...]:
    """Return the input shape that a graph in text names, which a Caffe graph does."""
    sides = [int(number) for number in re.findall(rb"\bdim:\s*(\d{1,5})\b", graph)[:4]]
    return tuple(sides) if len(sides) == 4 else _BLANK_SHAPE


def main() -> int:
    """Try the network that standard input holds; return 0, or 1 after printing why not."""
    _limit_resources()
    request = sys.stdin.buffer.readline()
    file_name, kind, *lengths = json.loads(request)
    contents = [sys.stdin.buffer.read(length) for length in lengths]
    try:
        _try(file_name, kind, contents)
    except ModelError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001  # whatever a damaged file leads to
        reason = " ".join(str(getattr(error, "err", error)).split()) or type(error).__name__
        problem = (
            f"{file_name}: OpenCV {cv2.__version__} cannot use this network ({reason}): {_ADVICE}"
        )
    else:
        return 0
    sys.stdout.write(problem)
    return 1


def _limit_resources() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no dump next to the user's files
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _LIMIT_BYTES if hard == resource.RLIM_INFINITY else min(hard, _LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    raise SystemExit(main())
