"""What a person types, read and normalised: `  007 × 8 =` is the expression `7*8`."""

from __future__ import annotations

import re
from typing import NamedTuple

from edgecalc.language.calculator.operators import OPERATORS
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.language import ExpressionError

_SPELLINGS = str.maketrans(
    {other: operator.symbol for operator in OPERATORS.values() for other in operator.spellings}
)
_TOKENS = re.compile(r"[0-9]+|[^0-9]")
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


def parse(text: str, spec: CalculatorSpec) -> Expression:
    """Reads an expression as a person types it.

    Blanks anywhere, a trailing `=`, leading zeros and other spellings of the operators
    (`× · x X` for `*`, `÷ :` for `/`, the Unicode minus) are normalised.

    Raises:
        ExpressionError: if it is not `a OP b` within the spec, or divides by zero.
    """
    columns = [i for i, character in enumerate(text, 1) if not character.isspace()]
    kept = "".join(text.split()).translate(_SPELLINGS)
    if kept.endswith("="):
        kept = kept[:-1]
    if not kept:
        raise ExpressionError("nothing to calculate")
    tokens = [(match[0], columns[match.start()]) for match in _TOKENS.finditer(kept)]
    end = columns[len(kept) - 1] + 1

    def operand(position: int) -> tuple[int, int]:
        if position >= len(tokens):
            raise ExpressionError("a number is missing", end)
        token, column = tokens[position]
        if not token.isdigit() or not token.isascii():
            raise ExpressionError(f"expected a number, found {_shown(token)}", column)
        digits = token.lstrip("0") or "0"
        if len(digits) > spec.digits:
            raise ExpressionError(
                f"{_shown(digits)} has {len(digits)} digits, at most {spec.digits} are known",
                column,
            )
        return int(digits), column

    a, _ = operand(0)
    if len(tokens) < 2:
        raise ExpressionError("an operator is missing", end)
    operator, column = tokens[1]
    if operator not in spec.operators:
        if operator in OPERATORS:
            known = " ".join(spec.operators)
            raise ExpressionError(f"this model has not learned {operator}, only {known}", column)
        raise ExpressionError(f"expected an operator, found {_shown(operator)}", column)
    b, b_column = operand(2)
    if len(tokens) > 3:
        token, column = tokens[3]
        raise ExpressionError(f"expected the end, found {_shown(token)}", column)
    if OPERATORS[operator].divides and b == 0:
        raise ExpressionError("division by zero", b_column)
    return Expression(operator, a, b)


def _shown(token: str) -> str:
    """A token as an error message can hold it: quoted, escaped, not too long."""
    if len(token) > _SHOWN_CHARACTERS:
        token = token[:_SHOWN_CHARACTERS] + "…"
    return ascii(token) if not token.isprintable() else f"'{token}'"
