"""The true working as a sequence of symbols, in the form of a `Layout`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec
from edgecalc.language.codec import id_table
from edgecalc.language.spec import PADDING

# From a layout and operands, integers (n,), to the totals of each part behind the operands: ten
# times a carry and a digit, integers (symbols, n).
_Parts = Iterator[np.ndarray]


def true_sequence(
    spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    """The sequences of n expressions.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator is `/`.

    Returns:
        Ids, uint8 (n, length), see `Layout`.
    """
    layout, ids = Layout(spec), id_table(spec)
    written = np.full((layout.length, len(operators)), ids[ord(PADDING)], np.uint8)
    digits = ids[np.frombuffer(DIGITS.encode("ascii"), np.uint8)]
    # By carry and digit.
    symbols = np.concatenate([digits, layout.carried(1) + np.arange(10 * layout.largest_carry)])
    symbols = symbols.astype(np.uint8)
    for number, operator in enumerate(spec.operators):
        chosen = np.flatnonzero(operators == number)
        if not len(chosen):
            continue
        first, second = a[chosen], b[chosen]
        parts = layout.parts(operator)
        contents = [_digits(first, spec.digits)[::-1], _digits(second, spec.digits)[::-1]]
        totals = [np.concatenate(contents), *_TRUTHS[operator](layout, first, second)]
        for part, content in zip(parts.values(), totals, strict=True):
            written[part, chosen] = symbols[content]
        if operator == "-":
            minus = chosen[first < second]
            written[parts["digits"].stop - 1, minus] = ids[ord("-")]
    return np.ascontiguousarray(written.T)


def failed_parts(
    spec: CalculatorSpec, operators: np.ndarray, written: np.ndarray, true: np.ndarray
) -> list[str]:
    """In which part each of n wrong answers went wrong: that of the first symbol that is not true.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        written: ids that a network wrote, integers (n, length).
        true: the true ones, uint8 (n, length).

    Returns:
        A name of `Layout.parts`, `blanks` behind them, or `answer` for each.
    """
    layout = Layout(spec)
    wrong = written != true
    found = []
    for operator, row in zip(operators, wrong, strict=True):
        parts = layout.parts(spec.operators[operator])
        names = (name for name, part in parts.items() if row[part].any())
        found.append(next(names, "blanks" if row.any() else "answer"))
    return found


def _digits(numbers: np.ndarray, count: int) -> np.ndarray:
    """The lowest digits, from the lowest (count, n)."""
    digits = np.empty((count, len(numbers)), np.int64)
    for place in range(count):
        rest = numbers // 10
        digits[place] = numbers - 10 * rest
        numbers = rest
    return digits


def _sums(places: int, *terms: np.ndarray) -> np.ndarray:
    """Numbers added up digit by digit: in each place the digits and the carry (places, n)."""
    totals = np.empty((places, len(terms[0])), np.int64)
    carry: np.ndarray | int = 0
    for place, digits in enumerate(zip(*(_digits(term, places) for term in terms), strict=True)):
        totals[place] = sum(digits) + carry
        carry = totals[place] // 10
    return totals


def _differences(places: int, a: np.ndarray, b: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Takes a digit times b from a: in each place the digit and what it carries (places, n).

    What is borrowed counts as carried. What is below 0 has the digits of its complement.
    """
    totals = np.empty((places, len(a)), np.int64)
    carry: np.ndarray | int = 0
    for place, (digit, subtracted) in enumerate(
        zip(_digits(a, places), _digits(b, places), strict=True)
    ):
        total = digit - times * subtracted + carry
        carry = total // 10
        totals[place] = total - 10 * carry + 10 * abs(carry)
    return totals


def _addition(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    yield _sums(digits, a, b)
    yield _digits(a + b, digits + 1)


def _subtraction(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    yield _differences(digits, a, b, np.ones_like(a))
    # Below 0 the first row is a complement, of which this takes the complement.
    complement = np.where(a < b, (a - b) % 10**digits, 0)
    taken = _differences(digits, np.zeros_like(a), complement, np.ones_like(a))
    yield np.concatenate([np.where(a < b, taken, _digits(a - b, digits)), 0 * taken[:1]])


def _multiplication(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    before = np.zeros_like(b)
    for number, digit in enumerate(_digits(a, digits)[::-1], 1):
        totals = np.empty((digits + number, len(a)), np.int64)
        carry: np.ndarray | int = 0
        terms = zip(_digits(b, len(totals)), _digits(10 * before, len(totals)), strict=True)
        for place, (factor, above) in enumerate(terms):
            totals[place] = digit * factor + above + carry
            carry = totals[place] // 10
        yield totals
        before = 10 * before + digit * b


def _division(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    shifted, half = a * 10**layout.spec.places, b // 2
    yield _sums(layout.rounded, shifted, half)
    rest, quotient = np.zeros_like(a), []
    for digit in _digits(shifted + half, layout.steps)[::-1]:
        rest = 10 * rest + digit
        nearest = (2 * rest + b) // (2 * b)
        quotient.append(nearest)
        yield (nearest % 10 + 90 * (nearest < 0))[None]
        totals = _differences(digits + 1, rest, b, nearest)
        totals[-1] %= 10  # 0, or 9 of what is below 0; nothing is left to borrow from
        yield totals
        rest = rest - nearest * b
    totals, borrowed = np.empty((layout.steps, len(a)), np.int64), rest < 0
    for place, nearest in enumerate(reversed(quotient)):
        total = nearest - borrowed
        borrowed = total < 0
        totals[place] = total % 10 + 10 * borrowed
    yield totals


_TRUTHS = {"+": _addition, "-": _subtraction, "*": _multiplication, "/": _division}
