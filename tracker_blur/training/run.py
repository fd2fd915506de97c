"""A whole training: dataset in, NAME.onnx and NAME.md out; an interrupted one is resumed."""

from __future__ import annotations

import importlib
import random
from typing import TYPE_CHECKING

import numpy as np
import torch

from tracker_blur.errors import MissingPackageError, SettingsError, SinkError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training import checkpoints
from tracker_blur.training.checkpoints import TrainingState, differences, provenance
from tracker_blur.training.detection import DetectionTask
from tracker_blur.training.export import check_results, network_file
from tracker_blur.training.loop import ProcessGroup, train
from tracker_blur.training.verifier.task import VerifierTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.recipe import Plan, TrainingData
    from tracker_blur.training.task import Report, Task

_SEED_STEP = 1_000_003  # more than a training has batches

_METRICS = {"ap50": "AP50", "auc": "area under the ROC curve"}
"""Validation figures of a history's rows that curves show, from 0 to 1, in words."""


def run(plan: Plan, data: TrainingData, report: Report) -> Path:
    """Train, and return the ONNX file; resume if NAME.training/ holds a checkpoint.

    Processes that torchrun starts train together, each on batches of its own.

    Args:
        plan: What to train on and how.
        data: The images of the plan.
        report: Called with lines about the progress.

    Raises:
        SourceError: Images or initial weights cannot be read.
        SettingsError: The plan makes no sense, or a checkpoint is of another training.
        SinkError: A file cannot be written, or must not be replaced.
        ModelError: Weights are damaged, or are not finite any more.
        MissingPackageError: A package of the extra "train" is missing.
    """
    if data.val:  # before the first curves, which may be an hour away
        require_matplotlib()
    task = VerifierTask(plan, data) if plan.task == "verify" else DetectionTask(plan, data)
    group = ProcessGroup.join(plan.device)
    try:
        report = report if group.is_main else lambda _: None
        work = plan.folder / f"{plan.name}.training"
        check_results(plan, resumes=(work / "checkpoint.pt").is_file())
        state = _state(plan, data, task, work / "checkpoint.pt", group.world_size)
        torch.manual_seed(plan.seed)
        network = task.network(state.shape, None if state.step else plan.initial_weights)
        _make_folder(work)
        if state.step:
            report(f"resuming after {state.step} batches and {state.seconds / 60:.0f} minutes")
        try:
            average, images = _train(plan, task, state, network, group, work, report)
        except KeyboardInterrupt:
            if state.step:
                report(f"saved after {state.step} batches: run the same command to resume")
            raise
    finally:
        group.leave()
    if group.is_main:
        task.write(state, average, images, group.world_size)
    return network_file(plan)


def require_matplotlib() -> None:
    """Raise MissingPackageError if what `write_curves` needs is missing."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingPackageError("matplotlib", "train", "drawing the training curves") from error


def _state(
    plan: Plan, data: TrainingData, task: Task, checkpoint: Path, processes: int
) -> TrainingState:
    """Return the checkpoint's state, or a new one if there is no checkpoint.

    Raises SettingsError for a checkpoint of another training than the plan's.
    """
    made_from = provenance(plan, data, processes)
    if not checkpoint.is_file():
        return TrainingState(task.shape(), data.classes, made_from=made_from)
    state = checkpoints.load(checkpoint, task.shape_type)
    before = state.made_from | {"classes": ", ".join(state.classes)}
    if changes := differences(before, made_from):
        raise SettingsError(
            f"{checkpoint}: was started with {'; '.join(changes)}: resume with the same, choose "
            f"another --name, or delete {checkpoint.parent}"
        )
    state.made_from = made_from
    return state


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = reason_of(error)
        raise SinkError(f"{folder}: cannot make this folder ({reason}): choose another") from error


def _train(
    plan: Plan,
    task: Task,
    state: TrainingState,
    network: nn.Module,
    group: ProcessGroup,
    work: Path,
    report: Report,
) -> tuple[nn.Module, tuple[AnnotatedImage, ...]]:
    """Return the averaged network, and the images it learned from, with pseudo-labels."""
    # A resumed training must not see the first images again, nor two processes the same ones.
    seed = plan.seed + state.step + _SEED_STEP * group.rank
    _seed_all(seed)
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    lesson = task.lesson(network, state, seed, group, work, report)
    average = train(
        network,
        lesson.batches,
        lesson.losses,
        plan.recipe,
        state,
        work / "checkpoint.pt",
        group,
        lesson.validate,
        lesson.mine,
        lambda row: _report_row(row, state.history, work, report),
    )
    return average, lesson.images


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _report_row(
    row: Mapping[str, float], history: Sequence[Mapping[str, float]], work: Path, report: Report
) -> None:
    figures = (
        f"{_METRICS.get(name, name.replace('_', ' '))} {value:.3f}"
        for name, value in row.items()
        if name not in ("step", "seconds")
    )
    report(f"{row['step']:.0f} batches, {row['seconds'] / 60:.1f} minutes: {', '.join(figures)}")
    if any(name in row for name in _METRICS):
        write_curves(history, work / "curves.png")


def write_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw losses and the validation figure over the steps as a PNG; raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    left = figure.subplots()
    steps = [row["step"] for row in history]
    for name in (name for name in history[0] if name.endswith("_loss")):
        left.plot(steps, [row[name] for row in history], label=name.replace("_", " "))
    left.set(xlabel="batches", ylabel="loss", yscale="log")
    right = left.twinx()
    for name, words in _METRICS.items():
        points = [(row["step"], row[name]) for row in history if name in row]
        if points:
            right.plot(*zip(*points, strict=True), "ko-", label=f"{words}, validation")
            right.set(ylabel=words, ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    with replacing(path, overwrite=True) as file:
        figure.savefig(file, format="png", dpi=100)
