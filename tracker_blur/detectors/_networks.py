"""Reads neural networks by way of OpenCV, from checked files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

T = TypeVar("T")
Buffer = npt.NDArray[np.uint8]


def buffer(weights: Weights, file_name: str) -> Buffer:
    """Return a file's content as OpenCV takes it; raises ModelError as `Weights.read` does.

    OpenCV gets contents rather than paths: it is then given exactly what was checked, and no path
    that it cannot spell on Windows.
    """
    return np.frombuffer(weights.read(file_name), np.uint8)


def read(file_name: str, reader: Callable[[], T]) -> T:
    """Return what `reader` makes of a file; raises ModelError when OpenCV refuses it."""
    try:
        return reader()
    except cv2.error as error:
        raise _unreadable(file_name, " ".join(str(error.err).split())) from error


def read_caffe(weights: Weights, graph_name: str, file_name: str) -> cv2.dnn.Net:
    """Return a Caffe network, made of its graph (.prototxt) and its weights (.caffemodel).

    Raises ModelError when a file is missing, damaged or nothing OpenCV can read.
    """
    graph, content = buffer(weights, graph_name), buffer(weights, file_name)
    network = read(file_name, lambda: cv2.dnn.readNetFromCaffe(graph, content))
    return _with_weights(file_name, network)


def read_tensorflow(weights: Weights, file_name: str, graph_name: str) -> cv2.dnn.Net:
    """Return a TensorFlow network, made of its weights (.pb) and its graph (.pbtxt).

    Raises ModelError when a file is missing, damaged or nothing OpenCV can read.
    """
    content, graph = buffer(weights, file_name), buffer(weights, graph_name)
    network = read(file_name, lambda: cv2.dnn.readNetFromTensorflow(content, graph))
    return _with_weights(file_name, network)


def _with_weights(file_name: str, network: cv2.dnn.Net) -> cv2.dnn.Net:
    # OpenCV takes many a damaged file for one that holds weights of no layer in the graph.
    if not any(network.getLayer(name).blobs for name in network.getLayerNames()):
        raise _unreadable(file_name, "no weights in it")
    return network


def _unreadable(file_name: str, reason: str) -> ModelError:
    return ModelError(
        f"{file_name}: OpenCV {cv2.__version__} cannot read this network ({reason}): "
        "get the file again, or choose another detector"
    )
