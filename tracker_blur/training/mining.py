"""Finds the pictures without things in which the network sees some: they are shown more often.

After Shrivastava, Gupta, Girshick, "Training Region-based Object Detectors with Online Hard Example
Mining", CVPR 2016, arXiv 1604.03540. Only pictures in which nothing is labelled or ignored are
looked at: elsewhere, what seems a false alarm is often a thing that people forgot to label.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from tracker_blur.training.assignment import guesses
from tracker_blur.training.network import STRIDES, Network
from tracker_blur.training.scenes import Scene

_LEAST_SCORE = 0.25
_LOOKED_AT = 300  # pictures, at each turn: looking must not outlast learning


class Mine:
    """The surest false alarm of each picture, shared with the processes that make canvases.

    worst   shape (scenes, 4): its box in the picture's pixels; all 0 where there is none
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.worst = torch.zeros(len(scenes), 4).share_memory_()
        self._scenes = scenes
        bare = (not len(scene.boxes) and not len(scene.ignored) for scene in scenes)
        self._left = [index for index, is_bare in enumerate(bare) if is_bare]

    def look(self, network: Network, device: torch.device) -> None:
        """Look at the next few hundred pictures; after the last comes the first again."""
        turn, self._left = self._left[:_LOOKED_AT], self._left[_LOOKED_AT:]
        for index in turn:
            self.worst[index] = _worst(network, self._scenes[index], device)
        self._left += turn


@torch.no_grad()
def _worst(network: Network, scene: Scene, device: torch.device) -> torch.Tensor:
    rows, columns = scene.image.shape[:2]
    step = STRIDES[-1]
    padded = cv2.copyMakeBorder(
        scene.image, 0, -rows % step, 0, -columns % step, cv2.BORDER_CONSTANT
    )
    picture = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))[None].to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        maps = network(picture.float().contiguous(memory_format=torch.channels_last))
    found = guesses(maps)
    scores = found.logits[0].amax(1).sigmoid()
    best = int(scores.argmax())
    if scores[best] < _LEAST_SCORE:
        return torch.zeros(4)
    box = found.boxes[0, best].cpu()
    limits = torch.tensor([columns, rows, columns, rows], dtype=torch.float32)
    return torch.minimum(box.clamp(min=0), limits)
