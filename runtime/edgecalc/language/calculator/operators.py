"""The operators there are, and all that is known of one but for its truth (`truth.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Operator:
    """An operator of the calculator.

    Attributes:
        symbol: its one ASCII character.
        longest: from the digits of operands and the decimals of fixed point to the symbols of its
            longest answer.
        spellings: other characters that a person may type for it.
        commutes: whether `a OP b` and `b OP a` are the same, so that one must not be held out
            while the other trains.
        divides: whether the second operand must not be 0.
        fixed_point: whether answers are written with decimals.
    """

    symbol: str
    longest: Callable[[int, int], int]
    spellings: str = ""
    commutes: bool = False
    divides: bool = False
    fixed_point: bool = False


# In the order of their ids: a new one comes last.
OPERATORS = {
    operator.symbol: operator
    for operator in (
        Operator("+", lambda digits, places: digits + 1, commutes=True),  # 999+999 = 1998
        Operator("-", lambda digits, places: digits + 1, spellings="\N{MINUS SIGN}"),  # -999
        Operator("*", lambda digits, places: 2 * digits, spellings="×·xX", commutes=True),
        Operator(
            "/",
            lambda digits, places: digits + bool(places) + places,  # 999/7 = 142.714
            spellings="÷:",
            divides=True,
            fixed_point=True,
        ),
    )
}
