"""Layers of the `columns` network that Keras has not, or not as lean as a TFLite file can be.

A time axis costs a device more to cut up than the products between cost. So what runs over places
takes and gives lists, a tensor (n, width) for each place.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import layers, ops, saving

_PACKAGE = "edgecalc"


@saving.register_keras_serializable(_PACKAGE)
class ListLSTM(layers.Layer):
    """An LSTM (Hochreiter and Schmidhuber, 1997) over a list, with a bias for each step.

    The bias lets a step know which one it is. Initial weights are those of Keras's LSTM. Beside
    that one unrolled, the two products of a step are one, and before the first step there is no
    state to multiply with.

    Args:
        units: the size of the state.
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def build(self, shapes: list[list[tuple[int | None, int]]]) -> None:
        """Makes the weights."""
        width, steps = sum(shape[-1] for shape in shapes[0]), len(shapes)
        gates = 4 * self.units
        self.kernel = self.add_weight((width, gates), "glorot_uniform", name="kernel")
        self.recurrent = self.add_weight((self.units, gates), "orthogonal", name="recurrent")
        self.bias = self.add_weight((steps, 4, self.units), _open_forget_gates, name="bias")

    def call(self, steps: list[list[tf.Tensor]]) -> list[tf.Tensor]:
        """From parts (n, …) of what each step sees to its state (n, units)."""
        kernel = ops.convert_to_tensor(self.kernel)
        both = ops.concatenate([kernel, self.recurrent], axis=0)
        biases = ops.reshape(self.bias, (len(steps), -1))
        states: list[tf.Tensor] = []
        memory = None
        for index, parts in enumerate(steps):
            seen = [*parts, *states[-1:]]
            x = ops.concatenate(seen, axis=-1) if len(seen) > 1 else seen[0]
            gates = ops.matmul(x, both if states else kernel) + biases[index]
            write, forget, new, read = ops.split(gates, 4, axis=-1)
            added = ops.sigmoid(write) * ops.tanh(new)
            memory = added if memory is None else ops.sigmoid(forget) * memory + added
            states.append(ops.sigmoid(read) * ops.tanh(memory))
        return states

    def get_config(self) -> dict[str, Any]:
        """What `model.keras` stores."""
        return {**super().get_config(), "units": self.units}


@saving.register_keras_serializable(_PACKAGE)
class Mixture(layers.Layer):
    """Rows of weights, one for each class, of which it mixes two.

    Args:
        classes: how many there are.
        units: how long a row is.
    """

    def __init__(self, classes: int, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.classes, self.units = classes, units

    def build(self, *shapes: tuple[int | None, ...]) -> None:
        """Makes the rows."""
        self.rows = self.add_weight((self.classes, self.units), "uniform", name="rows")

    def call(self, one: tf.Tensor, other: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
        """From two classes, int32 (n,), and the share of the other, (n, 1), to (n, units)."""
        # Keras's Embedding adds a comparison for every class in TFLite.
        rows = ops.convert_to_tensor(self.rows)
        row = tf.gather(rows, one)
        return row + (tf.gather(rows, other) - row) * share

    def get_config(self) -> dict[str, Any]:
        """What `model.keras` stores."""
        return {**super().get_config(), "classes": self.classes, "units": self.units}


def _open_forget_gates(shape: tuple[int, int, int], dtype: Any = None) -> Any:
    """Zeros, but ones for the forget gates (Jozefowicz et al., 2015)."""
    return ops.tile(ops.one_hot(1, 4, dtype=dtype)[None, :, None], (shape[0], 1, shape[2]))
