"""How a verifier's file says what it is: by the name of its output."""

from __future__ import annotations

from tracker_blur.errors import ModelError
from tracker_blur.weights.onnx_network import OnnxNetwork

_PREFIX = "trackblur_verifier1/"


def output_name(label: str) -> str:
    """Return the name of the output of a verifier of this class."""
    return f"{_PREFIX}{label}"


def is_verifier(content: bytes) -> bool:
    """Return whether the content of a file is that of a verifier, of whatever class."""
    return _PREFIX.encode() in content


def label_of(file_name: str, content: bytes) -> str:
    """Return the class of a verifier.

    Raises:
        ModelError: It cannot be loaded, or is another kind of network.
    """
    names = OnnxNetwork(file_name, content).output_names
    labels: list[str] = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    if len(labels) != 1:
        raise ModelError(
            f"{file_name}: this is no verifier: name a file of 'trackblur train --task verify'"
        )
    return labels[0]
