"""Networks of 8 bits, which processors multiply several times as fast as those of 32.

Weights are rounded to 128 steps for each output channel, and activations to 256 between the least
and the greatest value that a few inputs cause, as Jacob, Kligys, Chen et al. do it: "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, arXiv
1712.05877. The last convolutions stay as they are: they take no time, and are the answer itself.
So do those of few channels, at the beginning: 8 bits save little there, and cause most of the
errors (docs/training.md). Of networks with depthwise convolutions, only the weights are rounded:
their activations differ too much from channel to channel, and 32 bits are as fast.
"""

from __future__ import annotations

import copy
import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.training.onnx_files import require_onnx
from tracker_blur.weights.onnx_network import runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

INPUTS = 150
"""How many inputs show well enough which values a network meets."""

_PURPOSE = "writing a network of 8 bits"
_LEAST_CHANNELS = 32
_LEAST_WEIGHTS = 500  # a tensor of fewer has not much to save
_LEAST_STEP = 1e-7  # the least of 16 bits is just below


def quantized(
    content: bytes, inputs: Iterable[npt.NDArray[np.float32]], metadata: Mapping[str, str]
) -> bytes:
    """Return an ONNX file with weights and activations of 8 bits, and with metadata properties.

    Args:
        content: A network with one input, as `onnx_files.traced` returns it.
        inputs: What the network typically gets, `INPUTS` of them or so.
        metadata: Properties that the file shows to whoever looks.

    Raises:
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx(_PURPOSE)
    runtime()  # before any part of it is imported
    quantization: Any = importlib.import_module("onnxruntime.quantization")
    model = onnx.load_model_from_string(content)
    order = [_name(node) for node in model.graph.node]
    # It warns of networks without this mark; there is nothing to fuse in traced ones.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory(prefix="trackblur-") as folder:
        path = Path(folder) / "network.onnx"
        quantization.quantize_static(
            model,
            path,
            _Reader(model.graph.input[0].name, inputs),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            # Processors without VNNI add two products in 16 bits: with 8 bits they overflow.
            reduce_range=True,
            nodes_to_exclude=[*_narrow_convolutions(model.graph), *_last_convolutions(model.graph)],
        )
        model = onnx.load(str(path))
    _restore_order(model.graph, order)
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    written: bytes = model.SerializeToString()
    return written


def with_small_weights(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file whose weights are rounded to 8 bits, and with metadata properties.

    Each output channel has a step of its own. Steps, offsets and the last convolutions have 16
    bits. ONNX Runtime multiplies the weights by their steps when it loads the file, and computes
    with 32 bits.

    Args:
        content: A network, as `onnx_files.traced` returns it.
        metadata: Properties that the file shows to whoever looks.

    Raises:
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx(_PURPOSE)
    helper, arrays = onnx.helper, onnx.numpy_helper
    model = onnx.load_model_from_string(content)
    graph = model.graph
    last = _last_convolutions(graph)
    names = {
        node.input[1] for node in graph.node if node.op_type == "Conv" and node.name not in last
    }
    tensors, unpacking = [], []

    def store(values: npt.NDArray[Any], name: str) -> None:
        """Store what a cast to 32 bits makes the tensor of this name."""
        tensors.append(arrays.from_array(values, f"{name}/stored"))
        cast = helper.make_node("Cast", [f"{name}/stored"], [name], to=onnx.TensorProto.FLOAT)
        unpacking.append(cast)

    for tensor in graph.initializer:
        weights = arrays.to_array(tensor)
        if tensor.name in names and weights.size >= _LEAST_WEIGHTS:
            largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
            steps = np.maximum(largest / 127, _LEAST_STEP).astype(np.float16)
            rounded = np.rint(weights / steps.astype(np.float32)).clip(-127, 127).astype(np.int8)
            parts = f"{tensor.name}/rounded", f"{tensor.name}/step"
            for values, name in zip((rounded, steps), parts, strict=True):
                store(values, name)
            # Not DequantizeLinear, which would run again for each input.
            unpacking.append(helper.make_node("Mul", parts, [tensor.name]))
        elif weights.dtype == np.float32 and weights.size > 1:
            store(weights.astype(np.float16), tensor.name)
        else:
            tensors.append(tensor)
    nodes = [*unpacking, *(copy.deepcopy(node) for node in graph.node)]
    for field, values in ((graph.initializer, tensors), (graph.node, nodes)):
        del field[:]
        field.extend(values)
    _shorten_names(graph)
    helper.set_model_props(model, dict(metadata))
    written: bytes = model.SerializeToString()
    return written


def _shorten_names(graph: Any) -> None:
    """Number a graph's tensors but its inputs and outputs: PyTorch's names take 20 KB."""
    short = {value.name: value.name for value in (*graph.input, *graph.output)}

    def renamed(names: Iterable[str]) -> list[str]:
        return [short.setdefault(name, f"{len(short):x}") if name else "" for name in names]

    for tensor in graph.initializer:
        (tensor.name,) = renamed([tensor.name])
    for node in graph.node:
        node.name = ""
        for names in (node.input, node.output):
            names[:] = renamed(names)


class _Reader:
    """Gives the tool one input after the other."""

    def __init__(self, name: str, inputs: Iterable[npt.NDArray[np.float32]]) -> None:
        self._name = name
        self._inputs = iter(inputs)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        values = next(self._inputs, None)
        return None if values is None else {self._name: values}


def _narrow_convolutions(graph: Any) -> list[str]:
    """Return the names of the convolutions with few input channels."""
    channels = {
        tensor.name: tensor.dims[1] for tensor in graph.initializer if len(tensor.dims) == 4
    }
    return [
        node.name
        for node in graph.node
        if node.op_type == "Conv" and channels[node.input[1]] < _LEAST_CHANNELS
    ]


def _last_convolutions(graph: Any) -> list[str]:
    """Return the names of the convolutions after which there is no other one."""
    makers = {name: node for node in graph.node for name in node.output}
    pending = [output.name for output in graph.output]
    last = []
    while pending:
        node = makers.get(pending.pop())
        if node is not None and node.op_type == "Conv":
            last.append(node.name)
        elif node is not None:
            pending += node.input
    return last


def _name(node: Any) -> str:
    return str(node.name or node.output[0])


def _restore_order(graph: Any, names: list[str]) -> None:
    """Let a graph execute the nodes of these names in this order, as far as there are any.

    `initial_weights` takes convolutions in the order of execution, which the tool changes.
    """
    nodes = {_name(node): node for node in graph.node}
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, Any] = {}

    def add(node: Any) -> None:
        if _name(node) not in ordered:
            for name in node.input:
                if name in makers:
                    add(makers[name])
            ordered[_name(node)] = node

    for name in [*(name for name in names if name in nodes), *nodes]:
        add(nodes[name])
    in_order = [copy.deepcopy(node) for node in ordered.values()]
    del graph.node[:]
    graph.node.extend(in_order)
