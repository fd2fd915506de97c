"""Brings annotated pictures into memory.

Crowds: many small things cut out of pictures and pasted close together.

After Dwibedi, Misra, Hebert, "Cut, Paste and Learn", ICCV 2017, arXiv 1708.01642. Patches without
a thing are pasted the same way, so that the seam tells nothing.

Endless training pictures from a list of scenes, made by worker processes, and their batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.training.augmentation import (
    SMALLEST_PX,
    Boxes,
    Pick,
    Rng,
    Scene,
    canvas,
    sides,
    spoiled,
)
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.datasets.annotated import read_picture
from tracker_blur.training.losses import Truth
from tracker_blur.training.recipe import Poses, Views

_LARGEST_PX = 640  # longer side in memory; canvases show less of a picture anyway


def scenes(pictures: Iterable[Annotated], classes: Sequence[str]) -> Iterator[Scene]:
    """Give the pictures with what is in them; other classes than these become ignored regions.

    Raises SourceError for a picture that cannot be read.
    """
    for picture in pictures:
        image = read_picture(picture.path)
        longest = max(image.shape[:2])
        scale = min(1.0, _LARGEST_PX / longest)
        if scale < 1:
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        taught = [(classes.index(name), box) for name, box in picture.things if name in classes]
        others = [box for name, box in picture.things if name not in classes]
        yield Scene(
            image,
            _array([box for _, box in taught], scale),
            np.array([label for label, _ in taught], np.int64),
            _array([*others, *picture.ignored], scale),
        )


def _array(boxes: Iterable[Box], scale: float) -> Boxes:
    rows = [box.as_tuple() for box in boxes]
    return np.array(rows, np.float32).reshape(-1, 4) * np.float32(scale)


_MARGIN = 0.35  # of the box's width and height, on each side
_STORED_PX = 48  # the box's side in a cutting
_LEAST_PX = 18  # smaller ones are too blurred to be shrunk further
_SIZES_PX = 7.0, 40.0
_MOST = 70
_DECOYS = 0.15
_LARGEST_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class Cutting:
    """A thing and a margin around it; `label` is None for a patch without a thing."""

    image: Image
    label: int | None


def cuttings(scenes: Sequence[Scene], rng: Rng, decoys: int = 400) -> list[Cutting]:
    """Return every thing that is large enough and stands alone, and some patches without any."""
    found: list[Cutting] = []
    for scene in scenes:
        height, width = scene.image.shape[:2]
        for box, label, side in zip(
            scene.boxes, scene.labels.tolist(), sides(scene.boxes).tolist(), strict=True
        ):
            margin = np.tile((box[2:] - box[:2]) * _MARGIN, 2) * (-1, -1, 1, 1)
            left, top, right, bottom = np.rint(box + margin).astype(int).tolist()
            inside = left >= 0 and top >= 0 and right <= width and bottom <= height
            around = np.array((left, top, right, bottom), np.float32)
            if inside and side >= _LEAST_PX and _touching(around, scene.boxes) <= 1:
                found.append(_cutting(scene.image[top:bottom, left:right], side, label))
    bare = [
        scene
        for scene in scenes
        if not len(scene.boxes)
        and not len(scene.ignored)
        and min(scene.image.shape[:2]) >= _LEAST_PX
    ]
    for _ in range(decoys if bare else 0):
        image = bare[int(rng.integers(len(bare)))].image
        side = int(rng.uniform(0.1, 0.5) * min(image.shape[:2]))
        top, left = (int(rng.integers(0, length - side)) for length in image.shape[:2])
        patch = image[top : top + side, left : left + side]
        found.append(_cutting(patch, side / (1 + 2 * _MARGIN), None))
    return found


def _touching(box: Boxes, others: Boxes) -> int:
    apart = (others[:, :2] >= box[2:]).any(1) | (others[:, 2:] <= box[:2]).any(1)
    return int((~apart).sum())


def _cutting(patch: Image, side_px: float, label: int | None) -> Cutting:
    scale = min(1.0, _STORED_PX / side_px)
    size = max(2, round(patch.shape[1] * scale)), max(2, round(patch.shape[0] * scale))
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    return Cutting(np.asarray(small, np.uint8), label)


def with_crowd(scene: Scene, bank: Sequence[Cutting], poses: Poses, rng: Rng) -> Scene:
    """Return the scene with things from the bank pasted in rows or anywhere; its image changes.

    They are mirrored and widened as the poses say, but not turned.
    """
    image, (rows, columns) = scene.image, scene.image.shape[:2]
    things = [cutting for cutting in bank if cutting.label is not None]
    decoys = [cutting for cutting in bank if cutting.label is None]
    wide = poses.width(rng)
    usual = math.exp(rng.uniform(math.log(_SIZES_PX[0]), math.log(_SIZES_PX[1])))
    boxes, labels = list(scene.boxes), scene.labels.tolist()
    taken = np.zeros((len(boxes) + len(scene.ignored) + _MOST, 4), np.float32)
    used = len(boxes) + len(scene.ignored)
    taken[:used] = np.concatenate((scene.boxes, scene.ignored))
    for x, y in _places(columns, rows, usual, rng):
        wanted = max(usual * math.exp(rng.normal(0.0, 0.22)), SMALLEST_PX + 0.5)
        chosen = decoys if decoys and rng.random() < _DECOYS else things
        cutting = chosen[int(rng.integers(len(chosen)))]
        spot = _spot(cutting, wanted, wide, x, y)
        left, top, right, bottom = spot
        if left < 0 or top < 0 or right > columns or bottom > rows:
            continue
        share = _MARGIN / (1 + 2 * _MARGIN)
        dx, dy = (right - left) * share, (bottom - top) * share
        box = np.array((left + dx, top + dy, right - dx, bottom - dy), np.float32)
        if _overlap(box, taken[:used]) > _LARGEST_OVERLAP:
            continue
        _paste(image, cutting.image, spot, rng, rng.random() < poses.mirrored_share)
        taken[used] = box
        used += 1
        if cutting.label is not None:
            boxes.append(box)
            labels.append(cutting.label)
    return Scene(
        image,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(labels, np.int64),
        scene.ignored,
    )


def _places(columns: int, rows: int, size: float, rng: Rng) -> list[tuple[float, float]]:
    count = int(rng.integers(8, _MOST + 1))
    if rng.random() < 0.4:
        anywhere = rng.uniform((0, 0), (columns, rows), (count, 2))
        return [(x, y) for x, y in anywhere.tolist()]
    step = size * rng.uniform(1.2, 2.2)
    grid = np.stack(
        np.meshgrid(np.arange(step, columns, step), np.arange(step, rows, step)), -1
    ).reshape(-1, 2)
    if len(grid) > count:  # a block of the grid, not holes all over it
        middle = grid[int(rng.integers(len(grid)))]
        grid = grid[np.argsort(np.abs(grid - middle).max(1))[:count]]
    moved = grid + rng.normal(0.0, 0.2 * size, grid.shape)
    # From top to bottom: who stands in front hides who stands behind.
    return [(x, y) for x, y in moved[np.argsort(moved[:, 1])].tolist()]


def _spot(
    cutting: Cutting, side_px: float, wide: float, x: float, y: float
) -> tuple[int, int, int, int]:
    rows, columns = cutting.image.shape[:2]
    scale = side_px * (1 + 2 * _MARGIN) / math.sqrt(columns * rows)
    width = max(2, round(columns * scale * math.sqrt(wide)))
    height = max(2, round(rows * scale / math.sqrt(wide)))
    left, top = round(x - width / 2), round(y - height / 2)
    return left, top, left + width, top + height


def _overlap(box: Boxes, others: Boxes) -> float:
    """Return the largest share of any box that another covers."""
    if not len(others):
        return 0.0
    spans = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(spans[:, 0], 0) * np.maximum(spans[:, 1], 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return float((shared / np.maximum(np.minimum(areas, area), 1e-6)).max())


def _soft_oval(size: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    line = np.linspace(-1, 1, size, dtype=np.float32)
    distance = np.hypot(*np.meshgrid(line, line))
    return np.asarray(np.clip((1.0 - distance) / 0.2, 0, 1), np.float32)[..., None]


_OVAL = _soft_oval()


def _paste(
    image: Image, patch: Image, spot: tuple[int, int, int, int], rng: Rng, mirrored: bool
) -> None:
    left, top, right, bottom = spot
    size = right - left, bottom - top
    if mirrored:
        patch = patch[:, ::-1]
    method = cv2.INTER_AREA if size[0] < patch.shape[1] else cv2.INTER_LINEAR
    small = cv2.resize(patch, size, interpolation=method).astype(np.float32)
    small = small * rng.uniform(0.75, 1.25) + rng.uniform(-15, 15)
    alpha = cv2.resize(_OVAL, size, interpolation=cv2.INTER_AREA)[..., None]
    under = image[top:bottom, left:right]
    under[:] = np.clip(under + alpha * (small - under), 0, 255)


@dataclass(frozen=True, slots=True)
class Batch:
    """N pictures of one size, uint8, shape (N, 3, side, side), BGR, and what is in them."""

    pictures: Tensor
    truth: Truth


class Canvases(IterableDataset[Scene]):
    """Endless canvases; the same seed and number of workers give the same ones."""

    def __init__(
        self,
        scenes: Sequence[Scene],
        shares: Sequence[float],
        views: Views,
        seed: int,
        false_alarms: Tensor | None = None,
    ) -> None:
        """Make them of these scenes.

        shares        how often each is drawn, relatively
        false_alarms  as `Mine.worst`; it may change meanwhile
        """
        self._scenes = scenes
        self._upto = np.cumsum(shares) / np.sum(shares)
        self._views = views
        self._seed = seed
        self._false_alarms = torch.zeros(0, 4) if false_alarms is None else false_alarms
        self._bank = cuttings(scenes, np.random.default_rng(seed))
        self._has_things = any(cutting.label is not None for cutting in self._bank)

    def __iter__(self) -> Iterator[Scene]:
        """Give canvases without end."""
        info = get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, info.id if info else 0))
        while True:
            yield self.make(rng)

    def make(self, rng: np.random.Generator) -> Scene:
        """Return one canvas."""
        views = self._views
        scene = canvas(self._pick, views.side_px, views.poses, rng)
        if self._has_things and rng.random() < views.crowd_share:
            scene = with_crowd(scene, self._bank, views.poses, rng)
        return spoiled(scene, rng)

    def _pick(self, rng: np.random.Generator) -> Pick:
        if rng.random() < self._views.mined_share:
            known = self._false_alarms.numpy().copy()
            hard = np.flatnonzero(known.any(1))
            if len(hard):
                chosen = int(rng.choice(hard))
                return self._scenes[chosen], known[chosen : chosen + 1]
        drawn = int(np.searchsorted(self._upto, rng.random()))
        scene = self._scenes[min(drawn, len(self._scenes) - 1)]
        return scene, scene.boxes


def batches(canvases: Canvases, size: int, workers: int) -> Iterator[Batch]:
    """Give batches of `size` canvases without end, made by `workers` processes (0: by this one)."""
    loader = DataLoader(canvases, size, num_workers=workers, collate_fn=batch, drop_last=True)
    return iter(loader)


def batch(scenes: Sequence[Scene]) -> Batch:
    """Return scenes of one size as a batch."""
    # As (N, rows, columns, 3) in memory: PyTorch calls this order channels_last.
    pictures = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2)
    return Batch(
        pictures,
        Truth(
            _whose([len(scene.boxes) for scene in scenes]),
            torch.from_numpy(np.concatenate([scene.labels for scene in scenes])),
            torch.from_numpy(np.concatenate([scene.boxes for scene in scenes])),
            _whose([len(scene.ignored) for scene in scenes]),
            torch.from_numpy(np.concatenate([scene.ignored for scene in scenes])),
        ),
    )


def _whose(counts: list[int]) -> Tensor:
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
