"""What a network wrote that has a working in columns, see `working`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgecalc.language.calculator.paper import Row, doubts, marked, table
from edgecalc.language.calculator.spec import POINT, CalculatorSpec
from edgecalc.language.calculator.working import (
    ABSENT,
    Axis,
    has_working,
    read_symbols,
    shapes,
)
from edgecalc.language.language import Explanation


@dataclass(frozen=True)
class ColumnsExplanation(Explanation):
    """What a network wrote on the way to an answer; nothing in it is calculated.

    Symbols are lists, the highest place first, see `edgecalc.language.calculator.working`. Each
    goes with a list of the probabilities that the network gave them.

    Attributes:
        spec: the language.
        expression: the expression as the network saw it: `842/37`.
        answer: the answer as a person expects it: `22.757`.
        operator: the operator that was read.
        operands: the digits of both operands, zero-filled.
        multiplier: the digits of what the first operand was multiplied with, `ABSENT` where there
            is none; empty if the language has neither `*` nor `/`.
        columns: the sum in each place before any carry.
        digits: what stays in the shown places after carrying; of a negative number the digits of
            its complement.
        certainty: the probabilities, by the name of the attribute.
    """

    spec: CalculatorSpec
    expression: str
    answer: str
    operator: str
    operands: list[int]
    multiplier: list[int]
    columns: list[int]
    digits: list[int]
    certainty: Mapping[str, list[float]]

    @classmethod
    def of(
        cls,
        spec: CalculatorSpec,
        expression: str,
        answer: str,
        outputs: Mapping[str, np.ndarray],
    ) -> ColumnsExplanation | None:
        """The explanation in what a network gave; None if that is not the working of the spec."""
        if not has_working(spec):
            return None
        expected = shapes(spec)
        working = {name: outputs[name] for name in expected if name in outputs}
        found = {n: array.shape for n, array in working.items() if array.dtype.kind == "f"}
        if found != {name: (1, *shape) for name, shape in expected.items()}:
            return None
        symbols, certainty = read_symbols(spec, working)
        lists = {name: values[0].tolist() for name, values in symbols.items()}
        return cls(
            spec,
            expression,
            answer,
            spec.operators[lists["operator"]],
            lists["operands"],
            lists.get("multiplier", []),
            lists["columns"],
            lists["digits"],
            {name: np.atleast_1d(values[0]).tolist() for name, values in certainty.items()},
        )

    def unsure(self) -> list[str]:
        """The symbols that the network is unsure of, in words: `columns 3: 163 (61%)`."""
        return [
            doubt
            for name, probabilities in self.certainty.items()
            for doubt in doubts(name, [*map(_shown, getattr(self, name))], probabilities)
        ]

    def lines(self) -> list[str]:
        """The working in lines, to print."""
        axis = Axis(self.spec)
        # A negative number's complement begins with nines, which tell nothing.
        tells = self.operator != "-"
        rows = [
            Row("columns", self._marked("columns"), self.columns),
            Row("digits", self._marked("digits"), self.digits if tells else []),
        ]
        lines = [f"{self.expression} = {self.answer}", f"  {self._operation()}"]
        divides = self.operator == "/"
        places = axis.places if divides else axis.shown
        lines += table(places, axis.units - self.spec.places * divides, rows)
        if self.answer.startswith("-"):
            lines.append(
                f"  less than 0: the digits are those of 1{'0' * axis.shown} - the answer's"
            )
        return lines + [f"  unsure of {unsure}" for unsure in self.unsure()]

    def _marked(self, name: str) -> list[str]:
        return marked(map(_shown, getattr(self, name)), self.certainty[name])

    def _operation(self) -> str:
        digits = "".join(self._marked("operands"))
        a, b = digits[: -self.spec.digits], digits[-self.spec.digits :]
        multiplier = self._marked("multiplier")
        if self.operator in "+-" or not multiplier:
            return f"{a} {self.operator} {b}"
        if self.operator == "/":
            decimals = Axis(self.spec).reciprocal_decimals
            whole, rest = "".join(multiplier[:-decimals]), "".join(multiplier[-decimals:])
            return f"{a} × {whole.strip()}{POINT}{rest}    1/{b.lstrip('0')}, from memory"
        return f"{a} × {''.join(multiplier).strip()}"


def _shown(symbol: int | str) -> str:
    return " " if symbol == ABSENT else str(symbol)
