"""The true answers, in exact integer arithmetic, to teach and to check.

The corpus, the evaluation and `edgecalc predict --check` need the truth. The calculator never
does: what it answers comes from the network alone, and it does not import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edgecalc.language.calculator.operators import OPERATORS
from edgecalc.language.calculator.parser import parse
from edgecalc.language.calculator.spec import POINT, CalculatorSpec
from edgecalc.language.spec import PADDING

_ZERO = ord("0")
_DIGITS_OF_INT32 = 9

# From operands, int64 (n,), and the places of fixed point to results, int64 (n,): in units of
# 10**-places where the operator has fixed point.
_TRUTHS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "+": lambda a, b, places: a + b,
    "-": lambda a, b, places: a - b,
    "*": lambda a, b, places: a * b,
    # Half up: floor(a / b * 10**places + 1/2), kept whole.
    "/": lambda a, b, places: (2 * a * 10**places + b) // (2 * b),
}
if set(_TRUTHS) != set(OPERATORS):
    raise TypeError(
        f"operators without a truth, or truths without an operator: "
        f"{' '.join(sorted(set(_TRUTHS) ^ set(OPERATORS)))}"
    )


def true_answers(
    spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    """The padded answers of n expressions.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator divides.

    Returns:
        ASCII symbols, uint8 (n, answer_length), right-aligned. Quotients are in fixed point with
        `spec.places` decimals, rounded half up.

    Raises:
        FloatingPointError: if an operator divides by 0; then its entry lacks `divides`.
        ValueError: if an answer does not fit; then `longest` of its operator is too short.
    """
    answers = np.empty((len(a), spec.answer_length), np.uint8)
    for number, operator in enumerate(spec.known):
        rows = np.flatnonzero(operators == number)
        with np.errstate(divide="raise"):
            values = _TRUTHS[operator.symbol](a[rows], b[rows], spec.places)
        places = spec.places if operator.fixed_point else 0
        answers[rows] = write_numbers(values, spec.answer_length, places)
    return answers


def true_texts(spec: CalculatorSpec, expressions: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Of n expressions the operators, positions in `spec.operators`, uint8 (n,), and answers."""
    parsed = [parse(text, spec) for text in expressions]
    operators = np.array([spec.operators.index(one.operator) for one in parsed], np.uint8)
    a, b = (np.array([one[i] for one in parsed], np.int64) for i in (1, 2))
    answers = true_answers(spec, operators, a, b)
    return operators, [bytes(row).decode("ascii").lstrip(PADDING) for row in answers]


def write_numbers(values: np.ndarray, width: int, places: int = 0) -> np.ndarray:
    """Writes n numbers right-aligned, with `-` directly before the first digit.

    Args:
        values: int64 (n,), in units of 10**-places.
        width: symbols of a field; wide enough for every value.
        places: decimals behind the point; no point if 0.

    Returns:
        ASCII symbols, uint8 (n, width).

    Raises:
        ValueError: if a value does not fit.
    """
    symbols = np.full((width, len(values)), ord(PADDING), np.uint8)
    unsigned = values >= 0
    rest = np.abs(values)
    if width <= _DIGITS_OF_INT32:
        rest = rest.astype(np.int32)  # to divide these takes half as long
    if places:
        symbols[width - 1 - places] = ord(POINT)
    for exponent in range(width - bool(places)):
        column = width - 1 - exponent - (1 if places and exponent >= places else 0)
        higher = rest // 10
        digits = (rest - 10 * higher + _ZERO).astype(np.uint8)
        if exponent <= places:  # every number has its decimals and one digit before them
            symbols[column] = digits
        else:
            symbols[column] = np.where(rest > 0, digits, ord(PADDING))
            if not unsigned.all():
                sign = (rest == 0) & ~unsigned
                symbols[column][sign] = ord("-")
                unsigned |= sign
        rest = higher
    if rest.any() or not unsigned.all():
        raise ValueError(f"a number has more than the {width} symbols of its field")
    return symbols.T
