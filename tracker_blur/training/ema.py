"""A slowly moving average of the network's weights, which finds more than the weights themselves.

After Polyak, Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
"""

from __future__ import annotations

import copy
import math

import torch

from tracker_blur.training.network import Network


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
