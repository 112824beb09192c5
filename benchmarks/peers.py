"""The same network by other means: Keras, TensorFlow, ONNX Runtime, and its products alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from edgecalc.network.native_output import slow_import

from export.convert import answer_alone, tf
from model.folder import load_keras

with slow_import():
    import onnxruntime
    import tf2onnx

    # tensorflow.lite.tools is what TensorFlow's own tools for model files are made of.
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

_OPSET = 17
_LARGE = 1024
_ROUNDS = 25


def runners(folder: Path) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Functions from ids to probabilities, each on one thread.

    Args:
        folder: of a trained model.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = answer_alone(load_keras(folder))
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.int32, name="expression")]

    def answer(expression: Any) -> Any:
        return model(expression, training=False)

    function = tf.function(answer, input_signature=signature)
    compiled = tf.function(answer, jit_compile=True)
    onnx, _ = tf2onnx.convert.from_function(function, signature, opset=_OPSET)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx.SerializeToString(), options)
    return {
        "ONNX Runtime": lambda ids: session.run(None, {"expression": ids})[0],
        "tf.function": lambda ids: function(tf.constant(ids)).numpy(),
        "tf.function with XLA": lambda ids: compiled(tf.constant(ids)).numpy(),
        "Keras predict": lambda ids: model.predict(ids, verbose=0, batch_size=len(ids)),
    }


def floor(flatbuffer: bytes, batch: int) -> dict[str, float]:
    """How many answers a second numpy's matrix products would allow, and nothing else.

    Args:
        flatbuffer: a TFLite file whose first signature gives the answer.
        batch: expressions at once.

    Returns:
        `mflop`: of one answer; `gflop_per_second`: of the product of two matrices of 1,024 x
        1,024; `rate`: answers per second at that throughput; `rate_of_its_products`: those per
        second if numpy makes the products of the network, whose matrices are smaller.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    graph = model.subgraphs[0]
    shapes = [
        tuple(map(int, graph.tensors[op.inputs[1]].shape))
        for op in graph.operators
        if model.operatorCodes[op.opcodeIndex].builtinCode == schema.BuiltinOperator.FULLY_CONNECTED
    ]
    flop = sum(2 * rows * columns for rows, columns in shapes)
    products = [
        (np.ones((batch, columns), np.float32), np.ones((columns, rows), np.float32))
        for rows, columns in shapes
    ]
    large = [(np.ones((_LARGE, _LARGE), np.float32),) * 2]
    throughput = 2 * _LARGE**3 / _seconds(large)
    return {
        "mflop": flop / 1e6,
        "gflop_per_second": throughput / 1e9,
        "rate": throughput / flop,
        "rate_of_its_products": batch / _seconds(products),
    }


def _seconds(products: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """How long it takes to multiply all pairs."""
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for a, b in products:
            np.matmul(a, b)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
