"""A whole training: data set in, NAME.onnx and NAME.md out; goes on where it was interrupted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from tracker_blur import plugins
from tracker_blur.atomic import replacing
from tracker_blur.datasets import Annotated, read_dataset
from tracker_blur.detectors import load_detector
from tracker_blur.errors import SettingsError
from tracker_blur.evaluation import measure
from tracker_blur.evaluation.look import finds
from tracker_blur.training import checkpoints
from tracker_blur.training import pictures as drawing
from tracker_blur.training.canvases import Canvases, Views, batches
from tracker_blur.training.card import Facts, card
from tracker_blur.training.checkpoints import State
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.loading import held_out, scenes
from tracker_blur.training.loop import Judge, Recipe, train
from tracker_blur.training.network import Network, Shape
from tracker_blur.training.scenes import Scene
from tracker_blur.training.teachers import labelled
from tracker_blur.weights import Weights

_JUDGED_FROM_PX = 8.0
_JUDGED_PICTURES = 300  # of the validation pictures at most: judging must not outlast learning


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train on what, and how.

    dataset     a folder that `read_dataset` reads; its split "test" is never looked at
    name        of the result: NAME.onnx and NAME.md, and NAME.training/ for what comes before
    folder      where these are written
    classes     what is to be found; all classes of the data set where empty
    teachers    detectors that label what people left unlabelled; for data sets of one class
    shares      how often pictures of a folder are drawn, relatively to the others
    weights     where teachers' weights are looked for first
    licences    of the pictures, for the card
    """

    dataset: Path
    name: str
    folder: Path
    classes: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    views: Views = field(default_factory=Views)
    batch: int = 16
    seed: int = 1
    workers: int = 1
    threads: int | None = None
    device: str = "auto"
    teachers: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    weights: Path | None = None
    licences: str = "not stated"


@dataclass(frozen=True, slots=True)
class Material:
    """The pictures of a plan: to train on, and to validate on."""

    classes: tuple[str, ...]
    train: tuple[Annotated, ...]
    val: tuple[Annotated, ...]
    left_out: Mapping[str, int]

    def summary(self) -> list[str]:
        """Return lines that tell what was read."""
        lines = []
        for name, pictures in (("train", self.train), ("val", self.val)):
            boxes = Counter(label for picture in pictures for label, _ in picture.things)
            kinds = ", ".join(f"{boxes[label]} {label}" for label in self.classes)
            bare = sum(not picture.things for picture in pictures)
            ignored = sum(len(picture.ignored) for picture in pictures)
            lines.append(
                f"{name}: {len(pictures)} pictures, {bare} of them without a box; "
                f"boxes: {kinds}; ignored regions: {ignored}"
            )
        return lines + [f"left out: {count} {why}" for why, count in self.left_out.items()]


def material(plan: Plan) -> Material:
    """Read the data set; hold a validation split out of "train" where it has none.

    Raises SourceError, SettingsError.
    """
    dataset = read_dataset(plan.dataset)
    classes = plan.classes or dataset.classes
    unknown = [name for name in classes if name not in dataset.classes]
    if unknown or not classes:
        known = ", ".join(dataset.classes) or "none"
        raise SettingsError(f"{plan.dataset}: no class '{', '.join(unknown)}': it has {known}")
    if "train" not in dataset.splits:
        raise SettingsError(f"{plan.dataset}: no split 'train'")
    pictures, validation = dataset.splits["train"], dataset.splits.get("val")
    if validation is None:
        pictures, validation = held_out(pictures, plan.dataset, share=0.08)
    boxes = sum(name in classes for picture in pictures for name, _ in picture.things)
    if not boxes:
        raise SettingsError(f"{plan.dataset}: no boxes to learn from in the split 'train'")
    return Material(tuple(classes), pictures, validation, dataset.left_out)


def run(plan: Plan, read: Material, tell: Callable[[str], None]) -> Path:
    """Train; return the ONNX file. Goes on from a checkpoint in NAME.training/ if there is one.

    tell   is given lines about the progress

    Raises SourceError, SettingsError, SinkError, ModelError and MissingPackageError.
    """
    if read.val:  # both are needed for the first judgement, which may be an hour away
        measure.require_library()
        drawing.require_library()
    work = plan.folder / f"{plan.name}.training"
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = work / "checkpoint.pt"
    state = checkpoints.load(checkpoint) if checkpoint.is_file() else None
    if state is None:
        state = State(Shape(classes=len(read.classes)), read.classes)
    elif state.classes != read.classes:
        raise SettingsError(f"{checkpoint}: it finds other classes: {', '.join(state.classes)}")
    else:
        tell(f"going on after {state.step} batches and {state.seconds / 60:.0f} minutes")
    _seed(plan.seed + state.step)
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    pictures = _taught(plan, read, tell)
    loaded = list(scenes(pictures, read.classes))
    drawing.write_jpeg(drawing.sheet(loaded), work / "pictures.jpg")
    tell(f"what was read: {work / 'pictures.jpg'}")
    network = Network(state.shape)
    average = train(
        network,
        batches(_canvases(plan, pictures, loaded, state.step), plan.batch, plan.workers),
        plan.recipe,
        state,
        checkpoint,
        _device(plan.device),
        _judge(read) if read.val else None,
        lambda row: _report(row, state.history, work, tell),
    )
    content = onnx_bytes(average, read.classes)
    path = plan.folder / f"{plan.name}.onnx"
    with replacing(path, overwrite=True) as file:
        file.write_bytes(content)
    facts = Facts(
        plan.name,
        read.classes,
        sum(parameter.numel() for parameter in network.parameters()),
        _told(plan, state),
        pictures,
        read.val,
        {"AP50 (things of 8 px and more)": state.history[-1]["ap50"]} if read.val else {},
        plan.licences,
    )
    with replacing(path.with_suffix(".md"), overwrite=True) as file:
        file.write_text(card(facts, content), encoding="utf-8")
    return path


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _taught(plan: Plan, read: Material, tell: Callable[[str], None]) -> tuple[Annotated, ...]:
    """Return the pictures to train on, with what the teachers add."""
    if not plan.teachers:
        return read.train
    if len(read.classes) > 1:
        raise SettingsError("teachers can label data sets of one class only")
    weights = Weights(plan.weights)
    teachers = [load_detector(name, weights)[1] for name in plan.teachers]
    taught = tuple(labelled(picture, read.classes[0], teachers) for picture in read.train)
    things = sum(len(picture.things) for picture in taught)
    ignored = sum(len(picture.ignored) for picture in taught)
    tell(f"with what {', '.join(plan.teachers)} add: {things} boxes, {ignored} ignored regions")
    return taught


def _canvases(
    plan: Plan, pictures: Sequence[Annotated], loaded: Sequence[Scene], step: int
) -> Canvases:
    folders = [picture.path.parent.name for picture in pictures]
    unknown = set(plan.shares) - set(folders)
    if unknown:
        raise SettingsError(f"no pictures in a folder {', '.join(sorted(unknown))}")
    shares = [plan.shares.get(folder, 1.0) for folder in folders]
    # A training that goes on must not see the first canvases again.
    return Canvases(loaded, shares, plan.views, plan.seed + step)


def _judge(read: Material) -> Judge:
    step = max(1, len(read.val) // _JUDGED_PICTURES)
    pictures = read.val[::step]

    def judge(network: Network) -> float:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        detector = onnx.from_content("the network", onnx_bytes(network, read.classes))
        found = list(finds(detector, pictures, 1.0))
        reached = [
            measure.scores(pictures, found, label, _JUDGED_FROM_PX).ap50 for label in read.classes
        ]
        return float(np.nanmean(reached)) if not np.isnan(reached).all() else 0.0

    return judge


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
        "seed": plan.seed,
        "shape": asdict(state.shape),
        "teachers": ", ".join(plan.teachers) or "none",
        "shares of folders": dict(plan.shares) or "equal",
        "PyTorch": torch.__version__,
    }
