"""A whole training: data set in, NAME.onnx and NAME.md out; goes on where it was interrupted."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.training import checkpoints, results
from tracker_blur.training import plots as drawing
from tracker_blur.training.checkpoints import State
from tracker_blur.training.data import Canvases, batches
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import require_library
from tracker_blur.training.initial_weights import measure, start
from tracker_blur.training.judging import judge
from tracker_blur.training.loading import scenes
from tracker_blur.training.loop import train
from tracker_blur.training.mining import Mine
from tracker_blur.training.network import Network, Shape
from tracker_blur.training.plan import Material, Plan
from tracker_blur.training.provenance import differences, provenance
from tracker_blur.training.ranks import Ranks
from tracker_blur.training.taught import taught
from tracker_blur.weights.store import Weights

_SEEDS_APART = 1_000_003  # more than a training has batches


def run(plan: Plan, read: Material, tell: Callable[[str], None]) -> Path:
    """Train; return the ONNX file. Goes on from a checkpoint in NAME.training/ if there is one.

    Started by torchrun, several processes train together, each on batches of its own.

    tell   is given lines about the progress

    Raises SourceError, SettingsError, SinkError, ModelError and MissingPackageError.
    """
    if read.val:  # both are needed for the first judgement, which may be an hour away
        require_library()
        drawing.require_library()
    shares = _shares(plan, read)
    ranks = Ranks.joined(plan.device)
    try:
        tell = tell if ranks.is_first else lambda line: None
        work = plan.folder / f"{plan.name}.training"
        results.check(plan, goes_on=(work / "checkpoint.pt").is_file())
        state = _state(plan, read, work / "checkpoint.pt", ranks.count)
        network = _network(plan, read, state)
        _make(work)
        if state.step:
            tell(f"going on after {state.step} batches and {state.seconds / 60:.0f} minutes")
        try:
            average, pictures = _trained(plan, read, shares, state, network, ranks, work, tell)
        except KeyboardInterrupt:
            if state.step:
                tell(f"kept after {state.step} batches: started with the same words, it goes on")
            raise
    finally:
        ranks.leave()
    if ranks.is_first:
        results.write(plan, read, state, average, pictures, ranks.count)
    return results.network_file(plan)


def _make(folder: Path) -> None:
    """Make a folder; raises SinkError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(f"{folder}: cannot make this folder ({reason}): choose another") from error


def _state(plan: Plan, read: Material, checkpoint: Path, processes: int) -> State:
    """Return the checkpoint's state, or a new one where there is none.

    Raises SettingsError when the checkpoint is of another training than is asked for.
    """
    asked = provenance(plan, read, processes)
    if not checkpoint.is_file():
        shape = Shape(len(read.classes)).scaled(plan.width)
        return State(shape, read.classes, made_from=asked)
    state = checkpoints.load(checkpoint)
    made_from = state.made_from | {"classes": ", ".join(state.classes)}
    if others := differences(made_from, asked):
        raise SettingsError(
            f"{checkpoint}: was begun with {'; '.join(others)}: go on with the same, choose "
            f"another --name, or delete {checkpoint.parent}"
        )
    state.made_from = asked
    return state


def _network(plan: Plan, read: Material, state: State) -> Network:
    """Return a network to train; its weights are those to start with, if any."""
    torch.manual_seed(plan.seed)
    network = Network(state.shape)
    if plan.start and not state.step:
        start(network, read.classes, plan.start)
    return network


def _trained(
    plan: Plan,
    read: Material,
    shares: Sequence[float],
    state: State,
    network: Network,
    ranks: Ranks,
    work: Path,
    tell: Callable[[str], None],
) -> tuple[Network, tuple[Annotated, ...]]:
    """Return the averaged network, and the pictures it was trained on, as taught."""
    # A training that goes on must not see the first canvases again, nor two processes the same.
    seed = plan.seed + state.step + _SEEDS_APART * ranks.number
    _seed(seed)
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    pictures = _taught(plan, read, ranks, work, tell)
    loaded = list(scenes(pictures, read.classes))
    if ranks.is_first:
        drawing.write_jpeg(drawing.sheet(loaded), work / "pictures.jpg")
        tell(f"what was read: {work / 'pictures.jpg'}")
    mine = Mine(loaded)
    canvases = Canvases(loaded, shares, plan.views, seed, mine.worst)
    made = batches(canvases, plan.batch, plan.workers)
    if plan.start and not state.step:
        measure(network, (some.pictures for some in made))
    average = train(
        network,
        made,
        plan.recipe,
        state,
        work / "checkpoint.pt",
        ranks,
        judge(read.val, read.classes, plan.views.poses) if read.val else None,
        lambda network: mine.look(network, ranks.device),
        lambda row: _report(row, state.history, work, tell),
    )
    return average, pictures


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _taught(
    plan: Plan, read: Material, ranks: Ranks, work: Path, tell: Callable[[str], None]
) -> tuple[Annotated, ...]:
    """Return the pictures to train on, with what the teachers add."""
    if not plan.teachers:
        return read.train
    if len(read.classes) > 1:
        raise SettingsError("teachers can label data sets of one class only")
    with ranks.first_before_others():
        pictures = taught(
            read.train,
            read.classes[0],
            plan.teachers,
            Weights(plan.weights),
            work / "taught.json",
        )
    things = sum(len(picture.things) for picture in pictures)
    ignored = sum(len(picture.ignored) for picture in pictures)
    tell(f"with what {', '.join(plan.teachers)} add: {things} boxes, {ignored} ignored regions")
    return pictures


def _shares(plan: Plan, read: Material) -> list[float]:
    """Return how often each picture is drawn; raises SettingsError where none would be."""
    folders = [picture.path.parent.name for picture in read.train]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no pictures in a folder {', '.join(sorted(unknown))}")
    shares = [plan.shares.get(folder, 1.0) for folder in folders]
    if not any(shares):
        raise SettingsError("--share is 0 for every folder: leave one to draw pictures from")
    return shares


def _report(
    row: dict[str, float],
    history: Sequence[Mapping[str, float]],
    work: Path,
    tell: Callable[[str], None],
) -> None:
    judged = f", AP50 {row['ap50']:.3f}" if "ap50" in row else ""
    tell(
        f"{row['step']:.0f} batches, {row['seconds'] / 60:.1f} minutes: score loss "
        f"{row['score_loss']:.3f}, box loss {row['box_loss']:.3f}{judged}"
    )
    if judged:
        drawing.write_curves(history, work / "curves.png")
