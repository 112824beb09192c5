"""The working as a sequence of symbols: what a person would write one behind the other on paper.

A symbol is a digit, and the carry into the next place; without a carry it is the digit alone. Each
follows from a few earlier ones by one small step. Rows go from the lowest place to the highest.

    842*37:  the digits of both operands, then a row for each digit of the first one: ten times the
             row before it, and that digit times the second operand.
    842/37:  the digits, then long division. Divisor and dividend, as many times ten as it takes
             for the divisor to fill its field (370), half of it added to the dividend, which
             rounds; then for each digit of the quotient the multiple of the divisor that comes near
             enough, and what it leaves, be it below 0; last the quotient with digits from 0 to 9.
    5-17:    the digits, then the difference digit by digit, with what is borrowed, and as it is
             read. A sum likewise.

What is below 0 is written as its complement: -3 is 7, and borrows 9.

A multiple need not be the largest that fits, so not much hangs on it: where two come nearly as
near, either will do, and the quotient is the same. Which multiple it is has symbols of its own, so
that to waver between two is not mistaken for doubt. Division of this kind is Robertson's, "A New
Class of Digital Division Methods", 1958; scratchpads are Nye et al., "Show Your Work", 2021. What
is true of it, the task knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec

CARRIES = "¹²³⁴⁵⁶⁷⁸⁹"
TIMES = "×"
MULTIPLES = range(-9, 10)


@dataclass(frozen=True)
class Layout:
    """Where in the sequence what is written, and how many symbols there are.

    Ids below `len(spec.symbols)` are those of the spec; behind them come digits with a carry, then
    multiples.
    """

    spec: CalculatorSpec

    @property
    def largest_carry(self) -> int:
        """9 where digits are multiplied: a product, a digit and a carry are 99 at most."""
        return 9 if set(self.spec.operators) & set("*/") else 1

    @cached_property
    def symbols(self) -> list[str]:
        """What it is written with, by id: 125 symbols.

        A carry stands small before its digit; `×-3` is the divisor taken -3 times.
        """
        carries = CARRIES[: self.largest_carry]
        multiples = MULTIPLES if "/" in self.spec.operators else ()
        return [
            *self.spec.symbols,
            *(f"{carry}{digit}" for carry in carries for digit in DIGITS),
            *(f"{TIMES}{times}" for times in multiples),
        ]

    @property
    def multiples(self) -> range:
        """The ids of the multiples, -9 to 9; empty if nothing is divided."""
        return range(self.carried(self.largest_carry + 1), len(self.symbols))

    @property
    def steps(self) -> int:
        """Digits of a quotient."""
        return self.spec.digits + self.spec.places

    @property
    def dividend(self) -> int:
        """Digits of a dividend that was made larger: those in front are the first rest."""
        digits, places = self.spec.digits, self.spec.places
        return self.steps + digits - (places >= digits)

    def parts(self, operator: str) -> dict[str, slice]:
        """Where for an operator what is written, in its order; behind it all is blank."""
        digits = self.spec.digits
        lengths = {"operands": 2 * digits}
        if operator in "+-":
            lengths |= {"carries": digits, "digits": digits + 1}
        elif operator == "*":
            lengths |= {f"row {i}": digits + i for i in range(1, digits + 1)}
        else:
            lengths |= {"divisor": digits, "dividend": self.dividend}
            for i in range(1, self.steps + 1):
                lengths |= {f"digit {i}": 1, f"rest {i}": digits + 1}
            lengths["quotient"] = self.steps
        parts, start = {}, 0
        for name, length in lengths.items():
            parts[name] = slice(start, start + length)
            start += length
        return parts

    @cached_property
    def length(self) -> int:
        """Symbols of a sequence: 53."""
        ends = [[*self.parts(operator).values()][-1].stop for operator in self.spec.operators]
        return int(max(ends))

    def carried(self, carry: int) -> int:
        """The first id of the digits with a carry, at least 1; that of 0."""
        return len(self.spec.symbols) + 10 * (carry - 1)
