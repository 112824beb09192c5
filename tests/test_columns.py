"""The columns network: its shapes in every language, its diagonals, what its lesson is given."""

import numpy as np
import pytest
import tensorflow as tf
from edgecalc import space
from edgecalc.arithmetic import carry, carry_through, true_answers, true_working
from edgecalc.codec import encode_symbols
from edgecalc.spec import Spec
from edgecalc.working import ABSENT, Axis

from model.columns import Columns

SIZES = Columns(read_units=2, memory_units=4, carry_units=4, write_units=2)
SPECS = [
    Spec(digits=1, places=1),
    Spec(digits=2, places=0, operators="/*"),
    Spec(digits=1, places=3, operators="/-"),
    Spec(digits=2, operators="+-"),
    Spec(digits=2, operators="*"),
]


def features(spec, count=200):
    """What the dataset gives of the first expressions of a space."""
    indices = space.permute(np.arange(min(count, space.size(spec))), space.size(spec), 1)
    operators, a, b = space.expressions(spec, indices)
    working = true_working(spec, operators, a, b)
    return {
        "expression": encode_symbols(space.write_expressions(spec, operators, a, b), spec),
        "answer": encode_symbols(true_answers(spec, operators, a, b), spec),
        **{name: values.astype(np.int32) for name, values in working._asdict().items()},
    }


def lesson_of(spec, seed=(1, 2)):
    given = {name: tf.constant(values) for name, values in features(spec).items()}
    return SIZES.examples(spec)(given, tf.constant(seed, tf.int64))


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: f"{spec.digits}{spec.operators}")
def spec(request):
    return request.param


@pytest.fixture(scope="module")
def built(spec):
    return SIZES.build(spec)


def test_the_model_gives_the_answer_and_the_working(spec, built):
    axis, n = Axis(spec), 5
    outputs = built.model(features(spec, n)["expression"])
    expected = {
        "answer": (n, spec.answer_length, 16),
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


def test_model_and_lesson_have_the_same_weights(built):
    own = {id(variable) for variable in built.model.trainable_variables}
    assert own == {id(variable) for variable in built.lesson.trainable_variables}


def test_with_the_right_tables_every_column_is_the_true_one(spec, built):
    """The geometry of the diagonals is right: what is learned are the tables' entries alone."""
    digits = np.arange(10)
    tables = {
        "products": np.outer(digits, digits),
        "sums": np.add.outer(digits, digits),
        "differences": np.subtract.outer(digits, digits),
    }
    for layer in built.lesson.layers:
        if layer.name in tables:
            # An entry for each pair: the first operand's digit chooses the row.
            layer.set_weights([tables[layer.name] / 100])
        if layer.name == "rounding":
            places = np.zeros(layer.kernel.shape)
            if "/" in spec.operators:
                places[spec.operators.index("/"), Axis(spec).shown] = 5 / 100
            layer.set_weights([places])
    taken, given = lesson_of(spec)
    found = np.argmax(built.lesson(taken)["columns"], axis=-1)
    np.testing.assert_array_equal(found, given["columns"])


def test_the_lesson_fits_its_model_and_its_losses(spec, built):
    taken, given = lesson_of(spec)
    outputs = built.lesson(taken)
    assert set(given) == set(outputs) == set(SIZES.losses(spec))
    for name, targets in given.items():
        assert tuple(targets.shape) == tuple(outputs[name].shape[:-1])
        classes = outputs[name].shape[-1]
        known = np.asarray(targets)[np.asarray(targets) != ABSENT] if classes == 10 else targets
        assert np.min(known) >= 0
        assert np.max(known) < classes


def test_what_is_true_of_the_columns_is_what_the_lesson_says(spec):
    taken, given = lesson_of(spec)
    axis = Axis(spec)
    digits, carries = carry_through(list(features(spec)["columns"].T))
    np.testing.assert_array_equal(taken["digits"], np.stack(digits[: axis.shown], axis=1))
    np.testing.assert_array_equal(taken["negative"], carries[0] < 0)
    kept, carried = carry(taken["drawn_columns"].numpy(), taken["drawn_carries"].numpy())
    np.testing.assert_array_equal(given["kept"], kept)
    np.testing.assert_array_equal(given["carried"], carried - axis.smallest_carry)


def test_drawn_columns_are_a_function_of_the_seed(spec):
    first, again, other = (
        lesson_of(spec, seed)[0]["drawn_columns"].numpy() for seed in ((1, 2), (1, 2), (1, 3))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="carry_units must be at least 1: 0"):
        Columns(carry_units=0)
