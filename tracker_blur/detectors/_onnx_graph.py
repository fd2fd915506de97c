"""What OpenCV does not report about an ONNX file: its input's shape, operators and metadata.

ONNX files are Protocol Buffers. The few fields that matter are read here, so that the package onnx
is not needed. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

_Value = int | memoryview

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT = 1, 5, 11
_NODE_OPERATOR = 4
_TENSOR_NAME = 8
_INPUT_NAME, _INPUT_TYPE = 1, 2
_TYPE_TENSOR, _TENSOR_SHAPE, _SHAPE_DIMENSION, _DIMENSION_VALUE = 1, 2, 1, 1
_ENTRY_KEY, _ENTRY_VALUE = 1, 2

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """What an ONNX file says about itself.

    Attributes:
        input_shape: Shape of its first input; None for a side that may have any length.
        operators: Names of its operators, such as "Conv".
        metadata: Its metadata, such as "names" of files that Ultralytics exported.
    """

    input_shape: tuple[int | None, ...]
    operators: frozenset[str]
    metadata: dict[str, str]

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(width, height) of the images that it takes; None for any."""
        if len(self.input_shape) != 4:
            return None
        height, width = self.input_shape[2:]
        return (width, height) if width and height else None


def read_graph(file_name: str, content: bytes) -> OnnxGraph:
    """Return what an ONNX file says about itself; raises ModelError for any other content."""
    try:
        return _graph(memoryview(content))
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{file_name}: damaged, or not an ONNX file: get the file again, or choose another "
            "detector"
        ) from error


def _graph(content: memoryview) -> OnnxGraph:
    metadata, operators, initializers = {}, set(), set()
    inputs: list[tuple[str, tuple[int | None, ...]]] = []
    for field, value in _fields(content):
        if field == _MODEL_METADATA:
            entry = dict(_fields(_part(value)))
            key, text = entry.get(_ENTRY_KEY, b""), entry.get(_ENTRY_VALUE, b"")
            metadata[_text(key)] = _text(text)
        elif field == _MODEL_GRAPH:
            for graph_field, part in _fields(_part(value)):
                if graph_field == _GRAPH_NODE:
                    operators.add(_text(dict(_fields(_part(part))).get(_NODE_OPERATOR, b"")))
                elif graph_field == _GRAPH_INITIALIZER:
                    initializers.add(_name_of_tensor(_part(part)))
                elif graph_field == _GRAPH_INPUT:
                    inputs.append(_input(_part(part)))
    shapes = [shape for name, shape in inputs if name not in initializers]
    if not shapes:
        raise ValueError("no input")
    return OnnxGraph(shapes[0], frozenset(operators), metadata)


def _name_of_tensor(tensor: memoryview) -> str:
    return next((_text(value) for field, value in _fields(tensor) if field == _TENSOR_NAME), "")


def _input(info: memoryview) -> tuple[str, tuple[int | None, ...]]:
    name, dimensions = "", []
    for field, value in _fields(info):
        if field == _INPUT_NAME:
            name = _text(value)
        elif field == _INPUT_TYPE:
            shape = _inner(_inner(_part(value), _TYPE_TENSOR), _TENSOR_SHAPE)
            dimensions = [
                dict(_fields(_part(part))).get(_DIMENSION_VALUE)
                for inner, part in _fields(shape)
                if inner == _SHAPE_DIMENSION
            ]
    return name, tuple(side if isinstance(side, int) and side > 0 else None for side in dimensions)


def _inner(message: memoryview, field: int) -> memoryview:
    return _part(dict(_fields(message)).get(field, memoryview(b"")))


def _part(value: _Value) -> memoryview:
    if not isinstance(value, memoryview):
        raise TypeError("a number where a message belongs")
    return value


def _text(value: _Value | bytes) -> str:
    if isinstance(value, int):
        raise TypeError("a number where text belongs")
    return str(value, "utf-8", "replace")


def _fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """Yield the number and value of each field; raises ValueError where the message is damaged."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        value: _Value
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind in (_BYTES, _FIXED_64, _FIXED_32):
            length = {_FIXED_64: 8, _FIXED_32: 4}.get(kind, 0)
            if kind == _BYTES:
                length, at = _varint(message, at)
            if length > len(message) - at:
                raise ValueError("a field ends after its message")
            value = message[at : at + length]
            at += length
        else:
            raise ValueError(f"no field has the type {kind}")
        yield key >> 3, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number has no end")
