"""ONNX files: how PyTorch's networks become such files."""

from __future__ import annotations

import importlib
import io
import warnings
from typing import TYPE_CHECKING, Any

import torch

from tracker_blur.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

_OPSET = 17


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
        # The newer exporter needs two more packages.
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


def require_onnx(purpose: str) -> Any:
    """Return the package onnx; raises MissingPackageError without it."""
    try:
        importlib.import_module("onnx.numpy_helper")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise MissingPackageError("onnx", "train", purpose) from error
