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
from keras import ops

from model.network import Built, Examples
from model.stages import DIGITS, Stages, symbols

# How many columns with carries are drawn for every example, to teach the stage that carries.
_DRAWN_COLUMNS = 4


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
        stages = Stages(self, spec)
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

    In the corpus most values are rare: of 3,999,000 expressions only 999*999 has a column of 243.
    """
    columns = tf.random.stateless_uniform(
        shape, seed, axis.smallest_column, axis.largest_column + 1, tf.int32
    )
    carries = tf.random.stateless_uniform(
        shape, seed + 1, axis.smallest_carry, axis.largest_carry + 1, tf.int32
    )
    return columns, carries


def _chain(stages: Stages) -> keras.Model:
    """The stages, each on what the one before it gave."""
    axis, spec = stages.axis, stages.spec
    expression = keras.Input((spec.expression_length,), dtype="int32", name="expression")
    operands, operator = map(symbols, stages.read(expression))
    reciprocal = symbols(stages.reciprocal(operands)) if "/" in spec.operators else None
    multiplier = stages.multiplier(operands, operator, reciprocal)
    position = stages.position(operands, operator, multiplier)
    columns = symbols(stages.columns(position))
    seen = stages.seen(position)
    nothing = np.zeros((1, axis.carries), np.float32)
    nothing[0, -axis.smallest_carry] = 1
    carried = operator[:, :1] * 0.0 + nothing
    digits = []
    for place in reversed(range(axis.places)):
        kept, carried = map(symbols, stages.carry(seen[place], carried))
        digits.append(kept)
    shown = ops.stack(digits[: -axis.shown - 1 : -1], axis=1)
    answer = ops.softmax(stages.write(operator, shown, carried[:, :1]))
    outputs = {"operands": operands, "operator": operator, "columns": columns, "digits": shown}
    if multiplier is not None:
        outputs["multiplier"] = multiplier
    return keras.Model(expression, {"answer": answer, **outputs}, name="columns")


def _lesson(stages: Stages) -> keras.Model:
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
    operands = ops.one_hot(taken["operands"], DIGITS)
    operator = ops.one_hot(taken["operator"], len(spec.operators))
    multiplier = ops.one_hot(taken["multiplier"], DIGITS) if axis.multiplier else None
    given = dict(zip(("operands", "operator"), stages.read(taken["expression"]), strict=True))
    if "/" in spec.operators:
        given["reciprocal"] = stages.reciprocal(operands)
    given["columns"] = stages.columns(stages.position(operands, operator, multiplier))
    position = ops.cast(taken["drawn_columns"] - axis.smallest_column, "float32")
    column = ops.stack(stages.seen(position), axis=1)
    carried = ops.one_hot(taken["drawn_carries"] - axis.smallest_carry, axis.carries)
    given["kept"], given["carried"] = stages.carry(column, carried)
    digits = ops.one_hot(taken["digits"], DIGITS)
    negative = ops.cast(taken["negative"], "float32")[:, None]
    given["answer"] = stages.write(operator, digits, negative)
    return keras.Model(taken, given, name="columns_lesson")
