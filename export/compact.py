"""Makes a TFLite file smaller, without a change to what it calculates but for rounded weights."""

from __future__ import annotations

import math

import numpy as np

# tensorflow.lite.tools is what TensorFlow's own command-line tools for model files are made of.
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

# Smaller tensors, biases above all, stay as they are: there is nothing to gain.
_SMALLEST_VALUES = 1024
_LARGEST_INT8 = 127


def without_names(flatbuffer: bytes) -> bytes:
    """Takes out the names of inner tensors, which only a debugger reads: a tenth of the file."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if index not in (*graph.inputs, *graph.outputs):
                tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def in_int8(flatbuffer: bytes) -> bytes:
    """Stores weights in 8 bits that a file stores in half precision.

    In a file of half precision a DEQUANTIZE stands behind each weight, which TFLite runs once, when
    it loads the file. It takes int8 as well, so nothing else has to change, and the network then
    calculates in float as before. (Dynamic range quantisation, TFLite's own way to 8 bits, makes
    the network calculate in 8 bits too, rounding every activation anew: half as fast here.)

    Args:
        flatbuffer: what the converter makes for `float16`.

    Returns:
        The file with one scale for each large tensor.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
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
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
