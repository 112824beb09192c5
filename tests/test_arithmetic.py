"""The true answers against the standard library's decimal arithmetic."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import pytest
from edgecalc import space
from edgecalc.arithmetic import true_answers, write_numbers
from edgecalc.spec import Spec


def in_decimal(operator: str, a: int, b: int, places: int) -> str:
    x, y = Decimal(a), Decimal(b)
    if operator == "/":
        with localcontext() as context:
            context.prec = 50
            return str((x / y).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    return str({"+": x + y, "-": x - y, "*": x * y}[operator])


def check(spec: Spec, indices: np.ndarray) -> None:
    operators, a, b = space.expressions(spec, indices)
    found = [
        bytes(row).decode().lstrip(" ").rjust(spec.answer_length)
        for row in true_answers(spec, operators, a, b)
    ]
    expected = [
        in_decimal(chr(operator), x, y, spec.places).rjust(spec.answer_length)
        for operator, x, y in zip(operators.tolist(), a.tolist(), b.tolist(), strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("places", [0, 1, 3, 6])
def test_the_whole_of_a_small_space(digits: int, places: int):
    spec = Spec(digits=digits, places=places)
    check(spec, np.arange(space.size(spec)))


@pytest.mark.parametrize(("digits", "places"), [(3, 0), (3, 2), (3, 3), (4, 4), (6, 6)])
def test_a_sample_of_a_large_space(digits: int, places: int):
    spec = Spec(digits=digits, places=places)
    check(spec, space.permute(np.arange(20_000), space.size(spec), seed=1))


def test_ties_are_rounded_up():
    spec = Spec(places=1)
    answers = true_answers(
        spec, np.array([ord("/")] * 3, np.uint8), np.array([1, 1, 3]), np.array([4, 20, 20])
    )
    assert [bytes(row).decode().lstrip() for row in answers] == ["0.3", "0.1", "0.2"]


def test_numbers_fill_their_field_from_the_right():
    rows = write_numbers(np.array([0, -1, -90, 123]), 4)
    assert [bytes(row).decode() for row in rows] == ["   0", "  -1", " -90", " 123"]
