"""Endless training pictures from a list of scenes, made by worker processes, and their batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tracker_blur.training.assignment import Truth
from tracker_blur.training.augmentation import Pick, canvas
from tracker_blur.training.copy_paste import cuttings, with_crowd
from tracker_blur.training.recipe import Views
from tracker_blur.training.scenes import Scene
from tracker_blur.training.spoiling import spoiled


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
