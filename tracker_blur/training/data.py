"""Samples in memory, and the endless batches that a network learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tracker_blur.training.augmentation import Boxes, Pick, Rng, Sample, make_mosaic
from tracker_blur.training.corruption import corrupt
from tracker_blur.training.crowds import cut_out_objects, paste_crowd
from tracker_blur.training.datasets.dataset import read_image
from tracker_blur.training.losses import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.recipe import Augmentation

_LARGEST_PX = 640  # longer side in memory; canvases show less of an image anyway


def load_samples(images: Iterable[AnnotatedImage], classes: Sequence[str]) -> Iterator[Sample]:
    """Read the images; objects of other classes become ignored regions.

    Raises:
        SourceError: An image cannot be read.
    """
    for annotated in images:
        image, scale = load_image(annotated.path)
        by_people = (1.0,) * (len(annotated.objects) - len(annotated.certainties))
        targets = [
            (classes.index(name), box, certainty)
            for (name, box), certainty in zip(
                annotated.objects, (*by_people, *annotated.certainties), strict=True
            )
            if name in classes
        ]
        others = [box for name, box in annotated.objects if name not in classes]
        yield Sample(
            image,
            _to_array([box for _, box, _ in targets], scale),
            np.array([label for label, _, _ in targets], np.int64),
            np.array([certainty for _, _, certainty in targets], np.float32),
            _to_array([*others, *annotated.ignored], scale),
        )


def load_image(path: Path) -> tuple[Image, float]:
    """Return an image as it is kept in memory, and its size relative to that of the file.

    Raises:
        SourceError: The image cannot be read.
    """
    image = read_image(path)
    scale = min(1.0, _LARGEST_PX / max(image.shape[:2]))
    if scale == 1:
        return image, 1.0
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _to_array(boxes: Iterable[Box], scale: float) -> Boxes:
    rows = [box.as_tuple() for box in boxes]
    return np.array(rows, np.float32).reshape(-1, 4) * np.float32(scale)


class MosaicDataset(IterableDataset[Sample]):
    """Endless canvases; the same seed and number of workers give the same ones.

    Args:
        samples: What canvases are made of.
        shares: How often each sample is drawn, relative to the others.
        augmentation: How canvases are made.
        seed: Seed of the random numbers.
        hard_negatives: As `HardNegativeMiner.boxes`; the miner may change it meanwhile.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        shares: Sequence[float],
        augmentation: Augmentation,
        seed: int,
        hard_negatives: Tensor | None = None,
    ) -> None:
        self._samples = samples
        self._cumulative_shares = np.cumsum(shares) / np.sum(shares)
        self._augmentation = augmentation
        self._seed = seed
        self._hard_negatives = torch.zeros(0, 4) if hard_negatives is None else hard_negatives
        self._cutouts = cut_out_objects(samples, np.random.default_rng(seed))
        self._has_objects = any(cutout.label is not None for cutout in self._cutouts)

    def __iter__(self) -> Iterator[Sample]:
        """Yield canvases without end."""
        info = get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, info.id if info else 0))
        while True:
            yield self.make_canvas(rng)

    def make_canvas(self, rng: Rng) -> Sample:
        """Return one canvas."""
        augmentation = self._augmentation
        canvas = make_mosaic(self._pick, augmentation.side_px, augmentation.geometry, rng)
        if self._has_objects and rng.random() < augmentation.crowd_share:
            canvas = paste_crowd(canvas, self._cutouts, augmentation.geometry, rng)
        return corrupt(canvas, rng)

    def _pick(self, rng: Rng) -> Pick:
        if rng.random() < self._augmentation.mined_share:
            known = self._hard_negatives.numpy().copy()
            indices = np.flatnonzero(known.any(1))
            if len(indices):
                chosen = int(rng.choice(indices))
                return self._samples[chosen], known[chosen : chosen + 1]
        drawn = int(np.searchsorted(self._cumulative_shares, rng.random()))
        sample = self._samples[min(drawn, len(self._samples) - 1)]
        return sample, sample.boxes


@dataclass(frozen=True, slots=True)
class Batch:
    """N images of one size and their ground truth.

    Attributes:
        images: Pixels, uint8, shape (N, 3, side, side), BGR.
        targets: Ground truth.
    """

    images: Tensor
    targets: Targets


def endless_batches(dataset: MosaicDataset, size: int, workers: int) -> Iterator[Batch]:
    """Yield batches of `size` canvases, made by `workers` processes (0: by this one)."""
    return start_workers(
        DataLoader(dataset, size, num_workers=workers, collate_fn=collate, drop_last=True)
    )


def start_workers(loader: DataLoader[Any]) -> Iterator[Any]:
    """Start the processes of a loader, and return its batches."""
    # A forked process lacks the threads that OpenCV has, and waits for them forever.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return iter(loader)
    finally:
        cv2.setNumThreads(threads)


def collate(samples: Sequence[Sample]) -> Batch:
    """Return samples of one size as a batch."""
    # As (N, rows, columns, 3) in memory: PyTorch calls this order channels_last.
    images = torch.from_numpy(np.stack([sample.image for sample in samples])).permute(0, 3, 1, 2)
    return Batch(
        images,
        Targets(
            _image_indices([len(sample.boxes) for sample in samples]),
            torch.from_numpy(np.concatenate([sample.labels for sample in samples])),
            torch.from_numpy(np.concatenate([sample.certainties for sample in samples])),
            torch.from_numpy(np.concatenate([sample.boxes for sample in samples])),
            _image_indices([len(sample.ignored) for sample in samples]),
            torch.from_numpy(np.concatenate([sample.ignored for sample in samples])),
        ),
    )


def _image_indices(counts: list[int]) -> Tensor:
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
