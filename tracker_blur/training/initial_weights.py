"""How a network starts with the weights of another one, from the ONNX file that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_file
from tracker_blur.errors import ModelError, SettingsError, SourceError, reason_of
from tracker_blur.training.network import BOX_CHANNELS, STRIDES, ConvBlock, Network
from tracker_blur.training.onnx_files import require_onnx

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_CALIBRATION_IMAGES = 192
_CALIBRATION_CHUNK = 16  # a whole batch may need too much memory
_LEAST_VARIANCE = 1e-6  # channels that are constant must not be divided by 0


@torch.no_grad()
def load_initial_weights(network: Network, classes: tuple[str, ...], file: Path) -> None:
    """Give the network the weights of an ONNX file that `trackblur train` wrote.

    Classes are matched by name. The classification weights of classes that the file lacks stay
    random. In the file, normalizations are folded into the convolutions: here they become
    identities that add the bias, so call `calibrate_normalization` next.

    Raises:
        ModelError: The file was not written by `trackblur train`.
        SettingsError: Its network has another shape.
        MissingPackageError: The package onnx is missing.
    """
    file_classes = from_file(str(file)).labels
    stored = stored_convolutions(file)
    modules = _convolutions_in_order(network)
    shapes = [module.weight.shape[1:] for module in modules]
    if [weight.shape[1:] for weight, _ in stored] != shapes:
        stored_channels, channels = len(stored[0][0]), len(modules[0].weight)
        raise SettingsError(
            f"{file}: its network has another shape ({stored_channels} channels in its first "
            f"layer, this one has {channels}): choose the same --width, or a newer file"
        )
    own_rows, file_rows = _shared_rows(classes, file_classes)
    outputs = {head[-1] for head in network.heads}
    blocks = [module for module in network.modules() if isinstance(module, ConvBlock)]
    normalizations = {block[0]: block[1] for block in blocks}
    for module, (weight, bias) in zip(modules, stored, strict=True):
        if module in outputs:
            module.weight[own_rows] = weight[file_rows]
            module.bias[own_rows] = bias[file_rows]
        else:
            module.weight.copy_(weight)
            make_identity(normalizations[module], bias)


def stored_convolutions(file: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of the file's convolutions in the order of execution.

    Raises:
        SourceError: The file cannot be read.
        ModelError: It is no ONNX file, or another tool has rewritten it.
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx("starting with given weights")
    to_array = onnx.numpy_helper.to_array
    try:
        graph = onnx.load(str(file)).graph
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{file}: cannot read these weights ({reason}): check --start") from error
    except Exception as error:  # the parser's errors have no class of onnx
        raise ModelError(f"{file}: is no ONNX file: check --start") from error
    initializers = {initializer.name: initializer for initializer in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}

    def tensor(name: str) -> Tensor:
        maker = makers.get(name)
        if maker is None:
            return torch.from_numpy(np.array(to_array(initializers[name]), np.float32))
        if maker.op_type == "DequantizeLinear":  # 8 bits, or 32 of an offset, and their steps
            steps, scales, zeros = map(tensor, maker.input)
            return (steps - _per_row(zeros, steps)) * _per_row(scales, steps)
        if maker.op_type == "Mul":  # 8 bits, cast, times their steps
            steps, scales = map(tensor, maker.input)
            return steps * scales
        if maker.op_type not in ("Identity", "Cast"):
            raise KeyError(name)
        # A tensor that several convolutions share is stored once, under the name of one of them;
        # one of 8 bits, or of 16 as earlier versions stored it, is cast.
        return tensor(maker.input[0])

    try:
        return [
            (tensor(node.input[1]), tensor(node.input[2]))
            for node in graph.node
            if node.op_type == "Conv"
        ]
    # No bias; weights that are computed, or constants; steps without an offset.
    except (IndexError, KeyError, ValueError) as error:
        raise ModelError(
            f"{file}: another tool has rewritten it: start with a file as trackblur train wrote it"
        ) from error


def _per_row(values: Tensor, tensor: Tensor) -> Tensor:
    """Return one value for each row of a tensor, or one for all, so that both can be combined."""
    return values.reshape(-1, *(1 for _ in tensor.shape[1:]))


def _convolutions_in_order(network: Network) -> list[Any]:
    """Return the network's convolutions in the order of execution."""
    called: list[Any] = []
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [
        module.register_forward_hook(lambda module, *_: called.append(module))
        for module in convolutions
    ]
    network.eval()(torch.zeros(1, 3, STRIDES[-1], STRIDES[-1]))
    for hook in hooks:
        hook.remove()
    return called


def _shared_rows(classes: tuple[str, ...], others: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the output rows that two networks share, as numbered in the one and in the other."""
    shared = [name for name in classes if name in others]
    box = range(BOX_CHANNELS)
    return (
        [*map(classes.index, shared), *(len(classes) + i for i in box)],
        [*map(others.index, shared), *(len(others) + i for i in box)],
    )


def make_identity(normalization: Any, bias: Tensor) -> None:
    """Let a normalization add the bias that was folded into its convolution, and nothing else."""
    normalization.running_mean.zero_()
    normalization.running_var.fill_(1.0 - normalization.eps)
    normalization.weight.fill_(1.0)
    normalization.bias.copy_(bias)


@torch.no_grad()
def calibrate_normalization(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give each normalization the mean and variance of its input; what it computes stays the same.

    Args:
        network: Its normalizations are identities, as `make_identity` leaves them.
        batches: Training images of shape (N, 3, rows, columns); only the first few are used.
    """
    normalizations: list[Any] = [
        module for module in network.modules() if isinstance(module, nn.BatchNorm2d)
    ]
    moments: dict[Any, list[Tensor]] = {module: [] for module in normalizations}

    def note_moments(module: Any, inputs: tuple[Tensor, ...]) -> None:
        features = inputs[0].transpose(0, 1).flatten(1)
        moments[module].append(torch.stack((features.mean(1), features.square().mean(1))))

    hooks = [module.register_forward_pre_hook(note_moments) for module in normalizations]
    network.eval()
    count = 0
    for batch in batches:
        for chunk in batch[:_CALIBRATION_IMAGES].split(_CALIBRATION_CHUNK):
            network(chunk.float())
            count += len(chunk)
        if count >= _CALIBRATION_IMAGES:
            break
    for hook in hooks:
        hook.remove()
    for module in normalizations:
        mean, square = torch.stack(moments[module]).mean(0)
        variance = (square - mean.square()).clamp(min=_LEAST_VARIANCE)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.copy_((variance + module.eps).sqrt())
        module.bias.add_(mean)
