"""The training loop, the processes that train one network together, and hard-negative mining."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training import checkpoints
from tracker_blur.training.losses import assign_targets, decode_predictions, detection_loss
from tracker_blur.training.network import STRIDES, ExponentialMovingAverage, Network

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.training.augmentation import Sample
    from tracker_blur.training.checkpoints import TrainingState
    from tracker_blur.training.data import Batch
    from tracker_blur.training.recipe import Recipe

_TIMEOUT = timedelta(hours=24)  # while the main process waits for teachers, or validates

_LEAST_SCORE = 0.25
_IMAGES_PER_SEARCH = 300  # mining must not take longer than training

_LARGEST_GRADIENT = 10.0
_LAST_RATE = 0.01  # of the highest

Validate = Callable[[Network], float]
"""Returns a network's AP50 on the validation images."""


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


class HardNegativeMiner:
    """Searches images without objects for false alarms, which are then drawn more often.

    After Shrivastava, Gupta, Girshick, "Training Region-based Object Detectors with Online Hard
    Example Mining", CVPR 2016, arXiv 1604.03540. Only images in which nothing is labeled or
    ignored are searched: elsewhere, a seeming false alarm is often an object that people forgot to
    label.

    Attributes:
        boxes: Box of the best-scored false alarm of each sample in the image's pixels, all 0 for
            none; shape (samples, 4). The processes that make canvases share it.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.boxes = torch.zeros(len(samples), 4).share_memory_()
        self._samples = samples
        self._queue = [
            index
            for index, sample in enumerate(samples)
            if not len(sample.boxes) and not len(sample.ignored)
        ]

    def search(self, network: Network, device: torch.device) -> None:
        """Search the next few hundred images; after the last one comes the first again."""
        turn, self._queue = self._queue[:_IMAGES_PER_SEARCH], self._queue[_IMAGES_PER_SEARCH:]
        for index in turn:
            self.boxes[index] = _best_scored_box(network, self._samples[index], device)
        self._queue += turn


@torch.no_grad()
def _best_scored_box(network: Network, sample: Sample, device: torch.device) -> torch.Tensor:
    rows, columns = sample.image.shape[:2]
    step = STRIDES[-1]
    padded = cv2.copyMakeBorder(
        sample.image, 0, -rows % step, 0, -columns % step, cv2.BORDER_CONSTANT
    )
    image = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = network(image.float().contiguous(memory_format=torch.channels_last))
    predictions = decode_predictions(maps)
    scores = predictions.logits[0].amax(1).sigmoid()
    best = int(scores.argmax())
    if scores[best] < _LEAST_SCORE:
        return torch.zeros(4)
    box = predictions.boxes[0, best].cpu()
    limits = torch.tensor([columns, rows, columns, rows], dtype=torch.float32)
    return torch.minimum(box.clamp(min=0), limits)


def train(
    network: Network,
    batches: Iterator[Batch],
    recipe: Recipe,
    state: TrainingState,
    checkpoint: Path,
    group: ProcessGroup,
    validate: Validate | None,
    mine: Callable[[Network], None],
    report: Callable[[dict[str, float]], None],
) -> Network:
    """Train until the recipe's end; return the averaged network.

    Computes in bf16, and keeps weights and losses in float32. After KeyboardInterrupt, the
    checkpoint is written before the exception goes on.

    Args:
        network: The network to train.
        batches: Endless batches.
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
    loss_sums, count = torch.zeros(2), 0
    progress = group.broadcast_from_main(_progress(recipe, state.step, seconds()))
    if progress < 1.0 and state.lengths[-1:] != [_length(recipe)]:
        state.lengths.append(_length(recipe))
    try:
        while progress < 1.0:
            for parameters in optimizer.param_groups:
                parameters["lr"] = learning_rate(recipe, state.step, progress)
            losses, gradient = _step(learner, next(batches), optimizer, group.device)
            if not math.isfinite(sum(losses.tolist()) + gradient):
                raise ModelError(
                    f"batch {state.step + 1}: losses or gradients are not finite numbers: train "
                    f"under another --name, with a lower --rate or another --start "
                    f"({checkpoint.parent} keeps what was learned before)"
                )
            loss_sums += losses
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
                score_loss, box_loss = (loss_sums / count).tolist()
                row = {
                    "step": float(state.step),
                    "seconds": seconds(),
                    "score_loss": score_loss,
                    "box_loss": box_loss,
                }
                state.history.append(row)
                if validate is not None and validates:
                    save()  # a validation that fails loses nothing
                    row["ap50"] = validate(average.network)
                report(row)
                loss_sums, count = torch.zeros(2), 0
            if ended or seconds() - saved_at > recipe.save_every_s:
                saved_at = seconds()
                save()
    except KeyboardInterrupt:
        if group.is_main and state.step:
            save()
        raise
    return average.network


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.AdamW:
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
    learner: nn.Module, batch: Batch, optimizer: torch.optim.Optimizer, device: torch.device
) -> tuple[torch.Tensor, float]:
    """Learn from one batch; return two losses, shape (2,), on the CPU, and the gradient's norm."""
    images = batch.images.to(device, non_blocking=True)
    targets = batch.targets.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = learner(images.float())
    predictions = decode_predictions(maps)
    scores, boxes = detection_loss(predictions, targets, assign_targets(predictions, targets))
    optimizer.zero_grad(set_to_none=True)
    (scores + boxes).backward()
    gradient = nn.utils.clip_grad_norm_(learner.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    return torch.stack((scores, boxes)).detach().cpu(), float(gradient)
