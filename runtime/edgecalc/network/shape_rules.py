"""What shapes the known operators of TFLite give, and what they refuse.

An interpreter that is given what these rules allow has no reason to fail; some of what they refuse
would make TFLite read or write where nothing is, or divide by 0. The rules are those of TFLite's
kernels, `tensorflow/lite/kernels/*.cc`. Each is a `Known.rule` of `operators`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgecalc.network.flatbuffer import Operator

Shape = tuple[int, ...]


class OperatorError(ValueError):
    """An operator that is not used as its rule says; the message says what is wrong."""


class Value(NamedTuple):
    """What is known of a tensor before the network runs.

    Attributes:
        dtype: numpy's name of the type of its elements.
        shape: for as many rows as are asked about.
        content: what is in it, if that depends on no input.
    """

    dtype: str
    shape: Shape
    content: np.ndarray | None = None


Result = tuple[str, Shape]


_LARGEST = 1 << 16  # no axis is longer
# Of the types that an option can name.
WHOLE_NUMBERS = {2: "i4", 4: "i8"}
RELU, RELU6 = 1, 3
_ACTIVATIONS = (0, RELU, RELU6)


def _ensure(holds: bool, problem: str) -> None:
    if not holds:
        raise OperatorError(problem)


def _content(value: Value, what: str) -> list[int]:
    """The whole numbers of a tensor that must not depend on an input, as a list."""
    if value.content is None or value.dtype not in ("i4", "i8") or len(value.shape) > 1:
        raise OperatorError(f"its {what} is no list of fixed numbers")
    numbers: list[int] = value.content.reshape(-1).tolist()
    return numbers


def _number(value: Value, what: str) -> int:
    _ensure(math.prod(value.shape) == 1, f"its {what} is no single number")
    return _content(value, what)[0]


def _axis(axis: int, rank: int) -> int:
    _ensure(-rank <= axis < rank, "its axis is not there")
    return axis % rank


def _same(values: Sequence[Value]) -> str:
    """The type that all have."""
    _ensure(len({value.dtype for value in values}) == 1, "its inputs differ in type")
    return values[0].dtype


def _float(*values: Value) -> None:
    _ensure(all(value.dtype == "f4" for value in values), "its inputs are no floats")


def _broadcast(*shapes: Shape) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise OperatorError("its inputs do not fit each other") from error


def of_unary(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Floats that are calculated one by one."""
    _float(x[0])
    _ensure(len(x[0].shape) > 0, "its input is a single number")
    return [x[0][:2]]


def of_softmax(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Probabilities along the last axis, (..., n)."""
    _ensure(0 < op.options["beta"] < math.inf, "its beta is impossible")
    return of_unary(op, x)


def of_l2_normalization(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Vectors along the last axis, of length 1."""
    _ensure(op.options["activation"] == 0, "its activation is unknown")
    return of_unary(op, x)


def of_binary(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Two tensors of one type, broadcast to each other."""
    kind = _same(x)
    activation = op.options.get("activation", 0)
    _ensure(activation in _ACTIVATIONS, "its activation is unknown")
    _ensure(kind == "f4" or (kind in ("i4", "i8") and not activation), "its inputs are no numbers")
    return [(kind, _broadcast(x[0].shape, x[1].shape))]


def of_float_binary(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Two tensors of floats, broadcast to each other."""
    _float(*x)
    return of_binary(op, x)


def of_dequantize(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Floats, as many as there are small numbers."""
    _ensure(x[0].dtype in ("i1", "f2"), "its input is not quantized")
    return [("f4", x[0].shape)]


def of_fully_connected(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Rows times a kernel."""
    _float(*x)
    _ensure(len(x[1].shape) == 2 and op.options["format"] == 0, "its weights are no matrix")
    _ensure(op.options["activation"] in _ACTIVATIONS, "its activation is unknown")
    units, width = x[1].shape
    rows, rest = divmod(math.prod(x[0].shape), width)
    fits = rest == 0 and len(x[0].shape) > 0 and (len(x) == 2 or x[2].shape == (units,))
    _ensure(fits, "its inputs do not fit each other")
    if op.options["keep_dims"]:
        _ensure(x[0].shape[-1] == width, "its inputs do not fit each other")
        return [("f4", (*x[0].shape[:-1], units))]
    return [("f4", (rows, units))]


def of_batch_matmul(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Products of matrices, (..., m, k) and (..., k, n)."""
    _float(*x)
    _ensure(all(len(value.shape) >= 2 for value in x), "its inputs are no matrices")
    left, right = x[0].shape, x[1].shape
    if op.options["transpose_x"]:
        left = (*left[:-2], left[-1], left[-2])
    if op.options["transpose_y"]:
        right = (*right[:-2], right[-1], right[-2])
    _ensure(left[-1] == right[-2], "its inputs do not fit each other")
    return [("f4", (*_broadcast(left[:-2], right[:-2]), left[-2], right[-1]))]


def of_concatenation(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Tensors one behind another along an axis."""
    axis = _axis(op.options["axis"], len(x[0].shape))
    _ensure(op.options["activation"] == 0, "its activation is unknown")
    rests = {(*value.shape[:axis], *value.shape[axis + 1 :]) for value in x}
    ranks = {len(value.shape) for value in x}
    _ensure(len(rests) == len(ranks) == 1, "its inputs do not fit each other")
    length = sum(value.shape[axis] for value in x)
    return [(_same(x), (*x[0].shape[:axis], length, *x[0].shape[axis + 1 :]))]


def of_pack(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Tensors of one shape, along a new axis."""
    _ensure(op.options["count"] == len(x), "its number of inputs is another")
    _ensure(len({value.shape for value in x}) == 1, "its inputs do not fit each other")
    shape = list(x[0].shape)
    shape.insert(_axis(op.options["axis"], len(shape) + 1), len(x))
    return [(_same(x), tuple(shape))]


def of_unpack(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The parts along an axis, as many as the options say."""
    kind, shape = x[0][:2]
    axis = _axis(op.options["axis"], len(shape))
    count = op.options["count"]
    _ensure(count == shape[axis] == len(op.outputs), "its number of outputs is another")
    return [(kind, (*shape[:axis], *shape[axis + 1 :]))] * count


def of_split(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Equal parts along an axis."""
    kind, shape = x[1][:2]
    axis = _axis(_number(x[0], "axis"), len(shape))
    count = op.options["splits"]
    _ensure(count == len(op.outputs) > 0, "its number of outputs is another")
    length, rest = divmod(shape[axis], count)
    _ensure(rest == 0, "its input cannot be split so")
    return [(kind, (*shape[:axis], length, *shape[axis + 1 :]))] * count


def of_gather(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Slices along an axis, by their numbers."""
    kind, shape = x[0][:2]
    _ensure(x[1].dtype in ("i4", "i8"), "its indices are no whole numbers")
    _ensure(op.options["batch_dims"] == 0, "it goes along a batch")
    axis = _axis(op.options["axis"], len(shape))
    return [(kind, (*shape[:axis], *x[1].shape, *shape[axis + 1 :]))]


def of_one_hot(op: Operator, x: Sequence[Value]) -> list[Result]:
    """Rows of which one number is another."""
    _ensure(x[0].dtype in ("i4", "i8"), "its indices are no whole numbers")
    _ensure(x[2].shape == x[3].shape == (), "its values are no single numbers")
    shape, depth = list(x[0].shape), _number(x[1], "depth")
    _ensure(0 < depth < _LARGEST, "its depth is impossible")
    axis = op.options["axis"]
    shape.insert(_axis(axis, len(shape) + 1), depth)
    _ensure(axis >= -1, "its axis is not there")
    return [(_same(x[2:]), tuple(shape))]


def of_pad(op: Operator, x: Sequence[Value]) -> list[Result]:
    """A tensor with more on all sides."""
    kind, shape = x[0][:2]
    _ensure(x[1].shape == (len(shape), 2), "its padding does not fit")
    flat = _content(x[1]._replace(shape=(2 * len(shape),)), "padding")
    _ensure(all(0 <= number < _LARGEST for number in flat), "its padding is impossible")
    padded = zip(shape, flat[::2], flat[1::2], strict=True)
    return [(kind, tuple(map(sum, padded)))]


def of_reshape(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The same elements in another shape."""
    if len(x) == 2:
        _ensure(x[1].dtype == "i4" and len(x[1].shape) == 1, "its shape is no list")
        shape = _content(x[1], "shape")
    else:
        shape = list(op.options.get("shape", ()))
    size = math.prod(x[0].shape)
    if -1 in shape:
        place = shape.index(-1)
        shape[place] = 1
        rest = math.prod(shape)
        _ensure(rest > 0, "its shape is impossible")
        shape[place] = size // rest
    _ensure(min(shape, default=1) > 0 and math.prod(shape) == size, "its shape does not fit")
    return [(x[0].dtype, tuple(shape))]


def chosen_slices(op: Operator, limits: Sequence[Sequence[int]]) -> list[slice | int]:
    """What a STRIDED_SLICE takes of each axis.

    Args:
        op: the operator.
        limits: the contents of its further inputs: begin, end, strides.
    """
    whole_begin, whole_end = op.options["begin_mask"], op.options["end_mask"]
    chosen: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(*limits, strict=True)):
        bit = 1 << axis
        if op.options["shrink_mask"] & bit:
            chosen.append(begin)
        else:
            first = None if whole_begin & bit else begin
            chosen.append(slice(first, None if whole_end & bit else end, stride))
    return chosen


def of_strided_slice(op: Operator, x: Sequence[Value]) -> list[Result]:
    """What `chosen_slices` chooses."""
    kind, shape = x[0][:2]
    unusual = ("ellipsis_mask", "new_axis_mask", "offset")
    _ensure(not any(op.options[name] for name in unusual), "it is of an unknown form")
    limits = [_content(value, "range") for value in x[1:]]
    _ensure(all(value.dtype == "i4" for value in x[1:]), "its range is of an unknown type")
    count = len(limits[0])
    fits = count == len(limits[1]) == len(limits[2]) <= len(shape) and 0 not in limits[2]
    _ensure(fits, "its range does not fit")
    result = []
    for length, chosen in zip(shape, chosen_slices(op, limits), strict=False):
        if isinstance(chosen, slice):
            result.append(len(range(*chosen.indices(length))))
        else:
            _ensure(-length <= chosen < length, "its index is not there")
    return [(kind, (*result, *shape[count:]))]


def of_reduction(op: Operator, x: Sequence[Value]) -> list[Result]:
    """One number, a sum or the largest, for all along some axes."""
    kind, shape = x[0][:2]
    _ensure(kind in ("f4", "i4", "i8") and x[1].dtype == "i4", "its inputs are of an unknown type")
    axes = {_axis(axis, len(shape)) for axis in _content(x[1], "axes")}
    if op.options["keep_dims"]:
        return [(kind, tuple(1 if i in axes else length for i, length in enumerate(shape)))]
    return [(kind, tuple(length for i, length in enumerate(shape) if i not in axes))]


def of_arg_max(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The places of the largest numbers along an axis."""
    _float(x[0])
    kind, shape = WHOLE_NUMBERS.get(op.options["type"]), x[0].shape
    _ensure(kind is not None and len(shape) > 0, "its type is unknown")
    axis = _axis(_number(x[1], "axis"), len(shape))
    return [(str(kind), (*shape[:axis], *shape[axis + 1 :]))]


def of_shape(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The shape of a tensor, a vector."""
    kind = WHOLE_NUMBERS.get(op.options["type"])
    _ensure(kind is not None, "its type is unknown")
    return [(str(kind), (len(x[0].shape),))]


def of_fill(op: Operator, x: Sequence[Value]) -> list[Result]:
    """One number everywhere in a shape."""
    _ensure(x[1].shape == () and len(x[0].shape) == 1, "its inputs do not fit")
    return [(x[1].dtype, tuple(_content(x[0], "shape")))]


def of_tile(op: Operator, x: Sequence[Value]) -> list[Result]:
    """A tensor several times along each axis."""
    times = _content(x[1], "multiples")
    _ensure(x[1].shape == (len(x[0].shape),), "its multiples do not fit")
    return [(x[0].dtype, tuple(a * b for a, b in zip(x[0].shape, times, strict=True)))]


def of_transpose(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The same axes in another order."""
    order = _content(x[1], "order")
    _ensure(x[1].dtype == "i4", "its order is of an unknown type")
    _ensure(sorted(order) == list(range(len(x[0].shape))), "its order is none")
    return [(x[0].dtype, tuple(x[0].shape[axis] for axis in order))]


def of_broadcast_to(op: Operator, x: Sequence[Value]) -> list[Result]:
    """A tensor broadcast to a shape."""
    shape = tuple(_content(x[1], "shape"))
    _ensure(_broadcast(x[0].shape, shape) == shape, "its shape does not fit")
    return [(x[0].dtype, shape)]


def of_expand_dims(op: Operator, x: Sequence[Value]) -> list[Result]:
    """A tensor with one more axis, of length 1."""
    shape = list(x[0].shape)
    shape.insert(_axis(_number(x[1], "axis"), len(shape) + 1), 1)
    return [(x[0].dtype, tuple(shape))]


def of_cast(op: Operator, x: Sequence[Value]) -> list[Result]:
    """The same numbers as another type."""
    return [("", x[0].shape)]  # into what its output is
