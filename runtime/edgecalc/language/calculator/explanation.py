"""The working of one answer, as a person would write it down, from what the network wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgecalc.language.calculator.spec import POINT, CalculatorSpec
from edgecalc.language.calculator.working import (
    ABSENT,
    Axis,
    has_working,
    read_symbols,
    shapes,
)
from edgecalc.language.language import SURE, Explanation

_UNSURE = "?"


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
            f"{name} {number + 1}: {_shown(symbols[number])} ({probability:.0%})"
            for name, probabilities in self.certainty.items()
            for symbols in [getattr(self, name)]
            for number, probability in enumerate(probabilities)
            if probability < SURE
        ]

    def lines(self) -> list[str]:
        """The working in lines, to print."""
        spec, axis = self.spec, Axis(self.spec)
        divides = self.operator == "/"
        units = axis.units - spec.places * divides
        places = range(axis.places if divides else axis.shown)
        # A negative number's complement begins with nines, which tell nothing.
        digits = [0] * axis.shown if self.operator == "-" else self.digits
        first = next(p for p in places if p == units or self.columns[p] or digits[p])
        rows = {
            "place": [_place(units - place) for place in places],
            "columns": self._marked("columns")[: len(places)],
            "digits": self._marked("digits"),
        }
        rows = {title: cells[first:] for title, cells in rows.items()}
        width = 2 + max(len(cell) for cells in rows.values() for cell in cells)
        lines = [f"{self.expression} = {self.answer}", f"  {self._operation()}"]
        for title, cells in rows.items():
            lines.append(f"  {title:<8}" + "".join(cell.rjust(width) for cell in cells))
        if self.answer.startswith("-"):
            lines.append(
                f"  less than 0: the digits are those of 1{'0' * axis.shown} - the answer's"
            )
        return lines + [f"  unsure of {unsure}" for unsure in self.unsure()]

    def _marked(self, name: str) -> list[str]:
        probabilities = self.certainty[name]
        return [
            _shown(symbol) + _UNSURE * (probability < SURE)
            for symbol, probability in zip(getattr(self, name), probabilities, strict=True)
        ]

    def _operation(self) -> str:
        spec = self.spec
        digits = self._marked("operands")
        a, b = "".join(digits[: spec.digits]), "".join(digits[spec.digits :])
        if self.operator in "+-" or not self.multiplier:
            return f"{a} {self.operator} {b}"
        multiplier = self._marked("multiplier")
        if self.operator == "/":
            decimals = Axis(spec).reciprocal_decimals
            whole, rest = "".join(multiplier[:-decimals]), "".join(multiplier[-decimals:])
            return f"{a} × {whole.strip()}{POINT}{rest}    1/{b.lstrip('0')}, from memory"
        return f"{a} × {''.join(multiplier).strip()}"


def _shown(symbol: int | str) -> str:
    return " " if symbol == ABSENT else str(symbol)


def _place(exponent: int) -> str:
    """The value of a place: `100`, `10`, `1`, `.1`; from the fourth decimal on, `e-4`."""
    if exponent >= 0:
        return "1" + "0" * exponent
    return POINT + "0" * (-exponent - 1) + "1" if exponent >= -3 else f"e{exponent}"
