"""The stages of the `columns` network: their layers, and what each makes of its symbols."""

from __future__ import annotations

import numpy as np
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import Axis
from keras import KerasTensor, layers, ops

from model.networks.columns.layers import ListLSTM, Mixture

DIGITS = 10
# Run, a stage's logits count this many times as much as they did when it was taught: what is
# nearly certain becomes certain, so doubts do not add up over the stages; real doubt stays doubt.
_SHARPNESS = 4.0
# By so much the logits of a column's values fall with the square of their distance.
_STEEPNESS = 2.0
# The unit in which the table's entries are learned: 81 must be near for weights that begin near 0.
_TABLE_UNIT = 100.0


class Stages:
    """The layers, and each stage as a function from probabilities of symbols to logits.

    Args:
        spec: the language.
        read_units: units of each LSTM that reads.
        memory_units: units that remember reciprocals.
        carry_units: units of the stage that carries.
        write_units: units of each LSTM that writes.
    """

    def __init__(
        self,
        spec: CalculatorSpec,
        read_units: int,
        memory_units: int,
        carry_units: int,
        write_units: int,
    ) -> None:
        self.spec, self.axis = spec, Axis(spec)
        axis, count = self.axis, len(spec.operators)
        self._read_on = ListLSTM(read_units, name="read_on")
        self._read_back = ListLSTM(read_units, name="read_back")
        self._operands = layers.Dense(2 * spec.digits * DIGITS, name="operands_logits")
        self._operator = layers.Dense(count, name="operator_logits")
        if "/" in spec.operators:
            self._memory = [
                layers.Dense(memory_units // 2, activation="relu", name="memory_in"),
                layers.Dense(memory_units, activation="relu", name="memory_out"),
                layers.Dense((axis.reciprocal_decimals + 1) * DIGITS, name="reciprocal_logits"),
            ]
        tables = {"+": "sums", "-": "differences", "*": "products", "/": "products"}
        self._tables = {
            name: layers.Dense(DIGITS, use_bias=False, name=name)
            for name in dict.fromkeys(tables[operator] for operator in spec.operators)
        }
        self._rounding = layers.Dense(
            axis.places, use_bias=False, kernel_initializer="zeros", name="rounding"
        )
        self._column = Mixture(axis.columns, carry_units, name="column")
        self._carry = layers.Dense(carry_units, name="carry")
        self._kept = layers.Dense(DIGITS, name="kept_logits")
        self._carried = layers.Dense(axis.carries, name="carried_logits")
        self._write_up = ListLSTM(write_units, name="write_up")
        self._write_down = ListLSTM(write_units, name="write_down")
        self._answer = layers.Dense(len(spec.alphabet), name="answer_logits")

    def read(self, expression: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """From ids (n, L) to logits of the operands (n, 2 * digits, 10) and the operator."""
        symbols = ops.one_hot(expression, len(self.spec.alphabet))
        steps = [[symbol] for symbol in ops.unstack(symbols, axis=1)]
        seen = ops.concatenate(self._read_on(steps) + self._read_back(steps[::-1]), axis=-1)
        operands = ops.reshape(self._operands(seen), (-1, 2 * self.spec.digits, DIGITS))
        return operands, self._operator(seen)

    def reciprocal(self, operands: KerasTensor) -> KerasTensor:
        """From digits to logits of the second operand's reciprocal (n, decimals + 1, 10)."""
        digits = self.spec.digits
        x = ops.reshape(operands[:, digits:], (-1, digits * DIGITS))
        for layer in self._memory:
            x = layer(x)
        return ops.reshape(x, (-1, self.axis.reciprocal_decimals + 1, DIGITS))

    def multiplier(
        self, operands: KerasTensor, operator: KerasTensor, reciprocal: KerasTensor | None
    ) -> KerasTensor | None:
        """Puts in its place what the operator multiplies with: (n, axis.multiplier, 10)."""
        axis, digits, parts = self.axis, self.spec.digits, []
        if "*" in self.spec.operators:
            start = axis.multiplier_units + 1 - digits
            parts.append(
                self._chosen("*", operator)
                * _placed(operands[:, digits:], start, digits, axis.multiplier)
            )
        if reciprocal is not None:
            width = axis.reciprocal_decimals + 1
            parts.append(
                self._chosen("/", operator)
                * _placed(reciprocal, axis.multiplier - width, width, axis.multiplier)
            )
        return sum(parts[1:], parts[0]) if parts else None

    def position(
        self, operands: KerasTensor, operator: KerasTensor, multiplier: KerasTensor | None
    ) -> KerasTensor:
        """From the symbols to where on the line of values each column lies (n, axis.places).

        The tables give a number for each pair of digits; a column lies where the numbers of its
        diagonal add up to. Positions count from the smallest value.
        """
        axis, digits = self.axis, self.spec.digits
        first, second = operands[:, :digits], operands[:, digits:]
        position = self._rounding(operator)
        if multiplier is not None:
            pairs = ops.matmul(
                _each(self._tables["products"], first), ops.transpose(multiplier, (0, 2, 1))
            )
            for i in range(digits):
                diagonal = axis.first_diagonal + i
                position += _placed(pairs[:, i], diagonal, axis.multiplier, axis.places)
        for sign, name in (("+", "sums"), ("-", "differences")):
            if sign in self.spec.operators:
                pairs = ops.sum(_each(self._tables[name], first) * second, axis=-1)
                pairs *= self._chosen(sign, operator)[:, 0]
                position += _placed(pairs, axis.units + 1 - digits, digits, axis.places)
        return position * _TABLE_UNIT - axis.smallest_column

    def columns(self, position: KerasTensor) -> KerasTensor:
        """From positions to logits of the columns' values (n, axis.places, axis.columns).

        That values are ordered is built in, so that those next to a value teach it too: the
        largest ones are too rare to learn each by itself.
        """
        values = np.arange(self.axis.columns, dtype=np.float32)
        return ops.square(position[..., None] - values) * -_STEEPNESS

    def seen(self, position: KerasTensor) -> list[KerasTensor]:
        """What the carrying stage sees of columns: from positions to (n, carry_units) a place.

        Each value has a row of weights, and what is seen is a mixture of the two next to the
        position. To mix all in proportion to `symbols` of their logits would be the same but for
        less than 1e-6, and slower: a product with all rows.
        """
        lower = ops.clip(ops.floor(position), 0, self.axis.columns - 2)
        upper_share = ops.sigmoid((2 * (position - lower) - 1) * (_SHARPNESS * _STEEPNESS))
        lower = ops.cast(lower, "int32")
        # Place by place: to cut a table of (n, places, carry_units) up takes longer than all this.
        columns = (
            ops.unstack(lower, axis=1),
            ops.unstack(lower + 1, axis=1),
            ops.split(upper_share, position.shape[1], axis=1),
        )
        return [self._column(*column) for column in zip(*columns, strict=True)]

    def carry(self, column: KerasTensor, carried: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """From a column and the carry into it to logits of the digit kept and the carry on."""
        x = ops.relu(column + self._carry(carried))
        return self._kept(x), self._carried(x)

    def write(
        self, operator: KerasTensor, digits: KerasTensor, negative: KerasTensor
    ) -> KerasTensor:
        """From digits (n, axis.shown, 10) to logits of the answer (n, answer_length, symbols).

        Up from the lowest digit, for a negative number's digits are those of its complement;
        then down from the highest, for signs and leading blanks.
        """
        axis, spec = self.axis, self.spec
        shown = ops.unstack(digits, axis=1)
        seen = self._write_up([[digit] for digit in reversed(shown)])
        places = [(seen[axis.units - place], digit) for place, digit in enumerate(shown)]
        beyond = tuple(part * 0.0 for part in places[0])
        steps = []
        for symbol in reversed(range(spec.answer_length)):  # counted from the last one
            # In front of the point, a symbol of a quotient stands a place lower than one of a
            # whole number.
            candidates = [axis.units - symbol, axis.units - symbol + (symbol > spec.places)]
            pair = [places[place] if place >= 0 else beyond for place in candidates]
            steps.append([*pair[0], *pair[1], operator, negative])
        return ops.stack([self._answer(state) for state in self._write_down(steps)], axis=1)

    def _chosen(self, operator: str, probabilities: KerasTensor) -> KerasTensor:
        """The probability of one operator, (n, 1, 1)."""
        index = self.spec.operators.index(operator)
        return probabilities[:, index : index + 1, None]


def symbols(logits: KerasTensor) -> KerasTensor:
    """Probabilities of symbols, as the next stage takes them when the chain runs."""
    if logits.shape[-1] == 1:  # the operator of a language that has no other
        return ops.ones_like(logits)
    return ops.softmax(logits * _SHARPNESS)


def _each(layer: layers.Dense, x: KerasTensor) -> KerasTensor:
    """Applies a layer to every place, as TimeDistributed does, but without asking for the batch."""
    _, places, width = x.shape
    return ops.reshape(layer(ops.reshape(x, (-1, width))), (-1, places, layer.units))


def _placed(x: KerasTensor, start: int, width: int, places: int) -> KerasTensor:
    """Puts what has `width` places, (n, width, …), onto an axis of places from `start` on."""
    padding = [(0, 0), (start, places - start - width)] + [(0, 0)] * (len(x.shape) - 2)
    return ops.pad(x, padding)
