"""Random crops of objects, false alarms, backgrounds and redacted objects, and batches of them.

A crop is cut out by `tracker_blur.classifiers.crops`, as the program does it, but moved, rotated,
mirrored and made worse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tracker_blur.classifiers.crops import BORDER_BGR, brightened, shown_pixels, transformed
from tracker_blur.training.data import start_workers
from tracker_blur.training.verifier.distortions import random_motion, spoil
from tracker_blur.training.verifier.drawings import draw_distraction
from tracker_blur.training.verifier.places import (
    around,
    box_below,
    is_free,
    much_larger_box,
    random_box,
)
from tracker_blur.training.verifier.redacted import SampleRedactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.augmentation import Rng
    from tracker_blur.training.recipe import CropAugmentation
    from tracker_blur.training.verifier.labels import Boxes, LabeledCandidates

_RENEWED_EVERY = 2000  # crops between two looks at the weights that mining changes
_MOST_REDACTED = 4000  # images, made once: redacting takes longer than cutting out
_MOST_MINED = 4000  # places
_ATTEMPTS = 20  # to find a place without an object in an image with some


@dataclass(frozen=True, slots=True)
class CropSample:
    """An image in memory, and what is known of the candidates in it.

    Attributes:
        image: Pixels, uint8, shape (rows, columns, 3), BGR.
        known: Its objects and false alarms.
        share: How often it is drawn, relative to others.
    """

    image: Image
    known: LabeledCandidates
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class _Place:
    """A box in an image, and whether it shows an object."""

    image: Image
    box: Boxes
    is_object: bool


class CropDataset(IterableDataset):
    """Endless random crops, with 1.0 for those that show an object and 0.0 for others.

    Attributes:
        object_places: Image and row of each object, shape (n, 2).
        alarm_places: The same of the false alarms.
        object_weights: How often each object is drawn. Mining changes it; the processes that make
            crops share it.
        alarm_weights: The same of the false alarms.
        mined: Places without an object that the network takes for some: the number of an image,
            left, top, right and bottom; all 0 where none is known; shape (n, 5). Mining changes it,
            too.
    """

    def __init__(
        self,
        samples: Sequence[CropSample],
        label: str,
        augmentation: CropAugmentation,
        seed: int,
    ) -> None:
        self._samples = samples
        self._augmentation = augmentation
        self._seed = seed
        self.object_places, objects = _places(
            samples, lambda known: _object_weights(len(known.objects))
        )
        self.alarm_places, alarms = _places(samples, lambda known: known.weights)
        self.object_weights = torch.from_numpy(objects).share_memory_()
        self.alarm_weights = torch.from_numpy(alarms).share_memory_()
        self.mined = torch.zeros(_MOST_MINED, 5).share_memory_()
        drawn = [i for i, sample in enumerate(samples) if sample.share > 0]
        self._empty = [i for i in drawn if samples[i].known.is_empty]
        self._complete = [
            i for i in drawn if samples[i].known.is_complete and len(samples[i].known.labeled)
        ]
        self._redacted = _redacted_samples(samples, label, np.random.default_rng(seed))
        self._sums = np.zeros(0), np.zeros(0)

    def __iter__(self) -> Iterator[tuple[Image, float]]:
        """Yield crops without end."""
        info = get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, info.id if info else 0))
        while True:
            self._sums = _sums(self.object_weights), _sums(self.alarm_weights)
            for _ in range(_RENEWED_EVERY):
                yield self.make_crop(rng)

    def make_crop(self, rng: Rng) -> tuple[Image, float]:
        """Return a random crop, and whether it shows an object: 1.0 or 0.0."""
        if not len(self._sums[0]):
            self._sums = _sums(self.object_weights), _sums(self.alarm_weights)
        augmentation = self._augmentation
        dice = rng.random()
        draws = False
        place: _Place | None = None
        if dice < (bound := augmentation.object_share):
            place = self._object(rng)
        elif dice < (bound := bound + augmentation.redacted_share):
            place = self._redacted_place(rng)
        elif dice < (bound := bound + augmentation.false_alarm_share):
            is_mined = rng.random() < augmentation.mined_share
            place = (self._mined_place(rng) if is_mined else None) or self._false_alarm(rng)
        elif dice < bound + augmentation.empty_share:
            place = self._empty_place(rng)
            draws = place is not None and rng.random() < augmentation.drawn_share
        else:
            place = self._place_outside_objects(rng)
        place = place or self._false_alarm(rng) or self._object(rng)
        motion = random_motion(place.box, augmentation, rng)
        crop, is_shown = transformed(place.image, motion), shown_pixels(place.image, motion)
        if draws:
            crop = draw_distraction(crop.copy(), rng)
        # A camera spoils no gray border: it is added later.
        spoiled = np.where(is_shown[..., None], spoil(crop, rng), BORDER_BGR).astype(np.uint8)
        return brightened(spoiled, is_shown), float(place.is_object)

    def _object(self, rng: Rng) -> _Place:
        index, row = self.object_places[_drawn(self._sums[0], rng)]
        sample = self._samples[index]
        return _Place(sample.image, sample.known.objects[row], True)

    def _false_alarm(self, rng: Rng) -> _Place | None:
        if not len(self.alarm_places):
            return None
        index, row = self.alarm_places[_drawn(self._sums[1], rng)]
        sample = self._samples[index]
        return _Place(sample.image, sample.known.false_alarms[row], False)

    def _mined_place(self, rng: Rng) -> _Place | None:
        row = self.mined[int(rng.integers(len(self.mined)))].double().numpy()
        if not row[1:].any():
            return None
        return _Place(self._samples[int(row[0])].image, row[1:], False)

    def _redacted_place(self, rng: Rng) -> _Place | None:
        if not self._redacted:
            return None
        image, boxes = self._redacted[int(rng.integers(len(self._redacted)))]
        left, top, right, bottom = boxes[int(rng.integers(len(boxes)))]
        # Hair, ears and collars stay visible around what is hidden: they are shown, too.
        size, factor = math.sqrt((right - left) * (bottom - top)), math.exp(rng.normal(0.1, 0.25))
        x = (left + right) / 2 + rng.normal(0, 0.25) * size
        y = (top + bottom) / 2 + rng.normal(-0.05, 0.3) * size
        return _Place(image, around(x, y, factor * (right - left), factor * (bottom - top)), False)

    def _empty_place(self, rng: Rng) -> _Place | None:
        if not self._empty:
            return None
        image = self._samples[self._empty[int(rng.integers(len(self._empty)))]].image
        return _Place(image, random_box(image, rng), False)

    def _place_outside_objects(self, rng: Rng) -> _Place | None:
        """Return a place without an object in an image with some: bodies, hands, backgrounds."""
        for _ in range(_ATTEMPTS if self._complete else 0):
            sample = self._samples[self._complete[int(rng.integers(len(self._complete)))]]
            labeled, (rows, columns) = sample.known.labeled, sample.image.shape[:2]
            dice = rng.random()
            one = labeled[int(rng.integers(len(labeled)))]
            if dice < 0.5:
                box, is_none = much_larger_box(one, labeled, rng)
            else:
                is_below = dice < 0.8
                box = box_below(one, rng) if is_below else random_box(sample.image, rng)
                is_none = is_free(box, (columns, rows), sample.known)
            if is_none:
                return _Place(sample.image, box, False)
        return None


def _object_weights(count: int) -> npt.NDArray[np.float64]:
    """Return the weights of an image's objects: a crowd counts, but not as often as it is large."""
    return np.full(count, max(1, count) ** -0.5)


def _places(
    samples: Sequence[CropSample],
    weigh: Callable[[LabeledCandidates], npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return image and row of each box that `weigh` weighs, shape (n, 2), and the weights."""
    weights = [
        weigh(sample.known) * sample.share if sample.share else np.zeros(0) for sample in samples
    ]
    counts = [len(some) for some in weights]
    images = np.repeat(np.arange(len(samples)), counts)
    rows = np.concatenate([np.arange(count) for count in counts])
    return np.stack((images, rows), 1).astype(np.int64), np.concatenate(weights)


def _sums(weights: Tensor) -> npt.NDArray[np.float64]:
    return np.cumsum(weights.numpy())


def _drawn(sums: npt.NDArray[np.float64], rng: Rng) -> int:
    return min(int(np.searchsorted(sums, rng.random() * sums[-1])), len(sums) - 1)


def _redacted_samples(
    samples: Sequence[CropSample], label: str, rng: Rng
) -> list[tuple[Image, Boxes]]:
    """Return images in which all labeled objects are hidden, and where these were."""
    complete = [i for i, one in enumerate(samples) if one.share and len(one.known.labeled)]
    redactor = SampleRedactor()
    redacted = []
    for index in rng.permutation(complete)[:_MOST_REDACTED]:
        sample = samples[index]
        hidden = redactor.redact(sample.image, sample.known.labeled, label, rng)
        if hidden is not None:
            redacted.append((hidden, sample.known.labeled))
    return redacted


@dataclass(frozen=True, slots=True)
class CropBatch:
    """N crops.

    Attributes:
        images: Pixels, uint8, shape (N, 3, side, side), BGR.
        labels: 1.0 for crops of objects, else 0.0; shape (N,).
    """

    images: Tensor
    labels: Tensor


def endless_crop_batches(dataset: CropDataset, size: int, workers: int) -> Iterator[CropBatch]:
    """Yield batches of `size` crops, made by `workers` processes (0: by this one)."""
    return start_workers(
        DataLoader(dataset, size, num_workers=workers, collate_fn=_collate, drop_last=True)
    )


def _collate(crops: Sequence[tuple[Image, float]]) -> CropBatch:
    images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2)
    return CropBatch(images, torch.tensor([label for _, label in crops]))
