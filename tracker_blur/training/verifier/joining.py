"""Two verifiers in one file, which answers with the mean of both.

Two networks are seldom wrong about the same crop, so their mean is wrong less often (Hansen,
Salamon, Neural Network Ensembles, IEEE PAMI 12(10), 1990). A verifier that goes on learning from
new images forgets some of what it knew; beside the one that it started from, it need not remember.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracker_blur.training.onnx_files import require_onnx

_PREFIX = "start/"
_NEW, _START, _SUM, _HALF = "new answer", "start's answer", "sum of answers", "half"


def joined(new: bytes, start: bytes) -> bytes:
    """Return a verifier that answers with the mean of two verifiers' log odds.

    Its name, class and metadata are those of the new one, whose layers come first.

    Args:
        new: A verifier's ONNX file.
        start: Another one's, of the same class.

    Raises:
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx("joining two verifiers")
    model = onnx.load_model_from_string(new)
    graph = model.graph
    crop, answer = graph.input[0].name, graph.output[0].name
    other = onnx.compose.add_prefix(onnx.load_model_from_string(start), _PREFIX).graph
    _rename(graph, answer, _NEW)
    _rename(other, other.input[0].name, crop)
    _rename(other, other.output[0].name, _START)
    graph.node.extend(other.node)
    graph.initializer.extend(other.initializer)
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(0.5, np.float32), _HALF))
    graph.node.append(onnx.helper.make_node("Add", [_NEW, _START], [_SUM]))
    graph.node.append(onnx.helper.make_node("Mul", [_SUM, _HALF], [answer]))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _rename(graph: Any, before: str, after: str) -> None:
    """Rename a tensor wherever nodes read or write it."""
    for node in graph.node:
        for names in (node.input, node.output):
            for number, name in enumerate(names):
                if name == before:
                    names[number] = after
