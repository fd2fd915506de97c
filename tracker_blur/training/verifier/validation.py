"""Validation: what a verifier answers to the candidates of the validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.training.odds import score_odds
from tracker_blur.training.verifier.mining import answers_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import torch

    from tracker_blur.training.odds import Odds
    from tracker_blur.training.verifier.crops import CropSample
    from tracker_blur.training.verifier.labels import Boxes
    from tracker_blur.training.verifier.network import VerifierNetwork

_MOST_OBJECTS, _MOST_OTHERS = 12, 6  # of an image: crowds must not decide


class Validator:
    """Validates on crops as the program will cut them out, neither moved nor made worse."""

    def __init__(self, samples: Sequence[CropSample], device: torch.device) -> None:
        self._samples = samples
        self._device = device
        self._places: list[tuple[int, Boxes]] = []
        shown = []
        for index, sample in enumerate(samples):
            objects = _spread(sample.known.objects, _MOST_OBJECTS)
            others = _spread(sample.known.false_alarms, _MOST_OTHERS)
            self._places += [(index, box) for box in (*objects, *others)]
            shown += [True] * len(objects) + [False] * len(others)
        self.is_object: npt.NDArray[np.bool_] = np.array(shown, bool)

    def answers(self, network: VerifierNetwork) -> Odds:
        """Return the network's answers, shape (n,), in the order of `is_object`."""
        found = answers_to(network, self._samples, self._places, self._device)
        return np.asarray(found.numpy(), np.float64)

    def figures(self, network: VerifierNetwork) -> dict[str, float]:
        """Return the area under the ROC curve, and false positives at a recall of 99.5 %."""
        scores = score_odds(self.answers(network), self.is_object)
        return {"auc": scores.auc, "false_positives": scores.false_positives[0]}


def _spread(boxes: Boxes, most: int) -> Boxes:
    if len(boxes) <= most:
        return boxes
    return boxes[np.arange(most) * len(boxes) // most]
