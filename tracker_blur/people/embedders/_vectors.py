"""What embedders share: OpenCV's errors as our own, and both sides of a face."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import ModelError
from tracker_blur.people.embedders import SIDE_PX, Vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tracker_blur.core.frame import Image

_NUMBERS = 128


@contextmanager
def opencv_errors(file_name: str) -> Iterator[None]:
    """Raise ModelError for what OpenCV raises in the block."""
    try:
        yield
    except cv2.error as error:
        reason = " ".join(str(error.err).split())
        raise ModelError(
            f"{file_name}: OpenCV {cv2.__version__} cannot use this network ({reason}): get the "
            "file again"
        ) from error


def check_network(file_name: str, embed: Callable[[Image], npt.NDArray[Any]]) -> None:
    """Check that a network returns 128 numbers for a face; raises ModelError."""
    with opencv_errors(file_name):
        count = np.size(embed(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)))
    if count != _NUMBERS:
        raise ModelError(
            f"{file_name}: is no network that tells faces apart ({count} numbers instead of "
            f"{_NUMBERS}): get the file again"
        )


def embed_both_sides(
    file_name: str, embed: Callable[[Image], npt.NDArray[Any]], faces: Sequence[Image]
) -> Vectors:
    """Return the embeddings of faces, each the mean of the face's and of its mirror image's.

    Args:
        file_name: The network's, for messages.
        embed: Returns the 128 numbers of one face.
        faces: The faces.

    Raises:
        ModelError: OpenCV cannot run the network, or an answer is no number, or only zeros.
    """
    rows = np.zeros((len(faces), _NUMBERS), np.float32)
    with opencv_errors(file_name):
        for row, face in zip(rows, faces, strict=True):
            mirrored = np.ascontiguousarray(face[:, ::-1])
            row[:] = (np.ravel(embed(face)) + np.ravel(embed(mirrored))) / 2
    lengths = np.linalg.norm(rows, axis=1)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ModelError(f"{file_name}: its answers are no numbers: get the file again")
    return rows
