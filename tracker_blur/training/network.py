"""The detection network, the moving average of its weights, and how it starts from given weights.

Plain 3x3 convolutions are what `cv2.dnn` runs fastest on any CPU (Winograd), and what CPUs with
bf16 units train fastest. The feature pyramid follows Lin, Dollár, Girshick et al., "Feature Pyramid
Networks", CVPR 2017, arXiv 1612.03144; one prediction per cell follows Ge, Liu, Wang et al.,
"YOLOX", 2021, arXiv 2107.08430.
"""

from __future__ import annotations

import copy
import importlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker_blur.detectors.onnx import from_file
from tracker_blur.errors import MissingPackageError, ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STRIDES = (8, 16, 32)
"""Image pixels per cell of each output map."""

MEAN, SCALE = 127.5, 1 / 64
"""Images are normalized to (value - MEAN) * SCALE."""

BOX_CHANNELS = 4

_PRIOR = 0.01  # the score that every cell starts with (Lin et al., arXiv 1708.02002)
_AVERAGE_WARMUP_STEPS = 400
_CALIBRATION_IMAGES = 192
_CALIBRATION_CHUNK = 16  # a whole batch may need too much memory
_LEAST_VARIANCE = 1e-6  # channels that are constant must not be divided by 0


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Width and depth of the network. Checkpoints and model cards hold these field names.

    Attributes:
        classes: Number of object classes.
        stem: Channels at strides 2 and 4.
        body: Channels at strides 8, 16 and 32.
        depth: Residual blocks at strides 4, 8, 16 and 32.
        neck: Channels of the feature pyramid and of the heads.
        tower: Convolutions of each head before its output.
    """

    classes: int = 1
    stem: tuple[int, int] = (16, 24)
    body: tuple[int, int, int] = (48, 80, 96)
    depth: tuple[int, int, int, int] = (0, 3, 2, 2)
    neck: int = 48
    tower: int = 1

    def scaled(self, width: float) -> NetworkShape:
        """Return the shape with `width` times as many channels, in multiples of 8."""
        half, quarter = (_multiple_of_8(width * channels) for channels in self.stem)
        small, medium, large = (_multiple_of_8(width * channels) for channels in self.body)
        neck = _multiple_of_8(width * self.neck)
        return replace(self, stem=(half, quarter), body=(small, medium, large), neck=neck)


def _multiple_of_8(channels: float) -> int:
    return 8 * max(1, round(channels / 8))


class ConvBlock(nn.Sequential):
    """Convolution, batch normalization, ReLU; the export folds them into one."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """A block whose input is added to its output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = ConvBlock(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return refined features of the same shape (N, channels, rows, columns)."""
        refined: Tensor = features + self.block(features)
        return refined


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    # A convolution of stride 2 would cost four times as much: Winograd's method needs stride 1.
    downsampling = nn.MaxPool2d(2), ConvBlock(inputs, outputs)
    return nn.Sequential(*downsampling, *(ResidualBlock(outputs) for _ in range(depth)))


class Network(nn.Module):
    """A single-stage detector with a feature pyramid and one head per stride.

    It takes images of shape (N, 3, rows, columns), BGR, 0 to 255; rows and columns are multiples of
    32. It returns three maps, one per stride, of shape (N, classes + 4, rows / stride,
    columns / stride): class logits, then the box as center x and y relative to the cell's center,
    and the logarithms of width and height, all in cells.

    Checkpoints hold the names of the submodules.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        half, quarter = shape.stem
        small, medium, large = shape.body
        neck = shape.neck
        self.stem = nn.Sequential(
            ConvBlock(3, half, stride=2), _stage(half, quarter, shape.depth[0])
        )
        self.small = _stage(quarter, small, shape.depth[1])
        self.medium = _stage(small, medium, shape.depth[2])
        self.large = _stage(medium, large, shape.depth[3])
        self.lateral = nn.ModuleList(ConvBlock(width, neck, size=1) for width in shape.body)
        self.merge = nn.ModuleList(ConvBlock(neck, neck) for _ in STRIDES[1:])
        self.heads = nn.ModuleList(_head(shape) for _ in STRIDES)
        self._initialize_weights()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of strides 8, 16 and 32."""
        return self.maps((images - MEAN) * SCALE)

    def maps(self, normalized: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps of images that are already normalized."""
        small = self.small(self.stem(normalized))
        medium = self.medium(small)
        coarse = self.lateral[2](self.large(medium))
        middle = self.merge[1](self.lateral[1](medium) + _upsample(coarse))
        fine = self.merge[0](self.lateral[0](small) + _upsample(middle))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _initialize_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for head in self.heads:
            output = head[-1]
            nn.init.normal_(output.weight, std=0.01)
            nn.init.zeros_(output.bias)
            bias = math.log(_PRIOR / (1 - _PRIOR))
            nn.init.constant_(output.bias[: self.shape.classes], bias)


def _head(shape: NetworkShape) -> nn.Sequential:
    # One per stride: normalization statistics shared by all strides fit none of them.
    tower = (ConvBlock(shape.neck, shape.neck) for _ in range(shape.tower))
    return nn.Sequential(*tower, nn.Conv2d(shape.neck, shape.classes + BOX_CHANNELS, 1))


def _upsample(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")


class ExponentialMovingAverage:
    """Exponential moving average of a network's weights, which detects more than the weights do.

    After Polyak, Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992. It moves
    quickly at first, while the weights are still poor.

    Args:
        network: The network to copy and to average.
        decay: The share of the average that one late step keeps.

    Attributes:
        network: The averaged network.
    """

    def __init__(self, network: Network, decay: float = 0.999) -> None:
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Move the average towards the network's weights after this step, counted from 1."""
        decay = self._decay * (1 - math.exp(-step / _AVERAGE_WARMUP_STEPS))
        current = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name], 1 - decay)
            else:
                value.copy_(current[name])


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
    stored = _stored_convolutions(file)
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
    normalizations = {block[0]: block[1] for block in _conv_blocks(network)}
    for module, (weight, bias) in zip(modules, stored, strict=True):
        if module in outputs:
            module.weight[own_rows] = weight[file_rows]
            module.bias[own_rows] = bias[file_rows]
        else:
            module.weight.copy_(weight)
            _make_identity(normalizations[module], bias)


def _stored_convolutions(file: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of the file's convolutions in the order of execution."""
    try:
        onnx = importlib.import_module("onnx")
        to_array = importlib.import_module("onnx.numpy_helper").to_array
    except ImportError as error:
        raise MissingPackageError("onnx", "train", "starting with given weights") from error
    graph = onnx.load(str(file)).graph
    initializers = {initializer.name: initializer for initializer in graph.initializer}
    # A tensor that several convolutions share is stored once, under the name of one of them.
    aliases = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(np.array(to_array(initializers[aliases.get(name, name)])))

    try:
        return [
            (tensor(node.input[1]), tensor(node.input[2]))
            for node in graph.node
            if node.op_type == "Conv"
        ]
    except (IndexError, KeyError) as error:  # no bias; weights that are computed, or constants
        raise ModelError(
            f"{file}: another tool has rewritten it: start with a file as trackblur train wrote it"
        ) from error


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


def _conv_blocks(network: Network) -> list[ConvBlock]:
    return [module for module in network.modules() if isinstance(module, ConvBlock)]


def _make_identity(normalization: Any, bias: Tensor) -> None:
    """Let a normalization add the bias that was folded into its convolution, and nothing else."""
    normalization.running_mean.zero_()
    normalization.running_var.fill_(1.0 - normalization.eps)
    normalization.weight.fill_(1.0)
    normalization.bias.copy_(bias)


@torch.no_grad()
def calibrate_normalization(network: Network, batches: Iterable[Tensor]) -> None:
    """Give each normalization the mean and variance of its input; what it computes stays the same.

    Args:
        network: Its normalizations are identities, as `load_initial_weights` leaves them.
        batches: Training images of shape (N, 3, rows, columns); only the first few are used.
    """
    normalizations: list[Any] = [block[1] for block in _conv_blocks(network)]
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
