"""Whether a model's flatbuffer may be given to an interpreter, which trusts every byte of it.

For files that did not come with the package. First the structure is walked (`flatbuffer`). Then,
if all operators are known, their shapes are worked out for one expression and for a block
(`operators`). This takes a tenth of the time in which a process starts, and it holds for every
expression; a trial in another process says nothing of those that were not tried. It is left for a
network whose operators are not known here (`trial`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from edgecalc.network.contract import check_tensor
from edgecalc.network.flatbuffer import (
    DTYPES,
    Flatbuffer,
    Operator,
    Subgraph,
    read_flatbuffer,
)
from edgecalc.network.kernels import KERNELS
from edgecalc.network.model_file import Model, ModelError
from edgecalc.network.operator_names import operator_name
from edgecalc.network.operators import KNOWN, SHAPE
from edgecalc.network.shape_rules import OperatorError, Value
from edgecalc.network.tables import FlatbufferError

# One expression, and a block as large as `edgecalc predict` makes them.
_ROWS = (1, 256)
_MAX_RANK = 4  # what all of TFLite's operators take
_MAX_BYTES = 1 << 30  # of what is kept at a time of a block
_MAX_CONTENT = 64  # numbers in a tensor that says how large others are
_OPTIONAL_LAST = (2, 3)  # inputs of a FULLY_CONNECTED, whose bias can be -1


def verify(model: Model) -> Flatbuffer:
    """Reads a model's flatbuffer, and refuses what could make an interpreter crash.

    It needs no interpreter. Of a network with operators that are not known here, only the
    structure is looked at.

    Raises:
        ModelError: if the flatbuffer is damaged, or a network in it could not run.
    """
    try:
        flatbuffer = read_flatbuffer(model.flatbuffer)
        if unknown_operator(flatbuffer) is None:
            with np.errstate(all="ignore"):
                for graph in flatbuffer.subgraphs:
                    constants = flatbuffer.constants(graph)
                    for rows in _ROWS:
                        outputs = _walk(graph, constants, rows)
                        if graph is flatbuffer.subgraphs[0] and rows == 1:
                            _check_contract(model, graph, outputs)
    except FlatbufferError as error:
        raise ModelError(f"{model.name}: its network is damaged: {error}") from error
    return flatbuffer


def unknown_operator(flatbuffer: Flatbuffer) -> str | None:
    """An operator that is not known here, or not in this form, by name; None if all are known."""
    for graph in flatbuffer.subgraphs:
        for op in graph.operators:
            known = KNOWN.get(op.code)
            if known is None or not 1 <= op.version <= known.version:
                return operator_name(op)
            if op.options_type not in known.options_types:
                return f"{operator_name(op)} with options of type {op.options_type}"
        if any(tensor.variable for tensor in graph.tensors):
            return "a variable"
    return None


def _walk(graph: Subgraph, constants: Mapping[int, np.ndarray], rows: int) -> list[Value]:
    """Follows the tensors of a network from operator to operator; returns its outputs.

    Args:
        graph: the network; all of its operators are known.
        constants: its constant tensors by index.
        rows: expressions that are given at once.
    """
    values = {
        index: Value(DTYPES[graph.tensors[index].type], content.shape, content)
        for index, content in constants.items()
    }
    if len(graph.inputs) != 1 or graph.inputs[0] in values:
        raise FlatbufferError("a network has not one input")
    given = graph.tensors[graph.inputs[0]]
    if DTYPES.get(given.type) != "i4" or len(given.shape) != 2 or given.shape[1] < 1:
        raise FlatbufferError("the input of a network is not ids in rows")
    values[graph.inputs[0]] = Value("i4", (rows, given.shape[1]))
    last = {i: k for k, op in enumerate(graph.operators) for i in (*op.inputs, *op.outputs)}
    sizes: dict[int, int] = {}
    kept = 0
    for k, op in enumerate(graph.operators):
        try:
            results = _results(op, graph, values)
        except (IndexError, OperatorError) as error:
            raise FlatbufferError(f"{operator_name(op)}: {error}") from error
        for index, value in zip(op.outputs, results, strict=True):
            if index in values:
                raise FlatbufferError("a tensor is written twice")
            values[index] = value
            sizes[index] = math.prod(value.shape) * np.dtype(value.dtype).itemsize
            kept += sizes[index]
        if kept > _MAX_BYTES:
            raise FlatbufferError(f"it needs more than {_MAX_BYTES >> 20:,} MB")
        kept -= sum(sizes.get(i, 0) for i in {*op.inputs, *op.outputs} if last[i] == k)
    if not graph.outputs or not sizes.keys() >= set(graph.outputs):
        raise FlatbufferError("an output of a network is never written")
    return [values[index] for index in graph.outputs]


def _check_contract(model: Model, graph: Subgraph, outputs: list[Value]) -> None:
    """Compares the network that gives the answer with the spec, see `contract`."""
    if len(outputs) != 1:
        raise FlatbufferError("its network has not one output")
    check_tensor(model, "input", (1, *graph.tensors[graph.inputs[0]].shape[1:]), np.int32)
    check_tensor(model, "output", outputs[0].shape, outputs[0].dtype)


def _results(op: Operator, graph: Subgraph, values: Mapping[int, Value]) -> list[Value]:
    """What an operator gives, from what is known of its inputs."""
    known = KNOWN[op.code]
    fewest, most = known.inputs
    left_out = (fewest, most) == _OPTIONAL_LAST and op.inputs[fewest:] == (-1,)
    given = op.inputs[:fewest] if left_out else op.inputs
    if not fewest <= len(given) <= most:
        raise OperatorError("its number of inputs is another")
    if not set(given) <= set(values):
        raise OperatorError("an input of it is never written")
    inputs = [values[index] for index in given]
    shapes = known.rule(op, inputs)
    if len(shapes) != len(op.outputs):
        raise OperatorError("its number of outputs is another")
    results = []
    for index, (kind, shape) in zip(op.outputs, shapes, strict=True):
        tensor = graph.tensors[index]
        declared = DTYPES.get(tensor.type)
        if declared is None or declared != (kind or declared) or len(tensor.shape) != len(shape):
            raise OperatorError("its output is declared otherwise")
        if len(shape) > _MAX_RANK or min(shape, default=1) < 1:
            raise OperatorError("its output has an impossible shape")
        results.append(Value(declared, shape))
    if op.code == SHAPE:
        return [results[0]._replace(content=np.array(inputs[0].shape, results[0].dtype))]
    contents = [value.content for value in inputs if value.content is not None]
    if len(contents) < len(inputs) or not all(map(_says_how_large, results)):
        return results
    found = KERNELS[op.code](op, contents, graph.tensors)(*contents)
    found = found if isinstance(found, list) else [found]
    return [
        value._replace(content=np.asarray(content))
        for value, content in zip(results, found, strict=True)
    ]


def _says_how_large(value: Value) -> bool:
    return value.dtype in ("i4", "i8") and math.prod(value.shape) <= _MAX_CONTENT
