"""The working against plain integers, over the whole space where a proof is asked for."""

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.truth import write_numbers
from edgecalc.language.calculator.working import ABSENT, Axis, has_working, read_symbols

from tasks.calculator.task import CalculatorExamples, CalculatorTask
from tasks.calculator.working import DRAWN_STEPS, carry, carry_through

DEFAULT = Axis(CalculatorSpec())


def whole(spec):
    task = CalculatorTask(spec)
    return task.examples(np.arange(task.size))


def one(spec, operator, a, b):
    """A single expression as examples."""
    number = np.array([spec.operators.index(operator)], np.uint8)
    return CalculatorExamples(spec, number, np.array([a]), np.array([b]))


def check(spec):
    """The columns, carried through, are the true answers; digits and signs say the same."""
    examples, axis = whole(spec), Axis(spec)
    working = examples.working()
    kept, negative = carry_through(working["columns"])
    assert np.array_equal(kept[:, : axis.shown], working["digits"])
    assert np.array_equal(negative, working["negative"][:, 0] == 1)
    values = np.zeros(len(kept), np.int64)
    for digit in working["digits"].T:
        values = values * 10 + digit
    values -= negative * 10**axis.shown
    answers = np.empty((len(kept), spec.answer_length), np.uint8)
    for number, operator in enumerate(spec.known):
        chosen = examples.operators == number
        places = spec.places if operator.fixed_point else 0
        answers[chosen] = write_numbers(values[chosen], spec.answer_length, places)
    assert np.array_equal(answers, examples.answers())


def test_the_columns_of_every_expression_of_the_default_space_give_its_answer():
    check(CalculatorSpec())


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("places", [0, 1, 3, 6])
@pytest.mark.parametrize("operators", ["+-*/", "+-", "/", "*", "-/"])
def test_the_columns_of_every_expression_of_a_small_space_give_its_answer(
    digits, places, operators
):
    check(CalculatorSpec(digits=digits, places=places, operators=operators))


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
    spec = CalculatorSpec(digits=digits, places=places, operators="/")
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
    a, b = map(int, expression.split(operator))
    working = one(CalculatorSpec(), operator, a, b).working()
    assert working["operands"][0].tolist() == list(map(int, operands))
    digits = [ABSENT if symbol == " " else int(symbol) for symbol in multiplier]
    assert working["multiplier"][0].tolist() == digits
    if operator == "/":
        columns = working_by_hand(842, digits)
    assert working["columns"][0].tolist() == columns


def working_by_hand(a, multiplier):
    columns = [0] * 13
    for i, digit in enumerate(map(int, f"{a:03}")):
        for j, other in enumerate(multiplier):
            columns[i + j] += digit * other
    columns[6] += 5
    return columns


def test_columns_and_carries_stay_in_their_ranges():
    columns = whole(CalculatorSpec()).working()["columns"]
    assert columns.min() == DEFAULT.smallest_column
    assert columns.max() <= DEFAULT.largest_column
    carried = np.zeros(len(columns), np.int16)
    for column in columns.T[::-1]:
        _, carried = carry(column, carried)
        assert DEFAULT.smallest_carry <= carried.min()
        assert carried.max() <= DEFAULT.largest_carry


def test_the_steps_of_carrying_in_the_records_are_true_and_of_every_kind():
    steps = whole(CalculatorSpec(digits=3, operators="+-/")).working()["carrying"]
    column, carried, kept, carried_on = steps.reshape(-1, DRAWN_STEPS, 4).astype(int).T
    assert (column + carried == kept + 10 * carried_on).all()
    assert kept.min() >= 0
    assert kept.max() <= 9
    assert DEFAULT.smallest_carry <= carried_on.min()
    assert carried_on.max() <= DEFAULT.largest_carry
    case = (column - DEFAULT.smallest_column) * DEFAULT.carries + carried - DEFAULT.smallest_carry
    times = np.bincount(case.ravel())
    assert len(times) == DEFAULT.columns * DEFAULT.carries == 7482
    assert times.min() > 0.8 * times.mean()  # each equally often


class TestReading:
    spec = CalculatorSpec(digits=1, places=1)
    axis = Axis(spec)
    examples = one(spec, "/", 7, 3)

    def probabilities(self):
        """What a network gives that is sure of the true working of 7/3."""
        working = self.examples.working()
        columns = working["columns"] - self.axis.smallest_column
        return {
            "operands": np.eye(10, dtype=np.float32)[working["operands"]],
            "operator": np.eye(4, dtype=np.float32)[[self.spec.operators.index("/")]],
            "multiplier": np.eye(11, dtype=np.float32)[working["multiplier"]][..., :10],
            "columns": np.eye(self.axis.columns, dtype=np.float32)[columns],
            "digits": np.eye(10, dtype=np.float32)[working["digits"]],
            "answer": np.zeros((1, self.spec.answer_length, 16), np.float32),
        }

    def test_the_symbols_are_the_true_ones(self):
        symbols, certainty = read_symbols(self.spec, self.probabilities())
        working = self.examples.working()
        for name in ("operands", "multiplier", "columns", "digits"):
            assert np.array_equal(symbols[name], working[name])
        assert all((probability == 1).all() for probability in certainty.values())
        assert self.examples.failed_stages(self.probabilities()) == ["write"]

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
        assert self.examples.failed_stages(probabilities) == [stage]

    def test_a_network_without_a_working_fails_at_an_unknown_stage(self):
        assert self.examples.failed_stages({}) == ["unknown"]


def test_an_operator_without_a_working_has_no_axis(monkeypatch):
    monkeypatch.setattr("edgecalc.language.calculator.working._WORKED", "+-")
    assert not has_working(CalculatorSpec())
    with pytest.raises(ValueError, match="whose working is known"):
        Axis(CalculatorSpec())
    task = CalculatorTask(CalculatorSpec())
    assert task.working == {} == task.examples(np.arange(3)).working()
