"""Reading an ONNX file's own words."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.detectors.heads.networks import network
from tracker_blur.detectors._onnx_graph import read_graph
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

OUTPUTS = {"out": (np.zeros((1, 2, 3)), np.zeros((1, 2, 3)))}


def test_the_input_the_operators_and_the_metadata_are_read() -> None:
    graph = read_graph("a.onnx", network(OUTPUTS, (320, 192), {"names": "{0: 'é'}", "task": ""}))
    assert graph.input_shape == (1, 3, 192, 320)
    assert graph.input_size == (320, 192)
    assert {"Slice", "GlobalMaxPool", "Mul", "Add"} <= graph.operators
    assert graph.metadata == {"names": "{0: 'é'}", "task": ""}


def test_sides_of_any_length_are_none() -> None:
    graph = read_graph("a.onnx", network(OUTPUTS, (320, 192), is_dynamic=True))
    assert graph.input_shape == (1, 3, None, None)
    assert graph.input_size is None


def test_our_own_network_is_read() -> None:
    graph = read_graph("face.onnx", Weights().read("face.onnx"))
    assert len(graph.input_shape) == 4
    assert "Conv" in graph.operators


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", b"<html>Not Found</html>", b"\xff" * 100, b"\x3a\xff\x7f", b"\x3a\x02\x08"],
)
def test_anything_else_is_a_model_error(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"a\.onnx: damaged, or not an ONNX file"):
        read_graph("a.onnx", content)


def test_damage_of_any_byte_is_a_model_error_or_another_graph() -> None:
    content = network(OUTPUTS, (32, 32), {"names": "{0: 'face'}"})
    rng = random.Random(3)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= rng.randrange(1, 256)
        try:
            graph = read_graph("a.onnx", bytes(damaged))
        except ModelError:
            continue
        assert isinstance(graph.input_shape, tuple)
    for end in range(len(content)):
        try:
            read_graph("a.onnx", content[:end])
        except ModelError:
            continue
