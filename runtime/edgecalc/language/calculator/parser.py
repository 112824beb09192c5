"""What a person types, read and normalised: `  007 × 8 =` is the expression `7*8`."""

from __future__ import annotations

from edgecalc.language.calculator.expression import Expression, read_form
from edgecalc.language.calculator.spec import CalculatorSpec


def parse(text: str, spec: CalculatorSpec) -> Expression:
    """Reads an expression as a person types it.

    White space at the ends and around the operator, a trailing `=`, leading zeros and other
    spellings of the operators (`× · x X` for `*`, `÷ :` for `/`, the Unicode minus) are normalised.
    White space between two digits is an error: they could be two numbers as well as one.

    Raises:
        ExpressionError: if it is not `a OP b` within the spec, or divides by zero; it says what to
            type instead.
    """
    expression = read_form(text, spec)
    if expression is None:
        # Loaded for what cannot be read alone.
        from edgecalc.language.calculator.refusal import refusal

        raise refusal(text, spec)
    return expression
