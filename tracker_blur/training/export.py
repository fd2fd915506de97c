"""Writes a network as an ONNX file that `tracker_blur.detectors.onnx` runs."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tracker_blur.errors import SettingsError
from tracker_blur.training.class_names import check_classes
from tracker_blur.training.network import STRIDES, Network

_OPSET = 12  # what OpenCV 4.10 reads without exception
_TRACED_PX = 64


def onnx_bytes(network: Network, classes: Sequence[str]) -> bytes:
    """Return the network as ONNX: normalized pictures in, whose sides are multiples of 32.

    Normalizing is left to who reads the pictures: in OpenCV that costs nothing there, and two
    passes over the picture in the network.

    OpenCV shows of an ONNX file little but the names of its outputs, so these carry what a detector
    must know: "trackblur2/STRIDE/CLASS+CLASS". Normalizations are folded into the convolutions.

    Raises SettingsError as `check_classes` does, and when there are more or fewer classes than the
    network has.
    """
    check_classes(classes)
    if len(classes) != network.shape.classes:
        raise SettingsError(f"{len(classes)} class names: the network has {network.shape.classes}")
    names = [f"trackblur2/{stride}/{'+'.join(classes)}" for stride in STRIDES]
    file = io.BytesIO()
    plain = copy.deepcopy(network).cpu().float().eval()
    picture = torch.zeros(1, 3, _TRACED_PX, _TRACED_PX)
    with warnings.catch_warnings():
        # The newer exporter needs two more packages and writes operators OpenCV cannot read.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Normalized(plain),
            (picture,),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["picture"],
            output_names=names,
            dynamic_axes={name: {2: "rows", 3: "columns"} for name in ("picture", *names)},
        )
    return file.getvalue()


class _Normalized(nn.Module):
    """The network for pictures that are normalized already."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.maps(pictures)
