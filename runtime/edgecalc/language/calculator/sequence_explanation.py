"""What a network wrote that writes its working as a sequence of symbols, see `sequence`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgecalc.language.calculator.paper import UNSURE, Row, doubts, marked, table
from edgecalc.language.calculator.sequence import CARRIES, TIMES, Layout
from edgecalc.language.calculator.spec import DIGITS, POINT, CalculatorSpec
from edgecalc.language.calculator.working import has_working
from edgecalc.language.language import Explanation


@dataclass(frozen=True)
class SequenceExplanation(Explanation):
    """What a network wrote on the way to an answer; nothing in it is calculated.

    Attributes:
        spec: the language.
        expression: the expression as the network saw it: `842/37`.
        answer: the answer as a person expects it: `22.757`.
        symbols: what it wrote, see `Layout`; a carry stands small before the digit that stays.
        certainty: the probability that the network gave each; or if it is larger, the one that it
            gave to all multiples, of which often several will do.
    """

    spec: CalculatorSpec
    expression: str
    answer: str
    symbols: list[str]
    certainty: list[float]

    @classmethod
    def of(
        cls,
        spec: CalculatorSpec,
        expression: str,
        answer: str,
        outputs: Mapping[str, np.ndarray],
    ) -> SequenceExplanation | None:
        """The explanation in what a network gave; None if that is not the working of the spec."""
        written = outputs.get("sequence")
        if written is None or not has_working(spec):
            return None
        layout = Layout(spec)
        if written.dtype.kind != "f" or written.shape != (1, layout.length, len(layout.symbols)):
            return None
        symbols = [layout.symbols[number] for number in written[0].argmax(axis=-1).tolist()]
        multiples = written[0, :, layout.multiples].sum(axis=0)
        certainty = np.maximum(written[0].max(axis=-1), multiples)
        return cls(spec, expression, answer, symbols, certainty.tolist())

    def unsure(self) -> list[str]:
        """The symbols that the network is unsure of, in words: `row 1, 3: ²7 (61%)`."""
        return [
            doubt
            for name, part in self._parts.items()
            for doubt in doubts(
                f"{name}," if name[-1].isdigit() else name,
                self.symbols[part],
                self.certainty[part],
            )
        ]

    def lines(self) -> list[str]:
        """The working in lines, to print."""
        digits = self.spec.digits
        operands = "".join(self._cells["operands"])
        a, b = operands[:-digits], operands[-digits:]
        if self._operator == "/":
            told = f"{a} ÷ {b}, taken as {self._dividend()} ÷ {''.join(self._cells['divisor'])}"
            places, units = self._layout.steps, self._layout.steps - 1 - self.spec.places
            rows = self._division()
        elif self._operator == "*":
            told = f"{a} × {b}"
            places, units = 2 * digits, 2 * digits - 1
            # A row is to be taken ten times for each that follows, so all begin at one place.
            names = [f"row {number}" for number in range(1, digits + 1)]
            rows = [self._row(f"{a[:i]} ×", self._cells[n][::-1]) for i, n in enumerate(names, 1)]
        else:
            told = f"{a} {self._operator} {b}"
            places, units = digits + 1, digits
            rows = [
                self._row("carries", ["", *self._cells["carries"][::-1]]),
                self._row("digits", self._cells["digits"][::-1]),
            ]
        lines = [f"{self.expression} = {self.answer}", f"  {told}", *table(places, units, rows)]
        return lines + [f"  unsure of {unsure}" for unsure in self.unsure()]

    def _dividend(self) -> str:
        """As many times ten as the divisor is, with what rounds: `8420.185`."""
        cells, places = self._read_dividend, self.spec.places
        whole, decimals = cells[: len(cells) - places], cells[len(cells) - places :]
        text = "".join(whole).lstrip("0") or "0"
        return f"{text}{POINT}{''.join(decimals)}" if decimals else text

    def _division(self) -> list[Row]:
        steps, cells = range(1, self._layout.steps + 1), self._cells
        return [
            self._row("down", self._read_dividend[-len(steps) :]),
            self._row("times", [cells[f"digit {step}"][0].lstrip(TIMES) for step in steps]),
            Row("rest", [_signed(cells[f"rest {step}"]) for step in steps], []),
            self._row("quotient", cells["quotient"][::-1]),
        ]

    @property
    def _read_dividend(self) -> list[str]:
        """Its digits, the highest first."""
        return [cell.lstrip(CARRIES) for cell in reversed(self._cells["dividend"])]

    @staticmethod
    def _row(title: str, cells: list[str]) -> Row:
        return Row(title, cells, [cell.strip(" 0") for cell in cells])

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.spec)

    @cached_property
    def _operator(self) -> str:
        return next(c for c in self.expression if c in self.spec.operators)

    @cached_property
    def _parts(self) -> dict[str, slice]:
        return self._layout.parts(self._operator)

    @cached_property
    def _cells(self) -> dict[str, list[str]]:
        """The symbols of each part, marked as `unsure` says."""
        cells = [cell.strip() for cell in marked(self.symbols, self.certainty)]
        return {name: cells[part] for name, part in self._parts.items()}


def _signed(cells: list[str]) -> str:
    """A number whose digits were written from the lowest, as it is read, below 0 if 9 leads."""
    text = "".join(cells)
    digits = "".join(c for c in reversed(text) if c in DIGITS)
    if not digits:
        return text
    number = int(digits) - digits.startswith("9") * 10 ** len(digits)
    return f"{number}{UNSURE if UNSURE in text else ''}"
