"""Expresses a TFLite graph in what small interpreters have, TensorFlow Lite Micro above all.

The same numbers come out, bit for bit, and no slower: `ONE_HOT` becomes a row of a table, long
concatenations two short ones, and the shapes in the file those that one expression has.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from export.graph import constant, is_operator, operator_code, parse, serialize

_MOST_CONCATENATED = 10  # kMaxInputNum in TensorFlow Lite Micro's concatenation.cc


def portable(flatbuffer: bytes, fixed_batch: bool) -> bytes:
    """Rewrites what the converter makes.

    Args:
        flatbuffer: what the converter makes without optimizations, of a dynamic batch.
        fixed_batch: whether the file is to say that the batch is one, and no longer dynamic.
    """
    model = parse(flatbuffer)
    _look_one_hot_up(model)
    _shorten_concatenations(model)
    _tell_true_shapes(model)
    _drop_unused_codes(model)
    if fixed_batch:
        for graph in model.subgraphs:
            for tensor in graph.tensors:
                tensor.shapeSignature = None
    return serialize(model)


def _look_one_hot_up(model: Any) -> None:
    """Replaces `ONE_HOT` with a `GATHER` of rows of the unit matrix."""
    tables: dict[int, int] = {}  # buffers by the number of symbols; the signatures share them
    for graph in model.subgraphs:
        for operator in list(graph.operators):
            depth = _depth_of_one_hot(model, graph, operator)
            if depth is None:
                continue
            if depth not in tables:
                buffer = schema.BufferT()
                buffer.data = np.eye(depth, dtype=np.float32).reshape(-1).view(np.uint8)
                model.buffers.append(buffer)
                tables[depth] = len(model.buffers) - 1
            table = schema.TensorT()
            table.shape, table.hasRank = [depth, depth], True
            table.type, table.buffer = schema.TensorType.FLOAT32, tables[depth]
            graph.tensors.append(table)
            ids = _before_cast(model, graph, operator.inputs[0])
            operator.inputs = [len(graph.tensors) - 1, ids]
            operator.opcodeIndex = operator_code(model, "GATHER", version=1)
            operator.builtinOptionsType = schema.BuiltinOptions.GatherOptions
            operator.builtinOptions = schema.GatherOptionsT()


def _depth_of_one_hot(model: Any, graph: Any, operator: Any) -> int | None:
    """The length of the vectors, if an operator makes one-hot vectors as Keras does; else None."""
    if not is_operator(model, operator, "ONE_HOT"):
        return None
    output = graph.tensors[operator.outputs[0]]
    last = operator.builtinOptions.axis in (-1, len(output.shape) - 1)
    if not last or output.type != schema.TensorType.FLOAT32:
        return None
    kinds = (np.int32, np.float32, np.float32)
    tensors = [graph.tensors[index] for index in operator.inputs[1:]]
    depth, on, off = (constant(model, *pair) for pair in zip(tensors, kinds, strict=True))
    return int(depth) if depth is not None and (on, off) == (1, 0) else None


def _before_cast(model: Any, graph: Any, ids: int) -> int:
    """Takes out the cast of 32-bit ids to 64 bits, which only `ONE_HOT` asked for.

    Returns:
        The tensor with the ids themselves.
    """
    readers = [operator for operator in graph.operators if ids in operator.inputs]
    for operator in graph.operators:
        if list(operator.outputs) == [ids] and is_operator(model, operator, "CAST"):
            narrow = graph.tensors[operator.inputs[0]].type == schema.TensorType.INT32
            if narrow and len(readers) == 1 and ids not in graph.outputs:
                graph.operators.remove(operator)
                return int(operator.inputs[0])
    return ids


def _shorten_concatenations(model: Any) -> None:
    """Joins the first tensors of a long list on their own, as few as that takes."""
    for graph in model.subgraphs:
        for operator in list(graph.operators):
            if not is_operator(model, operator, "CONCATENATION"):
                continue
            while (surplus := len(operator.inputs) - _MOST_CONCATENATED) > 0:
                count = min(surplus + 1, _MOST_CONCATENATED)
                first, rest = operator.inputs[:count], operator.inputs[count:]
                joined = copy.deepcopy(graph.tensors[operator.outputs[0]])
                joined.name = None
                axis = operator.builtinOptions.axis
                joined.shape[axis] = sum(graph.tensors[index].shape[axis] for index in first)
                if joined.shapeSignature is not None and joined.shapeSignature[axis] >= 0:
                    joined.shapeSignature[axis] = joined.shape[axis]
                graph.tensors.append(joined)
                before = copy.deepcopy(operator)
                before.inputs, before.outputs = first, [len(graph.tensors) - 1]
                operator.inputs = [*before.outputs, *rest]
                graph.operators.insert(graph.operators.index(operator), before)


def _tell_true_shapes(model: Any) -> None:
    """Gives every tensor the shape that it has when one expression runs.

    The converter writes 1 for every open dimension; where several rows of an expression are one
    dimension, that is no shape it ever has, and an interpreter that allocates by it fails.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it will move to another package
        interpreter = tf.lite.Interpreter(
            model_content=serialize(model),
            experimental_op_resolver_type=(
                tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )
    for signature in model.signatureDefs:
        run = interpreter.get_signature_runner(signature.signatureKey.decode())
        given = run.get_input_details().items()
        run(**{name: np.zeros(details["shape"], details["dtype"]) for name, details in given})
        graph = model.subgraphs[signature.subgraphIndex]
        for details in interpreter.get_tensor_details(signature.subgraphIndex):
            if details["index"] < len(graph.tensors):  # behind them are the interpreter's own
                graph.tensors[details["index"]].shape = details["shape"].tolist()


def _drop_unused_codes(model: Any) -> None:
    """Takes out the types of operators of which the graphs have none any more."""
    operators = [operator for graph in model.subgraphs for operator in graph.operators]
    kept = sorted({operator.opcodeIndex for operator in operators})
    for operator in operators:
        operator.opcodeIndex = kept.index(operator.opcodeIndex)
    model.operatorCodes = [model.operatorCodes[index] for index in kept]
