"""The true answers against the standard library's decimal arithmetic."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.truth import true_answers, write_numbers

from tasks.calculator.task import CalculatorTask
from tasks.splits import permute


def in_decimal(operator: str, a: int, b: int, places: int) -> str:
    x, y = Decimal(a), Decimal(b)
    if operator == "/":
        with localcontext() as context:
            context.prec = 50
            return str((x / y).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    return str({"+": x + y, "-": x - y, "*": x * y}[operator])


def check(spec: CalculatorSpec, indices: np.ndarray) -> None:
    examples = CalculatorTask(spec).examples(indices)
    found = [bytes(row).decode() for row in examples.answers()]
    operators = [spec.operators[number] for number in examples.groups()]
    expected = [
        in_decimal(operator, x, y, spec.places).rjust(spec.answer_length)
        for operator, x, y in zip(operators, examples.a.tolist(), examples.b.tolist(), strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("places", [0, 1, 3, 6])
def test_the_whole_of_a_small_space(digits: int, places: int):
    spec = CalculatorSpec(digits=digits, places=places)
    check(spec, np.arange(CalculatorTask(spec).size))


@pytest.mark.parametrize(("digits", "places"), [(3, 0), (3, 2), (3, 3), (4, 4), (6, 6)])
def test_a_sample_of_a_large_space(digits: int, places: int):
    spec = CalculatorSpec(digits=digits, places=places)
    check(spec, permute(np.arange(20_000), CalculatorTask(spec).size, seed=1))


def test_ties_are_rounded_up():
    spec = CalculatorSpec(places=1)
    answers = true_answers(
        spec, np.array([3] * 3, np.uint8), np.array([1, 1, 3]), np.array([4, 20, 20])
    )
    assert [bytes(row).decode().lstrip() for row in answers] == ["0.3", "0.1", "0.2"]


def test_numbers_fill_their_field_from_the_right():
    rows = write_numbers(np.array([0, -1, -90, 123]), 4)
    assert [bytes(row).decode() for row in rows] == ["   0", "  -1", " -90", " 123"]


def test_a_number_that_does_not_fit_its_field_is_an_error():
    for value, width in ((1000, 3), (-100, 3), (-1, 1)):
        with pytest.raises(ValueError, match=f"more than the {width} symbols of its field"):
            write_numbers(np.array([5, value]), width)


def test_an_operator_that_divides_and_does_not_say_so_is_an_error():
    with pytest.raises(FloatingPointError, match="divide by zero"):
        true_answers(CalculatorSpec(), np.array([3], np.uint8), np.array([1]), np.array([0]))
