"""Hard-negative mining: false alarms in images without objects are shown more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from tracker_blur.training.losses import decode_predictions
from tracker_blur.training.network import STRIDES, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.training.augmentation import Sample

_LEAST_SCORE = 0.25
_IMAGES_PER_SEARCH = 300  # mining must not take longer than training


class HardNegativeMiner:
    """Searches images without objects for false alarms, which are then drawn more often.

    After Shrivastava, Gupta, Girshick, "Training Region-based Object Detectors with Online Hard
    Example Mining", CVPR 2016, arXiv 1604.03540. Only images in which nothing is labeled or
    ignored are searched: elsewhere, a seeming false alarm is often an object that people forgot to
    label.

    Attributes:
        boxes: Box of the best-scored false alarm of each sample in the image's pixels, all 0 for
            none; shape (samples, 4). The processes that make canvases share it.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.boxes = torch.zeros(len(samples), 4).share_memory_()
        self._samples = samples
        self._queue = [
            index
            for index, sample in enumerate(samples)
            if not len(sample.boxes) and not len(sample.ignored)
        ]

    def search(self, network: Network, device: torch.device) -> None:
        """Search the next few hundred images; after the last one comes the first again."""
        turn, self._queue = self._queue[:_IMAGES_PER_SEARCH], self._queue[_IMAGES_PER_SEARCH:]
        for index in turn:
            self.boxes[index] = _best_scored_box(network, self._samples[index], device)
        self._queue += turn


@torch.no_grad()
def _best_scored_box(network: Network, sample: Sample, device: torch.device) -> torch.Tensor:
    rows, columns = sample.image.shape[:2]
    step = STRIDES[-1]
    padded = cv2.copyMakeBorder(
        sample.image, 0, -rows % step, 0, -columns % step, cv2.BORDER_CONSTANT
    )
    image = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = network(image.float().contiguous(memory_format=torch.channels_last))
    predictions = decode_predictions(maps)
    scores = predictions.logits[0].amax(1).sigmoid()
    best = int(scores.argmax())
    if scores[best] < _LEAST_SCORE:
        return torch.zeros(4)
    box = predictions.boxes[0, best].cpu()
    limits = torch.tensor([columns, rows, columns, rows], dtype=torch.float32)
    return torch.minimum(box.clamp(min=0), limits)
