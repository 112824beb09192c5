"""What a network wrote that writes its working as a sequence of symbols, see `sequence`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgecalc.language.calculator.paper import Row, doubts, marked, operation, table
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.spec import CalculatorSpec
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
        certainty: the probability that the network gave each.
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
        return cls(spec, expression, answer, symbols, written[0].max(axis=-1).tolist())

    def unsure(self) -> list[str]:
        """The symbols that the network is unsure of, in words: `row 1, 3: ²7 (61%)`."""
        layout = Layout(self.spec)
        parts = {"operands": layout.operands, "multiplier": layout.multiplier}
        parts |= {f"row {number},": row for number, row in enumerate(layout.rows, 1)}
        return [
            doubt
            for name, part in parts.items()
            for doubt in doubts(name, self.symbols[part], self.certainty[part])
        ]

    def lines(self) -> list[str]:
        """The working in lines, to print."""
        layout = Layout(self.spec)
        cells = marked(self.symbols, self.certainty)
        operator = next(c for c in self.expression if c in self.spec.operators)
        first = self.expression.partition(operator)[0].rjust(self.spec.digits, "0")
        rows: list[Row] = []
        for shift, part in enumerate(reversed(layout.rows)):
            row = cells[part][::-1]  # from the highest place
            places = [""] * (layout.axis.places - len(row)) + row
            if operator in "+-":
                title = ("digits", "carries")[shift] if shift < 2 else ""
            else:
                places = places[shift:]  # a row is to be taken ten times for each that follows
                title = f"{first[: self.spec.digits - shift]} ×"
            if title and any(cell.strip() for cell in row):
                rows.insert(0, Row(title, places, [cell.strip(" 0") for cell in places]))
        lines = [f"{self.expression} = {self.answer}"]
        operands, multiplier = cells[layout.operands], cells[layout.multiplier]
        lines.append(f"  {operation(self.spec, operator, operands, multiplier)}")
        lines += table(layout.axis, operator, rows)
        return lines + [f"  unsure of {unsure}" for unsure in self.unsure()]
