"""The processes that train one network together, one a GPU, as PyTorch's `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tracker_blur.errors import SettingsError

_LONGEST_WAIT = timedelta(hours=24)  # while the first asks teachers, or judges


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among the others.

    number   0 for the first, which alone judges, tells and writes
    count    how many there are; 1 without torchrun
    device   that this one computes on
    """

    number: int
    count: int
    device: torch.device

    @classmethod
    def joined(cls, device: str) -> Ranks:
        """Join the others, if torchrun has started any; `device` as on the command line.

        Raises SettingsError for a device that this machine does not have.
        """
        number, count = (int(os.environ.get(name, usual)) for name, usual in _VARIABLES)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if count > 1 and device == "cuda":
            device = f"cuda:{os.environ.get('LOCAL_RANK', number)}"
        present = _present(device)
        if count > 1:
            backend = "nccl" if device.startswith("cuda") else "gloo"
            distributed.init_process_group(backend, timeout=_LONGEST_WAIT)
        return cls(number, count, present)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that judges, tells and writes."""
        return self.number == 0

    def first_says(self, value: float) -> float:
        """Return the first process's value, in all of them; all must ask."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return float(shared)

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """Let the others begin the block when the first has ended it; all must enter it."""
        if not self.is_first:
            self.first_says(0.0)
        yield
        if self.is_first:
            self.first_says(0.0)

    def together(self, network: nn.Module) -> nn.Module:
        """Return the network in a form that learns what all processes' batches teach."""
        if self.count == 1:
            return network
        own = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=own)

    def leave(self) -> None:
        """End the connection to the others."""
        if self.count > 1:
            distributed.destroy_process_group()


def _present(name: str) -> torch.device:
    """Return the device of this name; raises SettingsError when there is none to compute on."""
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise SettingsError(f"--device {name}: not on this machine: choose cpu or auto") from error
    return device


_VARIABLES = (("RANK", "0"), ("WORLD_SIZE", "1"))
