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
    # Half as many bits are divided in half the time.
    dtype = np.int32 if 100 * spec.limit * 10**spec.places < 2**31 else np.int64
    for number, operator in enumerate(spec.operators):
        chosen = np.flatnonzero(operators == number)
        if not len(chosen):
            continue
        first, second = a[chosen].astype(dtype), b[chosen].astype(dtype)
        parts = layout.parts(operator)
        contents = [_digits(first, spec.digits)[::-1], _digits(second, spec.digits)[::-1]]
        totals = [np.concatenate(contents), *_TRUTHS[operator](layout, first, second)]
        for part, content in zip(parts.values(), totals, strict=True):
            written[part, chosen] = symbols[content]
        if operator == "-":
            minus = chosen[np.less(first, second)]
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
    digits = np.empty((count, len(numbers)), numbers.dtype)
    for place in range(count):
        rest = numbers // 10
        digits[place] = numbers - 10 * rest
        numbers = rest
    return digits


def _row(places: int, *terms: tuple[np.ndarray | int, np.ndarray]) -> np.ndarray:
    """A sum of terms, each a digit times a number, in the lowest places (places, n).

    In each place stand the digit and ten times what is carried from it, or borrowed. A number below
    0 has the digits of its complement.
    """
    totals = np.empty((places, len(terms[0][1])), terms[0][1].dtype)
    carry: np.ndarray | int = 0
    factors = [factor for factor, _ in terms]
    for place, digits in enumerate(zip(*(_digits(term, places) for _, term in terms), strict=True)):
        total = carry + sum(map(np.multiply, factors, digits))
        carry = total // 10
        totals[place] = total - 10 * carry + 10 * abs(carry)
    return totals


def _addition(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    yield _row(digits, (1, a), (1, b))
    yield _digits(a + b, digits + 1)


def _subtraction(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits, below = layout.spec.digits, a < b
    yield _row(digits, (1, a), (-1, b))
    read = _row(digits, (np.where(below, -1, 1), (a - b) % 10**digits))
    yield np.concatenate([read, np.zeros_like(read[:1])])


def _multiplication(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    before = np.zeros_like(b)
    for number, digit in enumerate(_digits(a, digits)[::-1], 1):
        yield _row(digits + number, (digit, b), (1, 10 * before))
        before = 10 * before + digit * b


def _division(layout: Layout, a: np.ndarray, b: np.ndarray) -> _Parts:
    digits = layout.spec.digits
    shifted, half = a * 10**layout.spec.places, b // 2
    yield _row(layout.rounded, (1, shifted), (1, half))
    rest, quotient = np.zeros_like(a), []
    for digit in _digits(shifted + half, layout.steps)[::-1]:
        rest = 10 * rest + digit
        nearest = (2 * rest + b) // (2 * b)
        quotient.append(nearest)
        yield (nearest % 10 + 90 * (nearest < 0))[None]
        totals = _row(digits + 1, (1, rest), (-nearest, b))
        totals[-1] %= 10  # 0, or 9 of what is below 0; nothing is left to borrow from
        yield totals
        rest = rest - nearest * b
    totals, borrowed = np.empty((layout.steps, len(a)), a.dtype), rest < 0
    for place, nearest in enumerate(reversed(quotient)):
        total = nearest - borrowed
        borrowed = total < 0
        totals[place] = total % 10 + 10 * borrowed
    yield totals


_TRUTHS = {"+": _addition, "-": _subtraction, "*": _multiplication, "/": _division}
