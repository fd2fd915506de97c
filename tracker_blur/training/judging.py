"""Judges a network on validation pictures, as `trackblur evaluate` does, in its shipped form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker_blur.core import plugins
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation import measure
from tracker_blur.training.evaluation.look import finds
from tracker_blur.training.export import onnx_bytes
from tracker_blur.training.loop import Judge
from tracker_blur.training.network import Network
from tracker_blur.training.recipe import Poses

_FROM_PX = 8.0
_MOST_PICTURES = 300  # judging must not outlast learning


def judged(pictures: Sequence[Annotated]) -> Sequence[Annotated]:
    """Return those that are judged: a few hundred, evenly chosen."""
    return pictures[:: max(1, math.ceil(len(pictures) / _MOST_PICTURES))]


def judge(pictures: Sequence[Annotated], classes: Sequence[str], poses: Poses) -> Judge:
    """Return a function that gives a network's average precision, over all classes.

    Pictures are widened by the middle of what training widens them by.
    """
    chosen = judged(pictures)
    widened = math.sqrt(math.prod(poses.widened))

    def reached(network: Network) -> float:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        detector = onnx.from_content("the network", onnx_bytes(network, classes))
        found = list(finds(detector, chosen, 1.0, widened))
        shares = [measure.scores(chosen, found, label, _FROM_PX).ap50 for label in classes]
        return float(np.nanmean(shares)) if not np.isnan(shares).all() else 0.0

    return reached
