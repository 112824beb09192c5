"""What the passes over a TFLite graph share: to read it, to write it, operators and constants."""

from __future__ import annotations

from typing import Any

import numpy as np

# tensorflow.lite.tools is what TensorFlow's own command-line tools for model files are made of.
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def parse(flatbuffer: bytes) -> Any:
    """The tables of a flatbuffer as Python objects: a `schema.ModelT`."""
    return flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))


def serialize(model: Any) -> bytes:
    """The flatbuffer of a `schema.ModelT`."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def is_operator(model: Any, operator: Any, name: str) -> bool:
    """Whether an operator of a graph is of a built-in type, `CONCATENATION` for one."""
    code = model.operatorCodes[operator.opcodeIndex].builtinCode
    return bool(code == getattr(schema.BuiltinOperator, name))


def operator_code(model: Any, name: str, version: int) -> int:
    """What operators refer to a built-in type by; it is added to the file if it is not there."""
    kind = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if (code.builtinCode, code.version) == (kind, version):
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def constant(model: Any, tensor: Any, dtype: type) -> np.ndarray | None:
    """The value that the file holds of a tensor, in its shape; None if it is calculated."""
    data = model.buffers[tensor.buffer].data
    return None if data is None else np.frombuffer(bytes(data), dtype).reshape(tensor.shape)
