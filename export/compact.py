"""Makes a TFLite file smaller, without a change to what it calculates but for rounded weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# tensorflow.lite.tools is what TensorFlow's own command-line tools for model files are made of.
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

# Smaller tensors, biases above all, stay as they are: there is nothing to gain.
_SMALLEST_VALUES = 1024
_LARGEST_INT8 = 127


def compact(flatbuffer: bytes, variant: str) -> bytes:
    """Takes out what a device does not need.

    Args:
        flatbuffer: what the converter makes: for `int8`, that of half precision.
        variant: `float32`, `float16` or `int8`, see `export.convert`.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    _take_out_names(model)
    if variant != "float32":
        _store_all_but_weights_in_float(model)
    if variant == "int8":
        _store_weights_in_int8(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _take_out_names(model: Any) -> None:
    """Takes out the names of inner tensors, which only a debugger reads: a tenth of the file."""
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if index not in (*graph.inputs, *graph.outputs):
                tensor.name = None


def _store_all_but_weights_in_float(model: Any) -> None:
    """Stores in float32 again what is no large matrix: biases, constants, tables of GATHER.

    Where the converter stored half precision, a DEQUANTIZE stands behind it. XNNPACK claims that
    for itself; in TFLite 2.14 an operator that XNNPACK does not take, GATHER or ONE_HOT, then finds
    nothing there, or other values once the interpreter is allocated for another batch.
    """
    added: dict[int, int] = {}
    for graph in model.subgraphs:
        others = {
            tensor
            for op in graph.operators
            for position, tensor in enumerate(op.inputs)
            if not (_is(model, op, "FULLY_CONNECTED") and position == 1)
        }
        for op in list(graph.operators):
            if not _is(model, op, "DEQUANTIZE"):
                continue
            source, result = (graph.tensors[index] for index in (op.inputs[0], op.outputs[0]))
            if op.outputs[0] not in others and math.prod(result.shape) >= _SMALLEST_VALUES:
                continue
            if source.buffer not in added:  # both signatures share it
                values = np.frombuffer(bytes(model.buffers[source.buffer].data), np.float16)
                buffer = schema.BufferT()
                buffer.data = values.astype(np.float32).view(np.uint8)
                added[source.buffer] = len(model.buffers)
                model.buffers.append(buffer)
            result.buffer = added[source.buffer]
            source.buffer, source.shape = 0, [0]  # the empty buffer: nobody reads it any more
            graph.operators.remove(op)
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    for stored in set(added) - used:
        model.buffers[stored].data = None


def _store_weights_in_int8(model: Any) -> None:
    """Stores in 8 bits, with one scale for each tensor, weights stored in half precision.

    A DEQUANTIZE stands behind each of these, which TFLite runs once, when it loads the file. It
    takes int8 as well, so nothing else has to change, and the network calculates in float. (Dynamic
    range quantisation, TFLite's own way to 8 bits, makes the network calculate in 8 bits too,
    rounding every activation anew: half as fast here.)
    """
    scales: dict[int, float] = {}
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        buffer = model.buffers[tensor.buffer]
        if (
            tensor.type != schema.TensorType.FLOAT16
            or buffer.data is None
            or math.prod(tensor.shape) < _SMALLEST_VALUES
        ):
            continue
        if tensor.buffer not in scales:  # both signatures share it
            values = np.frombuffer(bytes(buffer.data), np.float16).astype(np.float32)
            scales[tensor.buffer] = float(np.abs(values).max()) / _LARGEST_INT8 or 1.0
            rounded = np.round(values / scales[tensor.buffer]).astype(np.int8)
            buffer.data = rounded.view(np.uint8)
        tensor.type = schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [scales[tensor.buffer]]
        tensor.quantization.zeroPoint = [0]


def _is(model: Any, op: Any, name: str) -> bool:
    return model.operatorCodes[op.opcodeIndex].builtinCode == getattr(schema.BuiltinOperator, name)
