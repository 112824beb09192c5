"""What the known operators do, in numpy: for each a function that makes the function to be run.

Made once, from the operator's options and from what is constant among its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgecalc.network.flatbuffer import DTYPES, Operator, Tensor
from edgecalc.network.shape_rules import RELU, RELU6, WHOLE_NUMBERS, chosen_slices

# From the inputs to the output, or to a sequence of all outputs.
Kernel = Callable[..., Any]
Fixed = Sequence["np.ndarray | None"]
Maker = Callable[[Operator, Fixed, Sequence[Tensor]], Kernel]


def _ufunc(function: Any) -> Maker:
    """An operator that is a function of numpy, and maybe an activation behind it."""

    def make(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
        activation = _activation(op)
        return function if activation is None else lambda *x: activation(function(*x))

    return make


def _activation(op: Operator) -> Kernel | None:
    """What follows an operator, done in place."""
    return {
        RELU: lambda x: np.maximum(x, 0, out=x),
        RELU6: lambda x: np.clip(x, 0, 6, out=x),
    }.get(op.options.get("activation", 0))


def _logistic(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    def logistic(x: np.ndarray) -> np.ndarray:
        y: np.ndarray = np.negative(x)
        np.exp(y, out=y)
        y += 1
        np.reciprocal(y, out=y)
        return y

    return logistic


def _softmax(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    beta = np.float32(op.options["beta"])

    def softmax(x: np.ndarray) -> np.ndarray:
        y: np.ndarray = x - np.maximum.reduce(x, axis=-1, keepdims=True)
        if beta != 1:
            y *= beta
        np.exp(y, out=y)
        y /= np.add.reduce(y, axis=-1, keepdims=True)
        return y

    return softmax


def _squared_difference(x: np.ndarray, y: np.ndarray) -> Any:
    return np.square(x - y)


def _fully_connected(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    activation, keep_dims = _activation(op), op.options["keep_dims"]

    def fully_connected(x: np.ndarray, weights: np.ndarray, bias: Any = None) -> Any:
        if not keep_dims and (x.ndim != 2 or x.shape[1] != weights.shape[1]):
            x = x.reshape(-1, weights.shape[1])
        y = x @ weights.T
        if bias is not None:
            y += bias
        return y if activation is None else activation(y)

    return fully_connected


def _batch_matmul(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    transpose_x, transpose_y = op.options["transpose_x"], op.options["transpose_y"]

    def batch_matmul(x: np.ndarray, y: np.ndarray) -> Any:
        x = x.swapaxes(-1, -2) if transpose_x else x
        return x @ (y.swapaxes(-1, -2) if transpose_y else y)

    return batch_matmul


def _dequantize(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    stored = tensors[op.inputs[0]]
    if not stored.scale:
        return lambda x: x.astype(np.float32)
    scale, zero_point = stored.scale[0], stored.zero_point[0]
    return lambda x: ((x.astype(np.float64) - zero_point) * scale).astype(np.float32)


def _concatenation(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    axis = op.options["axis"]
    return lambda *x: np.concatenate(x, axis)


def _pack(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    axis = op.options["axis"]
    return lambda *x: np.stack(x, axis)


def _unpack(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    axis, count = op.options["axis"], op.options["count"]

    def unpack(x: np.ndarray) -> list[np.ndarray]:
        before = (slice(None),) * (axis % x.ndim)
        return [x[(*before, i)] for i in range(count)]

    return unpack


def _split(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    count = op.options["splits"]

    def split(axis: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
        place = int(axis) % x.ndim
        width, before = x.shape[place] // count, (slice(None),) * place
        return [x[(*before, slice(i * width, (i + 1) * width))] for i in range(count)]

    return split


def _gather(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    axis = op.options["axis"]

    def gather(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
        # To numpy a negative index counts from the end. (On 32 bits it takes no others than intp.)
        if indices.min() < 0 or indices.max() >= x.shape[axis]:
            raise IndexError("an index is out of range")
        return np.take(x, indices.astype(np.intp), axis, mode="clip")

    return gather


def _one_hot(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    axis = op.options["axis"]

    def one_hot(x: np.ndarray, depth: Any, on: np.ndarray, off: np.ndarray) -> np.ndarray:
        y = np.where(x[..., None] == np.arange(int(depth), dtype=x.dtype), on, off)
        return y if axis == -1 else np.moveaxis(y, -1, axis)

    return one_hot


def _pad(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    def pad(x: np.ndarray, padding: np.ndarray) -> np.ndarray:
        # numpy's own takes many times as long for something so small.
        limits = list(zip(x.shape, padding.tolist(), strict=True))
        y = np.zeros([length + a + b for length, (a, b) in limits], x.dtype)
        y[tuple(slice(a, a + length) for length, (a, _) in limits)] = x
        return y

    return pad


def _reshape(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    given = list(op.options.get("shape", ())) if len(fixed) == 1 else None
    if len(fixed) > 1 and fixed[1] is not None:
        given = fixed[1].tolist()

    def reshape(x: np.ndarray, shape: Any = None) -> np.ndarray:
        return x.reshape(shape.tolist() if given is None else given)

    return reshape


def _strided_slice(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    if all(content is not None for content in fixed[1:]):
        limits = [content.tolist() for content in fixed[1:] if content is not None]
        chosen = tuple(chosen_slices(op, limits))
        return lambda x, *_: x[chosen]
    return lambda x, *limits: x[tuple(chosen_slices(op, [part.tolist() for part in limits]))]


def _reduction(function: np.ufunc) -> Maker:
    def make(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
        keep_dims = bool(op.options["keep_dims"])

        def reduced(x: np.ndarray, axes: np.ndarray) -> Any:
            axis = tuple({place % x.ndim for place in np.atleast_1d(axes).tolist()})
            return function.reduce(x, axis, x.dtype, keepdims=keep_dims)

        return reduced

    return make


def _arg_max(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    kind = WHOLE_NUMBERS[op.options["type"]]
    return lambda x, axis: x.argmax(int(axis)).astype(kind)


def _l2_normalization(x: np.ndarray) -> Any:
    length = np.sqrt(np.einsum("...i,...i->...", x, x))
    return x / np.maximum(length, np.float32(1e-6))[..., None]


def _shape(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    kind = DTYPES[tensors[op.outputs[0]].type]
    return lambda x: np.array(x.shape, kind)


def _fill(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    return lambda shape, value: np.full(shape.tolist(), value)


def _tile(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    return lambda x, times: np.tile(x, times.tolist())


def _broadcast_to(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    return lambda x, shape: np.broadcast_to(x, shape.tolist())


def _transpose(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    return lambda x, order: x.transpose(order.tolist())


def _expand_dims(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    return lambda x, axis: np.expand_dims(x, int(axis))


def _cast(op: Operator, fixed: Fixed, tensors: Sequence[Tensor]) -> Kernel:
    kind = DTYPES[tensors[op.outputs[0]].type]
    return lambda x: x.astype(kind)


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


# By the operator's code, as `operators.KNOWN` is.
KERNELS: dict[int, Maker] = {
    0: _ufunc(np.add),
    2: _concatenation,
    6: _dequantize,
    8: _ufunc(np.floor),
    9: _fully_connected,
    11: _ufunc(_l2_normalization),
    14: _logistic,
    18: _ufunc(np.multiply),
    19: _ufunc(_relu),
    22: _reshape,
    25: _softmax,
    28: _ufunc(np.tanh),
    34: _pad,
    36: _gather,
    39: _transpose,
    41: _ufunc(np.subtract),
    45: _strided_slice,
    47: _ufunc(np.exp),
    49: _split,
    53: _cast,
    55: _ufunc(np.maximum),
    56: _arg_max,
    57: _ufunc(np.minimum),
    69: _tile,
    70: _expand_dims,
    73: _ufunc(np.log),
    74: _reduction(np.add),
    77: _shape,
    82: _reduction(np.maximum),
    83: _pack,
    85: _one_hot,
    88: _unpack,
    94: _fill,
    99: _ufunc(_squared_difference),
    126: _batch_matmul,
    130: _broadcast_to,
}
