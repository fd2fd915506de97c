"""What to train on and how: recipe, augmentation, the plan of a training, and its images."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from tracker_blur.settings import Shape
    from tracker_blur.training.datasets import AnnotatedImage

Task = Literal["detect", "verify"]
"""What a network learns: where objects are, or whether a detection shows one."""

HEAD = "head"
"""Class of whole heads, seen from any side: none of a face detector, but faces to a verifier."""

# Checkpoints and model cards hold the names of the fields of `Recipe`, `GeometricAugmentation`,
# `Augmentation`, `CropAugmentation` and `Plan`. A checkpoint in which a name is missing counts as
# another training.


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to train.

    Attributes:
        steps: Batches in all; the learning rate decays over them.
        minutes: Time in all, over all runs, instead of `steps`.
        rate: Highest learning rate, reached after `warmup` steps, or after a tenth of `steps`.
        weight_decay: Weight decay of AdamW (Loshchilov, Hutter, ICLR 2019, arXiv 1711.05101).
        warmup: Steps over which the learning rate rises.
        report_every: Steps between two rows of the history.
        save_every_s: Seconds between two checkpoints.
        judge_every: Steps between two validations.
        mine_every: Steps between two searches for hard negatives.
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
class GeometricAugmentation:
    """How images are rotated, mirrored and stretched.

    Attributes:
        usual_deg: Standard deviation of the usual, small rotations.
        tilted_share: Share of images rotated by up to `tilted_deg` instead.
        tilted_deg: Largest rotation of those images.
        any_share: Share of images rotated by any angle.
        mirrored_share: Share of images mirrored.
        widened: Range of factors by which stored images are widened. Some datasets hold images
            squeezed into squares.
        outline: Shape of the objects. A rotated ellipse needs a smaller box than a rotated
            rectangle.
    """

    usual_deg: float = 7.0
    tilted_share: float = 0.1
    tilted_deg: float = 45.0
    any_share: float = 0.05
    mirrored_share: float = 0.5
    widened: tuple[float, float] = (1.0, 1.0)
    outline: Shape = "ellipse"

    def random_widening(self, rng: np.random.Generator) -> float:
        """Return a factor for an image's width."""
        low, high = self.widened
        return math.exp(rng.uniform(math.log(low), math.log(high)))


UPRIGHT = GeometricAugmentation(usual_deg=1.0, tilted_share=0.05, tilted_deg=15.0, any_share=0.0)
"""For objects that hang, stand or drive upright: license plates, screens.

They are hardly rotated. Where the object was rotated already, the box around its rotated box is too
large, and the network would learn to predict boxes that are too large.
"""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How training canvases are made.

    Attributes:
        side_px: Width and height of a canvas.
        crowd_share: Share of canvases with small objects pasted in.
        geometry: How images are rotated, mirrored and stretched.
        mined_share: Share of draws that show a hard negative, where any are known.
    """

    side_px: int = 256
    crowd_share: float = 0.3
    geometry: GeometricAugmentation = field(default_factory=GeometricAugmentation)
    mined_share: float = 0.1


@dataclass(frozen=True, slots=True)
class CropAugmentation:
    """What the crops show that a verifier learns from; shares are of all crops.

    A crop shows a detection or a labeled object and its surroundings, as
    `tracker_blur.classifiers.crops` cuts it out.

    Attributes:
        object_share: Crops of objects.
        false_alarm_share: Crops of false detections.
        mined_share: Share of those that show a mined place instead, where any are known.
        empty_share: Crops of any place in images without objects.
        drawn_share: Share of those with captions, dials or lines drawn into them.
        redacted_share: Crops of redacted objects, which are none any more.
        moved_ratio: Standard deviation of a crop's center, in sizes of its box.
        usual_rotation_deg: Standard deviation of the usual, small rotations.
        any_rotation_share: Share of crops rotated by any angle, or by up to `turned_deg`.
        turned_deg: Largest rotation of those crops.
        widened: Range of factors by which stored images are widened.
        smoothing: Probability of the wrong class that a crop's label leaves.
    """

    object_share: float = 0.43
    false_alarm_share: float = 0.26
    mined_share: float = 0.4
    empty_share: float = 0.15
    drawn_share: float = 0.45
    redacted_share: float = 0.07
    moved_ratio: float = 0.08
    usual_rotation_deg: float = 12.0
    any_rotation_share: float = 0.45
    turned_deg: float = 180.0
    widened: tuple[float, float] = (1.0, 1.0)
    smoothing: float = 0.005


UPRIGHT_CROPS = CropAugmentation(usual_rotation_deg=4.0, any_rotation_share=0.15, turned_deg=20.0)
"""For objects that hang, stand or drive upright."""

VERIFIER_RECIPE = Recipe(rate=3e-3, weight_decay=0.05)
"""How long and how fast a verifier is trained, by default."""

VERIFIER_BATCH = 128
"""Crops per batch and process."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train on and how.

    Attributes:
        dataset: A folder that `read_dataset` reads; its split "test" is never used.
        name: Name of the results: NAME.onnx and NAME.md, and NAME.training/ for checkpoints.
        folder: Where these are written.
        classes: Classes to detect; all classes of the dataset when empty.
        recipe: How long and how fast to train.
        augmentation: How training canvases are made.
        width: Width of the network, relative to the default.
        batch: Canvases per batch and process.
        seed: Seed of the random numbers.
        workers: Processes that make canvases.
        threads: Threads of PyTorch; None leaves the number to it.
        device: "auto", "cpu", "cuda" or "cuda:1".
        teachers: Detectors that add pseudo-labels; only for datasets of one class.
        shares: Weights with which the images of a folder are drawn; 1 when missing.
        weights_folder: The folder that is searched first for the teachers' weights.
        licences: Licenses of the images, for the model card.
        initial_weights: An ONNX file of `trackblur train` to start with, or, for a verifier,
            EfficientNet-Lite0 as PyTorch stores it (.pth); random weights without.
        joined_with: A verifier that the file of the new one also holds, and answers together with.
        task: What the network learns: to detect, or to verify detections.
        crops: What a verifier's crops show; `augmentation` is for detectors.
        partly_labelled: Folders whose images may show more objects than are labeled.
    """

    dataset: Path
    name: str
    folder: Path
    classes: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)
    augmentation: Augmentation = field(default_factory=Augmentation)
    width: float = 1.0
    batch: int = 16
    seed: int = 1
    workers: int = 1
    threads: int | None = None
    device: str = "auto"
    teachers: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    weights_folder: Path | None = None
    licences: str = "not stated"
    initial_weights: Path | None = None
    joined_with: Path | None = None
    task: Task = "detect"
    crops: CropAugmentation = field(default_factory=CropAugmentation)
    partly_labelled: tuple[str, ...] = ()


def is_backbone(file: Path) -> bool:
    """Return whether a file to start with is one of PyTorch, not one of `trackblur train`."""
    return file.suffix.lower() == ".pth"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The images to train on and to validate on.

    Attributes:
        classes: Names of the classes, in the order of their numbers.
        train: Images to train on.
        val: Images to validate on.
        skipped: How many parts of the dataset were skipped, by what they are.
    """

    classes: tuple[str, ...]
    train: tuple[AnnotatedImage, ...]
    val: tuple[AnnotatedImage, ...]
    skipped: Mapping[str, int]

    def summary(self) -> list[str]:
        """Return lines that say what was read."""
        lines = []
        for name, images in (("train", self.train), ("val", self.val)):
            boxes = Counter(label for image in images for label, _ in image.objects)
            learned = dict.fromkeys((*self.classes, *([HEAD] if boxes[HEAD] else [])))
            by_class = ", ".join(f"{boxes[label]} {label}" for label in learned)
            without = sum(not image.objects for image in images)
            ignored = sum(len(image.ignored) for image in images)
            noun = "image" if len(images) == 1 else "images"
            lines.append(
                f"{name}: {len(images)} {noun}, {without} of them without boxes; "
                f"boxes: {by_class}; ignored regions: {ignored}"
            )
        return lines + [f"skipped: {count} {what}" for what, count in self.skipped.items()]


def read_training_data(plan: Plan) -> TrainingData:
    """Read the dataset; without a split "val", images of "train" are set aside for it.

    Raises:
        SourceError: The dataset makes no sense, or an image cannot be read to its end.
        SettingsError: There is no such class, no split "train", or no box to learn from.
    """
    # These import OpenCV, which `trackblur --help` does not wait for.
    from tracker_blur.training.datasets import read_dataset
    from tracker_blur.training.datasets.dataset import check_images, with_validation

    verifies = plan.task == "verify"
    dataset = with_validation(read_dataset(plan.dataset, with_heads=verifies))
    classes = plan.classes or dataset.classes
    if verifies:
        classes = _verified_class(plan, classes)
    heads_are_faces = verifies and HEAD in dataset.classes
    known_classes = (*dataset.classes, FACE) if heads_are_faces else dataset.classes
    unknown = [name for name in classes if name not in known_classes]
    if unknown:
        known = ", ".join(dataset.classes)
        raise SettingsError(f"{plan.dataset}: has no class '{', '.join(unknown)}': it has {known}")
    check_class_names(classes)
    if "train" not in dataset.splits:
        raise SettingsError(
            f"{plan.dataset}: has no split 'train': it has {', '.join(dataset.splits)}"
        )
    images, validation = dataset.splits["train"], dataset.splits.get("val", ())
    learned = (*classes, HEAD) if heads_are_faces and FACE in classes else classes
    if not any(name in learned for image in images for name, _ in image.objects):
        raise SettingsError(f"{plan.dataset}: no boxes to learn from in the split 'train'")
    check_images(plan.dataset, (*images, *validation))
    return TrainingData(tuple(classes), images, validation, dataset.skipped)


def _verified_class(plan: Plan, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the only class to verify; heads count as faces, and are no class of their own."""
    named = tuple(name for name in classes if name != HEAD) or (FACE,)
    if len(named) > 1:
        raise SettingsError(
            f"{plan.dataset}: a verifier knows one class, not {', '.join(named)}: name one with "
            "--classes"
        )
    return named


def check_class_names(classes: Sequence[str]) -> None:
    """Raise SettingsError for a class name that an ONNX file cannot hold."""
    for name in classes:
        if "+" in name or "/" in name:
            raise SettingsError(f"class '{name}': rename it in the dataset, without '+' and '/'")
