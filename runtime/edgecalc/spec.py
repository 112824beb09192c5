"""The spec: which expressions there are and which symbols they are written with.

Every file of the project (corpus, trained model, exported model) carries a spec, and every size
in the project follows from one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

DIGITS = "0123456789"
OPERATORS = "+-*/"
POINT = "."
PADDING = " "
ALPHABET = DIGITS + OPERATORS + POINT + PADDING

# int64 holds every intermediate of the arithmetic (2 * a * 10**places + b) up to here.
MAX_DIGITS = 6
MAX_PLACES = 6


@dataclass(frozen=True)
class Spec:
    """The language of expressions `a OP b` and of their answers.

    Raises:
        ValueError: if a field is out of range; the message names the field.
    """

    digits: int = field(default=3, metadata={"help": "digits of the largest operand"})
    places: int = field(default=3, metadata={"help": "decimals of a quotient"})
    operators: str = field(default=OPERATORS, metadata={"help": "operators, of + - * /"})
    alphabet: str = field(
        default=ALPHABET,
        metadata={"help": "the symbols in the order of their ids, a permutation of the default"},
    )

    def __post_init__(self) -> None:
        for name, low, high in (("digits", 1, MAX_DIGITS), ("places", 0, MAX_PLACES)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} must be a whole number from {low} to {high}: {value!r}")
        for name in ("operators", "alphabet"):
            value = getattr(self, name)
            if not isinstance(value, str) or len(set(value)) != len(value):
                raise ValueError(f"{name} must be a string without repetition: {value!r}")
        if not self.operators or set(self.operators) - set(OPERATORS):
            raise ValueError(f"operators must be some of {OPERATORS!r}: {self.operators!r}")
        if set(self.alphabet) != set(ALPHABET):
            raise ValueError(f"alphabet must be a permutation of {ALPHABET!r}: {self.alphabet!r}")

    @property
    def limit(self) -> int:
        """The number of values an operand can take: 1000 for 3 digits."""
        return 10**self.digits

    @property
    def expression_length(self) -> int:
        """Symbols in a padded expression: both operands and the operator."""
        return 2 * self.digits + 1

    @property
    def answer_length(self) -> int:
        """Symbols in a padded answer: those of the longest answer there is."""
        longest = {
            "+": self.digits + 1,  # 999+999 = 1998
            "-": self.digits + 1,  # 0-999 = -999
            "*": 2 * self.digits,  # 999*999 = 998001
            "/": self.digits + (1 + self.places if self.places else 0),  # 999/7 = 142.714
        }
        return max(longest[operator] for operator in self.operators)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Spec:
        """The spec with these fields.

        Raises:
            ValueError: if a field is missing, unknown or out of range.
        """
        expected = set(cls.__dataclass_fields__)
        if not isinstance(fields, dict) or set(fields) != expected:
            raise ValueError(f"a spec has the fields {', '.join(sorted(expected))}: {fields!r}")
        return cls(**fields)
