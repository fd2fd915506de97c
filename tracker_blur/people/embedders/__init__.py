"""Face embedders, one file each: networks that tell people apart.

To add one, add a file to this folder. It needs:

* a docstring whose first line describes the network in one sentence, and that names its paper or
  model card, its license, and what is known about the data it was trained on;
* `WEIGHTS`, the sets of weight files, one of which it needs, as for detectors;
* `load(weights)`, which returns an object that implements `Embedder`.

Thresholds belong to a network: `benchmarks/people.py` measures them, docs/people.md has the tables.
Weights that `trackblur models pull` should download go into `tracker_blur/weights/catalog.py`.
`ORDER` says which one is used. No embedder imports another one. The tests in
`tests/people/embedders/test_contract.py` run over all files in this folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

SIDE_PX = 112
"""Width and height of an aligned face, which is what all networks here take."""

ORDER = ("mobilefacenet", "sface")
"""What is used: the first one whose weights are installed. Measured ones come first."""

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Embeddings, shape (n, 128); at length 1, the product of two is their cosine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which cosine, -1 to 1, two faces are taken for one person's; measured for a network.

    Attributes:
        same: Two groups of tracks are one person from this mean on. It decides which cards a person
            sees, and hides nothing.
        keep: Mean of a stretch's faces, against a person's photos, from which it is that person.
        keep_second: The same for each second of the stretch.
        keep_still: The same for one face, in an image.
        margin: How much nearer it must be than anyone who is seen together with it.
        changed: Two successive faces of a track that are less alike may be two people's.
        other: A face is surely not a person's if it is less like any of the photos.
        min_length: A shorter embedding says little: the network sees no features that it knows.
        are_measured: Whether they are the network's own. If not, no one is left visible by them
            without a person who looks.
    """

    same: float
    keep: float
    keep_second: float
    keep_still: float
    margin: float
    changed: float
    other: float
    min_length: float
    are_measured: bool = True


class Embedder(Protocol):
    """Makes embeddings of faces.

    Attributes:
        name: Its plug-in's name.
        thresholds: Those of its network.
    """

    name: str
    thresholds: Thresholds

    def embed(self, faces: Sequence[Image]) -> Vectors:
        """Return the embeddings of aligned faces, shape (n, 128), of any length but 0.

        An embedder may be called from any thread, but only from one at a time.

        Args:
            faces: BGR images of `SIDE_PX` x `SIDE_PX`, in each of which the eyes, the nose and the
                mouth are where `alignment.TEMPLATE` says. They are not changed.

        Raises:
            ModelError: OpenCV cannot run the network, or its answers are no numbers.
        """
        ...


def load_embedder(weights: Weights) -> Embedder | None:
    """Return the best embedder whose weights are installed; None if there is none.

    Raises:
        ModelError: A weight file is damaged. That is no reason to use another network.
    """
    for name in ORDER:
        plugin = plugins.load(__name__, name)
        if weights.complete(plugin.WEIGHTS) is not None:
            embedder: Embedder = plugin.load(weights)
            return embedder
    return None
