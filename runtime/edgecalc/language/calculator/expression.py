"""Expressions `a OP b`, and the texts that have this form."""

from __future__ import annotations

import re
from typing import NamedTuple

from edgecalc.language.calculator.operators import OPERATORS
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.language import ExpressionError

SPELLINGS = str.maketrans(
    {other: operator.symbol for operator in OPERATORS.values() for other in operator.spellings}
)
# Blanks stand where they are named here, so never between two digits. Nothing in it can match in
# two ways, so a text of any length is read in linear time.
_FORM = re.compile(r"\s*([0-9]+)\s*([^0-9\s])\s*([0-9]+)\s*(?:=\s*)?")
_SHOWN_CHARACTERS = 20


class Expression(NamedTuple):
    """An expression `a OP b`."""

    operator: str
    a: int
    b: int

    @property
    def text(self) -> str:
        """The expression without blanks or leading zeros: what the network was taught."""
        return f"{self.a}{self.operator}{self.b}"


def plain_form(spec: CalculatorSpec) -> re.Pattern[str]:
    """Matches, as a whole, the texts of expressions: what `parse` would give back unchanged."""
    number = f"(?:0|[1-9][0-9]{{0,{spec.digits - 1}}})"
    divisor = f"[1-9][0-9]{{0,{spec.digits - 1}}}"
    ends = (re.escape(o.symbol) + (divisor if o.divides else number) for o in spec.known)
    return re.compile(f"{number}(?:{'|'.join(ends)})")


def example(spec: CalculatorSpec) -> str:
    """An expression, for three digits `55+49`."""
    return f"{'5' * min(spec.digits, 2)}{spec.operators[0]}{'49'[-spec.digits :]}"


def read_form(text: str, spec: CalculatorSpec) -> Expression | None:
    """Reads what has the form `a OP b`; see `edgecalc.language.calculator.parser`.

    Returns:
        The expression; None if the text does not have the form.

    Raises:
        ExpressionError: if it has the form, but is not within the spec, or divides by zero.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    a = _operand(form[1], form.start(1) + 1, spec)
    operator, column = form[2].translate(SPELLINGS), form.start(2) + 1
    if operator not in spec.operators:
        known = " ".join(spec.operators)
        if operator in OPERATORS:
            raise ExpressionError(f"this model has not learned {operator}, only {known}", column)
        raise ExpressionError(
            f"expected an operator, found {shown(operator)}: type one of {known}", column
        )
    b_column = form.start(3) + 1
    b = _operand(form[3], b_column, spec)
    if OPERATORS[operator].divides and b == 0:
        raise ExpressionError("division by zero", b_column)
    return Expression(operator, a, b)


def _operand(token: str, column: int, spec: CalculatorSpec) -> int:
    digits = token.lstrip("0") or "0"
    if len(digits) > spec.digits:
        raise ExpressionError(
            f"{shown(digits)} has {len(digits)} digits, at most {spec.digits} are known", column
        )
    return int(digits)


def shown(token: str) -> str:
    """A token as an error message can hold it: quoted, escaped, not too long."""
    if len(token) > _SHOWN_CHARACTERS:
        token = token[:_SHOWN_CHARACTERS] + "…"
    return ascii(token) if not token.isprintable() else f"'{token}'"
