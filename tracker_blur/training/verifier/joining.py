"""Two verifiers in one file, which answers with the mean of both.

Two networks are seldom wrong about the same crop, so their mean is wrong less often (Hansen,
Salamon, Neural Network Ensembles, IEEE PAMI 12(10), 1990). Networks of two kinds are wrong about
the same one even less often; and one that goes on learning from new images forgets some of what it
knew, which it need not remember next to the one that it started from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracker_blur.training.onnx_files import require_onnx

_PREFIX = "other/"
_NEW, _OTHER, _SUM, _HALF = "new answer", "other answer", "sum of answers", "half"


def joined(new: bytes, other: bytes) -> bytes:
    """Return a verifier that answers with the mean of two verifiers' log odds.

    Its name, class and metadata are those of the new one, whose layers come first.

    Args:
        new: A verifier's ONNX file.
        other: Another one's, of the same class.

    Raises:
        MissingPackageError: The package onnx is missing.
    """
    onnx = require_onnx("joining two verifiers")
    model = onnx.load_model_from_string(new)
    graph = model.graph
    crop, answer = graph.input[0].name, graph.output[0].name
    added = onnx.compose.add_prefix(onnx.load_model_from_string(other), _PREFIX).graph
    _rename(graph, answer, _NEW)
    _rename(added, added.input[0].name, crop)
    _rename(added, added.output[0].name, _OTHER)
    graph.node.extend(added.node)
    graph.initializer.extend(added.initializer)
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(0.5, np.float32), _HALF))
    graph.node.append(onnx.helper.make_node("Add", [_NEW, _OTHER], [_SUM]))
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
