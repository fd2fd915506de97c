"""ONNX files: how PyTorch's networks become such files, and small ones."""

from __future__ import annotations

import importlib
import io
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tracker_blur.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

_OPSET = 12  # what OpenCV 4.10 reads without exception
_LEAST_NUMBERS = 256  # smaller tensors, such as offsets, keep their 32 bits


def traced(
    network: nn.Module,
    example: Tensor,
    input_name: str,
    output_names: Sequence[str],
    dynamic_axes: Mapping[str, Mapping[int, str]],
) -> bytes:
    """Return a network as ONNX, with its batch normalizations folded into the convolutions.

    Args:
        network: In evaluation mode, on the CPU.
        example: An input.
        input_name: Name of the input.
        output_names: Names of the outputs.
        dynamic_axes: Names of the axes whose length is free, by the name of input or output.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs two more packages and writes operators OpenCV cannot read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=[input_name],
            output_names=list(output_names),
            dynamic_axes={name: dict(axes) for name, axes in dynamic_axes.items()},
        )
    return file.getvalue()


def compacted(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file with its weights stored in 16 bits, and with metadata properties.

    They are cast to 32 bits when they are loaded, so it computes as before, from weights that
    differ by a two-thousandth at most.

    Raises:
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx("writing a small network")
    model = onnx.load_model_from_string(content)
    casts: list[Any] = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and math.prod(tensor.dims) > _LEAST_NUMBERS:
            values, name = onnx.numpy_helper.to_array(tensor), tensor.name
            stored = f"{name}/16"
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
            target = onnx.TensorProto.FLOAT
            casts.append(onnx.helper.make_node("Cast", [stored], [name], to=target))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    written: bytes = model.SerializeToString()
    return written


def require_onnx(purpose: str) -> Any:
    """Return the package onnx; raises MissingPackageError without it."""
    try:
        importlib.import_module("onnx.numpy_helper")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingPackageError("onnx", "train", purpose) from error
