"""Starts a network with the weights of one that was trained before, instead of random ones.

An ONNX file of ours holds convolutions into which the normalizations were folded. Here each is
given back a normalization that changes nothing by itself, with the mean and the variance that the
training pictures cause: learning goes on from what the file's network computes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_file
from tracker_blur.errors import MissingPackageError, ModelError, SettingsError
from tracker_blur.training.network import BOX_NUMBERS, STRIDES, Block, Network

_SHOWN, _SHOWN_AT_ONCE = 192, 16  # pictures, to measure; a whole batch may need too much memory
_LEAST_VARIANCE = 1e-6  # a channel that never says anything must not be divided by 0


@torch.no_grad()
def start(network: Network, classes: tuple[str, ...], file: Path) -> None:
    """Give the network the weights of an ONNX file that `trackblur train` made.

    Classes are known by their names; what tells others apart stays as it was.
    Afterwards `measure` is to be called.

    Raises ModelError when the file is none of ours, SettingsError when its network has another
    shape, MissingPackageError.
    """
    known = from_file(str(file)).labels
    folded = _convolutions(file)
    modules = _in_order(network)
    shapes = [module.weight.shape[1:] for module in modules]
    if [weight.shape[1:] for weight, _ in folded] != shapes:
        first, own = len(folded[0][0]), len(modules[0].weight)
        raise SettingsError(
            f"{file}: its network has another shape ({first} channels in its first layer, asked "
            f"for are {own}): choose the same --width, or a newer file"
        )
    new, old = _same_rows(classes, known)
    outputs = {head[-1] for head in network.heads}
    normalizations = {block[0]: block[1] for block in _blocks(network)}
    for module, (weight, bias) in zip(modules, folded, strict=True):
        if module in outputs:
            module.weight[new] = weight[old]
            module.bias[new] = bias[old]
        else:
            module.weight.copy_(weight)
            _make_neutral(normalizations[module], bias)


@torch.no_grad()
def measure(network: Network, pictures: Iterable[Tensor]) -> None:
    """Give each normalization the mean and variance of what it sees; the network stays the same.

    pictures   batches as the network will see them; the first few are enough
    """
    normalizations: list[Any] = [block[1] for block in _blocks(network)]
    seen: dict[Any, list[Tensor]] = {one: [] for one in normalizations}

    def note(module: Any, given: tuple[Tensor, ...]) -> None:
        features = given[0].transpose(0, 1).flatten(1)
        seen[module].append(torch.stack((features.mean(1), features.square().mean(1))))

    hooks = [one.register_forward_pre_hook(note) for one in normalizations]
    network.eval()
    shown = 0
    for some in pictures:
        for few in some[:_SHOWN].split(_SHOWN_AT_ONCE):
            network(few.float())
            shown += len(few)
        if shown >= _SHOWN:
            break
    for hook in hooks:
        hook.remove()
    for one in normalizations:
        mean, square = torch.stack(seen[one]).mean(0)
        variance = (square - mean.square()).clamp(min=_LEAST_VARIANCE)
        one.running_mean.copy_(mean)
        one.running_var.copy_(variance)
        one.weight.copy_((variance + one.eps).sqrt())
        one.bias.add_(mean)


def _same_rows(classes: tuple[str, ...], known: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the rows of an output that two networks share: in the new one, and in the known."""
    shared = [name for name in classes if name in known]
    box = range(BOX_NUMBERS)
    return (
        [*map(classes.index, shared), *(len(classes) + i for i in box)],
        [*map(known.index, shared), *(len(known) + i for i in box)],
    )


def _blocks(network: Network) -> list[Block]:
    return [module for module in network.modules() if isinstance(module, Block)]


def _convolutions(file: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of the file's convolutions, as they are computed."""
    try:
        onnx = importlib.import_module("onnx")
        to_array = importlib.import_module("onnx.numpy_helper").to_array
    except ImportError as error:
        raise MissingPackageError("onnx", "train", "starting with given weights") from error
    graph = onnx.load(str(file)).graph
    known = {one.name: one for one in graph.initializer}
    # What several convolutions share is stored once, under one of their names.
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(np.array(to_array(known[same.get(name, name)])))

    try:
        return [
            (tensor(node.input[1]), tensor(node.input[2]))
            for node in graph.node
            if node.op_type == "Conv"
        ]
    except (IndexError, KeyError) as error:  # no bias; weights that are computed, or constants
        raise ModelError(
            f"{file}: another tool has rewritten it: start with what trackblur train wrote"
        ) from error


def _in_order(network: Network) -> list[Any]:
    """Return the network's convolutions as they are computed."""
    met: list[Any] = []
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [one.register_forward_hook(lambda it, *_: met.append(it)) for one in convolutions]
    network.eval()(torch.zeros(1, 3, STRIDES[-1], STRIDES[-1]))
    for hook in hooks:
        hook.remove()
    return met


def _make_neutral(normalization: Any, bias: Tensor) -> None:
    """Let it add what was folded into the convolution, and do nothing else."""
    normalization.running_mean.zero_()
    normalization.running_var.fill_(1.0 - normalization.eps)
    normalization.weight.fill_(1.0)
    normalization.bias.copy_(bias)
