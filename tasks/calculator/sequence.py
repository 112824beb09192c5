"""The true working as a sequence of symbols, in the form of a `Layout`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from edgecalc.language.calculator.sequence import MULTIPLES, Layout
from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec
from edgecalc.language.codec import id_table
from edgecalc.language.spec import PADDING

from tasks.splits import mix

# Where two multiples are near enough, the one that is written is drawn: a digit comes from the
# quotient of a rest and up to so much more or less, most of the time little. So a network need not
# know better than that which one is nearer, and learns to go on from any rest.
_LITTLE, _MUCH = 50, 115  # of 256
_MUCH_OF = 8  # draws, one of them
_DRAWS = 256

# From what is to be divided and the divisor, integers (n,), to a digit of the quotient, -9 to 9.
_Choose = Callable[[np.ndarray, np.ndarray], np.ndarray]
# The parts behind the operands: ten times a carry and a digit, integers (symbols, n).
_Parts = Iterator[np.ndarray]


def true_sequence(
    spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray, keys: np.ndarray
) -> np.ndarray:
    """The sequences of n expressions.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator is `/`.
        keys: of the content, uint64 (n,), by which digits are drawn where two will do.

    Returns:
        Ids, uint8 (n, length), see `Layout`.
    """
    return _sequences(spec, operators, a, b, lambda rows: _Drawn(keys[rows]))


def failed_parts(
    spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray, written: np.ndarray
) -> list[str]:
    """In which part each of n wrong answers went wrong.

    That is where the first symbol stands that does not follow from those before it. A digit of a
    quotient follows if what it leaves is less than the divisor.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,).
        written: ids that a network wrote, integers (n, length).

    Returns:
        A name of `Layout.parts`, `blanks` behind them, or `answer` for each.
    """
    layout = Layout(spec)
    wrong = written != _sequences(
        spec, operators, a, b, lambda rows: _Written(layout, written[rows])
    )
    found = []
    for operator, row in zip(operators, wrong, strict=True):
        parts = layout.parts(spec.operators[operator])
        names = (name for name, part in parts.items() if row[part].any())
        found.append(next(names, "blanks" if row.any() else "answer"))
    return found


class _Drawn:
    """Digits that leave less than the divisor, mostly the one that leaves least."""

    def __init__(self, keys: np.ndarray) -> None:
        self._keys = keys

    def __call__(self, rest: np.ndarray, b: np.ndarray) -> np.ndarray:
        self._keys = mix(self._keys)
        drawn = (self._keys % np.uint64(2 * _DRAWS)).astype(rest.dtype) - _DRAWS
        much = self._keys // np.uint64(2 * _DRAWS) % np.uint64(_MUCH_OF) == 0
        moved = np.where(much, _MUCH, _LITTLE).astype(rest.dtype) * drawn // _DRAWS
        digits: np.ndarray = (_DRAWS * (2 * rest + b) // 2 + moved * b) // (_DRAWS * b)
        return np.clip(digits, MULTIPLES[0], MULTIPLES[-1])


class _Written:
    """Digits as they were written, or the nearest where those will not do."""

    def __init__(self, layout: Layout, written: np.ndarray) -> None:
        values = np.full(len(layout.symbols), 100)  # what is no multiple leaves too much
        values[layout.multiples] = MULTIPLES
        parts = layout.parts("/").items()
        places = (part.start for name, part in parts if name.startswith("digit "))
        self._digits = (values[written[:, place]] for place in places)

    def __call__(self, rest: np.ndarray, b: np.ndarray) -> np.ndarray:
        digits = next(self._digits).astype(rest.dtype)
        nearest = np.clip((2 * rest + b) // (2 * b), MULTIPLES[0], MULTIPLES[-1])
        return np.where(np.abs(rest - digits * b) < b, digits, nearest)


def _sequences(
    spec: CalculatorSpec,
    operators: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    choose: Callable[[np.ndarray], _Choose],
) -> np.ndarray:
    layout, ids = Layout(spec), id_table(spec)
    written = np.full((layout.length, len(operators)), ids[ord(PADDING)], np.uint8)
    symbols = _symbols(layout)
    # Half as many bits are divided in half the time.
    largest = max(10**layout.dividend, 100 * _DRAWS * spec.limit)
    dtype = np.int32 if largest < 2**31 else np.int64
    for number, operator in enumerate(spec.operators):
        rows = np.flatnonzero(operators == number)
        if not len(rows):
            continue
        first, second = a[rows].astype(dtype), b[rows].astype(dtype)
        parts = layout.parts(operator)
        digits = [_digits(first, spec.digits)[::-1], _digits(second, spec.digits)[::-1]]
        contents = _TRUTHS[operator](layout, first, second, choose(rows))
        for part, content in zip(parts.values(), [np.concatenate(digits), *contents], strict=True):
            written[part, rows] = symbols[content]
        if operator == "-":
            written[parts["digits"].stop - 1, rows[np.less(first, second)]] = ids[ord("-")]
    return np.ascontiguousarray(written.T)


def _symbols(layout: Layout) -> np.ndarray:
    """Ids by ten times a carry and a digit; behind these, of multiples. uint8 (n,)."""
    digits = id_table(layout.spec)[np.frombuffer(DIGITS.encode("ascii"), np.uint8)]
    others = np.arange(layout.carried(1), len(layout.symbols), dtype=np.uint8)
    return np.concatenate([digits, others])


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


def _addition(layout: Layout, a: np.ndarray, b: np.ndarray, _: _Choose) -> _Parts:
    digits = layout.spec.digits
    yield _row(digits, (1, a), (1, b))
    yield _digits(a + b, digits + 1)


def _subtraction(layout: Layout, a: np.ndarray, b: np.ndarray, _: _Choose) -> _Parts:
    digits, below = layout.spec.digits, a < b
    yield _row(digits, (1, a), (-1, b))
    read = _row(digits, (np.where(below, -1, 1), (a - b) % 10**digits))
    yield np.concatenate([read, np.zeros_like(read[:1])])


def _multiplication(layout: Layout, a: np.ndarray, b: np.ndarray, _: _Choose) -> _Parts:
    digits = layout.spec.digits
    before = np.zeros_like(b)
    for number, digit in enumerate(_digits(a, digits)[::-1], 1):
        yield _row(digits + number, (digit, b), (1, 10 * before))
        before = 10 * before + digit * b


def _division(layout: Layout, a: np.ndarray, b: np.ndarray, choose: _Choose) -> _Parts:
    digits, steps = layout.spec.digits, layout.steps
    larger = np.ones_like(b)
    for _ in range(digits - 1):
        larger = np.where(larger * b < 10 ** (digits - 1), 10 * larger, larger)
    b = larger * b
    yield _digits(b, digits)[::-1]
    dividend = a * larger * 10**layout.spec.places
    yield _row(layout.dividend, (1, dividend), (1, b // 2))
    dividend = dividend + b // 2
    rest, quotient = dividend // 10**steps, []
    first_multiple = 10 * (layout.largest_carry + 1)  # in `_symbols`, behind digits with any carry
    for digit in _digits(dividend, steps)[::-1]:
        rest = 10 * rest + digit
        times = choose(rest, b)
        quotient.append(times)
        yield (first_multiple + times - MULTIPLES[0])[None]
        totals = _row(digits + 1, (1, rest), (-times, b))
        totals[-1] %= 10  # 0, or 9 of what is below 0; nothing is left to borrow from
        yield totals
        rest = rest - times * b
    totals, borrowed = np.empty((steps, len(a)), a.dtype), rest < 0
    for place, times in enumerate(reversed(quotient)):
        total = times - borrowed
        borrowed = total < 0
        totals[place] = total % 10 + 10 * borrowed
    yield totals


_TRUTHS = {"+": _addition, "-": _subtraction, "*": _multiplication, "/": _division}
