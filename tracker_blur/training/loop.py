"""The training loop: batches in, weights out; goes on from a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn

from tracker_blur.errors import ModelError
from tracker_blur.training import checkpoints
from tracker_blur.training.assignment import assigned, guesses
from tracker_blur.training.checkpoints import State
from tracker_blur.training.data import Batch
from tracker_blur.training.ema import Average
from tracker_blur.training.losses import loss
from tracker_blur.training.network import Network
from tracker_blur.training.ranks import Ranks
from tracker_blur.training.recipe import Recipe

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
