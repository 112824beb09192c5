"""The working: what a person would write on paper between an expression and its answer.

All digits of a calculation stand on one axis of places, the highest first, so that the product of
the digits at two positions falls on one place, whatever the operator: on paper, a diagonal.

    842/37:  operands 842 037, multiplier 0.0270270271 (1/37, rounded up), and the columns are
             the sums of digit products along the diagonals, plus the 5 that rounds.

What is true of it, the task knows; here is only how it is written and read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgecalc.language.calculator.spec import CalculatorSpec

ABSENT = 10  # in the place of a digit: nothing is written there
_WORKED = "+-*/"  # the operators whose working has a form here


def has_working(spec: CalculatorSpec) -> bool:
    """Whether there is a form for the working of every operator of a spec."""
    return set(spec.operators) <= set(_WORKED)


@dataclass(frozen=True)
class Axis:
    """The places on which the calculations of a spec are written; each number is a position.

    With 3 digits and 3 places: 13 places, of which the 6 highest show in the answer. The 7 behind
    them are there for quotients alone, whose last shown place has the value 10**-3.

    Raises:
        ValueError: if an operator of the spec has no working.
    """

    spec: CalculatorSpec

    def __post_init__(self) -> None:
        if not has_working(self.spec):
            raise ValueError(
                f"the operators {self.spec.operators} are not all among {_WORKED}, whose working "
                "is known"
            )

    @property
    def shown(self) -> int:
        """Places that the answer can show: its symbols but for the point."""
        spec = self.spec
        return max(
            operator.longest(spec.digits, spec.places) - (operator.fixed_point and spec.places > 0)
            for operator in spec.known
        )

    @property
    def reciprocal_decimals(self) -> int:
        """Decimals of a reciprocal that make every rounded quotient exact: 10.

        Rounded up, 1/b is too large by less than 10**-decimals, so a * 1/b by less than
        10**(digits - decimals). Half a unit of the last place added, a/b is a multiple of
        10**-places / 2b; if it is not a whole number of units, it lacks more than
        10**-places / 2 * 10**-digits to the next one, which is more than the error.
        """
        return 2 * self.spec.digits + self.spec.places + 1 if "/" in self.spec.operators else 0

    @property
    def multiplier(self) -> int:
        """Digits of a multiplier: of a reciprocal, those behind the point and one before it."""
        needed = {"+": 0, "-": 0, "*": self.hidden + self.spec.digits}
        needed["/"] = self.reciprocal_decimals + 1
        return max(needed[operator] for operator in self.spec.operators)

    @property
    def hidden(self) -> int:
        """Places behind those that the answer shows."""
        return self.reciprocal_decimals - self.spec.places if "/" in self.spec.operators else 0

    @property
    def places(self) -> int:
        """All places: 13."""
        return self.shown + self.hidden

    @property
    def units(self) -> int:
        """Where the ones of `+`, `-` and `*` stand."""
        return self.shown - 1

    @property
    def first_diagonal(self) -> int:
        """The place of the product of both numbers' first digits; each digit on is a place on."""
        return self.places - self.spec.digits - self.multiplier + 1

    @property
    def multiplier_units(self) -> int:
        """Where in a multiplier the ones of `*` stand."""
        return self.multiplier - 1 - self.hidden

    @property
    def smallest_column(self) -> int:
        """The smallest value of a column: 0 - 9."""
        return -9 if "-" in self.spec.operators else 0

    @property
    def largest_column(self) -> int:
        """The largest value of a column: a diagonal of 9 * 9, and the 5 that rounds; 248."""
        spec = self.spec
        largest = {"+": 18, "-": 9, "*": 81 * spec.digits, "/": 81 * spec.digits + 5}
        return max(largest[operator] for operator in spec.operators)

    @property
    def columns(self) -> int:
        """How many values a column can have: 258."""
        return self.largest_column - self.smallest_column + 1

    @property
    def smallest_carry(self) -> int:
        """The smallest carry: 1 borrowed, where there is subtraction."""
        return -1 if "-" in self.spec.operators else 0

    @property
    def largest_carry(self) -> int:
        """The largest carry c: with the largest column, c + column is less than 10 * (c + 1)."""
        return self.largest_column // 9

    @property
    def carries(self) -> int:
        """How many values a carry can have: 29."""
        return self.largest_carry - self.smallest_carry + 1


def shapes(spec: CalculatorSpec) -> dict[str, tuple[int, ...]]:
    """The shapes of what a network gives of its working for one expression, by name.

    The last axis is that of the values of a symbol. A language with neither `*` nor `/` has no
    multiplier.
    """
    axis = Axis(spec)
    multiplier = {"multiplier": (axis.multiplier, 10)} if axis.multiplier else {}
    return {
        "operands": (2 * spec.digits, 10),
        "operator": (len(spec.operators),),
        **multiplier,
        "columns": (axis.places, axis.columns),
        "digits": (axis.shown, 10),
    }


def read_symbols(
    spec: CalculatorSpec, probabilities: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The working that a network wrote, from the probabilities it gave.

    Args:
        spec: the language.
        probabilities: by name, float32, over the values of each symbol (the last axis):
            `operands` (n, 2 * digits, 10), `operator` (n, operators), `multiplier`
            (n, axis.multiplier, 10), `columns` (n, axis.places, axis.columns), `digits`
            (n, axis.shown, 10); other names are left out.

    Returns:
        By name the most likely symbols, integers without the last axis: digits, `ABSENT` where a
        multiplier has none, the values of columns; an operator is a position in
        `spec.operators`. And by name their probabilities.
    """
    names = ("operands", "operator", "multiplier", "columns", "digits")
    given = {name: probabilities[name] for name in names if name in probabilities}
    symbols = {name: values.argmax(axis=-1) for name, values in given.items()}
    certainty = {name: values.max(axis=-1) for name, values in given.items()}
    symbols["columns"] += Axis(spec).smallest_column
    if "multiplier" in given:
        written = given["multiplier"].sum(axis=-1)  # 0 where a digit is absent
        absent = written < 0.5
        symbols["multiplier"][absent] = ABSENT
        certainty["multiplier"] = np.where(absent, 1 - written, certainty["multiplier"])
    return symbols, certainty
