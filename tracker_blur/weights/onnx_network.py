"""Runs the networks that `trackblur train` makes: ONNX files, on the processor, by ONNX Runtime.

Most have weights and activations of 8 bits, which processors multiply several times as fast as 32
(docs/performance.md). Of verifiers that are trained now, only the weights have 8 bits. Networks of
other people are run by OpenCV.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from contextlib import contextmanager
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import onnxruntime

Values = npt.NDArray[np.float32]

_PACKAGE = "onnxruntime"
_STANDARD_ERROR = 2
_LARGE_VALUES = 1_000_000  # of an input: three planes of 640x512 pixels
_MOST_THREADS = 4  # more gain little with networks of this size
_import_lock = threading.Lock()


class OnnxNetwork:
    """A network with one input. It may be run from several threads at once.

    Attributes:
        output_names: In the order of what `run` returns.

    Args:
        file_name: The file's name, for messages.
        content: Its bytes.

    Raises:
        ModelError: ONNX Runtime cannot load it, or it is of another kind: it has several inputs, or
            outputs of other types.
    """

    def __init__(self, file_name: str, content: bytes) -> None:
        self._file_name = file_name
        self._content = content
        # Of the cores that this process has, as `cv2.setNumThreads` says: others decode and write.
        # One thread takes the least processor time, and all numbers of them give the same bits.
        cores = max(cv2.getNumThreads(), 1)
        self._usual_threads = min(max(cores // 2, 1), _MOST_THREADS)
        self._large_threads = min(cores, _MOST_THREADS)
        self._session = _session(file_name, content, self._usual_threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        types = {each.type for each in (*inputs, *outputs)}
        if len(inputs) != 1 or types != {"tensor(float)"}:
            raise ModelError(f"{file_name}: this network was not made by 'trackblur train'")
        self._input_name = inputs[0].name
        self.output_names = tuple(output.name for output in outputs)

    def run(self, values: Values) -> list[Values]:
        """Return all outputs for an input.

        Raises:
            ModelError: It cannot be run, or an output holds what is no number: with that nothing
                can be decided, and what is decided hides faces.
        """
        session = self._session if values.size < _LARGE_VALUES else self._large_session
        try:
            outputs: list[Values] = session.run(None, {self._input_name: values})
        except MemoryError:
            raise
        except Exception as error:  # ONNX Runtime's errors have no class of their own
            raise ModelError(
                f"{self._file_name}: ONNX Runtime cannot run this network ({_reason(error)}): "
                "name one that 'trackblur train' made"
            ) from error
        if not all(np.isfinite(output).all() for output in outputs):
            raise ModelError(f"{self._file_name}: its answers are no numbers: get the file again")
        return outputs

    @cached_property
    def _large_session(self) -> onnxruntime.InferenceSession:
        """The session for large inputs, with all cores: the writer waits for what they show."""
        if self._large_threads == self._usual_threads:
            return self._session
        return _session(self._file_name, self._content, self._large_threads)


def runtime() -> ModuleType:
    """Return the package onnxruntime, which sends and prints nothing."""
    # Later releases than setup.cfg admits send what they call telemetry, unless this is set.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    with _import_lock:
        if _PACKAGE not in sys.modules:
            with _silent_standard_error():
                importlib.import_module(_PACKAGE)
        module = sys.modules[_PACKAGE]
    module.disable_telemetry_events()  # on Windows, each release has it
    return module


def runtime_version() -> str:
    """Return the version of ONNX Runtime, which this does not load."""
    return metadata.version(_PACKAGE)


@contextmanager
def _silent_standard_error() -> Iterator[None]:
    """Discard what is written to standard error, by whatever thread: keep it short.

    The import warns of graphics devices that are none of PCI, as on WSL2 and a Raspberry Pi. No
    setting of the releases up to 1.28 prevents it.
    """
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # it is closed
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STANDARD_ERROR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)


def _session(file_name: str, content: bytes, threads: int) -> onnxruntime.InferenceSession:
    package = runtime()
    options = package.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # it kept what the largest input took: 30 MiB at 720p
    options.log_severity_level = 4  # what is wrong becomes an exception; nothing is printed
    try:
        return package.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except MemoryError:
        raise
    except Exception as error:  # ONNX Runtime's errors have no class of their own
        raise ModelError(
            f"{file_name}: ONNX Runtime cannot use this network ({_reason(error)}): "
            "get the file again"
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
