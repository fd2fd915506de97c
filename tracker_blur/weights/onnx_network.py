"""Runs the networks that `trackblur train` makes: ONNX files, on the processor, by ONNX Runtime.

Their weights and activations have 8 bits, which processors multiply several times as fast as 32
(docs/performance.md). Networks of other people are run by OpenCV.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime

Values = npt.NDArray[np.float32]


class OnnxNetwork:
    """A network with one input. It may be run from several threads at once.

    Attributes:
        output_names: In the order of what `run` returns.

    Args:
        file_name: The file's name, for messages.
        content: Its bytes.

    Raises:
        ModelError: ONNX Runtime cannot load it, or it has several inputs.
    """

    def __init__(self, file_name: str, content: bytes) -> None:
        self._file_name = file_name
        self._session = _session(file_name, content)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelError(f"{file_name}: this network was not made by 'trackblur train'")
        self._input_name = inputs[0].name
        self.output_names = tuple(output.name for output in self._session.get_outputs())

    def run(self, values: Values) -> list[Values]:
        """Return all outputs for an input; raises ModelError when it cannot be run."""
        try:
            outputs: list[Values] = self._session.run(None, {self._input_name: values})
        except Exception as error:  # ONNX Runtime's errors have no class of their own
            raise _unusable(self._file_name, error) from error
        return outputs


def _session(file_name: str, content: bytes) -> onnxruntime.InferenceSession:
    # Later releases than setup.cfg admits send what they call telemetry, unless this is set.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread takes the least processor time, and others decode, track and write meanwhile.
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it kept what the largest input took: 30 MiB at 720p
    options.log_severity_level = 4  # what is wrong becomes an exception; nothing is printed
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class of their own
        raise _unusable(file_name, error) from error


def _unusable(file_name: str, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())
    return ModelError(
        f"{file_name}: ONNX Runtime cannot use this network ({reason}): get the file again"
    )
