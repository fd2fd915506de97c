"""The training loop, and the processes that train one network together."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training import checkpoints
from tracker_blur.training.averaging import ExponentialMovingAverage

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.recipe import Recipe

_TIMEOUT = timedelta(hours=24)  # while the main process waits for teachers, or validates

_LARGEST_GRADIENT = 10.0
_LAST_RATE = 0.01  # of the highest

Network = TypeVar("Network", bound=nn.Module)

Losses = Callable[[nn.Module, Any, torch.device], dict[str, torch.Tensor]]
"""Returns what a network gets wrong in a batch, by name; their sum is minimized."""

Validate = Callable[[Network], Mapping[str, float]]
"""Returns figures of a network on the validation images, by name."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes that `torchrun` started to train one network, as seen from this one.

    Attributes:
        rank: Number of this process; process 0 alone validates, reports and writes.
        world_size: Number of processes; 1 without torchrun.
        device: Device that this process computes on.
    """

    rank: int
    world_size: int
    device: torch.device

    @classmethod
    def join(cls, device: str) -> ProcessGroup:
        """Join the other processes, if torchrun started any.

        Args:
            device: "auto", "cpu", "cuda" or "cuda:1".

        Raises:
            SettingsError: This machine has no such device.
        """
        rank = int(os.environ.get("RANK", "0"))
        world_size = int(os.environ.get("WORLD_SIZE", "1"))
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if world_size > 1 and device == "cuda":
            device = f"cuda:{os.environ.get('LOCAL_RANK', rank)}"
        checked = _checked_device(device)
        if world_size > 1:
            backend = "nccl" if device.startswith("cuda") else "gloo"
            distributed.init_process_group(backend, timeout=_TIMEOUT)
        return cls(rank, world_size, checked)

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that validates, reports and writes."""
        return self.rank == 0

    def broadcast_from_main(self, value: float) -> float:
        """Return the main process's value in all processes; all must call this."""
        if self.world_size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return float(shared)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run a block in the main process, then in the others; all must enter it."""
        if not self.is_main:
            self.broadcast_from_main(0.0)
        yield
        if self.is_main:
            self.broadcast_from_main(0.0)

    def distribute(self, network: nn.Module) -> nn.Module:
        """Return the network in a form that learns from the batches of all processes."""
        if self.world_size == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=devices)

    def leave(self) -> None:
        """Disconnect from the other processes."""
        if self.world_size > 1:
            distributed.destroy_process_group()


def _checked_device(name: str) -> torch.device:
    """Return the device of this name; raises SettingsError if it cannot compute."""
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise SettingsError(f"--device {name}: not on this machine: choose cpu or auto") from error
    return device


def train(
    network: Network,
    batches: Iterator[Any],
    losses_of: Losses,
    recipe: Recipe,
    state: TrainingState,
    checkpoint: Path,
    group: ProcessGroup,
    validate: Validate[Network] | None,
    mine: Callable[[Network], None],
    report: Callable[[dict[str, float]], None],
) -> Network:
    """Train until the recipe's end; return the averaged network.

    Computes in bf16, and keeps weights and losses in float32. After KeyboardInterrupt, the
    checkpoint is written before the exception propagates.

    Args:
        network: The network to train.
        batches: Endless batches.
        losses_of: Returns the losses of a batch.
        recipe: How long and how fast to train.
        state: Where to resume; it is kept up to date.
        checkpoint: The file that keeps the state.
        group: The processes that train together.
        validate: Is called with the averaged network, in the main process only.
        mine: Is called with the averaged network, in all processes.
        report: Is called with rows of the history, in the main process only.

    Raises:
        ModelError: Losses or gradients are not finite; nothing more was written.
        SinkError: The checkpoint cannot be written.
    """
    network = network.to(group.device, memory_format=torch.channels_last).train()
    average = ExponentialMovingAverage(network)
    optimizer = _optimizer(network, recipe)
    if state.step:
        network.load_state_dict(state.network)
        average.network.load_state_dict(state.average)
        optimizer.load_state_dict(state.optimizer)
    learner = group.distribute(network)
    started = time.monotonic() - state.seconds

    def seconds() -> float:
        return time.monotonic() - started

    def save() -> None:
        state.seconds = seconds()
        state.network = network.state_dict()
        state.average = average.network.state_dict()
        state.optimizer = optimizer.state_dict()
        checkpoints.save(state, checkpoint)

    saved_at = seconds()
    loss_sums: Counter[str] = Counter()
    count = 0
    progress = group.broadcast_from_main(_progress(recipe, state.step, seconds()))
    if progress < 1.0 and state.lengths[-1:] != [_length(recipe)]:
        state.lengths.append(_length(recipe))
    try:
        while progress < 1.0:
            for parameters in optimizer.param_groups:
                parameters["lr"] = learning_rate(recipe, state.step, progress)
            losses = losses_of(learner, next(batches), group.device)
            gradient = _step(learner, losses, optimizer)
            values = {name: float(loss.detach()) for name, loss in losses.items()}
            if not math.isfinite(sum(values.values()) + gradient):
                raise ModelError(
                    f"batch {state.step + 1}: losses or gradients are not finite numbers: train "
                    f"under another --name, with a lower --rate or another --start "
                    f"({checkpoint.parent} keeps what was learned before)"
                )
            loss_sums.update(values)
            count += 1
            state.step += 1
            average.update(network, state.step)
            if state.step % recipe.mine_every == 0:
                mine(average.network)
            progress = group.broadcast_from_main(_progress(recipe, state.step, seconds()))
            ended = progress >= 1.0
            if not group.is_main:
                continue
            validates = ended or state.step % recipe.judge_every == 0
            if validates or state.step % recipe.report_every == 0:
                means = {name: total / count for name, total in loss_sums.items()}
                row = {"step": float(state.step), "seconds": seconds(), **means}
                state.history.append(row)
                if validate is not None and validates:
                    save()  # a validation that fails loses nothing
                    row.update(validate(average.network))
                report(row)
                loss_sums, count = Counter(), 0
            if ended or seconds() - saved_at > recipe.save_every_s:
                saved_at = seconds()
                save()
    except KeyboardInterrupt:
        if group.is_main and state.step:
            save()
        raise
    return average.network


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW without weight decay of biases and normalizations."""
    parameters = list(network.parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=recipe.rate,
    )


def _progress(recipe: Recipe, step: int, seconds: float) -> float:
    if recipe.minutes is not None:
        return seconds / (60 * recipe.minutes)
    return step / recipe.steps


def _length(recipe: Recipe) -> str:
    return f"{recipe.steps} batches" if recipe.minutes is None else f"{recipe.minutes:g} minutes"


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Return the learning rate: a linear warmup, then a cosine decay.

    Args:
        recipe: The highest rate, and the length of the warmup.
        step: Batches learned from.
        progress: Share of the training that is over, 0 to 1.
    """
    steps = recipe.warmup if recipe.minutes is not None else min(recipe.warmup, recipe.steps // 10)
    warmup = min(1.0, (step + 1) / max(1, steps))
    cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
    return recipe.rate * warmup * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def _step(
    learner: nn.Module, losses: Mapping[str, torch.Tensor], optimizer: torch.optim.Optimizer
) -> float:
    """Learn from the losses of one batch; return the gradient's norm."""
    optimizer.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    gradient = nn.utils.clip_grad_norm_(learner.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    return float(gradient)
