"""A whole training: data set in, NAME.onnx and NAME.md out; goes on where it was interrupted."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from tracker_blur.atomic import replacing
from tracker_blur.datasets import Annotated
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.evaluation.measure import require_library
from tracker_blur.training import checkpoints
from tracker_blur.training import pictures as drawing
from tracker_blur.training.canvases import Canvases, batches
from tracker_blur.training.card import Facts, card
from tracker_blur.training.checkpoints import State
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.judging import judge
from tracker_blur.training.loading import scenes
from tracker_blur.training.loop import train
from tracker_blur.training.mining import Mine
from tracker_blur.training.network import Network, Shape
from tracker_blur.training.plan import Material, Plan
from tracker_blur.training.provenance import differences, provenance
from tracker_blur.training.ranks import Ranks
from tracker_blur.training.starting import measure, start
from tracker_blur.training.taught import taught
from tracker_blur.weights import Weights

_MEASURED_BATCHES = 12  # for the normalizations of a network that starts with given weights
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
    ranks = Ranks.joined(plan.device)
    try:
        tell = tell if ranks.is_first else lambda line: None
        work = _work_folder(plan)
        state = _state(plan, read, work / "checkpoint.pt")
        if state.step:
            tell(f"going on after {state.step} batches and {state.seconds / 60:.0f} minutes")
        network, pictures = _trained(plan, read, state, ranks, work, tell)
    finally:
        ranks.leave()
    path = plan.folder / f"{plan.name}.onnx"
    if ranks.is_first:
        _write(plan, read, state, network, pictures, path)
    return path


def _work_folder(plan: Plan) -> Path:
    """Return NAME.training/, made; raises SinkError."""
    work = plan.folder / f"{plan.name}.training"
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(f"{work}: cannot make this folder ({reason}): choose another") from error
    return work


def _state(plan: Plan, read: Material, checkpoint: Path) -> State:
    """Return the checkpoint's state, or a new one where there is none.

    Raises SettingsError when the checkpoint is of another training than is asked for.
    """
    asked = provenance(plan, read)
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


def _trained(
    plan: Plan,
    read: Material,
    state: State,
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
    network = Network(state.shape)
    if plan.start and not state.step:
        start(network, read.classes, plan.start)
    pictures = _taught(plan, read, ranks, work, tell)
    loaded = list(scenes(pictures, read.classes))
    if ranks.is_first:
        drawing.write_jpeg(drawing.sheet(loaded), work / "pictures.jpg")
        tell(f"what was read: {work / 'pictures.jpg'}")
    mine = Mine(loaded)
    canvases = Canvases(loaded, _shares(plan, pictures), plan.views, seed, mine.worst)
    made = batches(canvases, plan.batch, plan.workers)
    if plan.start and not state.step:
        measure(network, (some.pictures for some in itertools.islice(made, _MEASURED_BATCHES)))
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


def _write(
    plan: Plan,
    read: Material,
    state: State,
    network: Network,
    pictures: Sequence[Annotated],
    path: Path,
) -> None:
    content = onnx_bytes(network, read.classes)
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content)
    facts = Facts(
        plan.name,
        read.classes,
        sum(parameter.numel() for parameter in network.parameters()),
        _told(plan, state),
        pictures,
        read.val,
        _reached(plan, read, state, network),
        plan.licences,
    )
    with replacing(path.with_suffix(".md"), overwrite=True) as file:
        file.write_text(card(facts, content), encoding="utf-8")


def _reached(plan: Plan, read: Material, state: State, network: Network) -> dict[str, float]:
    """Return figures on the validation pictures, as they were judged last, or as judged now."""
    if not read.val:
        return {}
    last = state.history[-1] if state.history else {}
    if last.get("step") == state.step and "ap50" in last:
        ap50 = last["ap50"]
    else:  # it went on from a checkpoint, and there was nothing left to learn
        ap50 = judge(read.val, read.classes, plan.views.poses)(network)
    return {"AP50 (things of 8 px and more)": ap50}


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


def _shares(plan: Plan, pictures: Sequence[Annotated]) -> list[float]:
    folders = [picture.path.parent.name for picture in pictures]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no pictures in a folder {', '.join(sorted(unknown))}")
    return [plan.shares.get(folder, 1.0) for folder in folders]


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


def _told(plan: Plan, state: State) -> dict[str, object]:
    recipe = asdict(replace(plan.recipe, steps=state.step))
    return {
        **recipe,
        "batch": plan.batch,
        "side of a canvas, in pixels": plan.views.side_px,
        "poses": asdict(plan.views.poses),
        "seed": plan.seed,
        "shape": asdict(state.shape),
        "teachers": ", ".join(plan.teachers) or "none",
        "shares of folders": dict(plan.shares) or "equal",
        "started with": plan.start.name if plan.start else "random weights",
        "PyTorch": torch.__version__,
    }
