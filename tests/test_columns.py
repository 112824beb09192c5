"""The columns network: its shapes in every language, its diagonals, what it is taught with."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import ABSENT, Axis
from edgecalc.language.codec import encode_symbols

from model.networks.columns import Columns
from tasks.calculator.task import CalculatorTask
from tasks.splits import permute

SIZES = Columns(read_units=2, memory_units=4, carry_units=4, write_units=2)
SPECS = [
    CalculatorSpec(digits=1, places=1),
    CalculatorSpec(digits=2, places=0, operators="/*"),
    CalculatorSpec(digits=1, places=3, operators="/-"),
    CalculatorSpec(digits=2, operators="+-"),
    CalculatorSpec(digits=2, operators="*"),
]


def features(spec, count=200):
    """What the dataset gives of the first examples of a corpus."""
    task = CalculatorTask(spec)
    examples = task.examples(permute(np.arange(min(count, task.size)), task.size, 1))
    return {
        "expression": encode_symbols(examples.expressions(), spec),
        "answer": encode_symbols(examples.answers(), spec),
        "group": examples.groups()[:, None].astype(np.int32),
        **{name: values.astype(np.int32) for name, values in examples.working().items()},
    }


def taught(spec):
    given = {name: tf.constant(values) for name, values in features(spec).items()}
    return SIZES.teach(CalculatorTask(spec))(given)


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: f"{spec.digits}{spec.operators}")
def spec(request):
    return request.param


@pytest.fixture(scope="module")
def built(spec):
    return SIZES.build(CalculatorTask(spec))


def test_the_model_gives_the_answer_and_the_working(spec, built):
    axis, n = Axis(spec), 5
    outputs = built.model(features(spec, n)["expression"])
    expected = {
        "answer": (n, spec.answer_length, len(spec.symbols)),
        "operands": (n, 2 * spec.digits, 10),
        "operator": (n, len(spec.operators)),
        "columns": (n, axis.places, axis.columns),
        "digits": (n, axis.shown, 10),
    }
    if axis.multiplier:
        expected["multiplier"] = (n, axis.multiplier, 10)
    assert {name: tuple(values.shape) for name, values in outputs.items()} == expected
    for name in set(expected) - {"multiplier"}:
        np.testing.assert_allclose(np.sum(outputs[name], axis=-1), 1, rtol=1e-5)


def test_model_and_training_model_have_the_same_weights(built):
    own = {id(variable) for variable in built.model.trainable_variables}
    assert own == {id(variable) for variable in built.training_model.trainable_variables}


def test_with_the_right_tables_every_column_is_the_true_one(spec, built):
    """The geometry of the diagonals is right: what is learned are the tables' entries alone."""
    digits = np.arange(10)
    tables = {
        "products": np.outer(digits, digits),
        "sums": np.add.outer(digits, digits),
        "differences": np.subtract.outer(digits, digits),
    }
    for layer in built.training_model.layers:
        if layer.name in tables:
            # An entry for each pair: the first operand's digit chooses the row.
            layer.set_weights([tables[layer.name] / 100])
        if layer.name == "rounding":
            places = np.zeros(layer.kernel.shape)
            if "/" in spec.operators:
                places[spec.operators.index("/"), Axis(spec).shown] = 5 / 100
            layer.set_weights([places])
    inputs, targets = taught(spec)
    found = np.argmax(built.training_model(inputs)["columns"], axis=-1)
    np.testing.assert_array_equal(found, targets["columns"])


def test_targets_fit_the_training_model_and_its_losses(spec, built):
    inputs, targets = taught(spec)
    outputs = built.training_model(inputs)
    assert set(targets) == set(outputs) == set(SIZES.losses(CalculatorTask(spec)))
    for name, values in targets.items():
        assert tuple(values.shape) == tuple(outputs[name].shape[:-1])
        classes = outputs[name].shape[-1]
        known = np.asarray(values)[np.asarray(values) != ABSENT] if classes == 10 else values
        assert np.min(known) >= 0
        assert np.max(known) < classes


def test_what_it_is_taught_with_comes_from_the_records(spec):
    """Nothing in the training graph calculates: every input and target is a feature, shifted."""
    inputs, targets = taught(spec)
    given, axis = features(spec), Axis(spec)
    np.testing.assert_array_equal(inputs["digits"], given["digits"])
    np.testing.assert_array_equal(inputs["negative"], given["negative"])
    steps = given["carrying"].reshape(len(given["carrying"]), -1, 4)
    np.testing.assert_array_equal(inputs["carry_column"] + axis.smallest_column, steps[..., 0])
    np.testing.assert_array_equal(inputs["carry_in"] + axis.smallest_carry, steps[..., 1])
    np.testing.assert_array_equal(targets["kept"], steps[..., 2])
    np.testing.assert_array_equal(targets["carried"] + axis.smallest_carry, steps[..., 3])


def test_another_task_is_refused_in_a_sentence():
    other = SimpleNamespace(spec=SimpleNamespace(task="words"))
    for method in (SIZES.build, SIZES.teach, SIZES.losses):
        with pytest.raises(ValueError, match="made for the task calculator, not for words"):
            method(other)


def test_an_operator_without_a_working_is_refused(monkeypatch):
    monkeypatch.setattr("edgecalc.language.calculator.working._WORKED", "+-")
    with pytest.raises(ValueError, match=r"not every operator of \+-\*/ has one"):
        SIZES.build(CalculatorTask(CalculatorSpec()))


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="carry_units must be at least 1: 0"):
        Columns(carry_units=0)
