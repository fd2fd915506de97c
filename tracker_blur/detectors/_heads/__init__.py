"""Output layouts of other people's ONNX detectors, one file each.

A network is recognized by the shapes of what it returns for a blank image. To accept another
layout, add a file with `recognize(outputs, size, graph)`, which returns a `Head`, or None for any
other network, and name it in `_LAYOUTS`. `tests/detectors/heads/test_contract.py` runs over all.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tracker_blur.detectors._onnx_graph import OnnxGraph

Array: TypeAlias = npt.NDArray[np.float32]
Outputs: TypeAlias = Mapping[str, Array]
"""What a network returns, by the names of its outputs."""

_LAYOUTS = ("ultralight", "retinaface", "scrfd", "yolo", "yolo_end2end")


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a head decodes, before overlaps are suppressed.

    Attributes:
        boxes: left, top, right, bottom in pixels of the network's input, shape (n, 4).
        scores: 0 to 1, shape (n,).
        classes: indices of labels, shape (n,).
    """

    boxes: npt.NDArray[Any]
    scores: npt.NDArray[Any]
    classes: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Head:
    """How a network's input is made and how its outputs are decoded.

    Attributes:
        name: The layout, for people to read.
        labels: Its class names.
        decode: Returns the candidates with at least a score, from the outputs.
        default_confidence: Score from which a detection counts, as its authors use it.
        low_confidence: Score from which it may extend a track.
        scale: Factor of the samples, 0 to 255, after the mean was subtracted.
        mean: In the order of the network's channels.
        is_rgb: Whether red comes first.
        padding: Gray level around images of other proportions.
        is_centered: Whether an image lies in the middle of the padding, not in the upper left.
        names_classes: Whether the file says what its classes are; otherwise, `labels` are made up.
    """

    name: str
    labels: tuple[str, ...]
    decode: Callable[[Outputs, float], Candidates]
    default_confidence: float = 0.5
    low_confidence: float = 0.25
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_rgb: bool = True
    padding: int = 0
    is_centered: bool = False
    names_classes: bool = True


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return how to use a network; None for one of an unknown layout.

    Args:
        outputs: What it returns for a blank image.
        size: (width, height) of its input.
        graph: What its file says about itself.
    """
    for layout in _LAYOUTS:
        head: Head | None = importlib.import_module(f"{__name__}.{layout}").recognize(
            outputs, size, graph
        )
        if head is not None:
            return head
    return None


def rows(values: Array) -> Array:
    """Return an output without its batch, shape (n, values)."""
    return values.reshape(-1, values.shape[-1])


def cells(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Return (columns, rows) of the map of a stride."""
    return -(-size[0] // stride), -(-size[1] // stride)


def cell_count(size: tuple[int, int], strides: tuple[int, ...], boxes: tuple[int, ...]) -> int:
    """Return how many boxes there are for an input, with so many in each cell of each stride."""
    grids = (cells(size, stride) for stride in strides)
    return sum(count * width * height for count, (width, height) in zip(boxes, grids, strict=True))


def corners(size: tuple[int, int], stride: int, boxes: int) -> Iterator[tuple[float, float]]:
    """Yield x and y, in pixels, of each cell's upper left corner, row by row, once for each box."""
    columns, count = cells(size, stride)
    for row in range(count):
        for column in range(columns):
            for _ in range(boxes):
                yield column * stride, row * stride


def are_probabilities(values: Array) -> bool:
    """Return whether all values lie from 0 to 1, as a sigmoid or softmax returns them."""
    return bool(np.isfinite(values).all() and values.min() >= -1e-4 and values.max() <= 1.0001)
