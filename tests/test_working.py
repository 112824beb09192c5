"""The working against plain integers, over the whole space where a proof is asked for."""

import numpy as np
import pytest
from edgecalc import space
from edgecalc.arithmetic import (
    carry_through,
    failed_stages,
    true_answers,
    true_working,
    write_numbers,
)
from edgecalc.spec import Spec
from edgecalc.working import ABSENT, Axis, read_symbols

DEFAULT = Axis(Spec())


def whole(spec):
    return space.expressions(spec, np.arange(space.size(spec)))


def shown_values(spec, columns):
    """What columns amount to in the shown places, in units of the lowest of these."""
    axis = Axis(spec)
    digits, carries = carry_through(list(columns.astype(np.int64).T))
    value = np.zeros(len(columns), np.int64)
    for digit in digits[: axis.shown]:
        value = value * 10 + digit
    return value + carries[0] * 10**axis.shown


def check(spec):
    """The columns, carried through, are the true answers."""
    operators, a, b = whole(spec)
    values = shown_values(spec, true_working(spec, operators, a, b).columns)
    answers = np.empty((len(a), spec.answer_length), np.uint8)
    for operator in spec.operators:
        chosen, places = operators == ord(operator), spec.places if operator == "/" else 0
        answers[chosen] = write_numbers(values[chosen], spec.answer_length, places)
    assert np.array_equal(answers, true_answers(spec, operators, a, b))


def test_the_columns_of_every_expression_of_the_default_space_give_its_answer():
    check(Spec())


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("places", [0, 1, 3, 6])
@pytest.mark.parametrize("operators", ["+-*/", "+-", "/", "*", "-/"])
def test_the_columns_of_every_expression_of_a_small_space_give_its_answer(
    digits, places, operators
):
    check(Spec(digits=digits, places=places, operators=operators))


def test_ten_decimals_of_a_reciprocal_are_enough_and_nine_are_not():
    """Over all quotients of 3 digits: rounded up at the 10th decimal, each is exact."""
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(1000), np.arange(1, 1000)))
    exact = (2000 * a + b) // (2 * b)

    def misses(decimals):
        reciprocal = -(-(10**decimals) // b)
        unit = 10 ** (decimals - 3)
        return np.count_nonzero((a * reciprocal + unit // 2) // unit != exact)

    assert DEFAULT.reciprocal_decimals == 10
    assert [misses(decimals) for decimals in (10, 9, 8)] == [0, 22, 1570]


@pytest.mark.parametrize(("digits", "places"), [(1, 0), (1, 6), (2, 0), (2, 3), (2, 6), (3, 0)])
def test_the_derived_decimals_are_enough_elsewhere(digits, places):
    spec = Spec(digits=digits, places=places, operators="/")
    check(spec)


def test_the_axis_of_the_default_space():
    assert (DEFAULT.places, DEFAULT.shown, DEFAULT.multiplier) == (13, 6, 11)
    assert (DEFAULT.columns, DEFAULT.carries) == (258, 29)


@pytest.mark.parametrize(
    ("expression", "operands", "multiplier", "columns"),
    [
        ("842/37", "842037", "00270270271", [0, 0, 16, 64, 32, 18, 70, 32, 18, 65, 32, 18, 0]),
        ("842*37", "842037", " 037       ", [0, 0, 24, 68, 34, 14, 0, 0, 0, 0, 0, 0, 0]),
        ("5-17", "005017", " " * 11, [0, 0, 0, 0, -1, -2, 0, 0, 0, 0, 0, 0, 0]),
        ("99+7", "099007", " " * 11, [0, 0, 0, 0, 9, 16, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_the_working_as_on_paper(expression, operands, multiplier, columns):
    operator = next(symbol for symbol in "+-*/" if symbol in expression)
    a, b = (np.array([int(number)]) for number in expression.split(operator))
    working = true_working(Spec(), np.array([ord(operator)], np.uint8), a, b)
    assert working.operands[0].tolist() == list(map(int, operands))
    digits = [ABSENT if symbol == " " else int(symbol) for symbol in multiplier]
    assert working.multiplier[0].tolist() == digits
    if operator == "/":
        columns = working_by_hand(842, digits)
    assert working.columns[0].tolist() == columns


def working_by_hand(a, multiplier):
    columns = [0] * 13
    for i, digit in enumerate(map(int, f"{a:03}")):
        for j, other in enumerate(multiplier):
            columns[i + j] += digit * other
    columns[6] += 5
    return columns


def test_columns_and_carries_stay_in_their_ranges():
    spec = Spec()
    columns = true_working(spec, *whole(spec)).columns
    assert columns.min() == DEFAULT.smallest_column
    assert columns.max() <= DEFAULT.largest_column
    _, carries = carry_through(list(columns.T))
    assert min(carry.min() for carry in carries) == DEFAULT.smallest_carry
    assert max(carry.max() for carry in carries) <= DEFAULT.largest_carry


class TestReading:
    spec = Spec(digits=1, places=1)
    axis = Axis(spec)
    expression = (np.array([ord("/")], np.uint8), np.array([7]), np.array([3]))

    def probabilities(self):
        """What a network gives that is sure of the true working of 7/3."""
        working = true_working(self.spec, *self.expression)
        digits, _ = carry_through(list(working.columns.T))
        columns = working.columns - self.axis.smallest_column
        return {
            "operands": np.eye(10, dtype=np.float32)[working.operands],
            "operator": np.eye(4, dtype=np.float32)[[self.spec.operators.index("/")]],
            "multiplier": np.eye(11, dtype=np.float32)[working.multiplier][..., :10],
            "columns": np.eye(self.axis.columns, dtype=np.float32)[columns],
            "digits": np.eye(10, dtype=np.float32)[np.stack(digits[: self.axis.shown], axis=1)],
            "answer": np.zeros((1, self.spec.answer_length, 16), np.float32),
        }

    def test_the_symbols_are_the_true_ones(self):
        symbols, certainty = read_symbols(self.spec, self.probabilities())
        working = true_working(self.spec, *self.expression)
        for name, true in working._asdict().items():
            assert np.array_equal(symbols[name], true)
        assert all((probability == 1).all() for probability in certainty.values())
        assert failed_stages(self.spec, *self.expression, symbols) == ["write"]

    @pytest.mark.parametrize(
        ("name", "stage"),
        [
            ("operands", "read"),
            ("operator", "read"),
            ("multiplier", "reciprocal"),
            ("columns", "table"),
            ("digits", "carry"),
        ],
    )
    def test_the_first_wrong_symbol_names_the_stage(self, name, stage):
        probabilities = self.probabilities()
        later = ["operands", "operator", "multiplier", "columns", "digits"]
        for other in later[later.index(name) :]:
            probabilities[other] = np.roll(probabilities[other], 1, axis=-1)
        symbols, _ = read_symbols(self.spec, probabilities)
        assert failed_stages(self.spec, *self.expression, symbols) == [stage]
