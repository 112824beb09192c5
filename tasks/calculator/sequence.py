"""The true working as a sequence of symbols, in the form of a `Layout`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec
from edgecalc.language.calculator.working import ABSENT
from edgecalc.language.codec import id_table
from edgecalc.language.spec import PADDING


def true_sequence(
    spec: CalculatorSpec, operators: np.ndarray, working: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The sequences of n expressions.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        working: of the true working, see `tasks.calculator.working`, `operands` and, if there is
            one, `multiplier`.

    Returns:
        Ids, uint8 (n, length), see `Layout`.
    """
    layout, ids = Layout(spec), id_table(spec)
    digits = ids[np.frombuffer(DIGITS.encode("ascii"), np.uint8)]
    written = np.full((layout.length, len(operators)), ids[ord(PADDING)], np.uint8)
    operands = np.ascontiguousarray(working["operands"].T)
    written[layout.operands] = digits[operands]
    if layout.axis.multiplier:
        multiplier = np.ascontiguousarray(working["multiplier"].T)
        written[layout.multiplier] = np.append(digits, ids[ord(PADDING)])[multiplier]
    # By carry and digit.
    symbols = np.concatenate([digits, layout.carried(1) + np.arange(10 * layout.largest_carry)])
    symbols = symbols.astype(np.uint8)
    for number, operator in enumerate(spec.operators):
        chosen = np.flatnonzero(operators == number)
        if not len(chosen):
            continue
        a, b = np.split(operands[:, chosen].astype(np.int16), 2)
        if operator in "+-":
            first, second = layout.rows[-2:]
            rows = _sum(a, b) if operator == "+" else _difference(a, b)
            start = layout.axis.hidden
            for row, content in zip((first, second), rows, strict=True):
                places = slice(row.start + start, row.start + start + len(content))
                written[places, chosen] = symbols[content]
            if operator == "-":
                minus = chosen[rows[0][-1] >= 10]
                written[second.start + start + spec.digits, minus] = ids[ord("-")]
        else:
            factor = multiplier[::-1, chosen].astype(np.int16)
            factor[factor == ABSENT] = 0
            rounding = layout.axis.hidden - spec.digits if operator == "/" else None
            rows = _products(a, factor, layout.rows[-spec.digits :], rounding)
            # Nothing is written below the ones of a product.
            below = layout.axis.hidden if operator == "*" else 0
            for row, content in zip(layout.rows[-spec.digits :], rows, strict=True):
                written[row.start + below : row.stop, chosen] = symbols[content[below:]]
    return np.ascontiguousarray(written.T)


def failed_parts(spec: CalculatorSpec, written: np.ndarray, true: np.ndarray) -> list[str]:
    """In which part each of n wrong answers went wrong: that of the first symbol that is not true.

    Args:
        spec: the language.
        written: ids that a network wrote, integers (n, length).
        true: the true ones, uint8 (n, length).

    Returns:
        `operands`, `multiplier`, `row 1` and so on, or `answer` for each.
    """
    layout = Layout(spec)
    parts = {"operands": layout.operands, "multiplier": layout.multiplier}
    parts |= {f"row {number}": row for number, row in enumerate(layout.rows, 1)}
    names = np.full(len(true), "answer", dtype=object)
    for name, part in reversed(parts.items()):  # the earliest has the last word
        names[(written[:, part] != true[:, part]).any(axis=1)] = name
    found: list[str] = names.tolist()
    return found


def _sum(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Totals in each place with the carry, and the digits, from the lowest; (places, n) each."""
    first = np.empty(a.shape, np.int16)
    carry = np.zeros(a.shape[1], np.int16)
    for place in range(len(a)):
        first[place] = a[-1 - place] + b[-1 - place] + carry
        carry = first[place] // 10
    return [first, np.concatenate([first % 10, carry[None]])]


def _difference(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Digits with 10 for what is borrowed, and those of the difference without its sign."""
    first, second = (
        np.empty((len(a), a.shape[1]), np.int16),
        np.zeros_like(a, shape=(len(a) + 1, a.shape[1])),
    )
    borrow = np.zeros(a.shape[1], np.int16)
    for place in range(len(a)):
        total = a[-1 - place] - b[-1 - place] - borrow
        borrow = (total < 0).astype(np.int16)
        first[place] = total + 20 * borrow  # the digit is 10 more, and so is what says borrowed
    negative = borrow
    borrow = np.zeros(a.shape[1], np.int16)
    for place in range(len(a)):
        digit = first[place] % 10
        total = np.where(negative, -digit - borrow, digit)
        borrow = (total < 0).astype(np.int16)
        second[place] = total + 20 * borrow
    return [first, second]


def _products(
    a: np.ndarray, factor: np.ndarray, rows: list[slice], rounding: int | None
) -> list[np.ndarray]:
    """Totals in each place with the carry, from the lowest, for each row (places, n).

    Args:
        a: digits of the first operand, the highest first, int16 (digits, n).
        factor: digits of the multiplier, the lowest first, int16 (places, n).
        rows: the rows of the sequence.
        rounding: the place in the first row that gets the 5 that rounds, if any.
    """
    found: list[np.ndarray] = []
    for digit, row in zip(a, rows, strict=True):
        totals = np.empty((row.stop - row.start, a.shape[1]), np.int16)
        carry = np.zeros(a.shape[1], np.int16)
        for place in range(len(totals)):
            total = carry
            if place < len(factor):
                total = total + digit * factor[place]
            if found and place:
                total = total + found[-1][place - 1] % 10
            if not found and place == rounding:
                total = total + 5
            totals[place] = total
            carry = total // 10
        found.append(totals)
    return found
