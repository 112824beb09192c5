"""The flatbuffer of a TFLite model: its networks, their tensors and operators, its constants.

Source: the tables and their fields in TensorFlow's `schema.fbs`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from edgecalc.network.tables import Bytes, FlatbufferError, Tables


class Tensor(NamedTuple):
    """A tensor: what is known of it before the network runs.

    Attributes:
        shape: as stored; where the batch goes, it need not be right.
        type: of its elements, see `DTYPES`.
        buffer: the index of the buffer with its value, which is empty if there is none.
        scale: of quantized values, none or one; or one for each slice.
        zero_point: as many as there are scales.
        variable: whether the network keeps a state in it.
    """

    shape: tuple[int, ...]
    type: int
    buffer: int
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    variable: bool


class Operator(NamedTuple):
    """A step of a network.

    Attributes:
        code: what it does, the number in `schema.fbs`.
        version: of what it does.
        inputs: indices of tensors, -1 where an optional one is left out.
        outputs: indices of tensors.
        options_type: which table its options are, 0 for none.
        options: its options by name, for the types that `OPTIONS` lists.
    """

    code: int
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: dict[str, Any]


class Subgraph(NamedTuple):
    """A network: its operators in the order in which they run, and its tensors."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Signature(NamedTuple):
    """The names of a subgraph's inputs and outputs, with the indices of their tensors."""

    subgraph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


class Flatbuffer(NamedTuple):
    """A TFLite model."""

    subgraphs: list[Subgraph]
    buffers: list[memoryview]
    signatures: dict[str, Signature]

    def constants(self, graph: Subgraph) -> dict[int, np.ndarray]:
        """The tensors of a subgraph that have a value, by index; read-only.

        Raises:
            FlatbufferError: if a buffer is not as long as its tensor needs.
        """
        found = {}
        for index, tensor in enumerate(graph.tensors):
            buffer = self.buffers[tensor.buffer]
            if not buffer:
                continue
            kind = DTYPES.get(tensor.type)
            if kind is None or len(buffer) != math.prod(tensor.shape) * np.dtype(kind).itemsize:
                raise FlatbufferError("a constant tensor is not as long as its shape says")
            found[index] = np.frombuffer(buffer, f"<{kind}").reshape(tensor.shape)
        return found


# numpy's name of each type of tensors that is supported.
DTYPES = {0: "f4", 1: "f2", 2: "i4", 3: "u1", 4: "i8", 6: "?", 9: "i1"}

_IDENTIFIER = b"TFL3"
_VERSION = 3
_BUFFER_ALIGNMENT = 4  # as much as Python's writer of flatbuffers gives
# What TensorFlow's converter writes; an interpreter looks into some others.
_METADATA = {"min_runtime_version", "CONVERSION_METADATA"}
_CUSTOM = 32

_INTS = "i4[]"
# The fields of an operator's options, as far as they are read here, by the type of the options:
# name, slot, kind, default.
OPTIONS: dict[int, tuple[tuple[str, int, str, int], ...]] = {
    8: (("activation", 0, "i1", 0), ("format", 1, "i1", 0), ("keep_dims", 2, "u1", 0)),
    9: (("beta", 0, "f4", 0),),
    10: (("axis", 0, "i4", 0), ("activation", 1, "i1", 0)),
    11: (("activation", 0, "i1", 0),),
    12: (("activation", 0, "i1", 0),),
    17: (("shape", 0, _INTS, 0),),
    21: (("activation", 0, "i1", 0),),
    23: (("axis", 0, "i4", 0), ("batch_dims", 1, "i4", 0)),
    27: (("keep_dims", 0, "u1", 0),),
    28: (("activation", 0, "i1", 0),),
    32: (
        ("begin_mask", 0, "i4", 0),
        ("end_mask", 1, "i4", 0),
        ("ellipsis_mask", 2, "i4", 0),
        ("new_axis_mask", 3, "i4", 0),
        ("shrink_mask", 4, "i4", 0),
        ("offset", 5, "u1", 0),
    ),
    35: (("splits", 0, "i4", 0),),
    40: (("type", 0, "i1", 0),),
    55: (("type", 0, "i1", 0),),
    59: (("count", 0, "i4", 0), ("axis", 1, "i4", 0)),
    61: (("axis", 0, "i4", 0),),
    64: (("count", 0, "i4", 0), ("axis", 1, "i4", 0)),
    101: (("transpose_x", 0, "u1", 0), ("transpose_y", 1, "u1", 0)),
}


def read_flatbuffer(content: bytes) -> Flatbuffer:
    """Reads a TFLite model and checks its structure.

    All offsets, lengths and indices lie within what they are of, strings end, and everything is
    aligned. What operators make of their inputs is not looked at, nor are options of a type that
    `OPTIONS` does not list.

    Raises:
        FlatbufferError: if something is wrong, or of a kind that is not supported here.
    """
    if content[4:8] != _IDENTIFIER:
        raise FlatbufferError("it is no TFLite model")
    data = Bytes(content)
    model = Tables(data, data.take("u4", np.zeros(1, np.int64)))
    if model.scalars(0, "u4", 0)[0] != _VERSION:
        raise FlatbufferError("its version of TFLite's schema is unknown")
    model.strings(3)
    model.lists(5, "i4")
    buffers = _buffers(model.tables(4), content)
    for name, buffer in _named_buffers(model.tables(6)):
        if name not in _METADATA:
            raise FlatbufferError("it has metadata of an unknown kind")
        _check_index("a buffer", buffer, len(buffers))
    codes = _codes(model.tables(1))
    subgraphs = [_subgraph(graph, len(buffers), codes) for graph in model.tables(2).each()]
    if not subgraphs:
        raise FlatbufferError("it has no network")
    return Flatbuffer(subgraphs, buffers, _signatures(model.tables(7), subgraphs))


def _check_index(what: str, index: Any, count: int, optional: bool = False) -> None:
    """Refuses indices, an array or a number, of something there is `count` times."""
    index = np.asarray(index)
    if index.size and (index.min() < -optional or index.max() >= count):
        raise FlatbufferError(f"it names {what} that is not there")


def _buffers(tables: Tables, content: bytes) -> list[memoryview]:
    starts, lengths = tables.spans(0)
    if ((starts % _BUFFER_ALIGNMENT != 0) & (lengths > 0)).any():
        raise FlatbufferError("a buffer is not aligned")
    if tables.scalars(1, "u8", 0).any() or tables.scalars(2, "u8", 0).any():
        raise FlatbufferError("a buffer lies behind it")
    view = memoryview(content)
    ends = starts + lengths
    return [view[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _named_buffers(tables: Tables) -> list[tuple[str, int]]:
    return list(zip(tables.strings(0), tables.scalars(1, "u4", 0).tolist(), strict=True))


def _codes(tables: Tables) -> list[tuple[int, int]]:
    """Operators that are used: code and version."""
    code = np.maximum(tables.scalars(0, "i1", 0), tables.scalars(3, "i4", 0))
    if (code < 0).any() or (code == _CUSTOM).any() or tables.has(1).any():
        raise FlatbufferError("it has an operator that is not built into TFLite")
    return list(zip(code.tolist(), tables.scalars(2, "i4", 1).tolist(), strict=True))


def _subgraph(table: Tables, buffers: int, codes: Sequence[tuple[int, int]]) -> Subgraph:
    tensors = _tensors(table.tables(0), buffers)
    operators = _operators(table.tables(3), len(tensors), codes)
    (inputs,), (outputs,) = table.lists(1, "i4"), table.lists(2, "i4")
    _check_index("a tensor", inputs + outputs, len(tensors))
    table.strings(4)
    return Subgraph(tensors, operators, inputs, outputs)


def _tensors(tables: Tables, buffers: int) -> list[Tensor]:
    shapes = tables.lists(0, "i4")
    open_shapes = tables.lists(7, "i4")
    if min(map(min, filter(None, shapes)), default=0) < 0 or any(
        opened and (len(opened) != len(shape) or min(opened) < -1)
        for shape, opened in zip(shapes, open_shapes, strict=True)
    ):
        raise FlatbufferError("a tensor has an impossible shape")
    if tables.has(6).any() or tables.has(9).any():
        raise FlatbufferError("it has a sparse tensor, or one of tensors")
    index = tables.scalars(2, "u4", 0)
    _check_index("a buffer", index, buffers)
    tables.strings(3)
    scales: list[tuple[float, ...]] = [()] * len(tables)
    zeros: list[tuple[int, ...]] = [()] * len(tables)
    quantized, which = tables.table(4)
    if quantized.has(5).any() or quantized.scalars(4, "u1", 0).any():
        raise FlatbufferError("it has a tensor that is quantized in an unknown way")
    quantized.lists(0, "f4"), quantized.lists(1, "f4")
    found = zip(which.tolist(), quantized.lists(2, "f4"), quantized.lists(3, "i8"), strict=True)
    for i, scale, zero in found:
        if len(scale) != len(zero) or not all(map(math.isfinite, scale)):
            raise FlatbufferError("a tensor has impossible scales")
        scales[i], zeros[i] = scale, zero
    dimension = quantized.scalars(6, "i4", 0)
    rank = np.array([len(shapes[i]) for i in which.tolist()], np.int64)
    if ((dimension < 0) | (dimension > np.maximum(rank - 1, 0))).any():
        raise FlatbufferError("a tensor has impossible scales")
    types = tables.scalars(1, "i1", 0).tolist()
    variable = tables.scalars(5, "u1", 0).astype(bool).tolist()
    rows = zip(shapes, types, index.tolist(), scales, zeros, variable, strict=True)
    return list(map(Tensor._make, rows))


def _operators(tables: Tables, tensors: int, codes: Sequence[tuple[int, int]]) -> list[Operator]:
    index = tables.scalars(0, "u4", 0)
    _check_index("an operator", index, len(codes))
    inputs, outputs = tables.lists(1, "i4"), tables.lists(2, "i4")
    _check_index("a tensor", [*chain(*inputs)], tensors, optional=True)
    _check_index("a tensor", [*chain(*outputs)], tensors)
    if any(tables.has(slot).any() for slot in (5, 8, 9, 10, 11, 12)):
        raise FlatbufferError("it has an operator with options of an unknown kind")
    tables.lists(7, "u1")
    types = tables.scalars(3, "u1", 0)
    options, which = tables.table(4)
    found: list[dict[str, Any]] = [{} for _ in range(len(tables))]
    there = np.zeros(len(tables), bool)
    there[which] = True
    if (there != (types > 0)).any():
        raise FlatbufferError("an operator has options without a type, or a type without options")
    for kind in np.unique(types[which]).tolist():
        some = np.flatnonzero(types[which] == kind)
        for name, values in _options(options[some], kind).items():
            for i, value in zip(which[some].tolist(), values, strict=True):
                found[i][name] = value
    called = [codes[i] for i in index.tolist()]
    rows = zip(*zip(*called, strict=True), inputs, outputs, types.tolist(), found, strict=True)
    return list(map(Operator._make, rows)) if called else []


def _options(tables: Tables, kind: int) -> dict[str, list[Any]]:
    """Options of one type by name, for each table; nothing of a type that is not known."""
    values = {}
    for name, slot, field, default in OPTIONS.get(kind, ()):
        if field == _INTS:
            values[name] = tables.lists(slot, "i4")
        else:
            values[name] = tables.scalars(slot, field, default).tolist()
    return values


def _signatures(tables: Tables, subgraphs: Sequence[Subgraph]) -> dict[str, Signature]:
    names = tables.strings(2)
    indices = tables.scalars(4, "u4", 0)
    _check_index("a network", indices, len(subgraphs))
    tables.strings(3)
    signatures = {}
    for table, name, index in zip(tables.each(), names, indices.tolist(), strict=True):
        graph = subgraphs[index]
        sides = []
        for slot, there in ((0, graph.inputs), (1, graph.outputs)):
            named = dict(_named_buffers(table.tables(slot)))
            if "" in named or set(named.values()) != set(there):
                raise FlatbufferError("a signature does not name its network's inputs and outputs")
            sides.append(named)
        if not name or name in signatures:
            raise FlatbufferError("a signature has no name of its own")
        signatures[name] = Signature(index, *sides)
    return signatures
