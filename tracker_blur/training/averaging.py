"""The moving average of a network's weights."""

from __future__ import annotations

import copy
import math
from typing import Generic, TypeVar

import torch
from torch import nn

T = TypeVar("T", bound=nn.Module)

_WARMUP_STEPS = 400


class ExponentialMovingAverage(Generic[T]):
    """Exponential moving average of a network's weights, which does better than the weights do.

    After Polyak, Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992. It moves
    quickly at first, while the weights are still poor.

    Args:
        network: The network to copy and to average.
        decay: The share of the average that one late step keeps.

    Attributes:
        network: The averaged network.
    """

    def __init__(self, network: T, decay: float = 0.999) -> None:
        self.network: T = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: T, step: int) -> None:
        """Move the average towards the network's weights after this step, counted from 1."""
        decay = self._decay * (1 - math.exp(-step / _WARMUP_STEPS))
        current = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name], 1 - decay)
            else:
                value.copy_(current[name])
