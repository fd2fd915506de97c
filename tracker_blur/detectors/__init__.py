"""Detectors: one file each; a file's name is the value of `--detector`.

A detector module holds `load(weights) -> Detector`. To add a detector, add a file; the contract
tests in `tests/detectors/test_contract.py` run over all of them.
"""

from __future__ import annotations

from typing import Protocol

from tracker_blur.boxes import Detection
from tracker_blur.frames import Image


class Detector(Protocol):
    """Finds faces in one picture.

    default_confidence   the score from which a find counts as a face, unless the user says
    weak_confidence      the score from which a find may confirm a face that is already followed
    """

    default_confidence: float
    weak_confidence: float

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`, boxes in the image's pixels.

        The image may have any size from 1x1 up, another one on every call; it is not changed.
        A detector may be called from any thread, but from one at a time.
        """
        ...
