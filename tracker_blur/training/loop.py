"""The processes that train one network together, one a GPU, as PyTorch's `torchrun` starts them.

Finds the pictures without things in which the network sees some: they are shown more often.

After Shrivastava, Gupta, Girshick, "Training Region-based Object Detectors with Online Hard Example
Mining", CVPR 2016, arXiv 1604.03540. Only pictures in which nothing is labelled or ignored are
looked at: elsewhere, what seems a false alarm is often a thing that people forgot to label.

The training loop: batches in, weights out; goes on from a checkpoint.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.training import checkpoints
from tracker_blur.training.augmentation import Scene
from tracker_blur.training.checkpoints import State
from tracker_blur.training.data import Batch
from tracker_blur.training.losses import assigned, guesses, loss
from tracker_blur.training.network import STRIDES, Average, Network
from tracker_blur.training.recipe import Recipe

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


_LEAST_SCORE = 0.25
_LOOKED_AT = 300  # pictures, at each turn: looking must not outlast learning


class Mine:
    """The surest false alarm of each picture, shared with the processes that make canvases.

    worst   shape (scenes, 4): its box in the picture's pixels; all 0 where there is none
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.worst = torch.zeros(len(scenes), 4).share_memory_()
        self._scenes = scenes
        bare = (not len(scene.boxes) and not len(scene.ignored) for scene in scenes)
        self._left = [index for index, is_bare in enumerate(bare) if is_bare]

    def look(self, network: Network, device: torch.device) -> None:
        """Look at the next few hundred pictures; after the last comes the first again."""
        turn, self._left = self._left[:_LOOKED_AT], self._left[_LOOKED_AT:]
        for index in turn:
            self.worst[index] = _worst(network, self._scenes[index], device)
        self._left += turn


@torch.no_grad()
def _worst(network: Network, scene: Scene, device: torch.device) -> torch.Tensor:
    rows, columns = scene.image.shape[:2]
    step = STRIDES[-1]
    padded = cv2.copyMakeBorder(
        scene.image, 0, -rows % step, 0, -columns % step, cv2.BORDER_CONSTANT
    )
    picture = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = network(picture.float().contiguous(memory_format=torch.channels_last))
    found = guesses(maps)
    scores = found.logits[0].amax(1).sigmoid()
    best = int(scores.argmax())
    if scores[best] < _LEAST_SCORE:
        return torch.zeros(4)
    box = found.boxes[0, best].cpu()
    limits = torch.tensor([columns, rows, columns, rows], dtype=torch.float32)
    return torch.minimum(box.clamp(min=0), limits)


Judge = Callable[[Network], float]

_LARGEST_GRADIENT = 10.0
_LAST_RATE = 0.01  # of the first


def train(
    network: Network,
    batches: Iterator[Batch],
    recipe: Recipe,
    state: State,
    checkpoint: Path,
    ranks: Ranks,
    judge: Judge | None = None,
    mine: Callable[[Network], None] = lambda network: None,
    report: Callable[[dict[str, float]], None] = lambda row: None,
) -> Network:
    """Train until the recipe's end; return the averaged network.

    Goes on from `state` and keeps it up to date, also in the file `checkpoint`. Computes in bf16,
    keeps weights and losses in float32. Of several ranks, the first alone judges, reports and
    writes; `mine` is called by all, with the averaged network.

    An interruption (KeyboardInterrupt) is passed on once the checkpoint is written. Raises
    ModelError, and writes nothing more, when losses or gradients are no numbers.
    """
    network = network.to(ranks.device, memory_format=torch.channels_last).train()
    average = Average(network)
    optimizer = _optimizer(network, recipe)
    if state.step:
        network.load_state_dict(state.network)
        average.network.load_state_dict(state.average)
        optimizer.load_state_dict(state.optimizer)
    learner = ranks.together(network)
    clock = _Clock(state.seconds)

    def keep() -> None:
        state.seconds = clock.seconds()
        state.network = network.state_dict()
        state.average = average.network.state_dict()
        state.optimizer = optimizer.state_dict()
        checkpoints.save(state, checkpoint)

    saved = clock.seconds()
    sums, counted = torch.zeros(2), 0
    progress = ranks.first_says(_progress(recipe, state.step, clock.seconds()))
    if progress < 1.0 and state.lengths[-1:] != [_length(recipe)]:
        state.lengths.append(_length(recipe))
    try:
        while progress < 1.0:
            for group in optimizer.param_groups:
                group["lr"] = _rate(recipe, state.step, progress)
            losses, gradient = _step(learner, next(batches), optimizer, ranks.device)
            if not math.isfinite(sum(losses.tolist()) + gradient):
                raise ModelError(
                    f"batch {state.step + 1}: what is learned is no numbers any more: train under "
                    f"another --name with a lower --rate or another --start ({checkpoint.parent} "
                    "keeps what was before)"
                )
            sums += losses
            counted += 1
            state.step += 1
            average.follow(network, state.step)
            if state.step % recipe.mine_every == 0:
                mine(average.network)
            progress = ranks.first_says(_progress(recipe, state.step, clock.seconds()))
            ended = progress >= 1.0
            if not ranks.is_first:
                continue
            judged = ended or state.step % recipe.judge_every == 0
            if judged or state.step % recipe.report_every == 0:
                score_loss, box_loss = (sums / counted).tolist()
                row = {
                    "step": float(state.step),
                    "seconds": clock.seconds(),
                    "score_loss": score_loss,
                    "box_loss": box_loss,
                }
                state.history.append(row)
                if judge is not None and judged:
                    keep()  # should judging fail, nothing is lost
                    row["ap50"] = judge(average.network)
                report(row)
                sums, counted = torch.zeros(2), 0
            if ended or clock.seconds() - saved > recipe.save_every_s:
                saved = clock.seconds()
                keep()
    except KeyboardInterrupt:
        if ranks.is_first and state.step:
            keep()
        raise
    return average.network


class _Clock:
    def __init__(self, before: float) -> None:
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self._start


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW; biases and normalizations are not drawn towards zero."""
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


def _rate(recipe: Recipe, step: int, progress: float) -> float:
    steps = recipe.warmup if recipe.minutes is not None else min(recipe.warmup, recipe.steps // 10)
    warm = min(1.0, (step + 1) / max(1, steps))
    cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
    return recipe.rate * warm * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def _step(
    learner: nn.Module, batch: Batch, optimizer: torch.optim.Optimizer, device: torch.device
) -> tuple[torch.Tensor, float]:
    """Learn from one batch; return two losses, shape (2,), on the CPU, and the gradient's norm."""
    pictures = batch.pictures.to(device, non_blocking=True)
    truth = batch.truth.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = learner(pictures.float())
    found = guesses(maps)
    scores, boxes = loss(found, truth, assigned(found, truth))
    optimizer.zero_grad(set_to_none=True)
    (scores + boxes).backward()
    gradient = nn.utils.clip_grad_norm_(learner.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    return torch.stack((scores, boxes)).detach().cpu(), float(gradient)
