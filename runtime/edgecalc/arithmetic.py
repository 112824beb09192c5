"""The true answers, in exact integer arithmetic, for teaching and for checking.

The corpus, the evaluation and `edgecalc predict --check` need the truth. The calculator never
does: what it answers comes from the network alone, and it does not import this module.
"""

from __future__ import annotations

import numpy as np

from edgecalc.spec import PADDING, POINT, Spec

_ZERO = ord("0")


def true_answers(spec: Spec, operators: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The padded answers of n expressions.

    Args:
        spec: the language.
        operators: ASCII codes of the operators, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator is `/`.

    Returns:
        ASCII symbols, uint8 (n, answer_length), right-aligned. Quotients are in fixed point with
        `spec.places` decimals, rounded half up.
    """
    answers = np.empty((len(a), spec.answer_length), np.uint8)
    for operator in spec.operators:
        rows = np.flatnonzero(operators == ord(operator))
        x, y = a[rows], b[rows]
        if operator == "/":
            # Half up: floor(x / y * 10**places + 1/2), kept whole.
            scaled = (2 * x * 10**spec.places + y) // (2 * y)
            answers[rows] = write_numbers(scaled, spec.answer_length, spec.places)
        else:
            value = x + y if operator == "+" else x - y if operator == "-" else x * y
            answers[rows] = write_numbers(value, spec.answer_length)
    return answers


def write_numbers(values: np.ndarray, width: int, places: int = 0) -> np.ndarray:
    """Writes n numbers right-aligned, with `-` directly before the first digit.

    Args:
        values: int64 (n,), in units of 10**-places.
        width: symbols of a field; wide enough for every value.
        places: decimals behind the point; no point if 0.

    Returns:
        ASCII symbols, uint8 (n, width).
    """
    symbols = np.full((len(values), width), ord(PADDING), np.uint8)
    magnitude = np.abs(values)
    unsigned = values >= 0
    if places:
        symbols[:, width - 1 - places] = ord(POINT)
    for exponent in range(width - bool(places)):
        column = width - 1 - exponent - (1 if places and exponent >= places else 0)
        if exponent <= places:  # every number has its decimals and one digit before them
            symbols[:, column] = _ZERO + magnitude % 10
        else:
            digits = np.where(magnitude > 0, _ZERO + magnitude % 10, ord(PADDING))
            sign = (magnitude == 0) & ~unsigned
            symbols[:, column] = np.where(sign, ord("-"), digits)
            unsigned |= sign
        magnitude = magnitude // 10
    return symbols
