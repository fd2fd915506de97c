"""How a verifier's file says what it is: OpenCV shows no more of it than the name of its output."""

from __future__ import annotations

import cv2
import numpy as np

from tracker_blur.errors import ModelError

_PREFIX = "trackblur_verifier1/"


def output_name(label: str) -> str:
    """Return the name of the output of a verifier of this class."""
    return f"{_PREFIX}{label}"


def is_verifier(content: bytes) -> bool:
    """Return whether the content of a file is that of a verifier, of whatever class."""
    return _PREFIX.encode() in content


def label_of(file_name: str, content: bytes) -> str:
    """Return the class of a verifier that OpenCV can load.

    Raises:
        ModelError: It is another kind of network.
    """
    network = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
    names = network.getUnconnectedOutLayersNames()
    labels = [str(name).removeprefix(_PREFIX) for name in names if str(name).startswith(_PREFIX)]
    if len(labels) != 1:
        raise ModelError(
            f"{file_name}: this is no verifier: name a file of 'trackblur train --task verify'"
        )
    return labels[0]
