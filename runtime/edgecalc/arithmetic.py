"""The true answers and their working, in exact integer arithmetic, to teach and to check.

The corpus, the evaluation and `edgecalc predict --check` need the truth. The calculator never
does: what it answers comes from the network alone, and it does not import this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecalc.spec import PADDING, POINT, Spec
from edgecalc.working import ABSENT, Axis, Working

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


def true_working(spec: Spec, operators: np.ndarray, a: np.ndarray, b: np.ndarray) -> Working:
    """The working of n expressions.

    Args:
        spec: the language.
        operators: ASCII codes of the operators, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator is `/`.

    Returns:
        Operands and multiplier as uint8, columns as int16.
    """
    axis, digits = Axis(spec), spec.digits
    first, second = _digits(a, digits), _digits(b, digits)
    multiplier = np.full((len(a), axis.multiplier), ABSENT, np.uint8)
    columns = np.zeros((len(a), axis.places), np.int16)
    aligned = slice(axis.units + 1 - digits, axis.units + 1)
    for sign, operator in ((1, "+"), (-1, "-")):
        rows = np.flatnonzero(operators == ord(operator))
        columns[rows, aligned] = first[rows] + sign * second[rows].astype(np.int16)
    if "*" in spec.operators:
        rows = np.flatnonzero(operators == ord("*"))
        end = axis.multiplier_units + 1
        multiplier[rows, end - digits : end] = second[rows]
    if "/" in spec.operators:
        rows = np.flatnonzero(operators == ord("/"))
        decimals = axis.reciprocal_decimals
        reciprocals = -(-(10**decimals) // b[rows])
        multiplier[rows, -decimals - 1 :] = _digits(reciprocals, decimals + 1)
        columns[rows, axis.shown] = 5
    factor = np.where(multiplier == ABSENT, 0, multiplier).astype(np.int16)
    for i in range(digits if axis.multiplier else 0):
        diagonal = axis.first_diagonal + i
        columns[:, diagonal : diagonal + axis.multiplier] += factor * first[:, i : i + 1]
    return Working(np.concatenate([first, second], axis=1), multiplier, columns)


def carry(column: Any, carried: Any) -> tuple[Any, Any]:
    """What a column and the carry into it leave behind: the one rule of all carrying.

    Args:
        column: values of columns, integers of any shape; numpy's or TensorFlow's.
        carried: what the next lower places carry into these, integers of the same shape.

    Returns:
        The digits that stay, 0 to 9, and the carries into the next higher places.
    """
    total = column + carried
    return total % 10, total // 10


def carry_through(columns: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Carries through columns from the lowest place to the highest.

    Args:
        columns: the values in each place, the highest first, integers of any one shape; numpy's
            or TensorFlow's.

    Returns:
        For each place the digit that stays, of a negative number that of its complement to
        10**places; and the carry out of it, of which the first is -1 for a negative number.
    """
    digits, carries = [], []
    carried = 0 * columns[0]
    for column in reversed(columns):
        digit, carried = carry(column, carried)
        digits.append(digit)
        carries.append(carried)
    return digits[::-1], carries[::-1]


def failed_stages(
    spec: Spec,
    operators: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    symbols: Mapping[str, np.ndarray],
) -> list[str]:
    """At which stage each of n wrong answers went wrong: the first whose symbols are not true.

    Args:
        spec: the language.
        operators: ASCII codes of the operators, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,).
        symbols: what `read_symbols` gave.

    Returns:
        `read`, `reciprocal`, `table`, `carry` or `write` for each.
    """
    true, axis = true_working(spec, operators, a, b), Axis(spec)
    digits, _ = carry_through(list(true.columns.T))
    codes = np.frombuffer(spec.operators.encode("ascii"), np.uint8)
    stages = np.full(len(a), "write", dtype=object)
    wrong = {
        "carry": symbols["digits"] != np.stack(digits[: axis.shown], axis=1),
        "table": symbols["columns"] != true.columns,
        # Without `*` and `/` there is none to read, and the true one has no digits.
        "reciprocal": symbols.get("multiplier", true.multiplier) != true.multiplier,
        "read": (symbols["operands"] != true.operands)
        | (codes[symbols["operator"]] != operators)[:, None],
    }
    for stage, where in wrong.items():  # the earliest stage has the last word
        stages[where.any(axis=1)] = stage
    return stages.tolist()


def _digits(numbers: np.ndarray, count: int) -> np.ndarray:
    """The last decimal digits of n numbers, the highest first: uint8 (n, count)."""
    digits = np.empty((len(numbers), count), np.uint8)
    for position in reversed(range(count)):
        numbers, digits[:, position] = np.divmod(numbers, 10)
    return digits
