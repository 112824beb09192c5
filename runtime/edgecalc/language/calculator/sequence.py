"""The working as a sequence of symbols: what a person would write one behind the other on paper.

    842/37:  the digits of both operands, the multiplier (here 1/37, rounded up), then the product
             in as many rows as the first operand has digits, each from its lowest place to its
             highest. A row is ten times the row before it, and the next digit of the first operand
             times the multiplier. The first row of a quotient also has the 5 that rounds.

A symbol of a row is a digit, and the carry into the next place; without a carry it is the digit
alone. Sums and differences stand in the last two rows: first digit by digit, with what is carried
or borrowed, then as they are read, a difference without its complement. So each symbol follows
from a few earlier ones, and the last row has the digits of the answer, on the places of `Axis`.

Scratchpads of this kind: Nye et al., "Show Your Work", 2021. What is true of it, the task knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec
from edgecalc.language.calculator.working import Axis

_CARRIES = "¹²³⁴⁵⁶⁷⁸⁹"


@dataclass(frozen=True)
class Layout:
    """Where in the sequence what is written, and how many symbols there are.

    Ids below `len(spec.symbols)` are those of the spec; behind them come digits with a carry.

    Raises:
        ValueError: if an operator of the spec has no working.
    """

    spec: CalculatorSpec

    @cached_property
    def axis(self) -> Axis:
        """The places."""
        return Axis(self.spec)

    @property
    def largest_carry(self) -> int:
        """9 where digits are multiplied: a product, a digit and a carry are 99 at most."""
        return 9 if self.axis.multiplier else 1

    @cached_property
    def symbols(self) -> list[str]:
        """What it is written with, by id: 106 symbols; a carry stands small before its digit."""
        carries = _CARRIES[: self.largest_carry]
        return [*self.spec.symbols, *(f"{carry}{digit}" for carry in carries for digit in DIGITS)]

    @property
    def operands(self) -> slice:
        """Both operands, zero-filled, the highest digit first."""
        return slice(0, 2 * self.spec.digits)

    @property
    def multiplier(self) -> slice:
        """The multiplier, the highest digit first; blank where it has none."""
        start = self.operands.stop
        return slice(start, start + self.axis.multiplier)

    @cached_property
    def rows(self) -> list[slice]:
        """The rows, each a place longer than the one before it; the last one has all places."""
        count = max(2, self.spec.digits if self.axis.multiplier else 0)
        start: int = self.multiplier.stop
        rows = []
        for length in range(self.axis.places - count + 1, self.axis.places + 1):
            rows.append(slice(start, start + length))
            start += length
        return rows

    @property
    def length(self) -> int:
        """Symbols of a sequence: 53."""
        return int(self.rows[-1].stop)

    def carried(self, carry: int) -> int:
        """The first id of the digits with a carry, at least 1; that of 0."""
        return len(self.spec.symbols) + 10 * (carry - 1)
