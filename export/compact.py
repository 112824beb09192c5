"""Makes a TFLite file smaller, without a change to what it calculates but for rounded weights.

PyPI's ai-edge-quantizer stores the same weights in 8 bits (weight-only, explicit DEQUANTIZE), and
gives the same answers, bit for bit. Its file is larger by an eighth, for names and empty buffers
stay, and it brings eight packages of 208 MB. So this is done here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from export.graph import is_operator, operator_code, parse, serialize

# Smaller matrices stay as they are: there is little to gain, and the network's exact ones, which
# round or carry, do not survive 8 bits.
_SMALLEST_VALUES = 1024
_LARGEST_INT8 = 127
_DEQUANTIZE_VERSIONS = {"int8": 2, "float16": 3}


def compact(flatbuffer: bytes, variant: str) -> bytes:
    """Takes out what a device does not need.

    Args:
        flatbuffer: what the converter makes without optimizations.
        variant: see `export.convert`.
    """
    model = parse(flatbuffer)
    _take_out_names(model)
    _share_the_empty_buffer(model)
    if variant in _DEQUANTIZE_VERSIONS:
        _store_weights(model, variant)
    return serialize(model)


def _take_out_names(model: Any) -> None:
    """Takes out names of inner tensors, which only a debugger reads, and empty quantization."""
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if index not in (*graph.inputs, *graph.outputs):
                tensor.name = None
            tensor.quantization = None


def _share_the_empty_buffer(model: Any) -> None:
    """Lets tensors without a value share buffer 0; the converter gives each one of its own."""
    kept = [0] + [i for i, buffer in enumerate(model.buffers) if i and buffer.data is not None]
    new_index = {old: new for new, old in enumerate(kept)}
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    for holder in (*tensors, *model.metadata):
        holder.buffer = new_index.get(holder.buffer, 0)
    model.buffers = [model.buffers[index] for index in kept]


def _store_weights(model: Any, variant: str) -> None:
    """Stores large matrices in fewer bits, with a DEQUANTIZE in front of what reads them.

    TFLite runs it once, when it loads the file, so the network calculates in float. (Dynamic range
    quantisation, TFLite's own way to 8 bits, makes the network calculate in 8 bits too, rounding
    every activation anew: a quarter as fast in TFLite 2.14.) Biases, constants and tables of GATHER
    stay in float32: an operator that XNNPACK does not take finds nothing behind such a DEQUANTIZE.
    """
    code = operator_code(model, "DEQUANTIZE", _DEQUANTIZE_VERSIONS[variant])
    scales: dict[int, float] = {}
    for graph in model.subgraphs:
        products = [op for op in graph.operators if is_operator(model, op, "FULLY_CONNECTED")]
        matrices = {op.inputs[1] for op in products}
        for index in sorted(matrices):
            stored = graph.tensors[index]
            buffer = model.buffers[stored.buffer]
            if buffer.data is None or math.prod(stored.shape) < _SMALLEST_VALUES:
                continue
            matrix = schema.TensorT()
            matrix.shape, matrix.type, matrix.hasRank = stored.shape, stored.type, stored.hasRank
            if stored.buffer not in scales:  # both signatures share it
                scales[stored.buffer] = _in_fewer_bits(buffer, variant)
            stored.type = getattr(schema.TensorType, variant.upper())
            if variant == "int8":
                stored.quantization = schema.QuantizationParametersT()
                stored.quantization.scale = [scales[stored.buffer]]
                stored.quantization.zeroPoint = [0]
            _dequantize(graph, index, matrix, code)


def _in_fewer_bits(buffer: Any, variant: str) -> float:
    """Stores the float32 values of a buffer as the variant says; returns the scale of int8."""
    values = np.frombuffer(bytes(buffer.data), np.float32)
    scale = float(np.abs(values).max()) / _LARGEST_INT8 or 1.0
    if variant == "int8":
        values = np.round(values / scale)
    buffer.data = values.astype(variant).view(np.uint8)
    return scale


def _dequantize(graph: Any, index: int, matrix: Any, code: int) -> None:
    """Puts a DEQUANTIZE behind a tensor, and `matrix` in its place for all that read it."""
    graph.tensors.append(matrix)
    last = len(graph.tensors) - 1
    for op in graph.operators:
        op.inputs = [last if i == index else i for i in op.inputs]
    dequantize = schema.OperatorT()
    dequantize.opcodeIndex, dequantize.inputs, dequantize.outputs = code, [index], [last]
    graph.operators.insert(0, dequantize)
