"""What to train on what, and how; and the pictures that this means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tracker_blur.errors import SettingsError
from tracker_blur.training.class_names import check_classes
from tracker_blur.training.datasets import Annotated, read_dataset
from tracker_blur.training.datasets.annotated import check_pictures
from tracker_blur.training.datasets.held_out import with_validation
from tracker_blur.training.recipe import Recipe, Views


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
