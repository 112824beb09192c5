"""The true working of the calculator: what one would write down between `842/37` and `22.757`.

How it is written, places, digits and columns, is `edgecalc.language.calculator.working`; here is
what is true of it. Every record of a corpus holds it, so that a network can be taught by it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import ABSENT, Axis, read_symbols

from tasks.calculator.sequence import true_sequence
from tasks.splits import mix
from tasks.task import SEQUENCE, Feature

# Steps of carrying that each record tells of beside its own expression.
DRAWN_STEPS = 2


def working_features(spec: CalculatorSpec) -> dict[str, Feature]:
    """The form of what `true_working` gives; no multiplier if nothing multiplies."""
    axis = Axis(spec)
    features = {
        "operands": Feature(2 * spec.digits),
        "multiplier": Feature(axis.multiplier),
        "columns": Feature(axis.places, "int16"),
        "digits": Feature(axis.shown),
        "negative": Feature(1),
        "carrying": Feature(4 * DRAWN_STEPS, "int16"),
        SEQUENCE: Feature(Layout(spec).length),
    }
    return {name: feature for name, feature in features.items() if feature.length}


def true_working(
    spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray, keys: np.ndarray
) -> dict[str, np.ndarray]:
    """The working of n expressions; digits and places with the highest first.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator is `/`.
        keys: of the content, uint64 (n,), by which steps of carrying are drawn.

    Returns:
        By name:
        `operands`: the digits of both operands, zero-filled, uint8 (n, 2 * digits).
        `multiplier`: what the first operand is multiplied with, digits or `ABSENT`, uint8
        (n, axis.multiplier): the second operand for `*`, its reciprocal for `/`.
        `columns`: the sum in each place before any carry, int16 (n, axis.places).
        `digits`: what stays in the shown places after carrying, of a negative number that of its
        complement to 10**shown, uint8 (n, axis.shown).
        `negative`: 1 for a negative number, uint8 (n, 1).
        `carrying`: steps of carrying that have nothing to do with the expression, see
        `drawn_steps`, int16 (n, 4 * DRAWN_STEPS).
        `sequence`: symbols one behind another, see `tasks.calculator.sequence`, uint8 (n, length).
    """
    axis, digits = Axis(spec), spec.digits
    first, second = (_digits(number.astype(np.int32), digits) for number in (a, b))
    multiplier = np.full((len(a), axis.multiplier), ABSENT, np.uint8)
    columns = np.zeros((len(a), axis.places), np.int16)
    aligned = slice(axis.units + 1 - digits, axis.units + 1)
    rows_of = {symbol: np.flatnonzero(operators == i) for i, symbol in enumerate(spec.operators)}
    for sign, symbol in ((1, "+"), (-1, "-")):
        if symbol in rows_of:
            rows = rows_of[symbol]
            columns[rows, aligned] = first[rows] + sign * second[rows].astype(np.int16)
    if "*" in rows_of:
        rows, end = rows_of["*"], axis.multiplier_units + 1
        multiplier[rows, end - digits : end] = second[rows]
    if "/" in rows_of:
        rows, decimals = rows_of["/"], axis.reciprocal_decimals
        # Unsigned, or 10**19 would be too large: that many decimals have 6 digits with 6 places.
        divisors = b[rows].astype(np.uint64)
        reciprocals = (np.uint64(10**decimals) + divisors - np.uint64(1)) // divisors
        multiplier[rows, -decimals - 1 :] = _digits(reciprocals, decimals + 1)
        columns[rows, axis.shown] = 5
    factor = np.where(multiplier == ABSENT, 0, multiplier).astype(np.int16)
    for i in range(digits if axis.multiplier else 0):
        diagonal = axis.first_diagonal + i
        columns[:, diagonal : diagonal + axis.multiplier] += factor * first[:, i : i + 1]
    kept, negative = carry_through(columns)
    working = {
        "operands": np.concatenate([first, second], axis=1),
        "multiplier": multiplier,
        "columns": columns,
        "digits": kept[:, : axis.shown],
        "negative": negative[:, None].astype(np.uint8),
        "carrying": drawn_steps(axis, keys),
    }
    working[SEQUENCE] = true_sequence(spec, operators, a, b, keys)
    return {name: working[name] for name in working_features(spec)}


def carry(column: np.ndarray, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a column and the carry into it leave behind: the one rule of all carrying.

    Args:
        column: values of columns, integers of any shape.
        carried: what the next lower places carry into these, integers of the same shape.

    Returns:
        The digits that stay, 0 to 9, and the carries into the next higher places.
    """
    total = column + carried
    carried = total // 10  # numpy's own divmod takes nine times as long
    return total - 10 * carried, carried


def carry_through(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Carries through columns from the lowest place to the highest.

    Args:
        columns: the values in each place, the highest first, int16 (n, places).

    Returns:
        For each place the digit that stays, uint8 (n, places), of a negative number that of its
        complement to 10**places; and whether it is negative, bool (n,).
    """
    by_place = np.ascontiguousarray(columns.T)
    digits = np.empty(by_place.shape, np.uint8)
    carried = np.zeros(len(columns), columns.dtype)
    for place in reversed(range(len(by_place))):
        digits[place], carried = carry(by_place[place], carried)
    return digits.T, carried < 0


def drawn_steps(axis: Axis, keys: np.ndarray) -> np.ndarray:
    """Steps of carrying, drawn by the keys of n examples, each that can occur equally often.

    In expressions most are rare: of 3,999,000 only 999*999 has a column of 243. A network that is
    to learn all of them is taught by these.

    Args:
        axis: the places of the language.
        keys: of the content, uint64 (n,).

    Returns:
        Steps of four numbers each, column, carry into it, digit that stays, carry out of it; int16
        (n, 4 * DRAWN_STEPS).
    """
    steps = np.empty((len(keys), DRAWN_STEPS, 4), np.int16)
    cases = np.uint64(axis.columns * axis.carries)
    for step in range(DRAWN_STEPS):
        keys = mix(keys)
        case = (keys % cases).astype(np.int16)
        column = case // np.int16(axis.carries)
        steps[:, step, 0] = column + axis.smallest_column
        steps[:, step, 1] = case - column * axis.carries + axis.smallest_carry
    steps[..., 2], steps[..., 3] = carry(steps[..., 0], steps[..., 1])
    return steps.reshape(len(keys), -1)


def failed_stages(
    spec: CalculatorSpec,
    operators: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    true: Mapping[str, np.ndarray],
) -> list[str]:
    """At which stage each of n wrong answers went wrong: the first whose symbols are not true.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        outputs: what the network gave, see `edgecalc.language.calculator.working.read_symbols`.
        true: the true working.

    Returns:
        `read`, `reciprocal`, `table`, `carry` or `write` for each.
    """
    symbols, _ = read_symbols(spec, outputs)
    stages = np.full(len(operators), "write", dtype=object)
    wrong = {
        "carry": symbols["digits"] != true["digits"],
        "table": symbols["columns"] != true["columns"],
        "read": (symbols["operands"] != true["operands"])
        | (symbols["operator"] != operators)[:, None],
    }
    if "multiplier" in symbols:
        wrong["reciprocal"] = symbols["multiplier"] != true["multiplier"]
    for stage in ("carry", "table", "reciprocal", "read"):  # the earliest has the last word
        if stage in wrong:
            stages[wrong[stage].any(axis=1)] = stage
    names: list[str] = stages.tolist()
    return names


def _digits(numbers: np.ndarray, count: int) -> np.ndarray:
    """The last decimal digits of n numbers, the highest first: uint8 (n, count)."""
    digits = np.empty((count, len(numbers)), np.uint8)
    ten = numbers.dtype.type(10)
    for position in reversed(range(count)):
        higher = numbers // ten
        digits[position] = numbers - ten * higher
        numbers = higher
    return digits.T
