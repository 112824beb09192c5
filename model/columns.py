"""The `columns` network: learns the working, a chain of small stages with a symbol between any two.

    read        the expression → the digits of both operands, and the operator
    reciprocal  the digits of a divisor → those of its reciprocal
    table       digits of the first operand and of the multiplier → each column's value
    carry       a column and what is carried into it → a digit, and what is carried on
    write       the digits → the answer

Every stage is taught by true symbols what symbols to give, so none can hide its mistakes in the
next one's hidden state; run, each takes what the one before it gave. All that is arithmetic is
learned: the times table, the reciprocals, the carrying. What is built in is how paper is ruled:
places, diagonals, and that one goes from place to place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from edgecalc.arithmetic import carry, carry_through
from edgecalc.spec import Spec
from edgecalc.working import ABSENT, Axis
from keras import KerasTensor, layers, ops

from model.network import Built, Examples, lstm

_DIGITS = 10
# How many columns with carries are drawn for every example, to teach the stage that carries.
_DRAWN_COLUMNS = 4
# Run, a stage's logits count this many times as much as they did when it was taught: what is
# nearly certain becomes certain, so doubts do not add up over the stages; real doubt stays doubt.
_SHARPNESS = 4.0
# By so much the logits of a column's values fall with the square of their distance.
_STEEPNESS = 2.0
# The unit in which the table's entries are learned: 81 must be near for weights that begin near 0.
_TABLE_UNIT = 100.0


@dataclass(frozen=True)
class Columns:
    """Sizes of the `columns` network.

    Raises:
        ValueError: if a field is out of range; the message names it.
    """

    read_units: int = field(default=32, metadata={"help": "units of each LSTM that reads"})
    memory_units: int = field(default=256, metadata={"help": "units that remember reciprocals"})
    carry_units: int = field(default=128, metadata={"help": "units of the stage that carries"})
    write_units: int = field(default=32, metadata={"help": "units of each LSTM that writes"})

    def __post_init__(self) -> None:
        for name in ("read_units", "memory_units", "carry_units", "write_units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1: {getattr(self, name)}")

    def build(self, spec: Spec) -> Built:
        """The untrained network, and the lesson that teaches it.

        Args:
            spec: the language.

        Returns:
            A model from symbol ids, int32 (n, expression_length), to probabilities by name:
            `answer` (n, answer_length, 16), and the working: `operands` (n, 2 * digits, 10),
            `operator` (n, operators), `multiplier` (n, axis.multiplier, 10) with nothing but
            zeros where a digit is absent, `columns` (n, axis.places, axis.columns), `digits`
            (n, axis.shown, 10).
            A lesson with the same layers, from the true symbols before each stage to the logits
            of those behind it; what it takes and should give is made by `examples`.
        """
        stages = _Stages(self, spec)
        return Built(_chain(stages), _lesson(stages))

    def examples(self, spec: Spec) -> Examples:
        """See `model.network`: the lesson takes true symbols and should give true symbols."""
        axis = Axis(spec)
        operator_table = np.full(len(spec.alphabet), -1, np.int32)
        for index, operator in enumerate(spec.operators):
            operator_table[spec.alphabet.index(operator)] = index

        def examples(features: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[dict, dict]:
            operator = tf.reduce_max(tf.gather(operator_table, features["expression"]), axis=1)
            digits, carries = carry_through(tf.unstack(features["columns"], axis=1))
            shape = (tf.shape(operator)[0], _DRAWN_COLUMNS)
            drawn = _draw(axis, shape, seed)
            taken = {
                "expression": features["expression"],
                "operands": features["operands"],
                "operator": operator,
                "digits": tf.stack(digits[: axis.shown], axis=1),
                "negative": tf.cast(carries[0] < 0, tf.int32),
                "drawn_columns": drawn[0],
                "drawn_carries": drawn[1],
            }
            kept, carried = carry(*drawn)
            given = {
                "operands": features["operands"],
                "operator": operator,
                "columns": features["columns"] - axis.smallest_column,
                "kept": kept,
                "carried": carried - axis.smallest_carry,
                "answer": features["answer"],
            }
            if axis.multiplier:
                taken["multiplier"] = features["multiplier"]
            if "/" in spec.operators:
                reciprocal = features["multiplier"][:, -axis.reciprocal_decimals - 1 :]
                divides = operator == spec.operators.index("/")
                given["reciprocal"] = tf.where(divides[:, None], reciprocal, ABSENT)
            return taken, given

        return examples

    def losses(self, spec: Spec) -> dict[str, Any]:
        """The loss of each output of the lesson, by name."""
        names = ["operands", "operator", "columns", "kept", "carried", "answer"]
        names += ["reciprocal"] * ("/" in spec.operators)
        return {
            name: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=ABSENT if name == "reciprocal" else None
            )
            for name in names
        }


def _draw(axis: Axis, shape: Any, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Columns and carries, each value equally often, that give a carry which can occur.

    In the corpus most values are rare: one expression in a million has the column 243.
    """
    columns = tf.random.stateless_uniform(
        shape, seed, axis.smallest_column, axis.largest_column + 1, tf.int32
    )
    carries = tf.random.stateless_uniform(
        shape, seed + 1, axis.smallest_carry, axis.largest_carry + 1, tf.int32
    )
    return columns, carries


class _Stages:
    """The layers, and each stage as a function from probabilities of symbols to logits."""

    def __init__(self, sizes: Columns, spec: Spec) -> None:
        self.spec, self.axis, self.sizes = spec, Axis(spec), sizes
        axis, count = self.axis, len(spec.operators)
        self._read_on = lstm(sizes.read_units, "read_on")
        self._read_back = lstm(sizes.read_units, "read_back", go_backwards=True)
        self._operands = layers.Dense(2 * spec.digits * _DIGITS, name="operands_logits")
        self._operator = layers.Dense(count, name="operator_logits")
        if "/" in spec.operators:
            self._memory = [
                layers.Dense(sizes.memory_units // 2, activation="relu", name="memory_in"),
                layers.Dense(sizes.memory_units, activation="relu", name="memory_out"),
                layers.Dense((axis.reciprocal_decimals + 1) * _DIGITS, name="reciprocal_logits"),
            ]
        tables = {"+": "sums", "-": "differences", "*": "products", "/": "products"}
        self._tables = {
            name: layers.Dense(_DIGITS, use_bias=False, name=name)
            for name in dict.fromkeys(tables[operator] for operator in spec.operators)
        }
        self._rounding = layers.Dense(
            axis.places, use_bias=False, kernel_initializer="zeros", name="rounding"
        )
        self._column = layers.Embedding(axis.columns, sizes.carry_units, name="column")
        self._carry = layers.Dense(sizes.carry_units, name="carry")
        self._kept = layers.Dense(_DIGITS, name="kept_logits")
        self._carried = layers.Dense(axis.carries, name="carried_logits")
        self._write_up = lstm(sizes.write_units, "write_up")
        self._write_down = lstm(sizes.write_units, "write_down")
        self._answer = layers.TimeDistributed(
            layers.Dense(len(spec.alphabet)), name="answer_logits"
        )

    def read(self, expression: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """From ids (n, L) to logits of the operands (n, 2 * digits, 10) and the operator."""
        symbols = ops.one_hot(expression, len(self.spec.alphabet))
        states = [_run(layer, symbols) for layer in (self._read_on, self._read_back)]
        width = self.spec.expression_length * self.sizes.read_units
        seen = ops.concatenate([ops.reshape(state, (-1, width)) for state in states], axis=-1)
        operands = ops.reshape(self._operands(seen), (-1, 2 * self.spec.digits, _DIGITS))
        return operands, self._operator(seen)

    def reciprocal(self, operands: KerasTensor) -> KerasTensor:
        """From digits to logits of the second operand's reciprocal (n, decimals + 1, 10)."""
        digits = self.spec.digits
        x = ops.reshape(operands[:, digits:], (-1, digits * _DIGITS))
        for layer in self._memory:
            x = layer(x)
        return ops.reshape(x, (-1, self.axis.reciprocal_decimals + 1, _DIGITS))

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
                self._tables["products"](first), ops.transpose(multiplier, (0, 2, 1))
            )
            for i in range(digits):
                diagonal = axis.first_diagonal + i
                position += _placed(pairs[:, i], diagonal, axis.multiplier, axis.places)
        for sign, name in (("+", "sums"), ("-", "differences")):
            if sign in self.spec.operators:
                pairs = ops.sum(self._tables[name](first) * second, axis=-1)
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

    def seen_column(self, column: KerasTensor) -> KerasTensor:
        """What the carrying stage sees of columns: classes, integers (…), to (…, carry_units)."""
        return self._column(column)

    def seen_position(self, position: KerasTensor) -> KerasTensor:
        """What the carrying stage sees where columns are in doubt: a mixture of two values.

        It is that of all values in proportion to `_symbols` of their logits: but for the two next
        to the position these are below 1e-6, and looking up two is faster than multiplying all.
        """
        lower = ops.clip(ops.floor(position), 0, self.axis.columns - 2)
        upper_share = ops.sigmoid((2 * (position - lower) - 1) * (_SHARPNESS * _STEEPNESS))
        lower = ops.cast(lower, "int32")
        below, above = self._column(lower), self._column(lower + 1)
        return below + (above - below) * upper_share[..., None]

    def carry(self, column: KerasTensor, carried: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """From a column and the carry into it to logits of the digit kept and the carry on."""
        x = ops.relu(column + self._carry(carried))
        return self._kept(x), self._carried(x)

    def write(
        self, operator: KerasTensor, digits: KerasTensor, negative: KerasTensor
    ) -> KerasTensor:
        """From digits (n, axis.shown, 10) to logits of the answer (n, answer_length, 16).

        Up from the lowest digit, for a negative number's digits are those of its complement;
        then down from the highest, for signs and leading blanks.
        """
        axis, spec = self.axis, self.spec
        upward = ops.stack([digits[:, place] for place in reversed(range(axis.shown))], axis=1)
        seen = _run(self._write_up, upward)
        places = [
            ops.concatenate([seen[:, axis.units - place], digits[:, place]], axis=-1)
            for place in range(axis.shown)
        ]
        beyond = places[0] * 0.0
        rows = []
        for symbol in reversed(range(spec.answer_length)):  # counted from the last one
            # In front of the point, a symbol of a quotient stands a place lower than one of a
            # whole number.
            candidates = [axis.units - symbol, axis.units - symbol + (symbol > spec.places)]
            pair = [places[place] if place >= 0 else beyond for place in candidates]
            position = np.eye(spec.answer_length, dtype=np.float32)[symbol : symbol + 1]
            position = negative * 0.0 + position
            rows.append(ops.concatenate([*pair, operator, negative, position], axis=-1))
        return self._answer(_run(self._write_down, ops.stack(rows, axis=1)))

    def _chosen(self, operator: str, probabilities: KerasTensor) -> KerasTensor:
        """The probability of one operator, (n, 1, 1)."""
        index = self.spec.operators.index(operator)
        return probabilities[:, index : index + 1, None]


def _chain(stages: _Stages) -> keras.Model:
    """The stages, each on what the one before it gave."""
    axis, spec = stages.axis, stages.spec
    expression = keras.Input((spec.expression_length,), dtype="int32", name="expression")
    operands, operator = map(_symbols, stages.read(expression))
    reciprocal = _symbols(stages.reciprocal(operands)) if "/" in spec.operators else None
    multiplier = stages.multiplier(operands, operator, reciprocal)
    position = stages.position(operands, operator, multiplier)
    columns = _symbols(stages.columns(position))
    seen = stages.seen_position(position)
    nothing = np.zeros((1, axis.carries), np.float32)
    nothing[0, -axis.smallest_carry] = 1
    carried = seen[:, 0, :1] * 0.0 + nothing
    digits = []
    for place in reversed(range(axis.places)):
        kept, carried = map(_symbols, stages.carry(seen[:, place], carried))
        digits.append(kept)
    shown = ops.stack(digits[: -axis.shown - 1 : -1], axis=1)
    answer = ops.softmax(stages.write(operator, shown, carried[:, :1]))
    outputs = {"operands": operands, "operator": operator, "columns": columns, "digits": shown}
    if multiplier is not None:
        outputs["multiplier"] = multiplier
    return keras.Model(expression, {"answer": answer, **outputs}, name="columns")


def _lesson(stages: _Stages) -> keras.Model:
    """The stages, each on true symbols."""
    axis, spec = stages.axis, stages.spec
    shapes = {
        "expression": (spec.expression_length,),
        "operands": (2 * spec.digits,),
        "operator": (),
        "digits": (axis.shown,),
        "negative": (),
        "drawn_columns": (_DRAWN_COLUMNS,),
        "drawn_carries": (_DRAWN_COLUMNS,),
    }
    if axis.multiplier:
        shapes["multiplier"] = (axis.multiplier,)
    taken = {name: keras.Input(shape, dtype="int32", name=name) for name, shape in shapes.items()}
    operands = ops.one_hot(taken["operands"], _DIGITS)
    operator = ops.one_hot(taken["operator"], len(spec.operators))
    multiplier = ops.one_hot(taken["multiplier"], _DIGITS) if axis.multiplier else None
    given = dict(zip(("operands", "operator"), stages.read(taken["expression"]), strict=True))
    if "/" in spec.operators:
        given["reciprocal"] = stages.reciprocal(operands)
    given["columns"] = stages.columns(stages.position(operands, operator, multiplier))
    column = stages.seen_column(taken["drawn_columns"] - axis.smallest_column)
    carried = ops.one_hot(taken["drawn_carries"] - axis.smallest_carry, axis.carries)
    given["kept"], given["carried"] = stages.carry(column, carried)
    digits = ops.one_hot(taken["digits"], _DIGITS)
    negative = ops.cast(taken["negative"], "float32")[:, None]
    given["answer"] = stages.write(operator, digits, negative)
    return keras.Model(taken, given, name="columns_lesson")


def _symbols(logits: KerasTensor) -> KerasTensor:
    """Probabilities of symbols, as the next stage takes them when the chain runs."""
    return ops.softmax(logits * _SHARPNESS)


def _run(layer: layers.LSTM, x: KerasTensor) -> KerasTensor:
    """Runs an LSTM from a state of zeros that TFLite can make without asking for the batch."""
    zeros = x[:, 0, :1] * 0.0 + np.zeros((1, layer.units), np.float32)
    return layer(x, initial_state=[zeros, zeros])


def _placed(x: KerasTensor, start: int, width: int, places: int) -> KerasTensor:
    """Puts what has `width` places, (n, width, …), onto an axis of places from `start` on."""
    padding = [(0, 0), (start, places - start - width)] + [(0, 0)] * (len(x.shape) - 2)
    return ops.pad(x, padding)
