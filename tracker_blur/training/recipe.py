"""How a training learns: how long and how fast, and from which views of the pictures.

What to train on what, and how; and the pictures that this means.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tracker_blur.errors import SettingsError
from tracker_blur.settings import Shape as Outline
from tracker_blur.training.datasets import Annotated, read_dataset
from tracker_blur.training.datasets.annotated import check_pictures, with_validation


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast is learned.

    steps         batches in all; the learning rate falls to almost zero over them
    minutes       where set, the time in all, over all runs, instead of `steps`
    rate          the highest learning rate, reached after `warmup` steps, or a tenth of `steps`
    weight_decay  of AdamW (Loshchilov, Hutter, ICLR 2019, arXiv 1711.05101)
    report_every  steps between two rows of the history
    save_every_s  seconds between two checkpoints
    judge_every   steps between two judgements on the validation pictures
    mine_every    steps between two looks for false alarms
    """

    steps: int = 20_000
    minutes: float | None = None
    rate: float = 2e-3
    weight_decay: float = 0.03
    warmup: int = 300
    report_every: int = 50
    save_every_s: float = 180.0
    judge_every: int = 1000
    mine_every: int = 500


@dataclass(frozen=True, slots=True)
class Poses:
    """How pictures are turned, mirrored and stretched.

    usual_deg       standard deviation of the small turns
    tilted_share    how often a picture is turned by up to `tilted_deg` instead
    any_share       and how often by any angle
    mirrored_share  how often it is mirrored
    widened         from and up to how many times as wide as it is stored: some data sets hold
                    pictures squeezed into squares
    outline         of the things: a turned ellipse needs a smaller box than a turned rectangle
    """

    usual_deg: float = 7.0
    tilted_share: float = 0.1
    tilted_deg: float = 45.0
    any_share: float = 0.05
    mirrored_share: float = 0.5
    widened: tuple[float, float] = (1.0, 1.0)
    outline: Outline = "ellipse"

    def width(self, rng: np.random.Generator) -> float:
        """Return how many times as wide a picture becomes."""
        low, high = self.widened
        return math.exp(rng.uniform(math.log(low), math.log(high)))


UPRIGHT = Poses(usual_deg=1.0, tilted_share=0.05, tilted_deg=15.0, any_share=0.0)
"""For things that hang, stand or drive upright.

They are hardly turned: the box around a turned box is larger than the one around the turned thing,
where that was turned already, and a network learns to draw boxes that are too large.
"""


@dataclass(frozen=True, slots=True)
class Views:
    """How canvases are made.

    side_px      width and height
    crowd_share  how often small things are pasted in
    poses        how pictures are turned and stretched
    mined_share  how often a picture is one with a false alarm, where such are known
    """

    side_px: int = 256
    crowd_share: float = 0.3
    poses: Poses = field(default_factory=Poses)
    mined_share: float = 0.1


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
    start       an ONNX file of ours with whose weights to begin; random ones without it
    width       of the network, as a share of the usual one
    """

    dataset: Path
    name: str
    folder: Path
    classes: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    views: Views = field(default_factory=Views)
    width: float = 1.0
    batch: int = 16
    seed: int = 1
    workers: int = 1
    threads: int | None = None
    device: str = "auto"
    teachers: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    weights: Path | None = None
    licences: str = "not stated"
    start: Path | None = None


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

    Raises SourceError, also for a picture that cannot be read to its end, and SettingsError.
    """
    dataset = with_validation(read_dataset(plan.dataset))
    classes = plan.classes or dataset.classes
    unknown = [name for name in classes if name not in dataset.classes]
    if unknown:
        known = ", ".join(dataset.classes)
        raise SettingsError(f"{plan.dataset}: no class '{', '.join(unknown)}': it has {known}")
    check_classes(classes)
    if "train" not in dataset.splits:
        raise SettingsError(f"{plan.dataset}: no split 'train'")
    pictures, validation = dataset.splits["train"], dataset.splits.get("val", ())
    boxes = sum(name in classes for picture in pictures for name, _ in picture.things)
    if not boxes:
        raise SettingsError(f"{plan.dataset}: no boxes to learn from in the split 'train'")
    check_pictures(plan.dataset, (*pictures, *validation))
    return Material(tuple(classes), pictures, validation, dataset.left_out)


def check_classes(classes: Sequence[str]) -> None:
    """Raise SettingsError for a class name that an ONNX file cannot carry."""
    for name in classes:
        if "+" in name or "/" in name:
            raise SettingsError(f"class '{name}': rename it in the data set, without '+' and '/'")
