"""A whole training: dataset in, NAME.onnx and NAME.md out; an interrupted one is resumed."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from tracker_blur.errors import MissingPackageError, SettingsError, SinkError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training import checkpoints
from tracker_blur.training.checkpoints import TrainingState, differences, provenance
from tracker_blur.training.data import MosaicDataset, endless_batches, load_samples
from tracker_blur.training.evaluation.measure import require_pycocotools
from tracker_blur.training.export import (
    check_results,
    make_validator,
    network_file,
    write_results,
)
from tracker_blur.training.loop import HardNegativeMiner, ProcessGroup, train
from tracker_blur.training.network import (
    Network,
    NetworkShape,
    calibrate_normalization,
    load_initial_weights,
)
from tracker_blur.training.pseudo_labels import add_pseudo_labels
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Boxes, Sample
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.recipe import Plan, TrainingData

_SEED_STEP = 1_000_003  # more than a training has batches

_TILE_PX = 200
_TILES = (8, 5)
_OBJECT_BGR, _IGNORED_BGR = (0, 255, 0), (0, 0, 255)

Report = Callable[[str], None]
"""Is given lines about the progress."""


def run(plan: Plan, data: TrainingData, report: Report) -> Path:
    """Train, and return the ONNX file; resume if NAME.training/ holds a checkpoint.

    Processes that torchrun starts train together, each on batches of its own.

    Args:
        plan: What to train on and how.
        data: The images of the plan.
        report: Is given lines about the progress.

    Raises:
        SourceError: Images or initial weights cannot be read.
        SettingsError: The plan makes no sense, or a checkpoint is of another training.
        SinkError: A file cannot be written, or must not be replaced.
        ModelError: Weights are damaged, or are not finite any more.
        MissingPackageError: A package of the extra "train" is missing.
    """
    if data.val:  # both are needed for the first validation, which may be an hour away
        require_pycocotools()
        require_matplotlib()
    shares = _shares(plan, data)
    group = ProcessGroup.join(plan.device)
    try:
        report = report if group.is_main else lambda _: None
        work = plan.folder / f"{plan.name}.training"
        check_results(plan, resumes=(work / "checkpoint.pt").is_file())
        state = _state(plan, data, work / "checkpoint.pt", group.world_size)
        network = _network(plan, data, state)
        _make_folder(work)
        if state.step:
            report(f"resuming after {state.step} batches and {state.seconds / 60:.0f} minutes")
        try:
            average, images = _train(plan, data, shares, state, network, group, work, report)
        except KeyboardInterrupt:
            if state.step:
                report(f"saved after {state.step} batches: run the same command to resume")
            raise
    finally:
        group.leave()
    if group.is_main:
        write_results(plan, data, state, average, images, group.world_size)
    return network_file(plan)


def require_matplotlib() -> None:
    """Raise MissingPackageError if what `write_curves` needs is missing."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingPackageError("matplotlib", "train", "drawing the training curves") from error


def _shares(plan: Plan, data: TrainingData) -> list[float]:
    """Return how often each image is drawn; raises SettingsError if none would be."""
    folders = [image.path.parent.name for image in data.train]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no images in a folder {', '.join(sorted(unknown))}")
    shares = [plan.shares.get(folder, 1.0) for folder in folders]
    if not any(shares):
        raise SettingsError("--share is 0 for every folder: leave one to draw images from")
    return shares


def _state(plan: Plan, data: TrainingData, checkpoint: Path, processes: int) -> TrainingState:
    """Return the checkpoint's state, or a new one if there is no checkpoint.

    Raises SettingsError for a checkpoint of another training than the plan's.
    """
    made_from = provenance(plan, data, processes)
    if not checkpoint.is_file():
        shape = NetworkShape(len(data.classes)).scaled(plan.width)
        return TrainingState(shape, data.classes, made_from=made_from)
    state = checkpoints.load(checkpoint)
    before = state.made_from | {"classes": ", ".join(state.classes)}
    if changes := differences(before, made_from):
        raise SettingsError(
            f"{checkpoint}: was started with {'; '.join(changes)}: resume with the same, choose "
            f"another --name, or delete {checkpoint.parent}"
        )
    state.made_from = made_from
    return state


def _network(plan: Plan, data: TrainingData, state: TrainingState) -> Network:
    """Return a network with the initial weights."""
    torch.manual_seed(plan.seed)
    network = Network(state.shape)
    if plan.initial_weights and not state.step:
        load_initial_weights(network, data.classes, plan.initial_weights)
    return network


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = reason_of(error)
        raise SinkError(f"{folder}: cannot make this folder ({reason}): choose another") from error


def _train(
    plan: Plan,
    data: TrainingData,
    shares: Sequence[float],
    state: TrainingState,
    network: Network,
    group: ProcessGroup,
    work: Path,
    report: Report,
) -> tuple[Network, tuple[AnnotatedImage, ...]]:
    """Return the averaged network, and the images it learned from, with pseudo-labels."""
    # A resumed training must not see the first canvases again, nor two processes the same ones.
    seed = plan.seed + state.step + _SEED_STEP * group.rank
    _seed_all(seed)
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    images = _with_pseudo_labels(plan, data, group, work, report)
    samples = list(load_samples(images, data.classes))
    if group.is_main:
        write_jpeg(contact_sheet(samples), work / "images.jpg")
        report(f"images as read: {work / 'images.jpg'}")
    miner = HardNegativeMiner(samples)
    dataset = MosaicDataset(samples, shares, plan.augmentation, seed, miner.boxes)
    batches = endless_batches(dataset, plan.batch, plan.workers)
    if plan.initial_weights and not state.step:
        calibrate_normalization(network, (batch.images for batch in batches))
    geometry = plan.augmentation.geometry
    average = train(
        network,
        batches,
        plan.recipe,
        state,
        work / "checkpoint.pt",
        group,
        make_validator(data.val, data.classes, geometry) if data.val else None,
        lambda network: miner.search(network, group.device),
        lambda row: _report_row(row, state.history, work, report),
    )
    return average, images


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _with_pseudo_labels(
    plan: Plan, data: TrainingData, group: ProcessGroup, work: Path, report: Report
) -> tuple[AnnotatedImage, ...]:
    """Return the images to train on, with what the teachers add."""
    if not plan.teachers:
        return data.train
    if len(data.classes) > 1:
        raise SettingsError("teachers can label datasets of one class only")
    with group.main_first():
        images = add_pseudo_labels(
            data.train,
            data.classes[0],
            plan.teachers,
            Weights(plan.weights_folder),
            work / "taught.json",
        )
    boxes = sum(len(image.objects) for image in images)
    ignored = sum(len(image.ignored) for image in images)
    teachers = ", ".join(plan.teachers)
    report(f"with pseudo-labels of {teachers}: {boxes} boxes, {ignored} ignored regions")
    return images


def _report_row(
    row: dict[str, float], history: Sequence[Mapping[str, float]], work: Path, report: Report
) -> None:
    validated = "ap50" in row
    report(
        f"{row['step']:.0f} batches, {row['seconds'] / 60:.1f} minutes: score loss "
        f"{row['score_loss']:.3f}, box loss {row['box_loss']:.3f}"
        + (f", AP50 {row['ap50']:.3f}" if validated else "")
    )
    if validated:
        write_curves(history, work / "curves.png")


def write_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw losses and AP50 over the steps as a PNG; raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    left = figure.subplots()
    steps = [row["step"] for row in history]
    for name in ("score_loss", "box_loss"):
        left.plot(steps, [row[name] for row in history], label=name.replace("_", " "))
    left.set(xlabel="batches", ylabel="loss", yscale="log")
    right = left.twinx()
    points = [(row["step"], row["ap50"]) for row in history if "ap50" in row]
    right.plot(*zip(*points, strict=True) if points else ((), ()), "ko-", label="AP50, validation")
    right.set(ylabel="AP50", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    with replacing(path, overwrite=True) as file:
        figure.savefig(file, format="png", dpi=100)


def contact_sheet(samples: Sequence[Sample]) -> Image:
    """Return up to 40 samples, evenly spread, as one image: boxes green, ignored regions red."""
    columns, rows = _TILES
    count = min(len(samples), columns * rows)
    tiles = [_tile(samples[i * len(samples) // count]) for i in range(count)]
    blank = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tiles += [blank] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(lines), np.uint8)


def _tile(sample: Sample) -> Image:
    rows, columns = sample.image.shape[:2]
    scale = _TILE_PX / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA)
    _draw_boxes(tile, sample.ignored * scale, _IGNORED_BGR)
    _draw_boxes(tile, sample.boxes * scale, _OBJECT_BGR)
    return tile


def _draw_boxes(image: Image, boxes: Boxes, color: tuple[int, int, int]) -> None:
    for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
        cv2.rectangle(image, (left, top), (right, bottom), color, 1)


def write_jpeg(image: Image, path: Path) -> None:
    """Write an image that shows faces, over one that exists, for its owner only.

    Raises:
        SinkError: that is not possible.
    """
    _, content = cv2.imencode(".jpg", image)
    with replacing(path, overwrite=True, is_private=True) as file:
        file.write_bytes(content.tobytes())
