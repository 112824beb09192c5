"""The `columns` network: learns the working, a chain of small stages with a symbol between any two.

    read        the expression → the digits of both operands, and the operator
    reciprocal  the digits of a divisor → those of its reciprocal
    table       digits of the first operand and of the multiplier → each column's value
    carry       a column and what is carried into it → a digit, and what is carried on
    write       the digits → the answer

What is given is the algorithm: to divide is to multiply with a reciprocal, products fall on
diagonals, a column is what adds up along one, carries go from place to place, and what stands
between two stages is a symbol, once the chain runs. What is learned are the parts that a person
learns by heart: reading, the three tables of 10 x 10, the reciprocals, what a column and a carry
leave behind, and writing; each stage from the true symbols that the corpus holds for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import ABSENT, Axis
from keras import ops

from model.networks.columns.stages import DIGITS, Stages, symbols
from model.networks.network import Built, Teach
from tasks.calculator.task import CalculatorTask
from tasks.calculator.working import DRAWN_STEPS
from tasks.task import Task


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

    def build(self, task: Task[Any]) -> Built:
        """The untrained network, and the training model that teaches it.

        Args:
            task: a calculator whose operators all have a working.

        Returns:
            A model from symbol ids, int32 (n, expression_length), to probabilities by name:
            `answer` (n, answer_length, symbols), and the working: `operands` (n, 2 * digits, 10),
            `operator` (n, operators), `multiplier` (n, axis.multiplier, 10) with nothing but
            zeros where a digit is absent, `columns` (n, axis.places, axis.columns), `digits`
            (n, axis.shown, 10).
            A training model with the same layers, from the true symbols before each stage to the
            logits of those behind it; its inputs and targets are made by `teach`.

        Raises:
            ValueError: if it is another task.
        """
        stages = Stages(_spec_of(task), **asdict(self))
        return Built(_chain(stages), _training_model(stages))

    def teach(self, task: Task[Any]) -> Teach:
        """See `Network`: true symbols of one stage are inputs, those of the next are targets."""
        spec = _spec_of(task)
        axis = Axis(spec)

        def teach(features: dict[str, tf.Tensor]) -> tuple[Any, dict[str, tf.Tensor]]:
            operator = features["group"][:, 0]
            steps = tf.reshape(features["carrying"], (-1, DRAWN_STEPS, 4))
            column, carried, kept, carried_on = tf.unstack(steps, axis=-1)
            inputs = {
                "expression": features["expression"],
                "operands": features["operands"],
                "operator": operator,
                "digits": features["digits"],
                "negative": features["negative"],
                "carry_column": column - axis.smallest_column,
                "carry_in": carried - axis.smallest_carry,
            }
            targets = {
                "operands": features["operands"],
                "operator": operator,
                "columns": features["columns"] - axis.smallest_column,
                "kept": kept,
                "carried": carried_on - axis.smallest_carry,
                "answer": features["answer"],
            }
            if axis.multiplier:
                inputs["multiplier"] = features["multiplier"]
            if axis.reciprocal_decimals:
                reciprocal = features["multiplier"][:, -axis.reciprocal_decimals - 1 :]
                divides = operator == spec.operators.index("/")
                targets["reciprocal"] = tf.where(divides[:, None], reciprocal, ABSENT)
            return inputs, targets

        return teach

    def losses(self, task: Task[Any]) -> dict[str, Any]:
        """The loss of each output of the training model, by name."""
        names = ["operands", "operator", "columns", "kept", "carried", "answer"]
        if Axis(_spec_of(task)).reciprocal_decimals:
            names.append("reciprocal")
        return {
            name: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=ABSENT if name == "reciprocal" else None
            )
            for name in names
        }


def _spec_of(task: Task[Any]) -> CalculatorSpec:
    if not isinstance(task, CalculatorTask):
        raise ValueError(
            f"the network columns is made for the task calculator, not for {task.spec.task}"
        )
    if not task.working:
        raise ValueError(
            "the network columns learns a working, and not every operator of "
            f"{task.spec.operators} has one"
        )
    return task.spec


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


def _training_model(stages: Stages) -> keras.Model:
    """The stages, each on true symbols."""
    axis, spec = stages.axis, stages.spec
    shapes = {
        "expression": (spec.expression_length,),
        "operands": (2 * spec.digits,),
        "operator": (),
        "digits": (axis.shown,),
        "negative": (1,),
        "carry_column": (DRAWN_STEPS,),
        "carry_in": (DRAWN_STEPS,),
    }
    if axis.multiplier:
        shapes["multiplier"] = (axis.multiplier,)
    inputs = {name: keras.Input(shape, dtype="int32", name=name) for name, shape in shapes.items()}
    operands = ops.one_hot(inputs["operands"], DIGITS)
    operator = ops.one_hot(inputs["operator"], len(spec.operators))
    multiplier = ops.one_hot(inputs["multiplier"], DIGITS) if axis.multiplier else None
    outputs = dict(zip(("operands", "operator"), stages.read(inputs["expression"]), strict=True))
    if axis.reciprocal_decimals:
        outputs["reciprocal"] = stages.reciprocal(operands)
    outputs["columns"] = stages.columns(stages.position(operands, operator, multiplier))
    column = ops.stack(stages.seen(ops.cast(inputs["carry_column"], "float32")), axis=1)
    carried = ops.one_hot(inputs["carry_in"], axis.carries)
    outputs["kept"], outputs["carried"] = stages.carry(column, carried)
    digits = ops.one_hot(inputs["digits"], DIGITS)
    negative = ops.cast(inputs["negative"], "float32")
    outputs["answer"] = stages.write(operator, digits, negative)
    return keras.Model(inputs, outputs, name="columns_training")
