"""The spec of the calculator: which expressions `a OP b` there are and how they are written."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgecalc.language.calculator.operators import OPERATORS, Operator
from edgecalc.language.spec import PADDING, Spec

DIGITS = "0123456789"
POINT = "."
_LEARNED = "+-*/"  # by default; an operator that is added later is asked for by name

# 64 bits hold every intermediate of the arithmetic up to here: 2 * a * 10**places + b, and the
# reciprocals of `edgecalc.language.calculator.working`.
MAX_DIGITS = 6
MAX_PLACES = 6


@dataclass(frozen=True)
class CalculatorSpec(Spec):
    """The sizes of expressions `a OP b` and of their answers.

    Raises:
        ValueError: if a field is out of range; the message names the field.
    """

    task = "calculator"

    digits: int = field(default=3, metadata={"help": "digits of the largest operand"})
    places: int = field(default=3, metadata={"help": "decimals of a quotient"})
    operators: str = field(
        default=_LEARNED, metadata={"help": f"operators, of {' '.join(OPERATORS)}"}
    )
    alphabet: str = field(
        default="",
        metadata={
            "help": "the symbols in another order of ids than digits, operators, point, blank"
        },
    )

    def __post_init__(self) -> None:
        for name, low, high in (("digits", 1, MAX_DIGITS), ("places", 0, MAX_PLACES)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(
                    f"{name} must be a whole number from {low} to {high}: {value!r:.100}"
                )
        for name in ("operators", "alphabet"):
            value = getattr(self, name)
            if not isinstance(value, str) or len(set(value)) != len(value):
                raise ValueError(f"{name} must be a string without repetition: {value!r:.100}")
        known = "".join(OPERATORS)
        if not self.operators or set(self.operators) - set(known):
            raise ValueError(f"operators must be some of {known!r}: {self.operators!r:.100}")
        symbols = alphabet_of(self.operators)
        if not self.alphabet:
            object.__setattr__(self, "alphabet", symbols)
        elif set(self.alphabet) != set(symbols):
            raise ValueError(
                f"alphabet must be a permutation of {symbols!r}: {self.alphabet!r:.100}"
            )

    @property
    def symbols(self) -> str:
        """The alphabet."""
        return self.alphabet

    @property
    def limit(self) -> int:
        """The number of values an operand can take: 1000 for 3 digits."""
        return int(10**self.digits)

    @property
    def expression_length(self) -> int:
        """Symbols in a padded expression: both operands and the operator."""
        return 2 * self.digits + 1

    @property
    def answer_length(self) -> int:
        """Symbols in a padded answer: those of the longest answer there is."""
        return max(operator.longest(self.digits, self.places) for operator in self.known)

    @property
    def known(self) -> list[Operator]:
        """What is known of each operator of the spec."""
        return [OPERATORS[symbol] for symbol in self.operators]

    @property
    def groups(self) -> tuple[str, ...]:
        """Exact answers are counted by operator."""
        return tuple(self.operators)


def alphabet_of(operators: str) -> str:
    """The symbols that expressions with these operators are written with, in order of their ids."""
    known = "".join(symbol for symbol in OPERATORS if symbol in operators)
    return DIGITS + known + POINT + PADDING
