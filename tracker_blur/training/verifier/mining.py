"""Mining of hard examples: crops that the network gets wrong are shown more often.

As `tracker_blur.training.mining`. In images with labeled objects, hands, ears and clothes are the
false alarms that matter most. But what a network takes for an object without a doubt there is often
one that people forgot to label, and is not mined. Random places in images without any object are
searched, too, for what no detector proposes today, but the next one may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tracker_blur.classifiers.crops import crop
from tracker_blur.core.box import Box
from tracker_blur.training.verifier.places import random_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tracker_blur.training.verifier.crops import CropDataset, CropSample
    from tracker_blur.training.verifier.labels import Boxes
    from tracker_blur.training.verifier.network import VerifierNetwork

_OBJECTS_PER_SEARCH, _ALARMS_PER_SEARCH = 3000, 15000  # mining must stay cheap
_CHUNK = 256
_PLACES_PER_SEARCH = 1500
_HARD_ODDS = -1.5  # log odds from which a place without an object is worth a lesson
_FORGOTTEN_ODDS = 3.0  # above which a false alarm next to labeled objects may be one, too
_HARDEST = 4.0  # times as often, for those that it gets wholly wrong


class HardExampleMiner:
    """Weighs the objects and false alarms of a dataset by how wrong the network is about them."""

    def __init__(
        self, samples: Sequence[CropSample], dataset: CropDataset, device: torch.device, seed: int
    ) -> None:
        self._samples = samples
        self._device = device
        is_empty = np.array([sample.known.is_empty for sample in samples], bool)
        is_complete = np.array([sample.known.is_complete for sample in samples], bool)
        self._is_empty = is_empty
        alarms = np.flatnonzero(is_complete[dataset.alarm_places[:, 0]])
        rng = np.random.default_rng(seed)
        self._objects = _Queue(
            dataset.object_places,
            dataset.object_weights,
            rng.permutation(len(dataset.object_places)),
        )
        self._alarms = _Queue(dataset.alarm_places, dataset.alarm_weights, rng.permutation(alarms))
        self._mined = dataset.mined
        self._empty = np.flatnonzero(is_empty & np.array([one.share > 0 for one in samples], bool))
        self._rng = rng

    def search(self, network: VerifierNetwork) -> None:
        """Weigh the next thousands; after the last one comes the first again."""
        indices = self._objects.next(_OBJECTS_PER_SEARCH)
        self._objects.weigh(indices, torch.sigmoid(-self._answers(network, indices, True)))
        indices = self._alarms.next(_ALARMS_PER_SEARCH)
        answers = self._answers(network, indices, False)
        next_to_objects = torch.from_numpy(~self._is_empty[self._alarms.places[indices, 0]])
        is_forgotten = next_to_objects & (answers > _FORGOTTEN_ODDS)
        self._alarms.weigh(indices, torch.sigmoid(answers).masked_fill(is_forgotten, 0.0))
        self._search_places(network)

    def _answers(
        self, network: VerifierNetwork, indices: npt.NDArray[np.int64], is_object: bool
    ) -> torch.Tensor:
        places = (self._objects if is_object else self._alarms).places
        boxes = [self._box(places[index], is_object) for index in indices]
        return answers_to(network, self._samples, boxes, self._device)

    def _search_places(self, network: VerifierNetwork) -> None:
        """Note random places that the network takes for objects, instead of the oldest noted."""
        if not len(self._empty):
            return
        indices = self._rng.choice(self._empty, _PLACES_PER_SEARCH).tolist()
        places = [(index, random_box(self._samples[index].image, self._rng)) for index in indices]
        answers = answers_to(network, self._samples, places, self._device).numpy()
        hard = [place for place, answer in zip(places, answers, strict=True) if answer > _HARD_ODDS]
        rows = [(index, *box.tolist()) for index, box in hard]
        noted = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
        self._mined.copy_(torch.cat((noted, self._mined))[: len(self._mined)])

    def _box(self, place: npt.NDArray[np.int64], is_object: bool) -> tuple[int, Boxes]:
        index, row = place.tolist()
        known = self._samples[index].known
        return index, (known.objects if is_object else known.false_alarms)[row]


class _Queue:
    """Places in the order in which they are searched, with their weights."""

    def __init__(
        self,
        places: npt.NDArray[np.int64],
        weights: torch.Tensor,
        order: npt.NDArray[np.int64],
    ) -> None:
        self.places = places
        self.weights = weights
        self.usual = weights.clone()
        self._order = order

    def next(self, count: int) -> npt.NDArray[np.int64]:
        turn = self._order[:count]
        self._order = np.concatenate((self._order[count:], turn))
        return turn

    def weigh(self, indices: npt.NDArray[np.int64], wrong: torch.Tensor) -> None:
        """Draw places more often the more wrong the answers are, from 0 to 1."""
        self.weights[indices] = self.usual[indices] * (1 + (_HARDEST - 1) * wrong.double())


@torch.no_grad()
def answers_to(
    network: VerifierNetwork,
    samples: Sequence[CropSample],
    places: Sequence[tuple[int, Boxes]],
    device: torch.device,
) -> torch.Tensor:
    """Return a network's answers to the crops of boxes, shape (n,), on the CPU.

    Args:
        network: The network.
        samples: The images.
        places: The number of a sample, and a box in it.
        device: Where the network is.
    """
    was_training = network.training
    network.eval()
    answers = [torch.zeros(0)]
    for start in range(0, len(places), _CHUNK):
        crops = [
            crop(samples[index].image, Box(*box.tolist()))
            for index, box in places[start : start + _CHUNK]
        ]
        images = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).to(device).float()
        answers.append(network(images)[:, 0].float().cpu())
    network.train(was_training)
    return torch.cat(answers)
