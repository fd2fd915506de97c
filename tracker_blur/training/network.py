"""The network: plain 3x3 convolutions, a small feature pyramid, a head at each of its strides.

Plain convolutions are what `cv2.dnn` runs fastest on any CPU (Winograd), and what CPUs with bf16
units train fastest. The pyramid follows Lin, Dollár, Girshick et al., "Feature Pyramid Networks",
CVPR 2017, arXiv 1612.03144; one guess a cell follows Ge, Liu, Wang et al., "YOLOX", 2021, arXiv
2107.08430.

A slowly moving average of the network's weights, which finds more than the weights themselves.

After Polyak, Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

Starts a network with the weights of one that was trained before, instead of random ones.

An ONNX file of ours holds convolutions into which the normalizations were folded. Here each is
given back a normalization that changes nothing by itself, with the mean and the variance that the
training pictures cause: learning goes on from what the file's network computes.
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_file
from tracker_blur.errors import MissingPackageError, ModelError, SettingsError

STRIDES = (8, 16, 32)
"""Picture pixels a cell of each output map spans."""

MEAN, SCALE = 127.5, 1 / 64
"""Pictures are normalized to (value - MEAN) * SCALE."""

BOX_NUMBERS = 4
_PRIOR = 0.01  # the score that every cell starts with (Lin et al., arXiv 1708.02002)


@dataclass(frozen=True, slots=True)
class Shape:
    """How wide and deep the network is; a checkpoint carries it.

    classes   how many kinds of things it finds
    stem      channels at half size, then at a quarter
    body      channels at strides 8, 16 and 32
    depth     convolutions at strides 4, 8, 16 and 32 after the first one there
    neck      channels of the pyramid and of the heads
    tower     convolutions of each head
    """

    classes: int = 1
    stem: tuple[int, int] = (16, 24)
    body: tuple[int, int, int] = (48, 80, 96)
    depth: tuple[int, int, int, int] = (0, 3, 2, 2)
    neck: int = 48
    tower: int = 1

    def scaled(self, width: float) -> Shape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        half, quarter = (_eights(width * channels) for channels in self.stem)
        small, medium, large = (_eights(width * channels) for channels in self.body)
        neck = _eights(width * self.neck)
        return replace(self, stem=(half, quarter), body=(small, medium, large), neck=neck)


def _eights(channels: float) -> int:
    return 8 * max(1, round(channels / 8))


class Block(nn.Sequential):
    """Convolution, batch normalization, ReLU; export folds them into one."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """A block whose input is added to its output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = Block(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, refined; shape (N, channels, rows, columns)."""
        refined: Tensor = features + self.block(features)
        return refined


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    # A convolution of stride 2 costs four times as much as this: Winograd's method needs stride 1.
    reduced = nn.MaxPool2d(2), Block(inputs, outputs)
    return nn.Sequential(*reduced, *(Residual(outputs) for _ in range(depth)))


class Network(nn.Module):
    """Takes pictures of shape (N, 3, rows, columns), BGR, 0 to 255; both sides multiples of 32.

    Returns three maps, one a stride, of shape (N, classes + 4, rows / stride, columns / stride):
    logits of the classes, then the box: the center's x and y from the cell's own center, and the
    logarithms of width and height, all in cells.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        half, quarter = shape.stem
        small, medium, large = shape.body
        neck = shape.neck
        self.stem = nn.Sequential(Block(3, half, stride=2), _stage(half, quarter, shape.depth[0]))
        self.small = _stage(quarter, small, shape.depth[1])
        self.medium = _stage(small, medium, shape.depth[2])
        self.large = _stage(medium, large, shape.depth[3])
        self.lateral = nn.ModuleList(Block(width, neck, size=1) for width in shape.body)
        self.merge = nn.ModuleList(Block(neck, neck) for _ in STRIDES[1:])
        self.heads = nn.ModuleList(_head(shape) for _ in STRIDES)
        self._start_weights()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of strides 8, 16 and 32, as the class says."""
        return self.maps((pictures - MEAN) * SCALE)

    def maps(self, normalized: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of pictures whose values are already normalized."""
        small = self.small(self.stem(normalized))
        medium = self.medium(small)
        coarse = self.lateral[2](self.large(medium))
        middle = self.merge[1](self.lateral[1](medium) + _doubled(coarse))
        fine = self.merge[0](self.lateral[0](small) + _doubled(middle))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _start_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            output = head[-1]
            nn.init.normal_(output.weight, std=0.01)
            nn.init.zeros_(output.bias)
            bias = math.log(_PRIOR / (1 - _PRIOR))
            nn.init.constant_(output.bias[: self.shape.classes], bias)


def _head(shape: Shape) -> nn.Sequential:
    # One for each stride: normalizations that all strides share know none of them well.
    tower = (Block(shape.neck, shape.neck) for _ in range(shape.tower))
    return nn.Sequential(*tower, nn.Conv2d(shape.neck, shape.classes + BOX_NUMBERS, 1))


def _doubled(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")


class Average:
    """The average; it moves quickly at first, when the weights are still poor.

    decay   the share that one step keeps, once many have been made
    """

    def __init__(self, network: Network, decay: float = 0.999) -> None:
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def follow(self, network: Network, step: int) -> None:
        """Move the average towards the network's weights of this step, counted from 1."""
        keep = self._decay * (1 - math.exp(-step / 400))
        current = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name], 1 - keep)
            else:
                value.copy_(current[name])


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
